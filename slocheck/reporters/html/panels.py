"""The charts with a caption, and their numbers as a table for readers who cannot see them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.recording import FailureClass
from slocheck.grading.report import Report
from slocheck.reporters.html.charts import lines, over_time, svg
from slocheck.reporters.html.charts.clock import Clock, clock_of
from slocheck.reporters.html.charts.over_time import Axes, Chart
from slocheck.reporters.html.charts.timeline import MAX_POINTS, Timeline, timeline
from slocheck.reporters.text import latency_text, ratio_text
from slocheck.reporters.totals import PERCENTILES, statuses_text
from slocheck.spec.model import Endpoint, IndicatorKind, Spec

TABLE_ROWS = 60
MAX_ENDPOINT_CHARTS = 6

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart, a note on how to read it, and its numbers.

    Attributes:
        title: Above it.
        note: Below the title.
        chart: With its legend.
        head: Of the table's columns.
        rows: Of the table.
    """

    title: str
    note: str
    chart: Chart
    head: tuple[str, ...]
    rows: Rows


def shown_percentiles(spec: Spec, endpoint: Endpoint | None) -> tuple[Fraction, ...]:
    """Return the percentiles that a chart shows: the usual ones, and those of objectives."""
    asked = {lines.quantile_of(item) for item in lines.objectives_on(spec, IndicatorKind.LATENCY, endpoint)}
    return tuple(sorted({*PERCENTILES, *asked}))[: len(lines.LOOKS)]


class TimePanels:
    """The charts over time of one run, which share its columns.

    Attributes:
        time: All requests, second by second.
        clock: Of the run.
    """

    def __init__(self, report: Report) -> None:
        self._spec, self._recording = report.spec, report.evidence.recording
        self.time = timeline(self._recording, percentiles=shown_percentiles(self._spec, None))
        self.clock = clock_of(report.evidence.provenance.started)
        self._step = max(1, math.ceil(len(self.time) / TABLE_ROWS))
        self._coarse = timeline(self._recording, self._step, percentiles=shown_percentiles(self._spec, None))

    def axes(self, time: Timeline | None = None) -> Axes:
        """Return the axes for columns: those of all requests, or others of this run."""
        return Axes(self.time if time is None else time, self.clock, self._recording.warmup_s)

    def latency(self) -> Panel:
        """Return the latency of all requests over time, with the limits of the objectives on them."""
        chart = over_time.latency_chart(self.axes(), over_time.latency_limits(self._spec), self._spec.tiers)
        note = "Successful requests to all endpoints; an objective counts a failed request as too slow."
        return self._panel("Latency", note, chart, _latency_columns(self._coarse))

    def others(self) -> Iterator[Panel]:
        """Yield the further charts over time in order, without those that have no data."""
        yield self._load()
        if (chart := over_time.status_chart(self.axes())) is not None:
            note = "Responses by status code, by the second in which the request was sent."
            yield self._panel("Statuses", note, chart, _status_columns(self._coarse))
        asked = dict.fromkeys(
            item.endpoint
            for item in self._spec.objectives
            if item.endpoint is not None and item.indicator.kind is IndicatorKind.LATENCY
        )
        for number, endpoint in enumerate([*asked][:MAX_ENDPOINT_CHARTS]):
            yield self._latency_of(endpoint, number)
        if (chart := over_time.cache_chart(self.axes(), self._spec)) is not None:
            note = "By response headers; client side."
            yield self._panel("Cache hits", note, chart, _cache_columns(self._coarse))

    def _load(self) -> Panel:
        chart = over_time.load_chart(self.axes(), self._spec)
        note = (
            "An arrival is planned for its second and may send several requests."
            if self._spec.workload.rate
            else "Closed model: users wait for responses, so no rate is planned."
        )
        return self._panel("Planned, sent, answered", note, chart, _load_columns(self._coarse, self._spec))

    def _latency_of(self, endpoint: Endpoint, number: int) -> Panel:
        asked = shown_percentiles(self._spec, endpoint)
        time, coarse = (
            timeline(self._recording, step, percentiles=asked, endpoint=endpoint) for step in (1, self._step)
        )
        chart = over_time.latency_chart(
            self.axes(time),
            over_time.latency_limits(self._spec, endpoint),
            self._spec.tiers,
            name=f"latency-{number}",
            of=str(endpoint),
        )
        note = "Successful requests to this endpoint, with the limits of its objectives."
        return self._panel(f"Latency of {endpoint}", note, chart, _latency_columns(coarse))

    def _panel(self, title: str, note: str, chart: Chart, columns: Mapping[str, Sequence[str]]) -> Panel:
        step = f"{self._step} s each" if self._step > 1 else "each second"
        seconds = self._coarse.seconds.tolist()
        times = [_at(second, self.clock) for second in seconds]
        return Panel(
            title,
            note,
            chart,
            (f"time ({step})", *columns),
            tuple(zip(times, *columns.values(), strict=True)),
        )


def _at(second: int, clock: Clock) -> str:
    time_of_day = clock.time_of_day(second)
    elapsed = clock.elapsed(second)
    return f"{time_of_day} ({elapsed})" if time_of_day else elapsed


def _latency_columns(time: Timeline) -> dict[str, list[str]]:
    return {name: list(map(latency_text, column.tolist())) for name, column in time.quantiles.items()}


def _load_columns(time: Timeline, spec: Spec) -> dict[str, list[str]]:
    planned = over_time.planned_arrivals(time, spec)
    columns = {} if planned is None else {"planned arrivals": [f"{count:,.0f}" for count in planned.tolist()]}
    columns |= {
        name: [f"{n:,}" for n in time.counts[name].tolist()] for name in ("sent", "answered", "failed")
    }
    columns["failed by class"] = [_by_class(time, row) for row in range(len(time))]
    return columns


def _by_class(time: Timeline, row: int) -> str:
    failures = ((name, time.counts[name][row]) for name in map(str, FailureClass))
    return ", ".join(f"{name} {count:,}" for name, count in failures if count)


def _status_columns(time: Timeline) -> dict[str, list[str]]:
    rows = range(len(time))
    return {
        "statuses": [
            statuses_text({status: int(column[row]) for status, column in time.statuses.items()})
            for row in rows
        ]
    }


def _cache_columns(time: Timeline) -> dict[str, list[str]]:
    hits, misses = time.counts["hits"].tolist(), time.counts["misses"].tolist()
    return {
        "hits": [f"{hit:,}" for hit in hits],
        "misses": [f"{miss:,}" for miss in misses],
        "rate": [ratio_text(hit, hit + miss) for hit, miss in zip(hits, misses, strict=True)],
    }


def data(time: Timeline, clock: Clock) -> Mapping[str, object]:
    """Return what the crosshair shows for each second, latencies in ms; empty for a very long run."""
    if len(time) > MAX_POINTS:
        return {}
    start = clock.start.timestamp() if clock.start else None
    return {
        "start": start,
        "plot": [svg.START / svg.WHOLE, svg.END / svg.WHOLE],
        "latency": {
            name: list(map(_milliseconds, column.tolist())) for name, column in time.quantiles.items()
        },
        "load": {name: time.counts[name].tolist() for name in ("sent", "answered", "failed")},
        "cache": {name: time.counts[name].tolist() for name in ("hits", "misses")},
        "statuses": {
            str(status) if status else "no response": column.tolist()
            for status, column in time.statuses.items()
        },
    }


def _milliseconds(ns: float) -> float | None:
    """Return a latency to four digits; None if there was none."""
    return None if math.isnan(ns) else float(f"{ns * 1000 / NS_PER_SECOND:.4g}")
