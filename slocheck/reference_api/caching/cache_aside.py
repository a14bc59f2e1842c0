"""Cache-aside: look in the cache, else query the database and keep the result for a while.

The guide's idea: the reader fills the cache with what it had to load anyway, and a time to live bounds how
old a value can get.

What goes wrong with the naive form: a slow reader stores its old value after a writer has deleted the key,
and it stays for the whole time to live (here the lease refuses that fill); missing rows are queried from
the database each time; and when a hot key expires, all readers query at once.

In production: this, with one of the two guards against stampedes (`locked`, `early_recompute`) on hot keys.
"""

import time
from dataclasses import dataclass

from slocheck.reference_api.caching import Cache, Clock, Entry, Found, Lease, Load

TTL_S = 3600.0
LARGEST_DELTA = 0.1
ABSENT_TTL_S = 5.0
"""Seconds for which a missing value is remembered."""


@dataclass(frozen=True, slots=True)
class Filler:
    """Loads a value and keeps it, as every strategy does.

    Attributes:
        cache: Where it is kept.
        ttl: Seconds that a value is kept.
        absent_ttl: Most seconds that a missing value is remembered.
        clock: Seconds since the epoch.
    """

    cache: Cache
    ttl: float = TTL_S
    absent_ttl: float = ABSENT_TTL_S
    clock: Clock = time.time

    def entry(self, value: bytes | None, delta: float) -> Entry:
        """Return the entry of a value that is known since now and took `delta` seconds.

        More than `LARGEST_DELTA` of the time to live is not noted: see `early_recompute`.
        """
        ttl = self.ttl if value is not None else min(self.ttl, self.absent_ttl)
        return Entry(value, self.clock() + ttl, min(max(delta, 0.0), ttl * LARGEST_DELTA))

    async def fill(self, key: str, load: Load, lease: Lease | None = None) -> bytes | None:
        """Query the database, keep the result unless it was invalidated meanwhile, and return it.

        Args:
            key: Under which it is kept.
            load: Queries the database.
            lease: The right to fill, if the caller has one already.
        """
        lease = lease or await self.cache.lease(key)
        start = self.clock()
        value = await load()
        await self.cache.fill(key, self.entry(value, self.clock() - start), lease)
        return value


class CacheAside:
    """Reads through a cache; each reader that misses queries the database itself."""

    def __init__(self, filler: Filler) -> None:
        self._filler = filler

    async def read(self, key: str, load: Load) -> Found:
        """Return the cached value, else the loaded one."""
        hit = await self._filler.cache.get(key)
        return await self.miss(key, load) if hit is None else Found(hit.entry.value, hit.level)

    async def miss(self, key: str, load: Load) -> Found:
        """Load and keep a value that was not in the cache."""
        return Found(await self._filler.fill(key, load), "database")
