"""L1: the least recently used entries of this process, bounded by items, by bytes and by time.

The guide's idea: hot data is kept in the process itself, where a lookup takes a microsecond and no network.

What goes wrong with the naive form: a plain dict grows until the process is killed; a bound on items alone
lets a few large values do the same; and without a time to live, a process never hears of another's writes.

In production: a library's cache (`cachetools` here), a time to live of seconds, and Redis behind it.
"""

import time
from dataclasses import dataclass
from itertools import count

from cachetools import LRUCache, TLRUCache

from slocheck.reference_api.caching import Clock, Entry, Hit, Lease, Stored

ITEMS = 1_000
BYTES = 50_000_000
TTL_S = 300.0
MOST_LEASES = 1_000
"""Keys that can be loaded at the same time, even with a small cache; of more, the oldest are not kept."""


@dataclass(frozen=True, slots=True)
class _Kept:
    hit: Hit
    size: int
    ttl: float


class MemoryCache:
    """Entries in this process; for one thread, the event loop's.

    Args:
        items: Most entries.
        size: Most bytes of keys and values together. (Python's own half kilobyte an entry is bounded by
            `items`.)
        ttl: Longest time that an entry is kept, seconds, however late it expires.
        clock: Seconds since the epoch, to which an entry's expiry is compared.
        timer: Seconds that never run backwards.
    """

    def __init__(
        self,
        *,
        items: int = ITEMS,
        size: int = BYTES,
        ttl: float = TTL_S,
        clock: Clock = time.time,
        timer: Clock = time.monotonic,
    ) -> None:
        self._items = items
        self._ttl = ttl
        self._clock = clock
        self._entries: TLRUCache[str, _Kept] = TLRUCache(size, _expires, timer, lambda kept: kept.size)
        self._leases: LRUCache[str, str] = LRUCache(max(items, MOST_LEASES))
        self._numbers = count(1)

    @property
    def items(self) -> int:
        """Entries that are kept now."""
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """Bytes of keys and values that are kept now."""
        return int(self._entries.currsize)

    async def get(self, key: str) -> Hit | None:
        """Return what is kept under `key`; this is a use of it."""
        kept = self._entries.get(key)
        return None if kept is None else kept.hit

    async def refresh(self, key: str) -> Hit | None:
        """Return what is kept under `key`: there is only this level."""
        return await self.get(key)

    async def lease(self, key: str) -> Lease:
        """Return the right to fill `key`."""
        lease = self._leases.get(key)
        if lease is None:
            self._leases[key] = lease = str(next(self._numbers))
        return (lease,)

    async def fill(self, key: str, entry: Entry, lease: Lease) -> Stored:
        """Store what was loaded under `lease`; an entry larger than the cache is not kept."""
        if self._leases.get(key) != lease[0]:
            return "refused"
        self._entries.pop(key, None)
        self._keep(key, entry)
        return "stored"

    async def replace(self, key: str, entry: Entry, lease: Lease) -> Stored:
        """Store what was written under `lease` and end it; if it has ended, delete the key instead."""
        valid = self._leases.get(key) == lease[0]
        await self.delete(key)
        if not valid:
            return "refused"
        self._keep(key, entry)
        return "stored"

    async def delete(self, *keys: str) -> None:
        """Remove the keys, and end every right to store under them."""
        for key in keys:
            self._entries.pop(key, None)
            self._leases.pop(key, None)

    async def close(self) -> None:
        """Drop everything."""
        self._entries.clear()
        self._leases.clear()

    def _keep(self, key: str, entry: Entry) -> None:
        size = len(key.encode()) + len(entry.value or b"")
        if size > self._entries.maxsize:
            return
        ttl = min(self._ttl, entry.expiry - self._clock())
        self._entries[key] = _Kept(Hit(entry, "l1"), size, ttl)
        while len(self._entries) > self._items:
            self._entries.popitem()


def _expires(_: str, kept: _Kept, now: float) -> float:
    return now + kept.ttl
