"""Redis, the replica, an API and a worker are killed under load: each order is stored and done, once."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import httpx
import psycopg

from slocheck.reference_api.server import ReferenceApi
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.stack.postgres import PostgresServer, start_primary_and_replica
from slocheck.reference_api.stack.processes import Server, Servers
from slocheck.reference_api.stack.redis import redis_url, start_redis
from tests.reference_api.database.shop import reach
from tests.support.waiting import wait_until

CLIENTS = 6
ORDERS = 150
QUANTITY = 2
DEADLINE_S = 120
CONFIRMED = "SELECT COUNT(*) FROM confirmations"


@dataclass
class Shop:
    """All parts of one shop, each in a process of its own."""

    servers: Servers
    primary: PostgresServer
    replica: PostgresServer
    redis: Server
    apis: tuple[ReferenceApi, ReferenceApi]
    workers: tuple[Server, Server]


@contextmanager
def running_shop() -> Iterator[Shop]:
    """Start PostgreSQL with its replica, Redis, two APIs with every strategy, and two workers."""
    with Servers() as servers, ExitStack() as parts:
        primary, replica = start_primary_and_replica(servers, durable=False)
        redis = start_redis(servers)
        settings = Settings(
            database_url=primary.url, replica_url=replica.url, redis_url=redis_url(redis), items=400
        )
        first, second = (parts.enter_context(ReferenceApi(settings=settings)) for _ in range(2))
        addresses = ["--redis", redis_url(redis), "--database", primary.url]
        soon = ["--delay", "0.1", "--abandoned-after", "2", "--overdue-after", "2"]
        command = [sys.executable, "-m", "slocheck.reference_api.jobs", *addresses, *soon]
        one, other = (servers.start(f"worker-{number}", command, port=0) for number in (1, 2))
        yield Shop(servers, primary, replica, redis, (first, second), (one, other))


@dataclass
class Load:
    """Clients that order and read, and repeat an order with its key until it is confirmed.

    Attributes:
        urls: Of the APIs.
        accepted: Key to the order's id in the response.
        repeated: Requests that had to be repeated.
        failed_reads: Status of each read that an API could not serve.
    """

    urls: list[str]
    accepted: dict[str, int] = field(default_factory=dict)
    repeated: int = 0
    failed_reads: list[int] = field(default_factory=list)

    async def client(self, number: int) -> None:
        """Place this client's share of the orders, one after the other."""
        async with httpx.AsyncClient(timeout=30) as http:
            for turn in range(ORDERS // CLIENTS):
                await self._order(http, f"{number}-{turn}", user=number + 1, turn=turn)
                await self._read(http, f"/users/{number + 1}/orders", turn)
                await self._read(http, "/items?page=1", turn)

    async def _order(self, http: httpx.AsyncClient, key: str, *, user: int, turn: int) -> None:
        order = {"user": user, "lines": [{"item": 1 + turn % 7, "quantity": QUANTITY}]}
        while key not in self.accepted:
            url = f"{self.urls[turn % len(self.urls)]}/checkout"
            try:
                response = await http.post(url, json=order, headers={"idempotency-key": key})
            except httpx.TransportError:
                status = 0
            else:
                status = response.status_code
            if status == 201:
                self.accepted[key] = response.json()["order"]
            else:
                assert status in (0, 503), status
                self.repeated += 1
                turn += 1  # ask another API, as a balancer would

    async def _read(self, http: httpx.AsyncClient, path: str, turn: int) -> None:
        try:
            response = await http.get(f"{self.urls[turn % len(self.urls)]}{path}")
        except httpx.TransportError:
            return  # the API that was killed
        if response.status_code != 200:
            self.failed_reads.append(response.status_code)


async def run(load: Load, steps: list[Callable[[], object]]) -> None:
    """Send the load, and take one step each time that another share of the orders is accepted."""
    clients = [asyncio.create_task(load.client(number)) for number in range(CLIENTS)]

    for number, step in enumerate(steps, start=1):

        async def due(share: int = number) -> bool:
            return len(load.accepted) >= share * ORDERS // (len(steps) + 1)

        await reach(due, "orders are accepted")
        await asyncio.to_thread(step)
    await asyncio.wait_for(asyncio.gather(*clients), DEADLINE_S)


def test_no_order_is_lost_or_doubled_when_parts_die() -> None:
    """Each accepted order is in the database once, confirmed once, and its items are counted once.

    While parts are dead orders are accepted and reads served; Redis comes back without its jobs.
    """
    with running_shop() as shop:
        load = Load([api.url for api in shop.apis])
        steps: list[Callable[[], object]] = [
            shop.redis.kill,
            shop.replica.kill,
            lambda: start_redis(shop.servers, port=shop.redis.port),
            lambda: os.kill(shop.apis[0].pid, signal.SIGKILL),
            shop.workers[0].kill,
        ]
        asyncio.run(run(load, steps))
        with psycopg.connect(shop.primary.url, autocommit=True) as database:

            def count(query: str) -> int:
                row = database.execute(query).fetchone()
                assert row is not None
                return int(row[0])

            wait_until(lambda: count(CONFIRMED) >= ORDERS, "all orders are followed up")
            stored: dict[str, int] = dict(
                database.execute("SELECT key, id FROM orders WHERE key LIKE '%-%'").fetchall()
            )
            assert stored == load.accepted
            assert len(stored) == ORDERS
            assert count("SELECT COUNT(*) FROM followups") == ORDERS
            assert count("SELECT COUNT(*) FROM followups WHERE done_at IS NULL") == 0
            assert count(CONFIRMED) == ORDERS == count("SELECT COUNT(DISTINCT order_id) FROM confirmations")
            assert count("SELECT SUM(sold) FROM items") == ORDERS * QUANTITY
    assert load.failed_reads == []
    assert load.repeated > 0
