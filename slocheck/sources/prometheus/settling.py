"""Waits until the counters hold the whole load, for pages that lag behind what was served."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.lag import Settlement, measured_lag, settlement
from slocheck.sources.prometheus.fetch import Fetcher, merged

SHORTEST_PAUSE = 0.2
LONGEST_PAUSE = 2.0
OWN_TIME_BEHIND = 60.0
"""Seconds by which a sample's own time may lie before its scrape."""


@dataclass(slots=True)
class Settling:
    """Fetches samples until they hold the whole load; times are on the server's clock.

    Attributes:
        fetch: Returns the samples between two times.
        raw: Samples fetched so far; empty at first.
        metrics: Graded metrics.
        sent: Requests of the whole load.
        limit: Longest wait after the load, seconds.
    """

    fetch: Callable[[float, float], tuple[RawSeries, ...]]
    raw: ServerSeries
    metrics: frozenset[str]
    sent: int
    limit: float

    def wait(self, fetcher: Fetcher, first: float, until: float) -> float:
        """Fetch from `first` to `until`, and further until the counters are complete; returns the end.

        If they are not complete in time, it notes that in `fetcher`.
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
        """Fetch more samples, and return whether they hold the whole load."""
        self.raw = replace(self.raw, series=merged([*self.raw.series, *self.fetch(begin, end)]))
        return settlement(self.raw, self.metrics, sent=self.sent, limit=self.limit)
