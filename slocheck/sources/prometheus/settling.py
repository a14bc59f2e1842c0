"""Waits until the counters hold all of the load, of pages that are behind what was served."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.lag import Settlement, measured_lag, settlement
from slocheck.sources.prometheus.fetch import Fetcher, merged

SHORTEST_PAUSE = 0.2
LONGEST_PAUSE = 2.0
OWN_TIME_BEHIND = 60.0
"""Seconds by which a sample's own time may lie before the scrape that brought it."""


@dataclass(slots=True)
class Settling:
    """Samples that are fetched until they hold all of the load; times are of the server's clock.

    Attributes:
        fetch: Returns the samples between two times.
        raw: What was fetched; empty at first.
        metrics: What is graded.
        sent: Requests of the whole load.
        limit: Seconds after the load in which to wait at most.
    """

    fetch: Callable[[float, float], tuple[RawSeries, ...]]
    raw: ServerSeries
    metrics: frozenset[str]
    sent: int
    limit: float

    def wait(self, fetcher: Fetcher, first: float, until: float) -> float:
        """Fetch from `first` to `until`, and more until the counters are whole; returns up to when.

        Notes in `fetcher` where they are not whole in time.
        """
        state = self._fetched(first, until)
        asked, now = list(fetcher.queries), until
        while not state.whole and now < self.raw.end + self.limit:
            time.sleep(max(SHORTEST_PAUSE, min(LONGEST_PAUSE, self.raw.scrape_interval / 4)))
            now = round(time.time() + self.raw.clock_skew, 3)
            state = self._fetched(max(first, self.raw.end - OWN_TIME_BEHIND), now)
        fetcher.queries[:] = asked
        if now > until:
            del fetcher.queries[:]
            self.raw = replace(self.raw, series=())
            state = self._fetched(first, now)
        if state.reason:
            fetcher.note(state.reason)
        lag = measured_lag(self.raw, self.metrics)
        self.raw = replace(self.raw, lag=lag, whole_from=state.reached)
        return now

    def _fetched(self, begin: float, end: float) -> Settlement:
        """Fetch more samples, and tell whether they hold all."""
        self.raw = replace(self.raw, series=merged([*self.raw.series, *self.fetch(begin, end)]))
        return settlement(self.raw, self.metrics, sent=self.sent, limit=self.limit)
