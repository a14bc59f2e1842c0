"""How the shop reads and writes through its caches, by the switches; every read is counted here."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from slocheck.reference_api.caching import Cache, Found, Load, Reads
from slocheck.reference_api.caching.cache_aside import CacheAside, Filler
from slocheck.reference_api.caching.early_recompute import EarlyRecompute, Renewals
from slocheck.reference_api.caching.invalidation import Invalidation
from slocheck.reference_api.caching.locked import Locked, Locks
from slocheck.reference_api.caching.memory import MemoryCache
from slocheck.reference_api.caching.tiers import Tiers
from slocheck.reference_api.caching.write_through import WriteThrough
from slocheck.reference_api.observability.metrics import DATABASE, L1, L2, CacheMetrics
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.shop.reading import Cached, Span

Result = TypeVar("Result")

SHARED_L1_TTL_S = 5.0
"""Seconds for which a process keeps a copy of what another one may change."""


class Uncached:
    """The naive form: each read is a query."""

    def __init__(self, metrics: CacheMetrics, span: Span) -> None:
        self._metrics = metrics
        self._span = span

    async def read(self, key: str, load: Load) -> Found:
        """Query the database."""
        self._metrics.found(DATABASE)
        with self._span("load", cache__key=key):
            return Found(await load(), DATABASE)

    async def write(self, change: Load, _: str) -> bytes | None:
        """Change the database."""
        return await change()

    async def drop(self, change: Callable[[], Awaitable[Result]], *_: str) -> Result:
        """Change the database."""
        return await change()

    async def close(self) -> None:
        """Do nothing."""


class Caching:
    """Reads and writes by the strategies that are on.

    Args:
        reads: How a value is read.
        filler: Of the cache that `reads` reads through.
        settings: Whether writes update the cache, or drop stale keys.
        metrics: Counts the reads.
        levels: The levels that there are, first to last.
        span: Times the database queries.
    """

    def __init__(
        self,
        reads: Reads,
        filler: Filler,
        *,
        settings: Settings,
        metrics: CacheMetrics,
        levels: tuple[str, ...],
        span: Span,
    ) -> None:
        self._reads = reads
        self._cache = filler.cache
        self._write_through = WriteThrough(filler) if settings.write_through else None
        self._invalidation = Invalidation(filler.cache) if settings.invalidation else None
        self._metrics = metrics
        self._levels = levels
        self._span = span

    async def read(self, key: str, load: Load) -> Found:
        """Look in the caches first."""

        async def traced_load() -> bytes | None:
            with self._span("load", cache__key=key):
                return await load()

        found = await self._reads.read(key, traced_load)
        self._count(found)
        return found

    async def write(self, change: Load, key: str) -> bytes | None:
        """Change the database, and update or drop the key."""
        if self._write_through is not None:
            return await self._write_through.write(key, change)
        return await self.drop(change, key)

    async def drop(self, change: Callable[[], Awaitable[Result]], *keys: str) -> Result:
        """Change the database, and drop the keys."""
        if self._invalidation is None:
            return await change()
        return await self._invalidation.change(change, *keys)

    async def close(self) -> None:
        """Close the connections."""
        await self._cache.close()

    def _count(self, found: Found) -> None:
        if found.level == "waited":
            self._metrics.waited.inc()
        served = found.level if found.hit else DATABASE
        self._metrics.found(served)
        for level in self._levels:
            if level == served:
                return
            self._metrics.passed(level)


def cached_by(settings: Settings, metrics: CacheMetrics, span: Span) -> Cached:
    """Choose the caches and the strategy; raises UsageError if the address of Redis cannot be used."""
    if not settings.cache_aside:
        return Uncached(metrics, span)
    cache, locks, levels = _caches(settings, metrics)
    filler = Filler(cache, ttl=settings.ttl_s)
    reads = _strategy(settings, filler, locks, metrics)
    return Caching(reads, filler, settings=settings, metrics=metrics, levels=levels, span=span)


def _strategy(settings: Settings, filler: Filler, locks: Locks | None, metrics: CacheMetrics) -> Reads:
    """Return how values are read: with or without the lock, and with or without early recomputation."""
    failed = metrics.renewals_failed.inc
    guard = Locked(filler, locks) if settings.lock else None
    if not settings.early_recompute:
        return guard or CacheAside(filler)
    renewing = guard or Renewals(filler)
    return EarlyRecompute(filler, renewing.miss, renew=renewing.renew, failed=failed)


def _caches(settings: Settings, metrics: CacheMetrics) -> tuple[Cache, Locks | None, tuple[str, ...]]:
    """Return the cache, the locks that go with it, and its levels; without Redis it is the process's."""
    shared = bool(settings.redis_url) or settings.workers > 1
    memory = MemoryCache(
        items=settings.cache_items,
        size=settings.cache_bytes,
        ttl=min(settings.ttl_s, SHARED_L1_TTL_S) if shared else settings.ttl_s,
    )
    if not settings.redis_url:
        return memory, None, (L1,)
    # the library is needed only here
    from slocheck.reference_api.caching.redis_cache import RedisCache  # noqa: PLC0415
    from slocheck.reference_api.caching.redis_link import RedisLink  # noqa: PLC0415
    from slocheck.reference_api.caching.redis_lock import RedisLocks  # noqa: PLC0415

    link = RedisLink(settings.redis_url, failed=metrics.redis_failures.inc, timeout=settings.redis_timeout_s)
    far = RedisCache(link)
    if not settings.memory_cache:
        return far, RedisLocks(link), (L2,)
    return Tiers(memory, far), RedisLocks(link), (L1, L2)
