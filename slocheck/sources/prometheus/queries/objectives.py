"""Custom PromQL objectives: one instant value at the window's end, or a range over the window."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from slocheck.documents.words import quantity
from slocheck.errors import SourceError, UsageError
from slocheck.evidence.scrape_gap import ScrapeTimes
from slocheck.evidence.series import PromqlResult
from slocheck.evidence.warnings import RunWarning
from slocheck.sources.prometheus.errors import BadQueryError, TooMuchError
from slocheck.sources.prometheus.fetch import Fetcher
from slocheck.sources.prometheus.http import MAX_POINTS, PrometheusHttp, QueryResponse
from slocheck.sources.prometheus.queries.gaps import query_gap
from slocheck.sources.prometheus.query_responses import points, series
from slocheck.spec.model import Indicator

PREFLIGHT_WINDOW = 60.0


@dataclass(frozen=True, slots=True)
class QueryWindow:
    """The measured window, epoch seconds on the server's clock, and the scrape interval."""

    start: float
    end: float
    interval: float

    @property
    def step(self) -> float:
        """Seconds between the points of a range: the scrape interval, at most 11,000 points."""
        return max(self.interval, math.ceil((self.end - self.start) / (MAX_POINTS - 1) * 1000) / 1000)


def query_text(indicator: Indicator, window_s: float) -> str:
    """Return the query to send for a custom objective."""
    return with_window(indicator.promql or "", window_s)


def with_window(template: str, window_s: float) -> str:
    """Return a query in which ``$window`` has become the window's length in whole seconds."""
    return template.replace("$window", f"{max(1, round(window_s))}s")


def check_queries(http: PrometheusHttp, promql: Mapping[str, Indicator]) -> list[RunWarning]:
    """Try each objective's query before the load; returns warnings.

    Raises:
        UsageError: The server does not understand a query.
    """
    warnings = []
    for name, indicator in promql.items():
        try:
            response = http.query(query_text(indicator, PREFLIGHT_WINDOW))
            problem = _instant(response, http).error
        except BadQueryError as error:
            raise UsageError(f"objectives.{name}: {error}") from None
        except TooMuchError as error:
            problem = str(error)
        if problem and not problem.startswith(NO_DATA):
            warnings.append(RunWarning("query-problem", f"objectives.{name}: the query {problem}"))
    return warnings


def instant(http: PrometheusHttp, text: str, at: float) -> PromqlResult:
    """Return a query's single value at `at`, epoch seconds on the server's clock; raises SourceError."""
    found = _instant(http.query(text, at), http)
    return PromqlResult(text, found.values, found.error)


def ask(
    fetcher: Fetcher, indicator: Indicator, window: QueryWindow, until: float
) -> tuple[PromqlResult, str]:
    """Ask one objective's query, and when its series were scraped.

    Args:
        fetcher: Asks Prometheus.
        indicator: The objective's indicator.
        window: The window to ask about.
        until: The time up to which scrapes are known.

    Returns:
        The result and a warning, empty if there is none.
    """
    text, http = query_text(indicator, window.end - window.start), fetcher.http
    try:
        if indicator.over is None:
            result, note = instant(http, text, window.end), ""
        else:
            ranged = http.query_range(text, start=window.start, end=window.end, step=window.step)
            result, note = _range(text, ranged, http, window)
        if result.error:
            return result, note
        gap = query_gap(
            fetcher, text, start=window.start, end=window.end, until=until, interval=window.interval
        )
    except SourceError as error:
        return PromqlResult(text, error=str(error)), ""
    gaps = [one for one in (result.gap, gap) if one]
    return replace(result, gap=max(gaps, key=lambda one: one.intervals, default=None)), note


@dataclass(frozen=True, slots=True)
class _Found:
    """Values, or the reason for their absence, to follow "the query"."""

    values: tuple[float, ...] = ()
    error: str = ""


NO_DATA = "returns no data"
ONLY_NAN = "returns NaN (0/0?)"


def _instant(response: QueryResponse, http: PrometheusHttp) -> _Found:
    refusal = _refusal(response)
    if refusal or response.kind in ("string", "matrix"):
        wrong = "text" if response.kind == "string" else "a range vector; put a function around it"
        return _Found(error=refusal or f"returns {wrong}")
    found = points(response, http.messages)
    if len(found) != 1:
        return _Found(error=_not_one(len(found)))
    return _checked((found[0].value,))


def _range(
    text: str, response: QueryResponse, http: PrometheusHttp, window: QueryWindow
) -> tuple[PromqlResult, str]:
    """Return the points of a range and their longest gap, and a warning if some are missing."""
    if refusal := _refusal(response):
        return PromqlResult(text, error=refusal), ""
    found = series(response, http.messages)
    if len(found) != 1:
        return PromqlResult(text, error=_not_one(len(found))), ""
    shown = [
        (time, value)
        for time, value in zip(found[0].times, found[0].values, strict=True)
        if not math.isnan(value)
    ]
    if not shown:
        return PromqlResult(text, error=ONLY_NAN), ""
    times, values = zip(*shown, strict=True)
    expected = math.floor((window.end - window.start) / window.step) + 1
    missing = expected - len(values)
    note = f"{missing} of {quantity(expected, 'point')} are missing or NaN" if missing > 0 else ""
    gap = ScrapeTimes("the query", times, interval=window.step).whole_gap(window.start, window.end)
    checked = _checked(values)
    return PromqlResult(text, checked.values, checked.error, replace(gap, what="returned no point")), note


def _refusal(response: QueryResponse) -> str:
    if response.partial:
        return "has only a partial result (isPartial)"
    return f"comes with a warning: {'; '.join(response.warnings)}" if response.warnings else ""


def _not_one(number: int) -> str:
    return f"returns {number} series; aggregate it to one" if number else NO_DATA


def _checked(values: tuple[float, ...]) -> _Found:
    if any(math.isnan(value) for value in values):
        return _Found(error=ONLY_NAN)
    if any(math.isinf(value) for value in values):
        return _Found(error="returns an infinite value (a division by 0?)")
    return _Found(values)
