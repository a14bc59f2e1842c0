"""Further charts with their numbers: the latency distribution, and the server's usage."""

from collections.abc import Iterator, Sequence

from slocheck.evidence.recording import Recording
from slocheck.grading.report import Report
from slocheck.indicators.saturation import Course, courses
from slocheck.reporters.html.charts import distributions
from slocheck.reporters.html.charts import server as charts_server
from slocheck.reporters.html.charts.clock import Clock
from slocheck.reporters.html.panels import Panel, Rows
from slocheck.reporters.text import bytes_text, latency_text, percentile_name

_MOST_SAMPLES = 60


def distribution_panels(report: Report, clock: Clock) -> Iterator[Panel]:
    """Yield the charts of the latency distribution, if there are requests."""
    recording = report.evidence.recording
    if (spectrum := distributions.spectrum_chart(recording, report.spec)) is not None:
        note = "Latency of the window's successful requests by percentile; tiers are steps."
        yield Panel("Percentiles", note, spectrum, ("percentile", "latency"), _spectrum_rows(recording))
    if (found := distributions.heat_map(recording)) is not None:
        note = (
            f"Successful requests by latency in columns of {found.step} s. Two horizontal bands are two "
            "kinds of request; a column that reaches up is a stall."
        )
        chart = distributions.heatmap_chart(found, clock, recording)
        yield Panel("Heat map", note, chart, ("latency", "requests"), _heat_rows(found))


def _spectrum_rows(recording: Recording) -> Rows:
    histogram = distributions.window_histogram(recording)
    most = distributions.largest_ns(recording)
    marked = distributions.marked_percentiles(histogram, most)
    return (*((percentile_name(q), latency_text(ns)) for q, ns in marked), ("max", latency_text(most)))


def _heat_rows(found: distributions.HeatMap) -> Rows:
    """Return the requests of each row over the whole load, slowest first."""
    counts = [0] * distributions.ROWS
    for (_, row), count in found.cells.items():
        counts[row] += count
    edges = [found.low * (found.high / found.low) ** (n / distributions.ROWS) for n in range(len(counts) + 1)]
    rows = tuple(
        (f"{latency_text(edges[row])} to {latency_text(edges[row + 1])}", f"{count:,}")
        for row, count in enumerate(counts)
    )
    return rows[::-1]


def server_panels(report: Report, clock: Clock) -> Iterator[Panel]:
    """Yield the charts of the service's processor and memory, if the metric source has them."""
    server, recording = report.evidence.server, report.evidence.recording
    if server is None:
        return
    found = courses(server)
    span = charts_server.Span(max(1, recording.window.stop), clock, recording.warmup_s)
    note = "As the metric source scraped it; the metric source's clock. Not graded."
    if (cpu := charts_server.cpu_chart(found, span)) is not None:
        yield Panel("Server CPU", note, cpu, ("time", "of", "cores"), _cpu_rows(found, clock))
    if (memory := charts_server.memory_chart(found, span)) is not None:
        yield Panel("Server memory", note, memory, ("time", "of", "memory"), _memory_rows(found, clock))


def _cpu_rows(found: Sequence[Course], clock: Clock) -> Rows:
    return tuple(
        (clock.moment(at), course.name, f"{value:.3g}")
        for course in found[: charts_server.MOST_LINES]
        for at, value in _thinned(course.cpu_cores)
    )


def _memory_rows(found: Sequence[Course], clock: Clock) -> Rows:
    return tuple(
        (clock.moment(at), course.name, bytes_text(value))
        for course in found[: charts_server.MOST_LINES]
        for at, value in _thinned(course.memory_bytes)
    )


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Return at most that many samples, evenly chosen."""
    return points[:: -(-len(points) // _MOST_SAMPLES) or 1]
