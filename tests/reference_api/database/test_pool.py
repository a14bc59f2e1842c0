"""The pool on a real server: limits and timeouts, and what the naive form does instead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from slocheck.reference_api.database import pool as pooling
from slocheck.reference_api.database.pool import ConnectionPerQuery, Pool
from slocheck.reference_api.observability.metrics import PoolMetrics
from slocheck.reference_api.shop.repository import Unavailable
from slocheck.reference_api.stack.programs import free_port
from tests.reference_api.database.shop import Pair, reach

SIZE = 2
SHOWN = ("db_pool_connections", "db_pool_connections_in_use", "db_pool_waiting")
ENDS = ("db_pool_waits_total", "db_pool_timeouts_total")


class Counted:
    """A registry with the metrics of a pool."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.metrics = PoolMetrics(self.registry)

    def pool(self, url: str, *, timeout_s: float) -> Pool:
        """Return a pool of two connections."""
        return Pool(url, role="primary", size=SIZE, timeout_s=timeout_s, metrics=self.metrics)

    @asynccontextmanager
    async def opened(self, url: str, *, timeout_s: float) -> AsyncIterator[Pool]:
        """Open the pool of a server, and close it at the end."""
        pool = self.pool(url, timeout_s=timeout_s)
        await pool.open()
        try:
            yield pool
        finally:
            await pool.close()

    def values(self, *names: str) -> list[float]:
        """Return values of the primary's pool, 0 for what was never set."""
        return [self.registry.get_sample_value(name, {"role": "primary"}) or 0 for name in names]


def test_a_pool_lends_its_few_connections_in_turn(pair: Pair) -> None:
    """30 requests share 2 connections; those that wait are counted, and use them when they are free."""
    counted = Counted()

    async def use(pool: Pool) -> None:
        async def ask() -> int:
            async with pool.connection() as connection:
                await connection.execute("SELECT 1")
                return connection.info.backend_pid

        async with pool.connection(), pool.connection():
            (before,) = counted.values("db_pool_waits_total")
            asking = [asyncio.create_task(ask()) for _ in range(30)]
            await reach(lambda: _waiting(pool, 30), "all wait")
            assert not any(task.done() for task in asking)
        assert len(set(await asyncio.gather(*asking))) <= SIZE
        assert counted.values(*SHOWN, *ENDS) == [SIZE, 0, 0, before + 30, 0]

    async def run() -> None:
        async with counted.opened(pair.primary.url, timeout_s=60) as pool:
            await use(pool)

    asyncio.run(run())


def test_who_waits_too_long_or_in_too_long_a_queue_is_told(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all connections lent, a request ends after the timeout, and at once if the queue is full."""
    monkeypatch.setattr(pooling, "WAITING_PER_CONNECTION", 1)
    counted = Counted()

    async def use(pool: Pool) -> None:
        async def ask() -> str:
            try:
                async with pool.connection():
                    return "lent"
            except Unavailable as error:
                return str(error)

        async with pool.connection(), pool.connection():
            (before,) = counted.values("db_pool_waits_total")
            answers = await asyncio.gather(*(ask() for _ in range(5)))
        assert sum("couldn't get a connection after 1.00 sec" in answer for answer in answers) == SIZE
        assert sum("already 2 requests waiting" in answer for answer in answers) == 3
        assert await ask() == "lent"
        assert counted.values(*ENDS) == [before + SIZE, 5]

    async def run() -> None:
        async with counted.opened(pair.primary.url, timeout_s=1) as pool:
            await use(pool)

    asyncio.run(run())


def test_the_server_ends_a_slow_query_and_the_connection_serves_on(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query without an end holds its connection for a bounded time; a dead server is unavailable, too."""
    monkeypatch.setattr(pooling, "QUERY_TIMEOUT_S", 1)
    counted = Counted()

    async def use() -> None:
        async with counted.opened(pair.primary.url, timeout_s=30) as pool:
            with pytest.raises(Unavailable, match="statement timeout"):
                async with pool.connection() as connection:
                    await connection.execute("SELECT pg_sleep(600)")
            async with pool.connection() as connection:
                await connection.execute("SELECT 1")
        nowhere = f"postgresql://127.0.0.1:{free_port()}/none"
        async with counted.opened(nowhere, timeout_s=0.1) as nobody:
            with pytest.raises(Unavailable):
                async with nobody.connection():
                    pass

    asyncio.run(use())


def test_a_connection_for_each_query_has_no_limit_but_the_servers(pair: Pair) -> None:
    """In the naive form 20 requests at the same time open 20 connections, and the next 20 open them anew."""
    counted = Counted()

    async def use() -> None:
        naive = ConnectionPerQuery(pair.primary.url, role="primary", metrics=counted.metrics)
        all_there = asyncio.Barrier(20)

        async def ask() -> int:
            async with naive.connection() as connection:
                await all_there.wait()
                assert counted.values(*SHOWN) == [20, 20, 0]
                await all_there.wait()
                return connection.info.backend_pid

        seen = [await asyncio.gather(*(ask() for _ in range(20))) for _ in range(2)]
        assert len({*seen[0], *seen[1]}) == 40
        assert counted.values(*SHOWN) == [0, 0, 0]

    asyncio.run(use())


async def _waiting(pool: Pool, number: int) -> bool:
    return pool.waiting == number
