"""Queries at the expiry of one hot key, in simulated time: ``python -m tests.reference_api.stampede``.

The strategies are the real ones, on the real in-process cache; only the clock and the query are simulated.
A query takes 1 s of simulated time, in which `READERS` requests come, evenly spaced. What counts is their
number, so the unit does not matter: 20 readers a query is 400 requests a second at 50 ms a query.
"""

import asyncio
import math
import random
import statistics
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from slocheck.reference_api.caching import Entry, Reads
from slocheck.reference_api.caching.cache_aside import CacheAside, Filler
from slocheck.reference_api.caching.early_recompute import EarlyRecompute
from slocheck.reference_api.caching.locked import Locked
from slocheck.reference_api.caching.memory import MemoryCache
from tests.support.simulated_time import clock, simulate

READERS = 20
"""Requests during one query."""

EXPIRIES = 200
QUERY_S = 1.0
TTL_S = 1_000.0
BEFORE_S = 8.0
"""From when on readers come, times beta; earlier than that, one key in 150 would be renewed."""

Strategy = Callable[[Filler, random.Random], Reads]


def none(filler: Filler, _: random.Random) -> Reads:
    """Cache-aside alone."""
    return CacheAside(filler)


def lock(filler: Filler, _: random.Random) -> Reads:
    """One reader loads, the others wait."""
    return Locked(filler)


def early(beta: float) -> Strategy:
    """Return XFetch with a factor; a cold key is left to cache-aside."""

    def strategy(filler: Filler, chance: random.Random) -> Reads:
        return EarlyRecompute(filler, CacheAside(filler).miss, beta=beta, draw=chance.random)

    return strategy


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one expiry.

    Attributes:
        queries: Queries to the database.
        waited: Requests that did not get their value at once, the ones that asked the database included.
    """

    queries: int
    waited: int


def expiries(
    strategy: Strategy, *, before: float = BEFORE_S, count: int = EXPIRIES, seed: int = 1
) -> list[Outcome]:
    """Let one warm key expire `count` times, under load since `before` seconds before its end."""
    chance = random.Random(seed)
    return [simulate(_expiry(strategy, chance, before)) for _ in range(count)]


async def _expiry(strategy: Strategy, chance: random.Random, before: float) -> Outcome:
    cache = MemoryCache(ttl=TTL_S, clock=clock, timer=clock)
    filler = Filler(cache, ttl=TTL_S, clock=clock)
    reads = strategy(filler, chance)
    await cache.fill("hot", Entry(b"warm", clock() + before, QUERY_S), await cache.lease("hot"))
    queries = waited = 0
    renewed = False

    async def load() -> bytes:
        nonlocal queries, renewed
        queries += 1
        await asyncio.sleep(QUERY_S)
        renewed = True
        return b"new"

    async def read() -> None:
        nonlocal waited
        start = clock()
        await reads.read("hot", load)
        waited += clock() > start

    async with asyncio.TaskGroup() as tasks:
        while not renewed:
            tasks.create_task(read())
            await asyncio.sleep(QUERY_S / READERS)
    return Outcome(queries, waited)


def both(filler: Filler, chance: random.Random) -> Reads:
    """XFetch, whose renewals and cold keys take the lock."""
    locked = Locked(filler)
    return EarlyRecompute(filler, locked.miss, renew=locked.renew, draw=chance.random)


BETAS = (0.5, 1.0, 2.0)


def table() -> str:
    """Return the table: a row a strategy."""
    lines = [
        f"{EXPIRIES} expiries of one warm key, {READERS} readers during a query",
        "strategy         queries an expiry                     expiries with so many queries      waiting",
        "                 mean  standard error  exp(1/beta)     1    2    3    4    5  6-9  10+    readers",
    ]
    lines += [f"{strategy.__name__:15}{_row(expiries(strategy), '-')}" for strategy in (none, lock)]
    for beta in BETAS:
        outcomes = expiries(early(beta), before=beta * BEFORE_S)
        lines.append(f"{f'early, beta {beta:g}':15}{_row(outcomes, f'{math.exp(1 / beta):.2f}')}")
    lines.append(f"{'both, beta 1':15}{_row(expiries(both), '-')}")
    return "\n".join(lines)


def _row(outcomes: list[Outcome], expected: str) -> str:
    queries = [outcome.queries for outcome in outcomes]
    tally = Counter(queries)
    counts = [tally[number] for number in range(1, 6)]
    counts += [sum(tally[number] for number in range(6, 10))]
    counts += [len(queries) - sum(counts)]
    error = statistics.stdev(queries) / math.sqrt(len(queries))
    waiting = statistics.mean(outcome.waited for outcome in outcomes)
    spread = "".join(f"{count:5}" for count in counts)
    return f"{statistics.mean(queries):6.2f}{error:16.2f}{expected:>13} {spread}{waiting:11.1f}"


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
