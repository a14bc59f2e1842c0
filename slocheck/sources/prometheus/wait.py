"""Waits until every live target has been scraped once more after the load."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from slocheck.indicators.lag import ENOUGH_FAILED
from slocheck.sources.prometheus.fetch import Fetcher
from slocheck.sources.prometheus.query_responses import points

SHORTEST_PAUSE = 0.2
LONGEST_PAUSE = 2.0
INGESTION = 15.0
"""Seconds within which a store other than plain Prometheus makes a whole scrape visible.

VictoriaMetrics shows new samples within a second, but a new series only when it renews its index caches,
about every 10 s. We measured 7 s, which would have hidden the very first errors.
"""


@dataclass(frozen=True, slots=True)
class LastScrape:
    """The scrape to wait for; times are epoch seconds on the server's clock.

    Attributes:
        up: Selector of the targets' ``up``.
        after: Every live target needs a sample at or after this time.
        until: When to stop waiting for it.
        interval: Scrape interval, seconds.
        skew: The server's clock minus ours, seconds.
    """

    up: str
    after: float
    until: float
    interval: float
    skew: float

    def wait(self, fetcher: Fetcher) -> float:
        """Wait, and return the time up to which to query; note in `fetcher` which targets are missing."""
        while True:
            now = self._now()
            lacking = self._lacking(fetcher, now)
            if not lacking:
                return self._ingested(fetcher)
            if now >= self.until:
                fetcher.note(
                    f"no scrape after the load of {', '.join(sorted(lacking))} "
                    f"within {self.until - self.after:.0f} s: the last requests may be missing"
                )
                return now
            time.sleep(max(0.0, min(LONGEST_PAUSE, max(SHORTEST_PAUSE, self.interval / 4))))

    def _now(self) -> float:
        return min(round(time.time() + self.skew, 3), self.until)

    def _lacking(self, fetcher: Fetcher, now: float) -> set[str]:
        """Return the live targets without a good sample yet; a vanished one is not live."""
        http = fetcher.http
        live = {_target(point.labels) for point in points(http.query(self.up, now), http.messages)}
        if not live:
            return {"any target"}
        asked = len(fetcher.queries)
        found = fetcher.fetch(self.up, start=self.after, end=now) if now > self.after else ()
        del fetcher.queries[asked:]  # the polls would fill the report
        settled = {
            _target(one.labels)
            for one in found
            if any(
                value == 1 and moment >= self.after
                for moment, value in zip(one.times, one.values, strict=True)
            )
            or len(one.times) >= ENOUGH_FAILED
        }
        return live - settled

    def _ingested(self, fetcher: Fetcher) -> float:
        """Return the time now, after some seconds for a store that ingests a scrape in pieces."""
        if fetcher.http.distributed and time.time() + self.skew < self.until:
            time.sleep(INGESTION)
        return self._now()


def _target(labels: Mapping[str, str]) -> str:
    """Name a target by its labels."""
    job, instance = labels.get("job", ""), labels.get("instance", "")
    rest = sorted((key, value) for key, value in labels.items() if key not in ("__name__", "job", "instance"))
    return f"{job}/{instance}" + (f" {dict(rest)}" if rest else "")
