"""How one response is classified: failed or not, cache hit or miss."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FailureRule:
    """Which status codes are failures: exact (``429``) or classes (``5xx``)."""

    statuses: tuple[str, ...] = ("5xx",)

    def fails(self, status: int) -> bool:
        """Tell whether a response with this status code is a failed request."""
        return str(status) in self.statuses or f"{status // 100}xx" in self.statuses


@dataclass(frozen=True, slots=True)
class CacheRule:
    """Response headers that distinguish a cache hit from a miss, looked up in this order, lower case."""

    headers: tuple[str, ...] = ("x-cache", "cf-cache-status", "age")
