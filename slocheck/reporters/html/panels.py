"""The charts with a caption, and their numbers as a table for those who cannot see them."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.recording import FailureClass
from slocheck.grading.report import Report
from slocheck.reporters.html import charts, distributions
from slocheck.reporters.html.timeline import MAX_POINTS, QUANTILE_COLUMNS, timeline
from slocheck.reporters.text import latency_text, percentile_name, ratio_text

if TYPE_CHECKING:
    import pandas as pd

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


def panels(report: Report, frame: "pd.DataFrame") -> tuple[Panel, ...]:
    """Return the report's charts in order, without those that have no data."""
    recording, spec = report.evidence.recording, report.spec
    step = max(1, math.ceil(len(frame) / TABLE_ROWS))
    coarse = timeline(recording, step)
    span = f"{step} s each" if step > 1 else "second by second"
    warmup = recording.warmup_s
    found = [
        Panel(
            "Latency",
            "Successful requests only; in the objectives a failed request counts as too slow.",
            charts.latency_chart(frame, spec, warmup),
            (f"at ({span})", *QUANTILE_COLUMNS),
            _latency_rows(coarse),
        ),
        Panel(
            "Load and errors",
            "A mark under the axis shows each second with a failure.",
            charts.load_chart(frame, warmup),
            (f"at ({span})", "sent", "failed", "failed by class"),
            _load_rows(coarse),
        ),
    ]
    if (cache := charts.cache_chart(frame, spec, warmup)) is not None:
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


def _latency_rows(frame: "pd.DataFrame") -> Rows:
    return tuple(
        (_at(row.Index), *(latency_text(getattr(row, name)) for name in QUANTILE_COLUMNS))
        for row in frame.itertuples()
    )


def _load_rows(frame: "pd.DataFrame") -> Rows:
    return tuple(
        (_at(row.Index), f"{row.sent:,}", f"{row.failed:,}", _by_class(row._asdict()))
        for row in frame.itertuples()
    )


def _by_class(row: Mapping[str, int]) -> str:
    return ", ".join(f"{failure} {row[failure]:,}" for failure in map(str, FailureClass) if row[failure])


def _cache_rows(frame: "pd.DataFrame") -> Rows:
    return tuple(
        (
            _at(row.Index),
            f"{row.hits:,}",
            f"{row.misses:,}",
            ratio_text(row.hits, row.hits + row.misses),
        )
        for row in frame.itertuples()
    )


def _spectrum_rows(report: Report) -> Rows:
    histogram = distributions.window_histogram(report.evidence.recording)
    return tuple(
        (percentile_name(round_quantile), latency_text(ns))
        for round_quantile, ns in distributions.marked_percentiles(histogram)
    )


def data(frame: "pd.DataFrame") -> Mapping[str, object]:
    """Return what the crosshair shows for each second, latencies in ms; empty for a very long run."""
    if len(frame) > MAX_POINTS:
        return {}
    columns: dict[str, object] = {
        name: [_milliseconds(value) for value in frame[name]] for name in QUANTILE_COLUMNS
    }
    return {
        **columns,
        **{name: [int(value) for value in frame[name]] for name in ("sent", "failed", "hits", "misses")},
    }


def _milliseconds(ns: float) -> float | None:
    """Return a latency to four digits; None if there was none."""
    return None if math.isnan(ns) else float(f"{ns * 1000 / NS_PER_SECOND:.4g}")
