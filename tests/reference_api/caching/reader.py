"""``python -m tests.reference_api.caching.reader``: one process of a stampede, see `main`."""

import asyncio
import sys

from slocheck.reference_api.caching.cache_aside import Filler
from slocheck.reference_api.caching.locked import Locked
from slocheck.reference_api.caching.memory import MemoryCache
from slocheck.reference_api.caching.redis_cache import RedisCache
from slocheck.reference_api.caching.redis_link import RedisLink
from slocheck.reference_api.caching.redis_lock import RedisLocks
from slocheck.reference_api.caching.tiers import Tiers
from tests.support.waiting import until

KEY = "hot"
ARRIVED, QUERIES = "test:arrived", "test:queries"
PATIENT_S = 60.0
"""Longer than a busy machine takes."""


async def read(url: str, waiters: int, expected: int, lock_s: float) -> list[bytes | None]:
    """Let `waiters` requests of this process read the key; the query ends once `expected` have arrived."""
    link = RedisLink(url, timeout=PATIENT_S)
    cache = Tiers(MemoryCache(), RedisCache(link))
    reads = Locked(Filler(cache), RedisLocks(link, lives=lock_s))

    async def load() -> bytes:
        await link.client.incr(QUERIES)
        await until(all_arrived, "all waiters")
        return b"value"

    async def all_arrived() -> bool:
        return int(await link.client.get(ARRIVED) or 0) >= expected

    async def one() -> bytes | None:
        assert await cache.get(KEY) is None
        await link.client.incr(ARRIVED)
        return (await reads.read(KEY, load)).value

    try:
        return await asyncio.gather(*(one() for _ in range(waiters)))
    finally:
        await cache.close()


def main(url: str, waiters: str, expected: str, lock_s: str) -> None:
    """Read as `read` does and print the values that were read."""
    found = asyncio.run(read(url, int(waiters), int(expected), float(lock_s)))
    sys.stdout.write(f"{set(found)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
