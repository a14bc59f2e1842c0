"""L2 and the lock on a real, private Redis: stampedes across processes, ownership, and a Redis that fails."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck.reference_api.caching import Cache, Entry, Found, Lease
from slocheck.reference_api.caching.cache_aside import CacheAside, Filler
from slocheck.reference_api.caching.early_recompute import EarlyRecompute
from slocheck.reference_api.caching.invalidation import Invalidation
from slocheck.reference_api.caching.locked import Locked
from slocheck.reference_api.caching.memory import MemoryCache
from slocheck.reference_api.caching.redis_cache import RedisCache
from slocheck.reference_api.caching.redis_link import Breaker, RedisLink
from slocheck.reference_api.caching.redis_lock import RedisLocks
from slocheck.reference_api.caching.tiers import Tiers
from slocheck.reference_api.stack.processes import Server, Servers
from slocheck.reference_api.stack.redis import redis_url, start_redis
from tests.reference_api.caching.reader import ARRIVED, KEY, PATIENT_S, QUERIES
from tests.support.waiting import until

FAR = 1e12
WAITERS = 200
PROCESSES = 2


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """The private servers of this file."""
    with Servers() as started:
        yield started


@pytest.fixture(scope="module")
def redis(servers: Servers) -> Server:
    """One Redis for all tests of this file."""
    return start_redis(servers)


@asynccontextmanager
async def linked(redis: Server, *, empty: bool = True) -> AsyncIterator[RedisLink]:
    """A client with long timeouts, and unless told otherwise an empty Redis."""
    link = RedisLink(redis_url(redis), timeout=PATIENT_S)
    try:
        if empty:
            await link.client.flushall()
        yield link
    finally:
        await link.close()


def start_reader(redis: Server, *, waiters: int, expected: int, lock_s: float) -> subprocess.Popen[str]:
    """Start one process of a stampede."""
    arguments = (redis_url(redis), str(waiters), str(expected), str(lock_s))
    command = [sys.executable, "-m", "tests.reference_api.caching.reader", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_200_waiters_in_two_processes_make_one_query(redis: Server) -> None:
    """Each process lets one of its 100 requests go to Redis, and one of these two takes the lock."""

    async def queries() -> int:
        async with linked(redis) as link:
            each = WAITERS // PROCESSES
            readers = [
                start_reader(redis, waiters=each, expected=WAITERS, lock_s=PATIENT_S)
                for _ in range(PROCESSES)
            ]
            said = [await asyncio.to_thread(reader.communicate) for reader in readers]
            assert {out for out, _ in said} == {"{b'value'}\n"}
            assert await link.client.get(f"lock:{KEY}") is None
            return int(await link.client.get(QUERIES) or 0)

    assert asyncio.run(queries()) == 1


def test_one_other_takes_over_from_a_holder_that_died(redis: Server) -> None:
    """The process that holds the lock is killed in its query: the lock expires, and one of 50 loads."""

    async def main() -> None:
        async with linked(redis) as link:
            holder = start_reader(redis, waiters=1, expected=2, lock_s=1.0)
            try:
                await until(lambda: link.client.get(QUERIES), "the holder's query")
            finally:
                holder.kill()
                holder.communicate()
            reads = Locked(Filler(RedisCache(link)), RedisLocks(link, lives=PATIENT_S))

            async def load() -> bytes:
                await link.client.incr(QUERIES)
                return b"value"

            found = await asyncio.gather(*(reads.read(KEY, load) for _ in range(50)))
            assert {each.value for each in found} == {b"value"}
            assert int(await link.client.get(QUERIES) or 0) == 2
            assert int(await link.client.get(ARRIVED) or 0) == 1

    asyncio.run(main())


def test_one_of_all_processes_renews_what_is_about_to_end(redis: Server) -> None:
    """Each of 100 readers in two processes draws to renew: one queries, the others serve the valid value."""

    async def main() -> None:
        async with linked(redis) as link:
            queries = 0
            seen = asyncio.Event()
            processes = []
            for _ in range(2):
                filler = Filler(Tiers(MemoryCache(), RedisCache(link)))
                locked = Locked(filler, RedisLocks(link, lives=PATIENT_S))
                processes.append(
                    EarlyRecompute(filler, locked.miss, renew=locked.renew, draw=lambda: 1 - 1e-12)
                )

            async def load() -> bytes:
                nonlocal queries
                queries += 1
                await seen.wait()
                return b"new"

            async def read(number: int) -> Found:
                return await processes[number % 2].read(KEY, load)

            far = RedisCache(link)
            entry = Entry(b"old", time.time() + PATIENT_S, 10.0)
            await far.fill(KEY, entry, await far.lease(KEY))
            readers = [asyncio.create_task(read(number)) for number in range(100)]
            await until(lambda: asyncio.sleep(0, sum(reader.done() for reader in readers) == 99))
            seen.set()
            found = [(each.value, each.level) for each in await asyncio.gather(*readers)]
            assert found.count((b"new", "database")) == queries == 1
            assert {value for value, level in found if level != "database"} == {b"old"}
            # the copies in both processes are old; what is newer in Redis is found before a query
            assert {(await read(number)).value for number in (0, 1)} == {b"new"}
            assert queries == 1

    asyncio.run(main())


ACTIONS = st.lists(
    st.tuples(st.sampled_from(["acquire", "release", "expire"]), st.integers(0, 2)), max_size=25
)


@given(ACTIONS)
@settings(max_examples=40, deadline=None)
def test_a_lock_is_released_by_its_owner_alone(redis: Server, actions: list[tuple[str, int]]) -> None:
    """Whatever three owners do, and whenever locks expire: one owner, and old tokens are worthless."""

    async def main() -> None:
        async with linked(redis) as link:
            locks = RedisLocks(link, lives=PATIENT_S)
            tokens = ["none"] * 3
            owner: int | None = None
            for what, who in actions:
                if what == "expire":
                    await link.client.delete("lock:k")
                    owner = None
                elif what == "acquire":
                    token = await locks.acquire("k")
                    assert (token is not None) == (owner is None)
                    if token is not None:
                        owner, tokens[who] = who, token
                else:
                    assert await locks.release("k", tokens[who]) == (owner == who)
                    owner = None if owner == who else owner
            assert await link.client.exists("lock:k") == (owner is not None)
            assert owner is None or 0 < await link.client.pttl("lock:k") <= PATIENT_S * 1000

    asyncio.run(main())


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["get", "lease", "fill", "replace", "delete"]), st.integers(0, 1), st.integers(0, 3)
    ),
    max_size=25,
)


@given(STEPS)
@settings(max_examples=40, deadline=None)
def test_redis_keeps_the_same_promises_as_the_cache_in_the_process(
    redis: Server, steps: list[tuple[str, int, int]]
) -> None:
    """Any order of leases, fills, writes and deletes gives the same results in both caches."""

    async def main() -> None:
        async with linked(redis) as link:
            caches: tuple[Cache, Cache] = (MemoryCache(), RedisCache(link))
            leases: list[list[Lease]] = [[("none",)] * 4, [("none",)] * 4]
            for number, step in enumerate(steps):
                first, second = [
                    await act(cache, leases[place], step, number) for place, cache in enumerate(caches)
                ]
                assert first == second

    asyncio.run(main())


async def act(cache: Cache, leases: list[Lease], step: tuple[str, int, int], number: int) -> object:
    """Do one step and return what can be compared."""
    what, which, slot = step
    key = f"k{which}"
    entry = Entry(b"%d" % number, FAR, 0.5)
    match what:
        case "get":
            hit = await cache.get(key)
            return hit and hit.entry
        case "lease":
            leases[slot] = await cache.lease(key)
            return None
        case "fill":
            return await cache.fill(key, entry, leases[slot])
        case "replace":
            return await cache.replace(key, entry, leases[slot])
        case _:
            await cache.delete(key)
            return None


def test_what_is_cached_ends_by_itself(redis: Server) -> None:
    """A value, the lack of one, and the lease each have a time to live in Redis, and their level is l2."""

    async def main() -> None:
        async with linked(redis) as link:
            filler = Filler(RedisCache(link), ttl=300.0, absent_ttl=5.0)
            reads = CacheAside(filler)
            for key, value, longest in (("there", b"value", 300_000), ("absent", None, 5_000)):
                assert (await reads.read(key, answer(value))).level == "database"
                found = await reads.read(key, answer(b"asked again"))
                assert (found.value, found.level) == (value, "l2")
                assert 0 < await link.client.pttl(key) <= longest
                await link.client.pexpire(f"lease:{key}", 500)
                await filler.cache.lease(key)
                assert 500 < await link.client.pttl(f"lease:{key}") <= 30_000
            await link.client.set("there", "a stranger's")
            assert (await reads.read("there", answer(b"value"))).level == "database"

    asyncio.run(main())


def answer(value: bytes | None):  # type: ignore[no-untyped-def]
    """Return a query with this answer."""

    async def load() -> bytes | None:
        return value

    return load


class Outage:
    """A client with the usual short timeouts in front of a Redis that fails; its failures are counted."""

    def __init__(self, redis: Server, *, memory: bool) -> None:
        self.failures = 0
        self.queries = 0
        self.link = RedisLink(
            redis_url(redis), failed=self.count, timeout=0.2, breaker=Breaker(cool_down=0.3)
        )
        far = RedisCache(self.link)
        self.cache: Cache = Tiers(MemoryCache(), far) if memory else far
        self.reads = Locked(Filler(self.cache), RedisLocks(self.link))
        self.invalidation = Invalidation(self.cache)
        self.stored = b"old"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cache.close()

    def count(self) -> None:
        """Count a failure."""
        self.failures += 1

    async def load(self) -> bytes:
        """Ask the database."""
        self.queries += 1
        return self.stored

    async def read(self, key: str = KEY) -> tuple[bytes | None, str]:
        """Read one key."""
        found = await self.reads.read(key, self.load)
        return found.value, found.level

    async def change(self) -> None:
        """Change the value."""

        async def change() -> None:
            self.stored = b"new"

        await self.invalidation.change(change, KEY)

    async def hit(self) -> bytes | None:
        """Read until Redis has the key, and return what it has."""
        values: list[bytes | None] = []

        async def read() -> bool:
            value, level = await self.read()
            values.append(value)
            return level == "l2"

        await until(read, "a hit")
        return values[-1]


@pytest.mark.parametrize("failure", ["hangs", "dies"])
def test_a_redis_that_fails_costs_queries_and_no_error(servers: Servers, redis: Server, failure: str) -> None:
    """It hangs or dies in mid-run: reads and writes continue, few try it, and nothing is stale afterwards."""

    async def main(server: Server) -> None:
        async with Outage(server, memory=False) as outage:
            await outage.hit()
            fail(server)
            assert await outage.read() == (b"old", "database")
            await outage.change()  # is not even sent, so soon after a failure
            reads = [await outage.read() for _ in range(100)]
            assert {value for value, _ in reads} == {b"new"}
            crowd = await asyncio.gather(*(outage.read("other") for _ in range(WAITERS)))
            assert {value for value, _ in crowd} == {b"new"}
            assert 1 <= outage.failures < 100
            server = recover(server)
            assert await outage.hit() == b"new"
        server.stop()

    def fail(server: Server) -> None:
        if failure == "hangs":
            server.send(signal.SIGSTOP)
        else:
            server.kill()

    def recover(server: Server) -> Server:
        if failure == "hangs":
            server.send(signal.SIGCONT)
            return server
        return start_redis(servers, f"redis-{failure}-again", port=server.port)

    assert redis.code() is None
    asyncio.run(main(start_redis(servers, f"redis-{failure}")))


def test_without_redis_the_process_keeps_its_own_cache(servers: Servers) -> None:
    """L1 carries on alone, with one query for 200 waiters, and an invalidation reaches it."""
    gone = start_redis(servers, "redis-gone")
    gone.kill()

    async def main() -> None:
        async with Outage(gone, memory=True) as outage:
            found = await asyncio.gather(*(outage.read() for _ in range(WAITERS)))
            assert {value for value, _ in found} == {b"old"}
            assert outage.queries == 1
            assert await outage.read() == (b"old", "l1")
            await outage.change()
            assert await outage.read() == (b"new", "database")
            assert outage.failures >= 1

    asyncio.run(main())


def test_a_durable_redis_keeps_its_jobs(servers: Servers) -> None:
    """If it is full, cache entries are evicted and jobs are not; after a crash the jobs are back."""
    first = start_redis(servers, "queue", durable=True)

    async def fill() -> tuple[int, set[str]]:
        async with linked(first) as link:
            await link.client.config_set("maxmemory", "4mb")
            await link.client.set("job", "kept")
            cache = RedisCache(link)
            outcomes: set[str] = set()
            for number in range(100):
                entry = Entry(b"x" * 100_000, FAR, 0.0)
                outcomes.add(await cache.fill(f"k{number}", entry, await cache.lease(f"k{number}")))
            return int((await link.client.info("stats"))["evicted_keys"]), outcomes

    async def read(server: Server) -> object:
        async with linked(server, empty=False) as link:
            return await link.client.get("job")

    evicted, outcomes = asyncio.run(fill())
    assert evicted > 10
    # a fill is refused if its lease was what Redis evicted: Redis samples keys, not the oldest one
    assert {"stored"} <= outcomes <= {"stored", "refused"}
    first.kill()
    second = start_redis(servers, "queue", port=first.port, durable=True)
    assert asyncio.run(read(second)) == b"kept"
