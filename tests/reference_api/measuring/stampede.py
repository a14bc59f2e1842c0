"""Queries at the expiry of one hot key, in simulated time.

``python -m tests.reference_api.measuring.stampede`` prints a table.

The strategies are the real ones, on the real in-process cache; only the clock and the query are simulated.
A query takes 1 s of simulated time, in which `READERS` requests come, evenly spaced. What counts is their
number, so the unit does not matter: 20 readers a query is 400 requests a second at 50 ms a query.

The requests go in turn to one process, or to as many as there are readers, which is the paper's case: none of
them knows of another's renewal. Real time, a real Redis and a real database: see `warm_expiries`.
"""

import asyncio
import math
import random
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle

from slocheck.reference_api.caching import Entry, Found, Load, Reads
from slocheck.reference_api.caching.cache_aside import CacheAside, Filler
from slocheck.reference_api.caching.early_recompute import EarlyRecompute, Renewals
from slocheck.reference_api.caching.locked import Locked
from slocheck.reference_api.caching.memory import MemoryCache
from tests.support.simulated_time import clock, simulate

READERS = 20
"""Requests during one query."""

EXPIRIES = 200
QUERY_S = 1.0
TTL_S = 1_000.0
BEFORE_S = 8.0
"""How long before the expiry readers start, times beta; before that, one key in 150 would be renewed."""

Strategy = Callable[[Filler, random.Random], Reads]


def none(filler: Filler, _: random.Random) -> Reads:
    """Cache-aside alone."""
    return CacheAside(filler)


def lock(filler: Filler, _: random.Random) -> Reads:
    """One reader loads, the others wait."""
    return Locked(filler)


class InTurn:
    """Requests that a balancer gives to processes in turn; each process knows only its own renewals."""

    def __init__(self, processes: Sequence[Reads]) -> None:
        self._next = cycle(processes)

    async def read(self, key: str, load: Load) -> Found:
        """Read in the next process."""
        return await next(self._next).read(key, load)


def early(beta: float, processes: int = READERS) -> Strategy:
    """Return XFetch with a factor, in that many processes; every process queries a cold key."""

    def process(filler: Filler, chance: random.Random) -> Reads:
        renewals = Renewals(filler)
        return EarlyRecompute(filler, renewals.miss, renew=renewals.renew, beta=beta, draw=chance.random)

    def strategy(filler: Filler, chance: random.Random) -> Reads:
        return InTurn([process(filler, chance) for _ in range(processes)])

    return strategy


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one expiry.

    Attributes:
        queries: Queries to the database.
        waited: Requests that did not get their value at once, those that queried the database included.
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
REPLICAS = (1, 3)
"""Fewer processes than readers: how many a small service has."""


HEAD = """\
strategy  beta  processes  queries an expiry                       expiries with so many queries      waiting
                             mean  standard error  exp(1/beta)     1    2    3    4    5  6-9  10+    readers
"""


def table() -> str:
    """Return the table: a row a strategy."""
    rows: list[tuple[str, Strategy, str, int]] = [("none", none, "-", 1), ("lock", lock, "-", 1)]
    rows += [("early", early(beta), f"{beta:g}", READERS) for beta in BETAS]
    rows += [("early", early(1.0, processes), "1", processes) for processes in REPLICAS]
    lines = [f"{EXPIRIES} expiries of one warm key, {READERS} readers during a query", *HEAD.splitlines()]
    for name, strategy, beta, processes in [*rows, ("both", both, "1", 1)]:
        expected = f"{math.exp(1 / float(beta)):.2f}" if processes == READERS else "-"
        before = BEFORE_S * (1.0 if beta == "-" else float(beta))
        found = _row(expiries(strategy, before=before), expected)
        lines.append(f"{name:8}{beta:>6}{processes:11}{found}")
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
    return f"{statistics.mean(queries):8.2f}{error:16.2f}{expected:>13} {spread}{waiting:11.1f}"


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
