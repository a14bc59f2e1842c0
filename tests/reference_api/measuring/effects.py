"""What each strategy saves, in counts: ``python -m tests.reference_api.measuring.effects``.

The same requests without a strategy and with it, and what was sent, asked or refused each time. Counts do not
depend on the machine; what a strategy does to latency, errors and the rate is for ``slocheck demo --ladder``.
"""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from starlette.types import ASGIApp

from slocheck.reference_api.settings import Settings, with_strategies
from slocheck.reference_api.stack.programs import free_port
from tests.reference_api.shops import NO_FAULTS, client_of, with_app

ITEMS = 2_000
READERS = 50
TIMES = 10
CACHE = ("cache-aside",)
"""What a strategy of caching is added to."""

Count = Callable[[httpx.AsyncClient], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Effect:
    """One strategy and what is counted.

    Attributes:
        strategy: Its switch.
        counted: In words.
        count: Sends the requests and returns the count.
        beside: The strategies that are on in both cases.
        settings: Those that are not the default.
    """

    strategy: str
    counted: str
    count: Count
    beside: tuple[str, ...] = ()
    settings: Settings = Settings(items=ITEMS)  # noqa: RUF009 - frozen


async def sent_bytes(client: httpx.AsyncClient, path: str, **headers: str) -> int:
    """Return the number of bytes that a body takes on the network."""
    async with client.stream(
        "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}
    ) as got:
        return sum([len(part) async for part in got.aiter_raw()])


async def queries(client: httpx.AsyncClient) -> int:
    """Return how often the database was queried so far."""
    page = (await client.get("/metrics")).text
    return int(sum(map(float, re.findall(r"^db_queries_total\{.*\} (\S+)$", page, re.MULTILINE))))


async def _list(client: httpx.AsyncClient) -> int:
    return await sent_bytes(client, "/items?page=1", accept_encoding="identity")


async def _fields(client: httpx.AsyncClient) -> int:
    return await sent_bytes(client, "/items/7?fields=id,name", accept_encoding="identity")


def _page_by(coding: str) -> Count:
    async def count(client: httpx.AsyncClient) -> int:
        return await sent_bytes(client, "/items?page=1", accept_encoding=coding)

    return count


async def _known_page(client: httpx.AsyncClient) -> int:
    tag = (await client.get("/items?page=1")).headers.get("etag", '"none"')
    return await sent_bytes(client, "/items?page=1", accept_encoding="identity", if_none_match=tag)


async def _screen(client: httpx.AsyncClient) -> int:
    paths = ("/users/1", "/items/1", "/items?page=1")
    batch = {"requests": [{"path": path} for path in paths]}
    if (await client.post("/batch", json=batch)).is_success:
        return 1
    return len([await client.get(path) for path in paths])


async def _orders_of_user(client: httpx.AsyncClient) -> int:
    before = await queries(client)
    await client.get("/users/7/orders")
    return await queries(client) - before


async def _readers(client: httpx.AsyncClient) -> int:
    before = await queries(client)
    await asyncio.gather(*(client.get("/users/7/orders") for _ in range(READERS)))
    return await queries(client) - before


async def _reads(client: httpx.AsyncClient) -> int:
    before = await queries(client)
    for _ in range(TIMES):
        await client.get("/items/7")
    return await queries(client) - before


async def _reads_after_writes(client: httpx.AsyncClient) -> int:
    asked = 0
    for turn in range(TIMES):
        await client.patch("/users/7", json={"name": f"Ann {turn}"})
        before = await queries(client)
        await client.get("/users/7")
        asked += await queries(client) - before
    return asked


async def _old_lists(client: httpx.AsyncClient) -> int:
    old = 0
    for turn in range(1, TIMES + 1):
        before = len((await client.get("/users/7/orders")).json()["orders"])
        await client.post("/checkout", json={"item": turn, "quantity": 1, "user": 7})
        old += len((await client.get("/users/7/orders")).json()["orders"]) == before
    return old


async def _refused_orders(client: httpx.AsyncClient) -> int:
    order = {"item": 1, "quantity": 1}
    return sum([(await client.post("/checkout", json=order)).is_error for _ in range(TIMES)])


def effects() -> list[Effect]:
    """Return all of them; the queue of one is an unreachable Redis."""
    queueless = Settings(items=ITEMS, redis_url=f"redis://127.0.0.1:{free_port()}/0")
    page = "bytes of a page of items"
    return [
        Effect("bounded", "bytes of a list of items", _list),
        Effect("projection", "bytes of two fields of an item", _fields),
        *(Effect("compression", f"{page}, {name}", _page_by(name)) for name in ("gzip", "br", "zstd")),
        Effect("cache-headers", "bytes of a page that the client has", _known_page),
        Effect("batch", "round trips for a screen of three resources", _screen),
        Effect("one-query", "queries for a user's four orders", _orders_of_user),
        Effect("cache-aside", f"queries for {TIMES} reads of an item", _reads),
        Effect("lock", f"queries for {READERS} readers of a cold list", _readers, (*CACHE, "one-query")),
        Effect(
            "write-through",
            f"queries for {TIMES} reads after a write",
            _reads_after_writes,
            (*CACHE, "invalidation"),
        ),
        Effect("invalidation", f"of {TIMES} lists after an order, old ones", _old_lists, CACHE),
        Effect(
            "events", f"of {TIMES} orders without a queue, refused", _refused_orders, ("jobs",), queueless
        ),
    ]


def measure(effect: Effect) -> tuple[int, int]:
    """Return the count without and with a strategy, each in a new shop."""
    beside = {*effect.beside, *({"bounded"} - {effect.strategy})}
    return _count(effect, beside), _count(effect, {*beside, effect.strategy})


def _count(effect: Effect, strategies: set[str]) -> int:
    async def session(app: ASGIApp) -> int:
        async with client_of(app) as client:
            return await effect.count(client)

    return with_app(session, with_strategies(effect.settings, strategies), NO_FAULTS)


def main() -> None:
    """Print a row for each."""
    sys.stdout.write(f"{'strategy':15}{'counted':46}{'without':>9}{'with':>9}\n")
    for effect in effects():
        without, with_it = measure(effect)
        sys.stdout.write(f"{effect.strategy:15}{effect.counted:46}{without:9,}{with_it:9,}\n")


if __name__ == "__main__":
    main()
