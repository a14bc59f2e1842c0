"""The lock against stampedes: of all requests that miss a key, in all processes, one queries the database.

The guide's idea: the request that takes the lock loads the value; the others wait until it is cached.

What goes wrong with the naive form: anyone deletes anyone's lock; ``'NX', 'EX'`` without an owner's token
outlives or outruns its holder; all poll in step, without an end; and the second to get the lock loads
again, as it does not look into the cache first.

In production: this, with `early_recompute` in front for what must never be waited for.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

from slocheck.reference_api.caching import Clock, Entry, Found, Lease, Load, UnavailableError
from slocheck.reference_api.caching.cache_aside import Filler
from slocheck.reference_api.caching.single_flight import SingleFlight


class Locks(Protocol):
    """Locks that all processes share."""

    async def acquire(self, key: str) -> str | None:
        """Try once; returns the owner's token, None if it is taken; raises UnavailableError."""

    async def release(self, key: str, token: str) -> bool:
        """Release it if `token` still owns it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How a process waits for another process's query.

    Attributes:
        longest: Seconds after which it queries the database itself; longer than a lock lives, so that first
            another process takes over from one that died.
        first: Seconds between the first two polls; each further pause is up to twice as long.
        pause: Longest pause, seconds.
    """

    longest: float = 7.0
    first: float = 0.005
    pause: float = 0.1


class Locked:
    """Reads through a cache; a request that misses takes the lock or waits.

    Within the process, single flight: one request goes on, the others wait for it, at most
    `single_flight.MOST_WAITERS` and `single_flight.LONGEST_WAIT_S`; past either bound they fail with
    `single_flight.OverloadedError`, as a query each would be the stampede. Between processes, the lock: the
    one request that went on takes it, or looks into the cache with growing, random pauses; at its bound it
    queries the database itself, which is at most one query per process. Without Redis there is only single
    flight.

    A request never waits for a query that began before the key was invalidated.

    Args:
        filler: Loads and keeps values.
        locks: Locks that all processes share; None: there is only this one.
        patience: How to wait for another process.
        single_flight: Bounds of waiting within the process.
        timer: Seconds that never run backwards.
        draw: Returns a random number, 0..1.
    """

    def __init__(
        self,
        filler: Filler,
        locks: Locks | None = None,
        *,
        patience: Patience | None = None,
        single_flight: SingleFlight[Found | None] | None = None,
        timer: Clock = monotonic,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._filler = filler
        self._locks = locks
        self._patience = patience or Patience()
        self._single_flight = single_flight or SingleFlight[Found | None]()
        self._timer = timer
        self._draw = draw

    async def read(self, key: str, load: Load) -> Found:
        """Return the cached value, or the one that one request loads for all.

        Raises:
            OverloadedError: Too many wait for it, or it takes too long.
        """
        hit = await self._filler.cache.get(key)
        return await self.miss(key, load) if hit is None else Found(hit.entry.value, hit.level)

    async def miss(self, key: str, load: Load) -> Found:
        """Get a value that was not in the cache; as `read`."""
        lease = await self._filler.cache.lease(key)
        found, started = await self._single_flight.join((key, lease), lambda: self._get(key, load, lease))
        if found is None:  # it was a renewal, which another process has begun before
            return await self.miss(key, load)
        return found if started else Found(found.value, "waited")

    async def renew(self, key: str, load: Load, seen: Entry) -> Found | None:
        """Load a value that is still valid; None if that is being done already, here or elsewhere.

        Args:
            key: Under which it is kept.
            load: Asks the database.
            seen: What is in the cache; if it was renewed meanwhile, the newer value is returned.
        """
        lease = await self._filler.cache.lease(key)
        if self._single_flight.in_flight((key, lease)):
            return None
        found, _ = await self._single_flight.join((key, lease), lambda: self._renew(key, load, lease, seen))
        return found

    async def _get(self, key: str, load: Load, lease: Lease) -> Found:
        if self._locks is None:
            return await self._look(key) or await self._load(key, load, lease)
        try:
            return await self._get_locked(key, load, self._locks)
        except UnavailableError:
            return await self._look(key) or await self._load(key, load, lease)

    async def _get_locked(self, key: str, load: Load, locks: Locks) -> Found:
        """Take the lock and load, or wait until another process has."""
        end = self._timer() + self._patience.longest
        pause = self._patience.first
        while self._timer() < end:
            token = await locks.acquire(key)
            if token is not None:
                try:
                    return await self._look(key) or await self._load(key, load)
                finally:
                    await asyncio.shield(locks.release(key, token))
            await asyncio.sleep(pause * (0.5 + self._draw()))
            pause = min(2 * pause, self._patience.pause)
            found = await self._look(key)
            if found is not None:
                return found
        return await self._load(key, load)

    async def _renew(self, key: str, load: Load, lease: Lease, seen: Entry) -> Found | None:
        """Take the lock if it is free, and load unless another process has meanwhile."""
        if self._locks is None:
            return await self._load(key, load, lease)
        try:
            token = await self._locks.acquire(key)
        except UnavailableError:
            return await self._load(key, load, lease)
        if token is None:
            return None
        try:
            hit = await self._filler.cache.refresh(key)
            if hit is not None and hit.entry.expiry > seen.expiry:
                return Found(hit.entry.value, hit.level)
            return await self._load(key, load, lease)
        finally:
            await asyncio.shield(self._locks.release(key, token))

    async def _look(self, key: str) -> Found | None:
        """Look once more, as the key may have been filled since the miss."""
        hit = await self._filler.cache.get(key)
        return None if hit is None else Found(hit.entry.value, "waited")

    async def _load(self, key: str, load: Load, lease: Lease | None = None) -> Found:
        return Found(await self._filler.fill(key, load, lease), "database")
