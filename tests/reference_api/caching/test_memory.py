"""L1, compared with a dict that keeps the same promises in the simplest way."""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from slocheck.reference_api.caching import Entry
from slocheck.reference_api.caching.memory import MemoryCache

T = TypeVar("T")
KEYS = st.sampled_from(["a", "bb", "ccc", "ü", "d", "e"])


def now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return the result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("it waits")


class LruModel(RuleBasedStateMachine):
    """Any order of reads, writes, deletes and time gives what the model gives."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 100.0
        self.model: OrderedDict[str, tuple[bytes, float]] = OrderedDict()

    @initialize(items=st.integers(1, 4), size=st.integers(4, 40), ttl=st.integers(1, 20))
    def start(self, items: int, size: int, ttl: int) -> None:
        """Bounds small enough to be reached."""
        self.items, self.size, self.ttl = items, size, ttl
        clock = lambda: self.time  # noqa: E731
        self.cache = MemoryCache(items=items, size=size, ttl=ttl, clock=clock, timer=clock)

    @rule(key=KEYS, value=st.binary(max_size=12), left=st.integers(-1, 30))
    def fill(self, key: str, value: bytes, left: int) -> None:
        """Store with a valid lease."""
        lease = now(self.cache.lease(key))
        assert now(self.cache.fill(key, Entry(value, self.time + left, 0.0), lease)) == "stored"
        self.model.pop(key, None)
        ends = self.time + min(left, self.ttl)
        if weight(key, value) <= self.size and ends > self.time:
            self.model[key] = (value, ends)
            self.evict()

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        """Read, which is a use."""
        hit = now(self.cache.get(key))
        assert (hit and hit.entry.value) == self.model.get(key, (None, 0.0))[0]
        if key in self.model:
            self.model.move_to_end(key)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        """Delete."""
        now(self.cache.delete(key))
        self.model.pop(key, None)

    @rule(seconds=st.integers(1, 15))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.time += seconds
        for key in [key for key, (_, ends) in self.model.items() if ends <= self.time]:
            del self.model[key]

    @invariant()
    def bounds_hold(self) -> None:
        """It keeps what the model keeps, within items and bytes."""
        if not hasattr(self, "cache"):
            return
        assert self.cache.items == len(self.model) <= self.items
        assert self.cache.bytes == self.weight() <= self.size

    def weight(self) -> int:
        """Return the bytes of all that is kept."""
        return sum(weight(key, value) for key, (value, _) in self.model.items())

    def evict(self) -> None:
        """Drop the least recently used until both bounds hold."""
        while len(self.model) > self.items or self.weight() > self.size:
            self.model.popitem(last=False)


def weight(key: str, value: bytes) -> int:
    """Return the bytes of an entry."""
    return len(key.encode()) + len(value)


TestLru = LruModel.TestCase
TestLru.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)


def test_an_entry_larger_than_the_cache_replaces_nothing() -> None:
    """It is not kept, the others stay, and the value that it would have replaced is gone."""

    async def main() -> tuple[object, ...]:
        cache = MemoryCache(size=20)
        far = 1e12
        await cache.fill("a", Entry(b"1", far, 0.0), await cache.lease("a"))
        await cache.fill("b", Entry(b"1", far, 0.0), await cache.lease("b"))
        await cache.fill("a", Entry(b"x" * 20, far, 0.0), await cache.lease("a"))
        return await cache.get("a"), await cache.get("b") is not None

    assert asyncio.run(main()) == (None, True)
