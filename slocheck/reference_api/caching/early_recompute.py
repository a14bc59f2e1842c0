"""Probabilistic early recomputation (XFetch): a hot value is renewed before it expires, by a few readers.

The guide's idea: each reader draws a random number and renews the value early, the more likely the closer
its expiry and the longer its query takes; no lock, no waiting, no coordination.

What goes wrong with the naive form: a logarithm of 0 raises; a renewal that fails turns a hit into an error;
a query that takes 0 s on the clock is never renewed early; a cold key is not helped at all, as there is
nothing to renew: that is the case of the lock. And it can feed itself: the queries of a cold key queue up,
so their cost comes out near the time to live, so every reader renews at once, so the queries queue up. That
is why `Filler.entry` notes a cost of at most a tenth of the time to live.

Within one process a key is renewed once at a time (`Renewals`). The paper's readers do not know about each
other, but in one process a second query only slows the first one down, and the longer that takes, the more
readers begin another. So an expiry costs at most one query per process, and fewer if there are many.

In production: this for hot keys whose query is expensive, with the lock behind it for cold ones.

With the lock behind it, a reader whose turn it is takes the lock if it is free, and serves the valid value
if it is not: one query per expiry, and no waiting.

Source: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", PVLDB 8(8),
2015. A reader that comes ``gap`` seconds before the end recomputes with the probability
``exp(-gap / (beta * delta))``. Of many processes that read in a `delta`, about ``exp(1 / beta)`` recompute at
each expiry, however many there are: the first one, and those that draw a number while it loads.
"""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable

from slocheck.reference_api.caching import Entry, Found, Lease, Load
from slocheck.reference_api.caching.cache_aside import Filler
from slocheck.reference_api.caching.single_flight import SingleFlight

BETA = 1.0
_SHORTEST_DELTA_S = 1e-4
"""A query that seems to take no time counts as one of 0.1 ms."""

OnMiss = Callable[[str, Load], Awaitable[Found]]
"""Loads what is not in the cache."""

Renew = Callable[[str, Load, Entry], Awaitable[Found | None]]
"""Loads what is still valid; None if another reader does."""


def due(entry: Entry, *, now: float, beta: float, draw: float) -> bool:
    """Whether a reader recomputes: ``now - delta * beta * ln(draw) >= expiry``.

    Args:
        entry: What is in the cache.
        now: Seconds since the epoch.
        beta: Above 1 recomputes earlier, below 1 later.
        draw: A random number, above 0 and up to 1.
    """
    delta = max(entry.delta, _SHORTEST_DELTA_S)
    return now - delta * beta * math.log(draw) >= entry.expiry


class Renewals:
    """One process's queries for values that are still valid, without the lock: one at a time for each key."""

    def __init__(self, filler: Filler) -> None:
        self._filler = filler
        self._single_flight = SingleFlight[Found]()

    async def renew(self, key: str, load: Load, _: Entry) -> Found | None:
        """Load a value that is still valid; None if this process does that already."""
        lease = await self._filler.cache.lease(key)
        if self._single_flight.in_flight((key, lease)):
            return None
        found, _started = await self._single_flight.join((key, lease), lambda: self._load(key, load, lease))
        return found

    async def miss(self, key: str, load: Load) -> Found:
        """Load a value that was not in the cache; readers that come during its renewal wait for that.

        Raises:
            OverloadedError: Too many wait for it, or it takes too long.
        """
        lease = await self._filler.cache.lease(key)
        if not self._single_flight.in_flight((key, lease)):
            return await self._load(key, load, lease)
        found, started = await self._single_flight.join((key, lease), lambda: self._load(key, load, lease))
        return found if started else Found(found.value, "waited")

    async def _load(self, key: str, load: Load, lease: Lease) -> Found:
        return Found(await self._filler.fill(key, load, lease), "database")


class EarlyRecompute:
    """Reads through a cache and renews what is about to expire.

    A copy in L1 may be older than what another process has put into L2, so that is looked at before a query.

    Args:
        filler: Loads and keeps values.
        on_miss: Handles a cold key: `Renewals.miss`, or `Locked.miss`.
        renew: Called for a reader whose turn it is: `Renewals.renew`, or `Locked.renew`.
        beta: Above 1 recomputes earlier, below 1 later.
        draw: Returns a random number, from 0 up to and without 1.
        failed: Called when a renewal failed and the value in the cache was served instead.
    """

    def __init__(
        self,
        filler: Filler,
        on_miss: OnMiss,
        *,
        renew: Renew,
        beta: float = BETA,
        draw: Callable[[], float] = random.random,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._filler = filler
        self._on_miss = on_miss
        self._renew = renew
        self._beta = beta
        self._draw = draw
        self._failed = failed

    async def read(self, key: str, load: Load) -> Found:
        """Return the cached value, unless this reader is the one that renews it."""
        hit = await self._filler.cache.get(key)
        if hit is None:
            return await self._on_miss(key, load)
        now = self._filler.clock()
        # 1 - draw is never 0, whose logarithm does not exist
        if not due(hit.entry, now=now, beta=self._beta, draw=1.0 - self._draw()):
            return Found(hit.entry.value, hit.level)
        newer = await self._filler.cache.refresh(key)
        if newer is not None and newer.entry.expiry > hit.entry.expiry:
            return Found(newer.entry.value, newer.level)
        (outcome,) = await asyncio.gather(self._renew(key, load, hit.entry), return_exceptions=True)
        if isinstance(outcome, Found):
            return outcome
        if isinstance(outcome, BaseException):
            if now >= hit.entry.expiry:
                raise outcome
            self._failed()
        return Found(hit.entry.value, hit.level)
