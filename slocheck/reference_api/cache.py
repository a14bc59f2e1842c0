"""A cache in one process: it evicts the least recently used entry, and entries that are too old."""

import time
from collections import OrderedDict
from collections.abc import Callable

CAPACITY = 1_000
TIME_TO_LIVE_S = 300.0


class Cache:
    """Rendered responses by item id.

    It starts empty: every hit of a run follows a miss of the same run or its warm-up.
    """

    def __init__(
        self,
        *,
        capacity: int = CAPACITY,
        time_to_live_s: float = TIME_TO_LIVE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = capacity
        self._time_to_live_s = time_to_live_s
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """Return what was stored under `key`, or None if it is absent or too old."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        expires, value = entry
        if expires <= self._clock():
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return value

    def put(self, key: str, value: bytes) -> None:
        """Store `value`; a full cache drops the least recently used entry."""
        self._entries[key] = (self._clock() + self._time_to_live_s, value)
        self._entries.move_to_end(key)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def drop(self, key: str) -> None:
        """Forget a value."""
        self._entries.pop(key, None)
