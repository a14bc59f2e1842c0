"""The charts with a caption, and their numbers as a table for those who cannot see them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.recording import FailureClass
from slocheck.grading.report import Report
from slocheck.reporters.html import charts, distributions
from slocheck.reporters.html.timeline import MAX_POINTS, Timeline, timeline
from slocheck.reporters.text import latency_text, percentile_name, ratio_text

TABLE_ROWS = 120

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart, a note on how to read it, and its numbers."""

    title: str
    note: str
    chart: Markup
    head: tuple[str, ...]
    rows: Rows


def panels(report: Report, time: Timeline) -> tuple[Panel, ...]:
    """Return the report's charts in order, without those that have no data."""
    recording, spec = report.evidence.recording, report.spec
    step = max(1, math.ceil(len(time) / TABLE_ROWS))
    coarse = timeline(recording, step)
    span = f"{step} s each" if step > 1 else "second by second"
    warmup = recording.warmup_s
    found = [
        Panel(
            "Latency",
            "Successful requests only; in the objectives a failed request counts as too slow.",
            charts.latency_chart(time, spec, warmup),
            (f"at ({span})", *time.quantiles),
            _latency_rows(coarse),
        ),
        Panel(
            "Load and errors",
            "A mark under the axis shows each second with a failure.",
            charts.load_chart(time, warmup),
            (f"at ({span})", "sent", "failed", "failed by class"),
            _load_rows(coarse),
        ),
    ]
    if (cache := charts.cache_chart(time, spec, warmup)) is not None:
        head = (f"at ({span})", "hits", "misses", "rate")
        found.append(Panel("Cache hits", "According to response headers.", cache, head, _cache_rows(coarse)))
    return (*found, *_distribution_panels(report))


def _distribution_panels(report: Report) -> Iterator[Panel]:
    """Yield the charts of the latency distribution, where there are requests."""
    recording = report.evidence.recording
    if (spectrum := distributions.spectrum_chart(recording, report.spec)) is not None:
        note = "Latency of the window's successful requests by percentile."
        yield Panel("Percentiles", note, spectrum, ("percentile", "latency"), _spectrum_rows(report))
    if (heatmap := distributions.heatmap_chart(recording)) is not None:
        note = "Two horizontal bands mean two kinds of request; a column that is dark to the top is a stall."
        yield Panel("Distribution", note, heatmap, (), ())


def _at(second: int) -> str:
    return f"{second // 60}:{second % 60:02}"


def _latency_rows(time: Timeline) -> Rows:
    columns = [column.tolist() for column in time.quantiles.values()]
    return tuple(
        (_at(second), *map(latency_text, latencies))
        for second, *latencies in zip(time.seconds.tolist(), *columns, strict=True)
    )


def _load_rows(time: Timeline) -> Rows:
    counts = time.counts
    return tuple(
        (_at(second), f"{counts['sent'][row]:,}", f"{counts['failed'][row]:,}", _by_class(time, row))
        for row, second in enumerate(time.seconds.tolist())
    )


def _by_class(time: Timeline, row: int) -> str:
    failures = ((name, time.counts[name][row]) for name in map(str, FailureClass))
    return ", ".join(f"{name} {count:,}" for name, count in failures if count)


def _cache_rows(time: Timeline) -> Rows:
    hits, misses = time.counts["hits"].tolist(), time.counts["misses"].tolist()
    return tuple(
        (_at(second), f"{hit:,}", f"{miss:,}", ratio_text(hit, hit + miss))
        for second, hit, miss in zip(time.seconds.tolist(), hits, misses, strict=True)
    )


def _spectrum_rows(report: Report) -> Rows:
    histogram = distributions.window_histogram(report.evidence.recording)
    return tuple(
        (percentile_name(round_quantile), latency_text(ns))
        for round_quantile, ns in distributions.marked_percentiles(histogram)
    )


def data(time: Timeline) -> Mapping[str, object]:
    """Return what the crosshair shows for each second, latencies in ms; empty for a very long run."""
    if len(time) > MAX_POINTS:
        return {}
    latencies = {name: list(map(_milliseconds, column.tolist())) for name, column in time.quantiles.items()}
    return latencies | {name: time.counts[name].tolist() for name in ("sent", "failed", "hits", "misses")}


def _milliseconds(ns: float) -> float | None:
    """Return a latency to four digits; None if there was none."""
    return None if math.isnan(ns) else float(f"{ns * 1000 / NS_PER_SECOND:.4g}")
