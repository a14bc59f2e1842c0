"""Probabilistic early recomputation (XFetch): a hot value is renewed before it ends, by a few readers.

The guide's idea: each reader draws a random number and renews the value early, the more likely the closer
its end and the longer its query takes; no lock, no waiting, and no reader needs to know of another.

What goes wrong with the naive form: a logarithm of 0 raises; a renewal that fails turns a hit into an error;
a query that takes 0 s on the clock is never renewed early; and a cold key is not helped at all, as there is
nothing to renew: that is the case of the lock.

In production: this for hot keys whose query is expensive, with the lock behind it for cold ones.

Source: Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", PVLDB 8(8),
2015. A reader that comes ``gap`` seconds before the end recomputes with the probability
``exp(-gap / (beta * delta))``. With many readers a `delta`, about ``exp(1 / beta)`` of them recompute at each
expiry, however many come: the first one, and those that draw a number while it loads.
"""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable

from slocheck.reference_api.caching import Entry, Found, Load
from slocheck.reference_api.caching.cache_aside import Filler

BETA = 1.0
_SHORTEST_DELTA_S = 1e-4
"""A query that seems to take no time is taken for one of 0.1 ms."""

OnMiss = Callable[[str, Load], Awaitable[Found]]


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


class EarlyRecompute:
    """Reads through a cache and renews what is about to end.

    Behind an L1, each process decides on its own copy: one renewal in about ``exp(1 / beta)`` a process.

    Args:
        filler: Loads and keeps values.
        on_miss: What is done about a cold key: `CacheAside.miss`, or `Locked.miss`.
        beta: Above 1 recomputes earlier, below 1 later.
        draw: Returns a random number, from 0 up to and without 1.
        failed: Called when a renewal failed and the value in the cache was served instead.
    """

    def __init__(
        self,
        filler: Filler,
        on_miss: OnMiss,
        *,
        beta: float = BETA,
        draw: Callable[[], float] = random.random,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._filler = filler
        self._on_miss = on_miss
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
        (outcome,) = await asyncio.gather(self._filler.fill(key, load), return_exceptions=True)
        if not isinstance(outcome, BaseException):
            return Found(outcome, "database")
        if now >= hit.entry.expiry:
            raise outcome
        self._failed()
        return Found(hit.entry.value, hit.level)
