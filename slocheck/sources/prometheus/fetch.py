"""Raw samples of a selector over a time range, complete or not at all."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from slocheck.errors import SourceError
from slocheck.evidence.series import RawSeries
from slocheck.promql.selectors import SeriesQuery, selector_text
from slocheck.sources.prometheus.errors import TooMuchError
from slocheck.sources.prometheus.http import PrometheusHttp
from slocheck.sources.prometheus.query_responses import series

SHORTEST_SPAN = 1.0
TOLERANCE = 60.0
"""Seconds that a sample may lie outside the requested range; one far outside would count at its end."""


@dataclass(slots=True)
class Fetcher:
    """Fetches raw samples, and records the queries and what may be missing.

    Attributes:
        http: The connection.
        queries: Each query as sent, with its time.
        incomplete: Why the samples may be incomplete.
    """

    http: PrometheusHttp
    queries: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)

    def fetch(self, selector: str, *, start: float, end: float) -> tuple[RawSeries, ...]:
        """Return the samples of `selector` from `start` to `end` (epoch seconds, server's clock).

        If the server refuses the size (422), the range is halved until it responds.

        Raises:
            SourceError: No response, or too many samples even for one second.
        """
        try:
            return self._fetch(selector, start, end)
        except TooMuchError as error:
            if end - start <= SHORTEST_SPAN:
                raise SourceError(f"{error}; pin the selector to fewer series") from None
        middle = round((start + end) / 2, 3)
        early = self.fetch(selector, start=start, end=middle)
        return merged([*early, *self.fetch(selector, start=middle, end=end)])

    def _fetch(self, selector: str, start: float, end: float) -> tuple[RawSeries, ...]:
        text = f"{selector}[{max(1, math.ceil((end - start) * 1000))}ms]"
        self.queries.append(f"{text} @ {end:.3f}")
        response = self.http.query(text, end)
        for warning in response.warnings:
            self.note(f"Prometheus warned: {warning}")
        if response.partial:
            self.note("the response is partial (isPartial): some storage nodes did not respond")
        found = merged(series(response, self.http.messages))
        if any(one.times and not _within(one.times, start, end) for one in found):
            raise self.http.messages.unexpected_form("samples outside the requested time")
        return found

    def note(self, reason: str) -> None:
        """Record, once, why the data may be incomplete."""
        if reason not in self.incomplete:
            self.incomplete.append(reason)


def _within(times: Sequence[float], start: float, end: float) -> bool:
    return start - TOLERANCE <= min(times) and max(times) <= end + TOLERANCE


def merged(found: Iterable[RawSeries]) -> tuple[RawSeries, ...]:
    """Join parts of the same series, with distinct ascending times; keeps the order of appearance."""
    parts: dict[tuple[str, frozenset[tuple[str, str]]], list[RawSeries]] = {}
    for one in found:
        parts.setdefault((one.metric, frozenset(one.labels.items())), []).append(one)
    return tuple(_joined(group) for group in parts.values())


def _joined(group: Sequence[RawSeries]) -> RawSeries:
    if len(group) == 1:
        return group[0]
    samples = sorted(
        {time: value for one in group for time, value in zip(one.times, one.values, strict=True)}.items()
    )
    times, values = zip(*samples, strict=True) if samples else ((), ())
    return RawSeries(group[0].metric, group[0].labels, times, values)


def fetch_usage(
    http: PrometheusHttp, queries: Sequence[SeriesQuery], *, start: float, end: float
) -> tuple[RawSeries, ...]:
    """Return series that are only shown; none if a query fails, without retries."""
    http.patience = 0.0
    fetcher, found = Fetcher(http), list[RawSeries]()
    try:
        for query in queries:
            found += fetcher.fetch(selector_text(query), start=start, end=end)
    except SourceError:
        return ()
    return merged(found)
