"""Readers and writers of one key in every order: what is cached afterwards is what the database has."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck.reference_api.caching import Cache, Entry, Hit, Lease, Reads, Stored
from slocheck.reference_api.caching.cache_aside import CacheAside, Filler
from slocheck.reference_api.caching.early_recompute import EarlyRecompute, Renewals
from slocheck.reference_api.caching.invalidation import Invalidation
from slocheck.reference_api.caching.locked import Locked
from slocheck.reference_api.caching.memory import MemoryCache
from slocheck.reference_api.caching.tiers import Tiers
from slocheck.reference_api.caching.write_through import WriteThrough
from tests.support.simulated_time import clock, simulate

KEY = "user:1"


class Far:
    """A cache behind a network: each call takes a while in both directions."""

    def __init__(self, cache: Cache, pauses: Iterator[float]) -> None:
        self._cache = cache
        self._pauses = pauses

    async def _call(self, call: Callable[[], Awaitable[object]]) -> object:
        await asyncio.sleep(next(self._pauses))
        result = await call()
        await asyncio.sleep(next(self._pauses))
        return result

    async def get(self, key: str) -> Hit | None:
        """As the cache."""
        return await self._call(lambda: self._cache.get(key))  # type: ignore[return-value]

    async def refresh(self, key: str) -> Hit | None:
        """As the cache."""
        return await self._call(lambda: self._cache.refresh(key))  # type: ignore[return-value]

    async def lease(self, key: str) -> Lease:
        """As the cache."""
        return await self._call(lambda: self._cache.lease(key))  # type: ignore[return-value]

    async def fill(self, key: str, entry: Entry, lease: Lease) -> Stored:
        """As the cache."""
        return await self._call(lambda: self._cache.fill(key, entry, lease))  # type: ignore[return-value]

    async def replace(self, key: str, entry: Entry, lease: Lease) -> Stored:
        """As the cache."""
        return await self._call(lambda: self._cache.replace(key, entry, lease))  # type: ignore[return-value]

    async def delete(self, *keys: str) -> None:
        """As the cache."""
        await self._call(lambda: self._cache.delete(*keys))

    async def close(self) -> None:
        """As the cache."""
        await self._cache.close()


class Story:
    """Readers and writers of one key, with the pauses that hypothesis draws; their writes are numbered."""

    def __init__(self, pauses: list[int], *, tiers: bool, strategy: str) -> None:
        self.pauses = cycle([pause / 1000 for pause in pauses])
        far = Far(MemoryCache(clock=clock, timer=clock), self.pauses)
        near = MemoryCache(clock=clock, timer=clock)
        self.cache: Cache = Tiers(near, far) if tiers else far
        filler = Filler(self.cache, ttl=1_000.0, clock=clock)
        self.reads = reads(filler, strategy)
        self.write_through = WriteThrough(filler)
        self.invalidation = Invalidation(self.cache)
        self.stored = 0
        self.finished = 0

    async def load(self) -> bytes:
        """Query the database, which takes a while in both directions."""
        await asyncio.sleep(next(self.pauses))
        value = self.stored
        await asyncio.sleep(next(self.pauses))
        return b"%d" % value

    async def change(self) -> bytes:
        """Write the next number to the database."""
        await asyncio.sleep(next(self.pauses))
        self.stored += 1
        value = self.stored
        await asyncio.sleep(next(self.pauses))
        return b"%d" % value

    async def act(self, what: str, begin: int) -> None:
        """Read or write once, after `begin` milliseconds; a read finds what was finished before, or newer."""
        await asyncio.sleep(begin / 1000)
        if what == "read":
            finished = self.finished
            found = await self.reads.read(KEY, self.load)
            assert int(found.value or b"-1") >= finished
            return
        if what == "write":
            written = await self.write_through.write(KEY, self.change)
        else:
            written = await self.invalidation.change(self.change, KEY)
        self.finished = max(self.finished, int(written or b"-1"))

    async def play(self, actions: list[tuple[str, int]]) -> None:
        """Run all, then check what is cached."""
        async with asyncio.TaskGroup() as tasks:
            for what, begin in actions:
                tasks.create_task(self.act(what, begin))
        hit = await self.cache.get(KEY)
        assert hit is None or hit.entry.value == b"%d" % self.stored


def reads(filler: Filler, strategy: str) -> Reads:
    """Return a strategy by its name."""
    aside, locked, renewals = CacheAside(filler), Locked(filler), Renewals(filler)
    choices: dict[str, Reads] = {
        "aside": aside,
        "locked": locked,
        "early": EarlyRecompute(filler, renewals.miss, renew=renewals.renew, beta=50.0),
        "both": EarlyRecompute(filler, locked.miss, renew=locked.renew, beta=50.0),
    }
    return choices[strategy]


@pytest.mark.parametrize("tiers", [False, True], ids=["one level", "two levels"])
@pytest.mark.parametrize("strategy", ["aside", "locked", "early", "both"])
@given(
    pauses=st.lists(st.sampled_from([0, 1, 2, 7, 40]), min_size=1, max_size=30),
    actions=st.lists(
        st.tuples(st.sampled_from(["read", "read", "write", "invalidate"]), st.integers(0, 80)), max_size=9
    ),
)
@settings(max_examples=50, deadline=None)
def test_no_value_is_served_that_was_replaced_before_the_read(
    pauses: list[int], actions: list[tuple[str, int]], *, tiers: bool, strategy: str
) -> None:
    """However they overlap, a read is never older than a finished write, and nor is what stays cached."""
    simulate(Story(pauses, tiers=tiers, strategy=strategy).play(actions))


def test_what_redis_refuses_is_not_kept_in_the_process_either() -> None:
    """Another process has deleted the key while this one loaded it: neither level keeps the old value."""

    async def main() -> None:
        shared = MemoryCache(clock=clock, timer=clock)
        cache = Tiers(MemoryCache(clock=clock, timer=clock), shared)

        async def load() -> bytes:
            await shared.delete(KEY)  # as the other process does
            return b"old"

        assert await Filler(cache, clock=clock).fill(KEY, load) == b"old"
        assert await cache.get(KEY) is None

    simulate(main())
