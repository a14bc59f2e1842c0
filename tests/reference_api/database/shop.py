"""A small shop on real servers, and parts of it for tests."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
from prometheus_client import CollectorRegistry

from slocheck.reference_api.database import schema
from slocheck.reference_api.database.pool import Connection, Pool, connection_options
from slocheck.reference_api.database.postgres import PostgresRepository
from slocheck.reference_api.database.replicas import Router
from slocheck.reference_api.database.statements import Statements
from slocheck.reference_api.observability.metrics import PoolMetrics
from slocheck.reference_api.shop.catalogue import Rows
from slocheck.reference_api.shop.repository import Repository, Row
from slocheck.reference_api.stack.postgres import PostgresServer
from tests.support.waiting import DEADLINE_S, POLL_S

USERS = 40
ITEMS = 3_000
LOOKS = ("oak", "steel", "linen", "amber")
KINDS = ("lamp", "chair", "kettle", "rug", "shelf")
RARE_WORD = "walnut"
ORDERS = 3_000
ROWS: Rows = {
    "users": [(n, f"user {n}", f"user{n}@example.com") for n in range(1, USERS + 1)],
    "profiles": [(n, f"street {n}", f"about {n}") for n in range(1, USERS + 1)],
    "items": [
        (n, f"{LOOKS[n % 4] if n % 999 else RARE_WORD} {KINDS[n % 5]}", 100 + n, f"item {n}")
        for n in range(1, ITEMS + 1)
    ],
    # user 1 has 5 orders of 3 lines, the others one order of one line each
    "orders": [(n, f"old-{n}", 1 if n <= 5 else n - 4) for n in range(1, ORDERS + 1)],
    "order_lines": [
        (n, n % 100 * 10 + line, 1 + line, 250)
        for n in range(1, ORDERS + 1)
        for line in range(3 if n <= 5 else 1)
    ],
}


@dataclass(frozen=True, slots=True)
class Pair:
    """The two servers."""

    primary: PostgresServer
    replica: PostgresServer


@dataclass(frozen=True, slots=True)
class Shop:
    """A repository and what is below it.

    Attributes:
        router: Sends its queries.
        repository: On that router.
        metrics: What both have counted.
        registry: Holds the metrics.
    """

    router: Router
    repository: Repository
    metrics: PoolMetrics
    registry: CollectorRegistry

    def value(self, name: str, **labels: str) -> float:
        """Return a metric's value, 0 if it was never set."""
        return self.registry.get_sample_value(name, labels) or 0.0


async def make_shop(url: str, *, index: bool = True) -> None:
    """Make the tables, fill them if they are empty, and make the indexes or drop them."""
    async with connect(url) as connection:
        await schema.prepare(connection, ROWS, index=index)


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[Connection]:
    """Open the test's own connection, past pool and router."""
    async with await psycopg.AsyncConnection.connect(url, **connection_options()) as connection:
        yield connection


@asynccontextmanager
async def open_shop(pair: Pair, *, replica: bool = True, one_query: bool = True) -> AsyncIterator[Shop]:
    """Open a repository as one process of the API has it."""
    registry = CollectorRegistry()
    metrics = PoolMetrics(registry)
    pools = [
        Pool(server.url, role=role, size=3, timeout_s=5, metrics=metrics)
        for role, server in (("primary", pair.primary), ("replica", pair.replica))
    ]
    router = Router(pools[0], pools[1] if replica else None, metrics)
    await router.open()
    statements = Statements(metrics)
    repository = PostgresRepository(router, statements, one_query=one_query)
    try:
        yield Shop(router, repository, metrics, registry)
    finally:
        await repository.close()


async def reach(condition: Callable[[], Awaitable[object]], what: str) -> None:
    """Wait until `condition` holds; fail after a deadline."""
    end = time.monotonic() + DEADLINE_S
    while not await condition():
        assert time.monotonic() < end, what
        await asyncio.sleep(POLL_S)


async def on_replica(connection: Connection) -> bool:
    """Say whether a query runs on the replica: a query for the router."""
    row: Row | None = await (await connection.execute("SELECT pg_is_in_recovery() AS there")).fetchone()
    assert row is not None
    return bool(row["there"])
