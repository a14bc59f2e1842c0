"""The shop through its caches: what each switch does, what is counted, and two processes with one Redis."""

import asyncio
import re
import statistics
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from slocheck.errors import UsageError
from slocheck.reference_api.app import opened
from slocheck.reference_api.cached import cached_by
from slocheck.reference_api.caching import past_copies
from slocheck.reference_api.caching.single_flight import OverloadedError
from slocheck.reference_api.faults import Faults
from slocheck.reference_api.observability.metrics import Metrics
from slocheck.reference_api.observability.tracing import open_tracing
from slocheck.reference_api.settings import STRATEGIES, Settings, with_strategies
from slocheck.reference_api.stack.processes import Server, Servers
from slocheck.reference_api.stack.redis import redis_url, start_redis
from slocheck.reference_api.stored import SQLITE
from tests.reference_api.caching.reader import PATIENT_S
from tests.reference_api.measuring import warm_expiries
from tests.reference_api.shops import ITEMS, client_of

WAITERS = 60


@pytest.fixture(scope="module")
def redis() -> Iterator[Server]:
    """One Redis for all tests of this file."""
    with Servers() as servers:
        yield start_redis(servers)


def shop(folder: Path, *off: str, redis: str = "") -> Settings:
    """Return the settings of a shop with all strategies but `off`."""
    settings = Settings(
        items=ITEMS, redis_url=redis, redis_timeout_s=PATIENT_S, database_url=f"{SQLITE}{folder}/shop.db"
    )
    return with_strategies(settings, set(STRATEGIES) - set(off))


class Shops:
    """Shops on one database, each as in its own process, and a client of each."""

    def __init__(self, *settings: Settings) -> None:
        self._settings = settings
        self._parts = AsyncExitStack()

    async def __aenter__(self) -> list[httpx.AsyncClient]:
        """Open them."""
        clients = []
        for settings in self._settings:
            app = await self._parts.enter_async_context(opened(settings, Faults()))
            clients.append(await self._parts.enter_async_context(client_of(app)))
        return clients

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        await self._parts.aclose()


async def counted(client: httpx.AsyncClient, name: str) -> float:
    """Return a counter's value from the metrics page."""
    page = (await client.get("/metrics")).text
    found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    assert found, f"{name} is not on the page"
    return float(found[1])


async def look(client: httpx.AsyncClient, path: str) -> tuple[str, str]:
    """Return a user's name and whether it was a hit."""
    response = await client.get(path)
    return response.json().get("name", ""), response.headers["x-cache"]


@pytest.mark.parametrize(
    ("off", "after_change", "after_deletion"),
    [
        pytest.param((), ("Ann", "hit"), ("", "miss"), id="a write renews, a deletion drops"),
        pytest.param(("write-through",), ("Ann", "miss"), ("", "miss"), id="a write drops"),
        pytest.param(
            ("write-through", "invalidation"), ("User 1", "hit"), ("User 1", "hit"), id="old until it expires"
        ),
        pytest.param(("cache-aside",), ("Ann", "miss"), ("", "miss"), id="no cache"),
    ],
)
def test_what_a_read_finds_after_a_write(
    tmp_path: Path, off: tuple[str, ...], after_change: tuple[str, str], after_deletion: tuple[str, str]
) -> None:
    """By the switches: the new value from the cache, the new one from the database, or the old one."""

    async def main() -> None:
        async with Shops(shop(tmp_path, *off)) as (client,):
            assert await look(client, "/users/1") == ("User 1", "miss")
            await client.patch("/users/1", json={"name": "Ann"})
            assert await look(client, "/users/1") == after_change
            await client.delete("/users/1")
            assert await look(client, "/users/1") == after_deletion

    asyncio.run(main())


def test_two_processes_share_redis(tmp_path: Path, redis: Server) -> None:
    """What one loaded the other finds in L2, then in its L1; each read is counted once, by its level."""

    async def main() -> None:
        settings = shop(tmp_path, redis=redis_url(redis))
        async with Shops(settings, settings) as (one, other):
            assert await look(one, "/users/7") == ("User 7", "miss")
            assert await look(other, "/users/7") == ("User 7", "hit")
            assert await look(other, "/users/7") == ("User 7", "hit")
            assert await counted(one, 'db_queries_total{query="user"}') == 1
            with pytest.raises(AssertionError):
                await counted(other, 'db_queries_total{query="user"}')
            for level in ("l1", "l2"):
                assert await counted(other, f'cache_hits_total{{level="{level}"}}') == 1
            assert await counted(other, 'cache_misses_total{level="database"}') == 0
            assert await counted(other, 'cache_level_misses_total{level="l1"}') == 1
            assert await counted(other, 'cache_level_misses_total{level="l2"}') == 0

    asyncio.run(main())


