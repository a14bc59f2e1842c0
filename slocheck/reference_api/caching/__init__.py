"""Caching: what the strategies share. Each strategy is one module of this package.

Two interfaces keep them apart. A `Cache` is a place where values are kept: this process, Redis, or one in
front of the other. A way of reading through it (`Reads`) decides when the database is queried, and by whom.

What is promised about stale values, in every combination:

- A value that was loaded before an invalidation is never stored after it. Whoever wants to store takes a
  lease before it loads, every invalidation ends the lease, and a fill without a valid one is refused.
  (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1.)
- A lease that was lost, by eviction, by a restart of Redis or by age, refuses the fill. So what Redis
  forgets costs one more query, never a stale value.
- A client that has written lately reads past a process's copies (`past_copies`), which may be
  stale: so it sees its own change in whichever process it reads.
- What remains is bounded by the time to live: for others another process's L1 (its own, short one), and an
  invalidation that could not be sent, as Redis was down or the process died just after its commit.
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, Protocol

Level = Literal["l1", "l2", "waited", "database"]
"""Where a value came from: this process, Redis, another request's query, or this request's query."""

Load = Callable[[], Awaitable[bytes | None]]
"""Queries the database for one value; None if there is none."""

Clock = Callable[[], float]
"""Seconds since the epoch, as several machines have to agree on an expiry."""

Lease = tuple[str, ...]
"""The right to store a value under one key, one part for each level; compared, never read."""

Stored = Literal["stored", "refused", "unavailable"]
"""The outcome of a fill: kept, refused (its lease had ended), or the cache did not respond."""


_PAST_COPIES: ContextVar[bool] = ContextVar("past_copies", default=False)


@contextmanager
def past_copies() -> Iterator[None]:
    """Look past the copies of this process inside of the block."""
    token = _PAST_COPIES.set(True)
    try:
        yield
    finally:
        _PAST_COPIES.reset(token)


def copies_are_passed() -> bool:
    """Say whether reads look past the copies of this process here."""
    return _PAST_COPIES.get()


@dataclass(frozen=True, slots=True)
class Entry:
    """A value as it is kept.

    Attributes:
        value: The value; None says that the database has none, which is worth keeping, too.
        expiry: When it ends, seconds since the epoch.
        delta: Seconds that loading it took.
    """

    value: bytes | None
    expiry: float
    delta: float


@dataclass(frozen=True, slots=True)
class Hit:
    """An entry and the level that had it."""

    entry: Entry
    level: Level


@dataclass(frozen=True, slots=True)
class Found:
    """What a read returned: the value, None if there is none, and where it came from."""

    value: bytes | None
    level: Level

    @property
    def hit(self) -> bool:
        """Whether a cache had it at the first look."""
        return self.level in ("l1", "l2")


class UnavailableError(Exception):
    """A cache or its locks did not respond in time, refused, or are not tried so soon after a failure."""


class Cache(Protocol):
    """A place for values. No method raises because the cache is down: then it holds nothing."""

    async def get(self, key: str) -> Hit | None:
        """Return what is kept under `key`."""

    async def refresh(self, key: str) -> Hit | None:
        """Return what the last level has, past any copies in front of it."""

    async def lease(self, key: str) -> Lease:
        """Return the right to fill `key`, shared by all that request it before it ends."""

    async def fill(self, key: str, entry: Entry, lease: Lease) -> Stored:
        """Store what was loaded under `lease`, if that is still valid."""

    async def replace(self, key: str, entry: Entry, lease: Lease) -> Stored:
        """Store what was written under `lease` and end it; if it has ended, delete the key instead."""

    async def delete(self, *keys: str) -> None:
        """Remove the keys, and end every right to store under them."""

    async def close(self) -> None:
        """Close the connections."""


class Reads(Protocol):
    """One way of reading through a cache."""

    async def read(self, key: str, load: Load) -> Found:
        """Return the value of `key`, queried with `load` if need be; its errors pass through."""
