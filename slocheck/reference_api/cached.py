"""Which cache the shop reads through, by the switches; every read is counted here."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from slocheck.reference_api.cache import Cache
from slocheck.reference_api.observability.metrics import DATABASE, L1, CacheMetrics
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.shop.reading import Cached, Load

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Direct:
    """A value that came from the database, or from a cache."""

    value: bytes | None
    hit: bool = False


class Uncached:
    """The naive form: each read is a query."""

    def __init__(self, metrics: CacheMetrics) -> None:
        self._metrics = metrics

    async def read(self, _: str, load: Load) -> Direct:
        """Ask the database."""
        self._metrics.found(DATABASE)
        return Direct(await load())

    async def write(self, change: Load, _: str) -> bytes | None:
        """Change the database."""
        return await change()

    async def drop(self, change: Callable[[], Awaitable[Result]], *_: str) -> Result:
        """Change the database."""
        return await change()

    async def close(self) -> None:
        """Do nothing."""


class InProcess:
    """A cache in this process."""

    def __init__(self, settings: Settings, metrics: CacheMetrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._cache = Cache(capacity=settings.cache_items, time_to_live_s=settings.ttl_s)

    async def read(self, key: str, load: Load) -> Direct:
        """Look in the cache first."""
        body = self._cache.get(key)
        self._metrics.found(DATABASE if body is None else L1)
        if body is not None:
            return Direct(body, hit=True)
        body = await load()
        if body is not None:
            self._cache.put(key, body)
        return Direct(body)

    async def write(self, change: Load, key: str) -> bytes | None:
        """Change the database, then the cache."""
        body = await change()
        if self._settings.write_through and body is not None:
            self._cache.put(key, body)
        elif self._settings.invalidation:
            self._cache.drop(key)
        return body

    async def drop(self, change: Callable[[], Awaitable[Result]], *keys: str) -> Result:
        """Change the database, then forget the keys."""
        result = await change()
        if self._settings.invalidation:
            for key in keys:
                self._cache.drop(key)
        return result

    async def close(self) -> None:
        """Do nothing."""


def cached_by(settings: Settings, metrics: CacheMetrics) -> Cached:
    """Choose the cache."""
    return InProcess(settings, metrics) if settings.cache_aside else Uncached(metrics)
