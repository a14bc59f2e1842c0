"""Redis, both databases, an API and a worker are killed under load: each order is made exactly once."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import psycopg

from slocheck.reference_api.options import as_options
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.stack.nginx import start_nginx
from slocheck.reference_api.stack.postgres import PostgresServer, start_primary_and_replica
from slocheck.reference_api.stack.processes import Server, Servers
from slocheck.reference_api.stack.programs import HOST
from slocheck.reference_api.stack.redis import redis_url, start_redis
from slocheck.reference_api.stack.replicas import launch_replica
from tests.reference_api.database.shop import reach
from tests.support.waiting import wait_until

CLIENTS = 6
ORDERS = 150
QUANTITY = 2
DEADLINE_S = 120
CONFIRMED = "SELECT COUNT(*) FROM confirmations"
REPEATED = {502, 503, 504}
"""The status of a response that leaves open whether the order was made."""


@dataclass(frozen=True, slots=True)
class Shop:
    """All parts of one shop, each in its own process, and the address of nginx in front of them."""

    servers: Servers
    primary: PostgresServer
    copy: PostgresServer
    redis: Server
    apis: tuple[Server, ...]
    workers: tuple[Server, ...]
    url: str


@contextmanager
def running_shop() -> Iterator[Shop]:
    """Start PostgreSQL with its replica, Redis, two APIs behind nginx with all strategies, two workers."""
    with Servers() as servers:
        redis = start_redis(servers)
        primary, copy = start_primary_and_replica(servers, durable=False)
        settings = Settings(
            database_url=primary.url, replica_url=copy.url, redis_url=redis_url(redis), items=400
        )
        options = as_options(settings)
        apis = tuple(launch_replica(servers, f"api-{number}", options) for number in (1, 2))
        jobs = [sys.executable, "-m", "slocheck.reference_api.jobs", "--redis", redis_url(redis)]
        soon = ["--delay", "0.1", "--abandoned-after", "2", "--overdue-after", "2"]
        command = [*jobs, "--database", primary.url, *soon]
        for api in apis:
            api.wait()
        workers = tuple(servers.launch(f"worker-{number}", command, port=0) for number in (1, 2))
        nginx = start_nginx(servers, [f"{HOST}:{api.port}" for api in apis])
        yield Shop(servers, primary, copy, redis, apis, workers, f"http://{HOST}:{nginx.port}")


@dataclass
class Load:
    """Clients that order and read, and repeat each order with its key until it is accepted, then once more.

    Attributes:
        url: Of the shop.
        accepted: Key to the order's id in the response.
        failed_reads: Status of each read that was not served.
        primary_is_up: If not, a read may be refused for the moment.
    """

    url: str
    primary_is_up: bool = True
    accepted: dict[str, int] = field(default_factory=dict)
    failed_reads: list[int] = field(default_factory=list)

    async def client(self, number: int) -> None:
        """Place this client's share of the orders, one after the other."""
        async with httpx.AsyncClient(base_url=self.url, timeout=DEADLINE_S) as http:
            for turn in range(ORDERS // CLIENTS):
                await self._order(http, f"test-{number}-{turn}", user=number + 1, item=1 + turn % 7)
                for path in (f"/users/{number + 1}/orders", "/items?page=1"):
                    up, status = self.primary_is_up, (await http.get(path)).status_code
                    is_right = status == 200 or (status == 503 and not (up and self.primary_is_up))
                    self.failed_reads += [] if is_right else [status]

    async def _order(self, http: httpx.AsyncClient, key: str, *, user: int, item: int) -> None:
        order = {"user": user, "lines": [{"item": item, "quantity": QUANTITY}]}
        accepted: list[int] = []
        while len(accepted) < 2:
            response = await http.post("/checkout", json=order, headers={"idempotency-key": key})
            if response.status_code == 201:
                accepted.append(response.json()["order"])
                self.accepted[key] = accepted[0]
            else:
                assert response.status_code in REPEATED, response.text
        assert accepted[0] == accepted[1], "the same key is the same order, whoever accepts it"


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

    While parts are dead, orders are accepted and reads served, except with the primary, which is back soon;
    Redis comes back without its jobs. Clients repeat each order, so it is accepted at least twice.
    """
    with running_shop() as shop:
        load = Load(shop.url)

        def crash_primary() -> None:
            load.primary_is_up = False
            shop.primary.kill()
            shop.primary.start()

        steps: list[Callable[[], object]] = [
            shop.redis.kill,
            shop.copy.kill,
            lambda: start_redis(shop.servers, port=shop.redis.port),
            shop.apis[0].kill,
            shop.workers[0].kill,
            crash_primary,
        ]
        asyncio.run(run(load, steps))
        with psycopg.connect(shop.primary.url, autocommit=True) as database:

            def count(query: str) -> int:
                row = database.execute(query).fetchone()
                assert row is not None
                return int(row[0])

            def followed_up() -> bool:
                assert shop.workers[1].code() is None, shop.workers[1].log.read_text()
                return count(CONFIRMED) >= ORDERS

            wait_until(followed_up, "all orders are followed up")
            rows = database.execute("SELECT key, id FROM orders WHERE key LIKE 'test-%'").fetchall()
            stored: dict[str, int] = dict(rows)
            assert stored == load.accepted
            assert len(rows) == len(stored) == ORDERS
            assert count("SELECT COUNT(*) FROM followups") == ORDERS
            assert count("SELECT COUNT(*) FROM followups WHERE done_at IS NULL") == 0
            assert count(CONFIRMED) == ORDERS == count("SELECT COUNT(DISTINCT order_id) FROM confirmations")
            assert count("SELECT SUM(sold) FROM items") == ORDERS * QUANTITY
    assert load.failed_reads == []
