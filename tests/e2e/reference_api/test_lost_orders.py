"""No order is lost or doubled while parts of the stack are killed under load."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import psycopg
import pytest

from slocheck.reference_api.settings import Settings
from slocheck.reference_api.stack.full import Front, Parts, start_front, start_parts
from slocheck.reference_api.stack.processes import Servers
from tests.support.waiting import wait_until

ORDERS = 240
SENDERS = 8


@dataclass
class Stack:
    """All servers of the test."""

    parts: Parts
    front: Front


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """PostgreSQL with its replica, Redis, a worker, three replicas of the API behind nginx, Prometheus."""
    said: list[str] = []
    with Servers() as servers:
        parts = start_parts(servers, Settings(), said.append)
        yield Stack(parts, start_front(servers, parts, said.append))


def test_no_order_is_lost_or_doubled(stack: Stack) -> None:
    """A replica of the API, Redis and the database's replica are killed; each client repeats by its key."""
    sent = threading.Semaphore(0)
    with httpx.Client(base_url=stack.front.url, timeout=30) as client, ThreadPoolExecutor(SENDERS) as senders:

        def order(number: int) -> None:
            wait_until(lambda: _ordered(client, f"test-{number}"), f"order {number}")
            sent.release()

        done = [senders.submit(order, number) for number in range(ORDERS)]
        for kill in (stack.front.replicas[1].kill, stack.parts.redis.kill, stack.parts.copy.kill):
            for _ in range(ORDERS // 6):
                assert sent.acquire(timeout=120)
            kill()
        for future in done:
            future.result(120)
        reads = [client.get(path).status_code for path in ("/items/7", "/users/1", "/users/1/orders")]
    assert reads == [200, 200, 200]
    with psycopg.connect(stack.parts.primary.url) as database:
        counts = database.execute("SELECT key, count(*) FROM orders WHERE key LIKE 'test-%' GROUP BY key")
        assert dict(counts.fetchall()) == {f"test-{number}": 1 for number in range(ORDERS)}


def _ordered(client: httpx.Client, key: str) -> bool:
    """Send an order; false if the client cannot know whether it was made."""
    try:
        response = client.post("/checkout", json={"item": 1, "quantity": 1}, headers={"idempotency-key": key})
    except httpx.TransportError:
        return False
    assert response.status_code in {201, 502, 503, 504}, response.text
    return response.status_code == 201
