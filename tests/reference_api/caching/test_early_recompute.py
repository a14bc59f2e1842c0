"""XFetch: its formula, what it does when a renewal fails, and how many recompute at an expiry."""

import asyncio
import math
import random
import statistics
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.reference_api.caching import Entry, Found
from slocheck.reference_api.caching.cache_aside import Filler
from slocheck.reference_api.caching.early_recompute import EarlyRecompute, Renewals, due
from slocheck.reference_api.caching.memory import MemoryCache
from tests.reference_api.measuring import stampede
from tests.support.simulated_time import clock, simulate

DRAWS = 2_000


@given(st.floats(0.001, 10), st.floats(0.1, 5), st.floats(0, 8))
def test_the_share_that_recomputes_is_the_papers(delta: float, beta: float, steps: float) -> None:
    """Of evenly spread draws, ``exp(-gap / (beta * delta))`` recompute, one draw more or less."""
    entry = Entry(b"x", 1_000.0, delta)
    now = 1_000.0 - steps * beta * delta
    draws = ((number + 0.5) / DRAWS for number in range(DRAWS))
    recomputing = sum(due(entry, now=now, beta=beta, draw=draw) for draw in draws)
    assert abs(recomputing / DRAWS - math.exp(-steps)) <= 1.01 / DRAWS


@pytest.mark.parametrize(
    ("now", "draw", "recomputes"),
    [
        pytest.param(1_000.0, 1.0, True, id="at its end, whatever is drawn"),
        pytest.param(999.0, 1.0, False, id="before it, the largest draw does not"),
        pytest.param(999.0, math.exp(-1), True, id="on the probability"),
        pytest.param(999.0, math.exp(-1) + 1e-9, False, id="just above it"),
        pytest.param(0.0, 5e-324, False, id="long before, not even the smallest draw does"),
    ],
)
def test_the_formula_at_its_limits(now: float, draw: float, *, recomputes: bool) -> None:
    """A query of 1 s, beta 1."""
    assert due(Entry(b"x", 1_000.0, 1.0), now=now, beta=1.0, draw=draw) is recomputes


def test_a_query_that_took_no_time_on_the_clock_is_renewed_early_too() -> None:
    """Its cost counts as 0.1 ms, so a fast query's key does not expire for everyone at once."""
    assert due(Entry(b"x", 1_000.0, 0.0), now=1_000.0 - 1e-4, beta=1.0, draw=0.3)


def test_a_failed_renewal_serves_what_is_still_valid() -> None:
    """The smallest draw is 0, whose renewal fails: the reader gets the cached value, and it is counted."""
    failed = []

    async def main() -> list[Found]:
        cache = MemoryCache(clock=clock, timer=clock)
        filler = Filler(cache, clock=clock)
        reads = _early(filler, draw=lambda: 0.999999, failed=lambda: failed.append(1))
        await cache.fill("k", Entry(b"valid", clock() + 1.0, 1.0), await cache.lease("k"))

        async def down() -> bytes:
            raise ConnectionError

        served = await reads.read("k", down)
        await asyncio.sleep(1.0)
        with pytest.raises(ConnectionError):
            await reads.read("k", down)
        return [served]

    assert simulate(main()) == [Found(b"valid", "l1")]
    assert failed == [1]


def test_a_draw_of_0_is_a_number() -> None:
    """``random()`` can return 0; its logarithm does not exist, so 1 minus it is used."""

    async def main() -> Found:
        cache = MemoryCache(clock=clock, timer=clock)
        filler = Filler(cache, clock=clock)
        await cache.fill("k", Entry(b"valid", clock() + 1.0, 1.0), await cache.lease("k"))
        return await _early(filler, draw=lambda: 0.0).read("k", _never)

    assert simulate(main()) == Found(b"valid", "l1")


def test_a_cold_start_does_not_become_a_permanent_stampede() -> None:
    """Its queries queue up and seem slow; at face value, each value would be renewed at once."""

    async def main() -> int:
        queries = 0
        connection = asyncio.Lock()
        cache = MemoryCache(clock=clock, timer=clock)
        filler = Filler(cache, ttl=20.0, clock=clock)
        draw = random.Random(1).random
        reads = stampede.InTurn([_early(filler, draw=draw) for _ in range(20)])

        async def load() -> bytes:
            nonlocal queries
            queries += 1
            async with connection:
                await asyncio.sleep(1)
            return b"value"

        async with asyncio.TaskGroup() as tasks:
            for _ in range(2_000):
                tasks.create_task(reads.read("k", load))
                await asyncio.sleep(0.1)
        return queries

    cold, expiries, most = 10, 200 / 20, 5
    assert simulate(main()) <= cold + expiries * most


def _early(
    filler: Filler, *, draw: Callable[[], float], failed: Callable[[], None] = lambda: None
) -> EarlyRecompute:
    renewals = Renewals(filler)
    return EarlyRecompute(filler, renewals.miss, renew=renewals.renew, draw=draw, failed=failed)


def test_a_process_renews_a_key_once_at_a_time() -> None:
    """All draw to renew: one queries, the others get the valid value; a miss meanwhile waits for it.

    Nothing waits for a renewal that began before an invalidation.
    """

    async def main() -> tuple[list[Found], list[Found], Found]:
        cache = MemoryCache(clock=clock, timer=clock)
        filler = Filler(cache, clock=clock)
        reads = _early(filler, draw=lambda: 0.999999)
        values = iter((b"first", b"second"))

        async def load() -> bytes:
            value = next(values)
            await asyncio.sleep(2.0)
            return value

        await cache.fill("k", Entry(b"valid", clock() + 1.0, 1.0), await cache.lease("k"))
        warm = [asyncio.create_task(reads.read("k", load)) for _ in range(3)]
        await asyncio.sleep(1.5)  # it has ended by now
        late = [asyncio.create_task(reads.read("k", load)) for _ in range(3)]
        await asyncio.sleep(0.1)
        await cache.delete("k")
        return await asyncio.gather(*warm), await asyncio.gather(*late), await reads.read("k", load)

    warm, late, after = simulate(main())
    assert warm == [Found(b"first", "database"), *[Found(b"valid", "l1")] * 2]
    assert late == [Found(b"first", "waited")] * 3
    assert after == Found(b"second", "database")


async def _never() -> bytes:
    raise AssertionError("asked the database")


def test_200_warm_expiries_cost_at_most_3_queries_each() -> None:
    """At beta 1, on average, however many processes; with the lock, or in one process, one is made.

    Without a strategy all query; with the lock all wait; with both none does.
    """
    recomputed = [outcome.queries for outcome in stampede.expiries(stampede.early(1.0))]
    assert len(recomputed) == 200
    assert min(recomputed) >= 1
    assert statistics.mean(recomputed) <= 3
    assert abs(statistics.mean(recomputed) - math.e) < 0.5
    alone = stampede.expiries(stampede.early(1.0, processes=1), count=20)
    assert {(outcome.queries, outcome.waited) for outcome in alone} == {(1, 1)}
    three = stampede.expiries(stampede.early(1.0, processes=3), count=20)
    assert max(outcome.queries for outcome in three) <= 3
    assert {outcome.queries for outcome in stampede.expiries(stampede.lock, count=3)} == {1}
    assert {(each.queries, each.waited) for each in stampede.expiries(stampede.both, count=20)} == {(1, 1)}
    without = {outcome.queries for outcome in stampede.expiries(stampede.none, count=3)}
    assert min(without) >= stampede.READERS
