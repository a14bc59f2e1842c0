"""Write-through and invalidation: what is cached after a write, also after one that failed."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from slocheck.reference_api.caching import Cache, Entry
from slocheck.reference_api.caching.cache_aside import Filler
from slocheck.reference_api.caching.invalidation import Invalidation, KeyFamily
from slocheck.reference_api.caching.memory import MemoryCache
from slocheck.reference_api.caching.write_through import WriteThrough
from tests.support.simulated_time import clock, simulate

USERS = KeyFamily("user", ("orders", "preferences"))
ITEMS = KeyFamily("item")
KEY = USERS.key(7)
Write = Callable[[Cache, Callable[[], Awaitable[bytes | None]]], Awaitable[object]]


async def write_through(cache: Cache, change: Callable[[], Awaitable[bytes | None]]) -> object:
    """Write through the cache."""
    return await WriteThrough(Filler(cache, clock=clock)).write(KEY, change)


async def invalidate(cache: Cache, change: Callable[[], Awaitable[bytes | None]]) -> object:
    """Write, and delete what the cache has."""
    return await Invalidation(cache).change(change, *USERS.keys(7))


async def warm(*keys: str) -> MemoryCache:
    """Return a cache that has an old value under each key."""
    cache = MemoryCache(clock=clock, timer=clock)
    for key in keys:
        await cache.fill(key, Entry(b"old", clock() + 100, 0.0), await cache.lease(key))
    return cache


async def change() -> bytes:
    """Change the row; it takes 1 s."""
    await asyncio.sleep(1)
    return b"new"


async def change_nothing() -> None:
    """Find no row to change."""
    await asyncio.sleep(1)


async def fail() -> None:
    """Fail with an unknown outcome."""
    await asyncio.sleep(1)
    raise ConnectionError("lost during the commit")


def test_the_next_read_after_a_write_through_is_a_hit() -> None:
    """The written value is cached; if there was no row, nothing is."""

    async def main() -> None:
        cache = await warm(KEY)
        assert await write_through(cache, change) == b"new"
        hit = await cache.get(KEY)
        assert hit is not None
        assert hit.entry.value == b"new"
        assert await write_through(cache, change_nothing) is None
        assert await cache.get(KEY) is None

    simulate(main())


@pytest.mark.parametrize("write", [write_through, invalidate])
def test_a_write_that_failed_leaves_nothing_in_the_cache(write: Write) -> None:
    """It may have taken effect, so the old value goes; the same if the client goes away during the write."""

    async def main() -> None:
        cache = await warm(KEY)
        with pytest.raises(ConnectionError):
            await write(cache, fail)
        assert await cache.get(KEY) is None
        cache = await warm(KEY)
        task = asyncio.ensure_future(write(cache, change))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await cache.get(KEY) is None

    simulate(main())


def test_related_keys_go_with_their_row_and_others_stay() -> None:
    """A user's orders and preferences are made from it; another user's are not."""

    async def main() -> None:
        others = (*USERS.keys(70), ITEMS.key(7))
        cache = await warm(*USERS.keys(7), *others)
        assert await invalidate(cache, change) == b"new"
        assert [key for key in USERS.keys(7) if await cache.get(key)] == []
        assert [key for key in others if await cache.get(key)] == list(others)

    simulate(main())


def test_a_key_that_nobody_would_invalidate_cannot_be_made() -> None:
    """The families list every part; one that is not listed is an error on first use."""
    assert USERS.keys(7) == ("user:7", "user:7:orders", "user:7:preferences")
    assert ITEMS.keys(1) == ("item:1",)
    with pytest.raises(KeyError, match="add it to the family"):
        USERS.key(7, "basket")