def test_who_has_written_reads_the_change_in_every_process(tmp_path: Path, redis: Server) -> None:
    """Another process has a copy from before the change: the writer gets the new value, others may not."""

    async def main() -> None:
        settings = shop(tmp_path, redis=redis_url(redis))
        async with Shops(settings, settings) as (one, other):
            assert await look(other, "/users/8") == ("User 8", "miss")
            assert (await one.patch("/users/8", json={"name": "Ann"})).is_success
            assert await look(other, "/users/8") == ("User 8", "hit"), "a copy, for a few seconds"
            with past_copies():
                assert await look(other, "/users/8") == ("Ann", "hit")
            assert await look(other, "/users/8") == ("Ann", "hit"), "the copy was renewed"

    asyncio.run(main())


def test_a_stampede_on_the_shop_is_one_query(tmp_path: Path, redis: Server) -> None:
    """60 requests for one item at two processes: one query with the lock, one a request without it."""

    async def queries(*off: str, path: str) -> float:
        settings = shop(tmp_path, "early-recompute", *off, redis=redis_url(redis))
        async with Shops(settings, settings) as clients:
            asked = [clients[number % 2].get(path) for number in range(WAITERS)]
            assert {response.status_code for response in await asyncio.gather(*asked)} == {200}
            waits = [await counted(client, "cache_waits_total") for client in clients]
            misses = [await counted(client, 'cache_misses_total{level="database"}') for client in clients]
            hits = [
                await counted(client, f'cache_hits_total{{level="{level}"}}')
                for client in clients
                for level in ("l1", "l2")
            ]
            assert sum(misses) + sum(hits) == WAITERS
            return sum(misses) - sum(waits)

    assert asyncio.run(queries(path="/items/11")) == 1
    assert asyncio.run(queries("lock", path="/items/12")) > 1


def test_a_redis_that_dies_is_no_error(tmp_path: Path) -> None:
    """It is killed between two requests: all are served, what failed is counted, and L1 still hits."""

    async def main(servers: Servers) -> None:
        server = start_redis(servers)
        async with Shops(shop(tmp_path, redis=redis_url(server))) as (client,):
            await client.get("/items/1")
            server.kill()
            statuses = [(await client.get(f"/items/{number}")).status_code for number in (1, 2, 2, 3)]
            assert statuses == [200] * 4
            assert (await client.patch("/users/1", json={"name": "Ann"})).status_code == 200
            assert (await look(client, "/users/1"))[0] == "Ann"
            assert await counted(client, 'cache_hits_total{level="l1"}') >= 2
            assert await counted(client, "cache_redis_failures_total") >= 1

    with Servers() as servers:
        asyncio.run(main(servers))


def test_too_many_waiters_get_a_503(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They get Retry-After, as the queue is full; no internals are shown."""

    async def overloaded(*_: object) -> None:
        raise OverloadedError("secret key")

    async def main() -> httpx.Response:
        async with Shops(shop(tmp_path)) as (client,):
            monkeypatch.setattr("slocheck.reference_api.caching.single_flight.SingleFlight.join", overloaded)
            return await client.get("/items/1")

    response = asyncio.run(main())
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert "secret" not in response.text


def test_an_address_or_a_library_that_is_missing_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message shows how to write the address; without the library it names the extra."""
    metrics = Metrics().cache
    span = open_tracing("").span
    for address in ("http://127.0.0.1:1", "redis://127.0.0.1:port", "redis://127.0.0.1:1?colour=red"):
        with pytest.raises(UsageError, match=r"--redis: .*write redis://HOST:PORT/NUMBER"):
            cached_by(shop(tmp_path, redis=address), metrics, span)
    monkeypatch.delitem(sys.modules, "slocheck.reference_api.caching.redis_link")
    monkeypatch.delitem(sys.modules, "slocheck.reference_api.caching.redis_cache", raising=False)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(UsageError, match=r"slocheck\[reference-api\]"):
        cached_by(replace(shop(tmp_path), redis_url="redis://127.0.0.1:1"), metrics, span)


def test_warm_expiries_of_three_replicas_cost_at_most_three_queries(tmp_path: Path, redis: Server) -> None:
    """On average, in real time, without the lock; the command `warm_expiries` shows 200 of them."""
    found = asyncio.run(warm_expiries.measure(redis_url(redis), tmp_path, expiries=20))
    assert len(found.warm) >= 20
    assert 1 <= statistics.mean(found.warm) <= 3, warm_expiries.row(found)
