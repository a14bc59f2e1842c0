"""Queries at the expiries of warm keys, on what really runs.

``python -m tests.reference_api.measuring.warm_expiries`` prints a line.

Three replicas of the shop's cache in one process, each with its own L1, its own connections to one real Redis
and its own renewals, read the orders of some users from SQLite without an index, in real time. A query that
begins while the value of its key is valid belongs to a warm expiry; one that finds it ended makes the expiry
a cold one, which is the lock's case and is counted apart. In simulated time, with as many processes as
readers: see `stampede`.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from slocheck.reference_api.cached import cached_by
from slocheck.reference_api.observability.metrics import Metrics
from slocheck.reference_api.settings import Settings, with_strategies
from slocheck.reference_api.shop.reading import Cached, as_json
from slocheck.reference_api.shop.repository import Repository
from slocheck.reference_api.shop.users import orders_key
from slocheck.reference_api.stack.processes import Servers
from slocheck.reference_api.stack.redis import redis_url, start_redis
from slocheck.reference_api.stored import SQLITE, open_repository

EXPIRIES = 200
REPLICAS = 3
USERS = 4
ITEMS = 10_000
TTL_S = 0.5
PAUSE_S = 0.01
"""Between two reads of one key by one replica, on average."""

STRATEGIES = ("cache-aside", "memory-cache", "one-query", "pool", "early-recompute")
DEADLINE_S = 120.0


@dataclass
class Expiries:
    """Counts the queries of each expiry of each user's list.

    Attributes:
        warm: Queries of each expiry whose value was renewed before it ended.
        cold: Expiries at which a reader found no value.
    """

    warm: list[int] = field(default_factory=list)
    cold: int = 0
    _valid_until: dict[int, float] = field(default_factory=dict)
    _queries: Counter[tuple[int, int]] = field(default_factory=Counter)
    _cold: set[tuple[int, int]] = field(default_factory=set)
    _turn: Counter[int] = field(default_factory=Counter)
    _open: Counter[tuple[int, int]] = field(default_factory=Counter)

    def begin(self, user: int) -> tuple[int, int]:
        """Count a query for the expiry that its user's list is at; returns that."""
        expiry = (user, self._turn[user])
        self._queries[expiry] += 1
        self._open[expiry] += 1
        if time.monotonic() >= self._valid_until.get(user, 0.0):
            self._cold.add(expiry)
        return expiry

    def end(self, expiry: tuple[int, int]) -> None:
        """Note that a query has its value: the next one belongs to the next expiry."""
        user, turn = expiry
        self._valid_until[user] = time.monotonic() + TTL_S
        self._turn[user] = max(self._turn[user], turn + 1)
        self._open[expiry] -= 1
        if self._open[expiry]:
            return
        if expiry in self._cold:
            self.cold += 1
        else:
            self.warm.append(self._queries[expiry])


async def measure(url: str, folder: Path, expiries: int = EXPIRIES) -> Expiries:
    """Read until so many warm expiries are over; `url` is Redis's, `folder` takes the database."""
    settings = Settings(
        database_url=f"{SQLITE}{folder}/shop.db", redis_url=url, items=ITEMS, ttl_s=TTL_S, workers=REPLICAS
    )
    settings = with_strategies(settings, STRATEGIES)
    metrics = Metrics()
    repository = await open_repository(settings, metrics.pool)
    replicas = [cached_by(settings, metrics.cache, lambda *_, **__: nullcontext()) for _ in range(REPLICAS)]
    found = Expiries()
    try:
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as tasks:
            for number in range(REPLICAS * USERS):
                user = 1 + number // REPLICAS
                reading = _read(replicas[number % REPLICAS], repository, user, found, expiries)
                tasks.create_task(reading)
    finally:
        for replica in replicas:
            await replica.close()
        await repository.close()
    return found


async def _read(replica: Cached, repository: Repository, user: int, found: Expiries, expiries: int) -> None:
    chance = random.Random(user)

    async def load() -> bytes | None:
        expiry = found.begin(user)
        orders = as_json(await repository.orders_of(user))
        found.end(expiry)
        return orders

    while len(found.warm) < expiries:
        await replica.read(orders_key(user), load)
        await asyncio.sleep(chance.uniform(0.0, 2 * PAUSE_S))


def row(found: Expiries) -> str:
    """Say how many queries the expiries took."""
    tally = sorted(Counter(found.warm).items())
    shown = ", ".join(f"{count} of {queries}" for queries, count in tally)
    mean, expiries = statistics.mean(found.warm), len(found.warm)
    return f"{expiries} warm expiries, {mean:.2f} queries each: {shown}; and {found.cold} cold ones"


def main() -> None:
    """Print one line."""
    with Servers() as servers, tempfile.TemporaryDirectory() as folder:
        url = redis_url(start_redis(servers))
        sys.stdout.write(row(asyncio.run(measure(url, Path(folder)))) + "\n")


if __name__ == "__main__":
    main()
