"""The server side's numbers as they were fetched: raw samples, no rate() and no quantile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import inf, isfinite

from slocheck.evidence.scrape_gap import ScrapeGap
from slocheck.evidence.warnings import RunWarning
from slocheck.spec.model import Preset

ENDED_EARLY = "not collected: the load was ended early"
"""Why there are no series of a load that ended early, for a reason that a finding gives."""


@dataclass(frozen=True, slots=True)
class RawSeries:
    """One time series around the window.

    Attributes:
        metric: The metric's name.
        labels: All labels but ``__name__``.
        times: Seconds since the epoch on the source's clock, ascending.
        values: As many as `times`.
    """

    metric: str
    labels: Mapping[str, str]
    times: tuple[float, ...]
    values: tuple[float, ...]


@lru_cache(maxsize=4096)
def parse_boundary(text: str) -> Fraction | float | None:
    """Return the bucket boundary in a label ``le``, exact; ``inf`` for the last one, None for other text."""
    try:
        value = float(text)
        if isfinite(value) and value != 0:  # in a float's range, so that the exact number is small too
            return Fraction(text.strip())
    except ValueError:
        return None
    if value == 0:
        return Fraction(0)
    return inf if value == inf and "inf" in text.lower() else None


@dataclass(frozen=True, slots=True)
class PromqlResult:
    """The result of one PromQL query: a custom objective's, or a dashboard's.

    Attributes:
        query: As it was sent.
        values: One value for an instant query; the range's points, in time order, else. Empty: no data.
        error: Why there is none; empty if there is one.
        gap: The longest time within the window, and what the query reads before it, without a scrape of
            what it reads, or without a point; None: nobody looked.
    """

    query: str
    values: tuple[float, ...] = ()
    error: str = ""
    gap: ScrapeGap | None = None


@dataclass(frozen=True, slots=True)
class SourcePreflight:
    """What was found out about a metric source before any load.

    Attributes:
        scrape_interval: Seconds between two samples of a target.
        clock_skew: The source's clock minus ours, seconds.
        targets: Targets that the selector finds up.
        bucket_boundaries: Of the latency histogram's buckets, seconds, ascending, without ``+Inf``.
        missing: Metrics the objectives need that have no series yet (not created yet, or misnamed).
        warnings: What the user should know, one sentence each, with the remedy.
    """

    scrape_interval: float
    clock_skew: float
    targets: int
    bucket_boundaries: tuple[float, ...] = ()
    missing: tuple[str, ...] = ()
    warnings: tuple[RunWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceState:
    """What a metric source that has a history knew before the load, and needs to be asked later.

    Attributes:
        clock_skew: Its clock minus ours, seconds.
        scrape_interval: Seconds between two samples of a target.
        shown_from: From when on samples count, epoch seconds on its clock; 0: all.
    """

    clock_skew: float
    scrape_interval: float
    shown_from: float = 0.0


@dataclass(frozen=True, slots=True)
class LateCollection:
    """How to ask the metric source again for a run that it did not deliver, or not as a whole.

    Attributes:
        state: What the source knew before the load.
        load_start: First request, epoch seconds on our clock, as are the next two.
        window_start: The window's start.
        end: Last response.
        mapping: The metric names to ask by.
        said: How these were found.
        not_a_histogram: What has the histogram's name and is not one; empty if nothing has.
        is_open: No series of these names was there before the load.
    """

    state: SourceState
    load_start: float
    window_start: float
    end: float
    mapping: Preset
    said: str = ""
    not_a_histogram: str = ""
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class ServerSeries:
    """What a metric source delivered for one run.

    Attributes:
        kind: The source's name, such as ``prometheus``.
        preset: The metric names the series were asked for by.
        mapping: How these were found, in one line; why they were not, if `preset` is ``auto``.
        load_start: First request of the load, warm-up included, on the source's clock, epoch seconds.
        start: The window's start on the source's clock; equal to `load_start` without a warm-up.
        end: The last response of the load on the source's clock.
        series: Raw series, from five scrape intervals before `load_start` at least to the first
            sample at or after `end`. Counters and buckets, and also ``up`` and
            ``process_start_time_seconds`` of the same targets.
        scrape_interval: Seconds.
        clock_skew: The source's clock minus ours, seconds.
        queries: Every query sent for what is graded, for the report.
        warnings: What the source warned of, and what looked wrong in its responses.
        incomplete: Why the series cannot be trusted to be whole; empty when they can.
        promql: Objective name to its result.
        dashboard: Objective name to what a dashboard would show at the window's end, in the metric's
            own unit; shown next to our number, never graded.
        lag: Seconds by which a sample may be behind its time, since the page is.
        whole_from: Each sample from this moment on holds all of the load; None: from `end` on.
        page_requests: Instance to the times at which its page was asked for, samples left out included;
            without one those of `up`.
        types: Metric to its type, ``counter`` or ``gauge``, as far as the page, Prometheus or the spec says.
    """

    kind: str
    preset: Preset
    load_start: float
    start: float
    end: float
    series: tuple[RawSeries, ...] = ()
    scrape_interval: float = 0.0
    clock_skew: float = 0.0
    queries: tuple[str, ...] = ()
    warnings: tuple[RunWarning, ...] = ()
    incomplete: tuple[str, ...] = ()
    promql: Mapping[str, PromqlResult] = field(default_factory=dict)
    dashboard: Mapping[str, PromqlResult] = field(default_factory=dict)
    lag: float = 0.0
    whole_from: float | None = None
    mapping: str = ""
    types: Mapping[str, str] = field(default_factory=dict)
    page_requests: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
