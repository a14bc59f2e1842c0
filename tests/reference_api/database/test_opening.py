"""The whole API on PostgreSQL with a replica, and addresses that cannot be used."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from slocheck.errors import UsageError
from slocheck.reference_api.server import ReferenceApi
from slocheck.reference_api.settings import Settings, with_strategies
from slocheck.reference_api.stack.programs import free_port
from tests.reference_api.database.shop import ITEMS, Pair, connect
from tests.support.waiting import DEADLINE_S, wait_until


def metric(url: str, name: str) -> float:
    """Return the sum of a metric's samples."""
    lines = httpx.get(f"{url}/metrics", timeout=DEADLINE_S).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{")))


def replay(pair: Pair, action: str) -> None:
    """Pause or resume the replica's replay."""

    async def ask() -> None:
        async with connect(pair.replica.url) as own:
            await own.execute(f"SELECT pg_wal_replay_{action}()")

    asyncio.run(ask())


WORKERS = ("pool", "replica", "index", "one-query", "events", "jobs")
CACHE = ("replica", "cache-aside", "invalidation", "events")


@pytest.mark.parametrize(
    ("strategies", "workers"),
    [
        pytest.param(WORKERS, 2, id="workers that read from the replica"),
        pytest.param(CACHE, 1, id="a cache, and no pool"),
    ],
)
def test_a_user_sees_the_own_change(pair: Pair, strategies: tuple[str, ...], workers: int) -> None:
    """With replay paused the change comes back by the cookie; an order is stored, and followed up, once."""
    parts = Settings(
        database_url=pair.primary.url, replica_url=pair.replica.url, items=ITEMS, workers=workers
    )
    with ReferenceApi(settings=with_strategies(parts, strategies)) as api:
        user, lag = f"{api.url}/users/30", "db_replication_lag_seconds"
        wait_until(lambda: lag in httpx.get(f"{api.url}/metrics", timeout=DEADLINE_S).text, "looked at")
        replay(pair, "pause")
        cookies: dict[str, str] = {}
        for turn in range(8):
            # each on a connection of its own, so that either worker may serve it
            name = f"{strategies[0]} {turn}"
            changed = httpx.patch(user, json={"name": name}, cookies=cookies, timeout=DEADLINE_S)
            cookies = dict(changed.cookies)
            assert httpx.get(user, cookies=cookies, timeout=DEADLINE_S).json()["name"] == name
        replay(pair, "resume")
        order = {"user": 30, "lines": [{"item": 9, "quantity": 2}]}
        made = [
            httpx.post(
                f"{api.url}/checkout", json=order, headers={"idempotency-key": name}, timeout=DEADLINE_S
            ).json()
            for _ in range(3)
        ]
        assert made[0] == made[1] == made[2]
        wait_until(lambda: metric(api.url, "events_handled_total") == 1, "the handler is done")
        wait_until(lambda: metric(api.url, "jobs_total") == ("jobs" in strategies), "the job is done")
        assert metric(api.url, "db_pool_connections") >= ("pool" in strategies)


def test_an_address_that_cannot_be_used_is_said_without_its_password(pair: Pair) -> None:
    """The API does not start, and one line says which option is wrong."""
    for url in (
        f"postgresql://postgres:secret-word@127.0.0.1:{free_port()}/postgres",
        pair.primary.url.replace("postgres:", "postgres:secret-word"),
        "postgresql://127.0.0.1/?nonsense=secret-word",
    ):
        with pytest.raises(UsageError, match="--database: PostgreSQL cannot be used") as said:
            ReferenceApi(settings=replace(Settings(), database_url=url)).__enter__()
        assert "secret-word" not in str(said.value)
