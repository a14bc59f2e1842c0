"""The lock's waiters in one process: one query for all, bounds, errors, and nothing older than a write."""

import asyncio
from typing import Any

import pytest

from slocheck.reference_api.caching import Found, Load
from slocheck.reference_api.caching.cache_aside import Filler
from slocheck.reference_api.caching.locked import Locked, Patience
from slocheck.reference_api.caching.memory import MemoryCache
from slocheck.reference_api.caching.redis_cache import LEASE_S
from slocheck.reference_api.caching.redis_lock import LOCK_S
from slocheck.reference_api.caching.single_flight import LONGEST_WAIT_S, OverloadedError, SingleFlight
from slocheck.reference_api.database.pool import QUERY_TIMEOUT_S
from tests.support.simulated_time import clock, simulate

WAITERS = 200
KEY = "hot"


class Database:
    """A query of 1 s, which is counted; `answer` is its value, or the error that it ends with."""

    def __init__(self, answer: bytes | Exception | None = b"value") -> None:
        self.answer = answer
        self.queries = 0

    async def load(self) -> bytes | None:
        """Return the value as it is when the query begins."""
        self.queries += 1
        answer = self.answer
        await asyncio.sleep(1)
        if isinstance(answer, Exception):
            raise answer
        return answer


class TakenLocks:
    """Locks that another process holds for ever; each poll is counted."""

    def __init__(self) -> None:
        self.times: list[float] = []

    async def acquire(self, _: str) -> str | None:
        """Fail."""
        self.times.append(clock())
        return None

    async def release(self, _key: str, _token: str) -> bool:
        """Fail, too."""
        return False


def locked(**options: Any) -> Locked:
    """Return the strategy on a new cache, in simulated time."""
    return Locked(Filler(MemoryCache(clock=clock, timer=clock), clock=clock), timer=clock, **options)


async def stampede(reads: Locked, load: Load, number: int = WAITERS) -> list[Any]:
    """Let `number` requests read the key at once."""
    return await asyncio.gather(*(reads.read(KEY, load) for _ in range(number)), return_exceptions=True)


@pytest.mark.parametrize("answer", [pytest.param(b"value", id="a value"), pytest.param(None, id="no value")])
def test_200_waiters_ask_the_database_once(answer: bytes | None) -> None:
    """One loads, 199 wait for it, and later requests hit; also if the database has no such value."""

    async def main() -> None:
        database, reads = Database(answer), locked()
        found = await stampede(reads, database.load)
        assert sorted(each.level for each in found) == ["database"] + ["waited"] * (WAITERS - 1)
        assert {each.value for each in found} == {answer}
        assert (await reads.read(KEY, database.load)) == Found(answer, "l1")
        assert database.queries == 1

    simulate(main())


def test_an_error_reaches_all_who_wait_and_is_not_kept() -> None:
    """One failed query is one failed query, not 200; the next request tries again."""

    async def main() -> None:
        database, reads = Database(ConnectionError("down")), locked()
        assert {str(each) for each in await stampede(reads, database.load)} == {"down"}
        assert database.queries == 1
        database.answer = b"back"
        assert (await reads.read(KEY, database.load)).value == b"back"

    simulate(main())


def test_who_started_may_leave_without_harm_to_the_others() -> None:
    """The first request is cancelled in the middle of its query: the others get its value."""

    async def main() -> None:
        database, reads = Database(), locked()
        first = asyncio.create_task(reads.read(KEY, database.load))
        others = [asyncio.create_task(reads.read(KEY, database.load)) for _ in range(3)]
        await asyncio.sleep(0.5)
        first.cancel()
        assert {each.value for each in await asyncio.gather(*others)} == {b"value"}
        assert first.cancelled()
        assert database.queries == 1

    simulate(main())


def test_waiters_are_bounded_in_number_and_in_time() -> None:
    """Past a bound a request fails as overloaded, as its own query would be the stampede."""

    async def main() -> None:
        database = Database()
        crowd = await stampede(locked(single_flight=SingleFlight(most_waiters=10)), database.load, 15)
        assert sum(isinstance(each, Found) for each in crowd) == 10
        assert sum(isinstance(each, OverloadedError) for each in crowd) == 5
        slow = await stampede(locked(single_flight=SingleFlight(longest_wait=0.9)), database.load, 5)
        assert sum(isinstance(each, OverloadedError) for each in slow) == 5
        last = await stampede(locked(single_flight=SingleFlight(longest_wait=1.0)), database.load, 5)
        assert all(isinstance(each, Found | OverloadedError) for each in last), "in the very moment it ends"
        assert database.queries == 3

    simulate(main())


def test_a_request_does_not_wait_for_a_query_from_before_the_invalidation() -> None:
    """A slow query has read the old value when a write ends; requests after the write get the new one."""

    async def main() -> None:
        cache = MemoryCache(clock=clock, timer=clock)
        database, reads = Database(b"old"), Locked(Filler(cache, clock=clock), timer=clock)
        before = asyncio.create_task(reads.read(KEY, database.load))
        await asyncio.sleep(0.5)
        database.answer = b"new"
        await cache.delete(KEY)
        assert (await reads.read(KEY, database.load)).value == b"new"
        assert (await before).value == b"old"
        assert (await reads.read(KEY, database.load)) == Found(b"new", "l1")

    simulate(main())


@pytest.mark.parametrize("draw", [0.0, 0.5, 1.0])
def test_a_process_at_its_bound_asks_the_database_once(draw: float) -> None:
    """Its pauses grow to their bound, differ by the draw, and after 7 s it loads, for all of its requests."""

    async def main() -> None:
        database, locks = Database(), TakenLocks()
        reads = locked(locks=locks, patience=Patience(), draw=lambda: draw)
        start = clock()
        found = await stampede(reads, database.load)
        assert {each.value for each in found} == {b"value"}
        assert database.queries == 1
        assert 7 + 1 <= clock() - start <= 7 + 1 + 0.15
        pauses = [after - before for before, after in zip(locks.times, locks.times[1:], strict=False)]
        assert pauses[0] == pytest.approx(0.005 * (0.5 + draw))
        assert max(pauses) == pytest.approx(0.1 * (0.5 + draw))

    simulate(main())


def test_the_bounds_fit_each_other() -> None:
    """A lock outlives a query, a process waits longer than a lock lives, and a request longer than both."""
    patience = Patience()
    assert QUERY_TIMEOUT_S < LOCK_S < patience.longest
    assert patience.longest + QUERY_TIMEOUT_S < LONGEST_WAIT_S < LEASE_S
