"""Routing over a real streaming replica: where reads go, what a session sees, and what failures change."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator

import psutil
import pytest

from slocheck.reference_api.database.sessions import reads_on_primary, session
from tests.reference_api.database.shop import Pair, Shop, connect, on_replica, open_shop, reach

Use = Callable[[Shop], Awaitable[None]]


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tolerate a slow replica, which on a busy machine neither hangs nor lags much."""
    monkeypatch.setattr("slocheck.reference_api.database.replicas.REPLICA_TIMEOUT_S", 60)
    monkeypatch.setattr("slocheck.reference_api.database.replicas.MOST_LAG_S", 600)


@pytest.fixture(autouse=True)
def _well_again(pair: Pair) -> Iterator[None]:
    """Restart the replica, whatever a test did to it."""
    yield
    signal_all(pair, signal.SIGCONT)
    pair.replica.kill()
    pair.replica.start()


def use(pair: Pair, steps: Use) -> None:
    """Run the steps on a fresh router that has found its replica healthy."""

    async def run() -> None:
        async with open_shop(pair) as shop:
            await reach(lambda: shop.router.read(on_replica), "reads go to the replica")
            await steps(shop)

    asyncio.run(run())


async def replay(pair: Pair, action: str) -> None:
    """Pause or resume the replica's replay of the primary's log."""
    async with connect(pair.replica.url) as own:
        await own.execute(f"SELECT pg_wal_replay_{action}()")


async def email_of(shop: Shop, user: int) -> str:
    """Read a user's email address."""
    found = await shop.repository.user(user, ["email"])
    assert found is not None
    return str(found["email"])


@pytest.mark.usefixtures("_patient")
def test_a_session_sees_its_own_writes_while_the_replica_is_behind(pair: Pair) -> None:
    """With replay paused, others read the old row on the replica, its writer the new one.

    Once replayed, the writer's reads go to the replica again. Cache fills read from the primary.
    """

    async def steps(shop: Shop) -> None:
        await replay(pair, "pause")
        before = await email_of(shop, 2)
        with session() as own:
            changed = await shop.repository.update_user(2, {"email": "new@example.com"})
            assert changed is not None
            assert await email_of(shop, 2) == "new@example.com"
            assert not await shop.router.read(on_replica)
        assert own.position > 0
        with session(own.position):
            assert await email_of(shop, 2) == "new@example.com", "in another process, by the client's word"
        assert (await email_of(shop, 2), await shop.router.read(on_replica)) == (before, True)
        with reads_on_primary():
            assert await email_of(shop, 2) == "new@example.com"

        async def falls_behind() -> bool:
            return shop.value("db_replication_lag_seconds", role="replica") > 0

        await reach(falls_behind, "the lag shows")
        await replay(pair, "resume")

        async def reads_there() -> bool:
            with session(own.position):
                return await shop.router.read(on_replica)

        await reach(reads_there, "the writer reads from the replica")
        with session(own.position):
            assert await email_of(shop, 2) == "new@example.com"

    use(pair, steps)


@pytest.mark.usefixtures("_patient")
def test_a_replica_that_is_far_behind_is_left_out(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the limit no reads go to it; they resume once it has caught up."""
    monkeypatch.setattr("slocheck.reference_api.database.replicas.MOST_LAG_S", 0.0)

    async def steps(shop: Shop) -> None:
        await replay(pair, "pause")
        await shop.repository.update_user(3, {"name": "new"})

        async def left_out() -> bool:
            return not await shop.router.read(on_replica)

        await reach(left_out, "reads leave the replica")
        await replay(pair, "resume")
        await reach(lambda: shop.router.read(on_replica), "reads come back")

    use(pair, steps)


@pytest.mark.parametrize("fault", ["killed", "hung"])
def test_reads_survive_their_replica(pair: Pair, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    """Under load, with the replica gone or hanging, each read and write is served, by the primary.

    That it is gone is said once, and not at each attempt to connect.
    """

    async def steps(shop: Shop) -> None:
        served = 0
        over = asyncio.Event()

        async def reader(user: int) -> None:
            nonlocal served
            while not over.is_set():
                assert await email_of(shop, user) == f"user{user}@example.com"
                served += 1

        readers = [asyncio.create_task(reader(user)) for user in (11, 12, 13, 14)]
        if fault == "killed":
            await asyncio.to_thread(pair.replica.kill)
        else:
            signal_all(pair, signal.SIGSTOP)
        seen = served

        async def goes_on() -> bool:
            assert not any(task.done() for task in readers)
            return served > seen + 50 and not await shop.router.read(on_replica)

        await reach(goes_on, "reads go on")
        with session():
            assert await shop.repository.update_user(4, {"name": fault}) is not None
            assert await shop.repository.user(4, ["name"]) == {"name": fault}
        if fault == "killed":
            await asyncio.to_thread(pair.replica.start)
        else:
            signal_all(pair, signal.SIGCONT)
        await reach(lambda: shop.router.read(on_replica), "reads come back")
        over.set()
        await asyncio.gather(*readers)

    use(pair, steps)
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    if fault == "killed":
        assert said[0].startswith("PostgreSQL (replica) fails: ")
        assert said[-1] == "PostgreSQL (replica) works again"
    assert len(said) <= 2 * 2, (
        "a line when it begins and one when it ends, for each of two connections at most"
    )


def signal_all(pair: Pair, number: signal.Signals) -> None:
    """Send a signal to the replica and to the processes that it has started."""
    try:
        replica = psutil.Process(pair.replica.pid)
        for process in (*replica.children(recursive=True), replica):
            process.send_signal(number)
    except psutil.NoSuchProcess:
        pass  # it is down, or a client has just left
