"""Charts of the latency distribution: by percentile, and as a heat map over time."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from markupsafe import Markup

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import bucket_bounds, quantile_bounds
from slocheck.evidence.recording import Recording
from slocheck.evidence.scope import Scope
from slocheck.reporters.html.charts import lines, svg
from slocheck.reporters.html.charts.clock import Clock
from slocheck.reporters.html.charts.lines import LOOKS, LegendEntry, line_key, tier_colour, tier_css
from slocheck.reporters.html.charts.over_time import HEIGHT, Chart
from slocheck.reporters.html.charts.svg import BOTTOM, END, START, TOP, Drawing, Log, element
from slocheck.reporters.text import latency_text
from slocheck.spec.model import IndicatorKind, Spec

HEAT_COLOUR = "#0067a8"
SHADES = (0.12, 0.28, 0.44, 0.62, 0.8, 1.0)
COLUMNS, ROWS = 120, 24
_LEAST_SPAN = 2.0
_POINTS_PER_DECADE = 12
_LEAST_NS = 1000
_FEW = 2
_MARKS = (
    (2, "p50"),
    (10, "p90"),
    (20, "p95"),
    (100, "p99"),
    (1000, "p99.9"),
    (10_000, "p99.99"),
    (100_000, "p99.999"),
)

Cells = Mapping[tuple[int, int], int]


def window_histogram(recording: Recording) -> dict[int, int]:
    """Return the histogram of the window's successful requests."""
    return recording.scope().latencies


def largest_ns(recording: Recording) -> int:
    """Return the largest latency of the window's successful requests, exact; 0 without any."""
    return int(recording.scope().total.max_ns[0])


def percentiles(
    histogram: Mapping[int, int], quantiles: Sequence[Fraction], most: int
) -> list[tuple[Fraction, float]]:
    """Return percentiles in nanoseconds: the middle of the bucket, but no more than the largest latency."""
    return [(q, min(sum(quantile_bounds(histogram, q)) / 2, most)) for q in quantiles]


def spectrum_quantiles(total: int) -> list[Fraction]:
    """Return quantiles, evenly spaced in 1/(1-q), up to the largest of that many requests."""
    steps = int(_POINTS_PER_DECADE * math.log10(total))
    shares = {Fraction(1, round(10 ** (2 + step / _POINTS_PER_DECADE))) * 100 for step in range(steps + 1)}
    return sorted({1 - share for share in shares} | {Fraction(total - 1, total)})


def marked_percentiles(histogram: Mapping[int, int], most: int) -> list[tuple[Fraction, float]]:
    """Return the percentiles named on the axis that enough requests exist for, in nanoseconds."""
    total = sum(histogram.values())
    return percentiles(histogram, [1 - Fraction(1, place) for place, _ in _MARKS if place <= total], most)


def spectrum_chart(recording: Recording, spec: Spec) -> Chart | None:
    """Return latency against 1/(1-q) with each tier's latency limits as steps; None below two requests."""
    histogram = window_histogram(recording)
    total = sum(histogram.values())
    if total < _FEW:
        return None
    points = percentiles(histogram, spectrum_quantiles(total), largest_ns(recording))
    limits = _tier_steps(spec)
    x = Log(1, float(max(10, total)), START, END)
    values = [ns for _, ns in points] + [ns for _, steps in limits for _, ns in steps]
    low = max(_LEAST_NS, 0.7 * min(values))
    y = Log(low, max(1.15 * max(values), 4 * low), HEIGHT - BOTTOM, TOP)
    look = LOOKS[0]
    drawing = svg.together(
        [
            svg.value_axis(y, [latency_text(value) for value in y.ticks()], "latency, logarithmic"),
            *(_percentile_mark(place, name, x) for place, name in _MARKS if place <= x.high),
            *(_limit_steps(tier, steps, x, y, spec.tiers) for tier, steps in limits),
            lines.stroke(svg.line([(x(float(1 / (1 - q))), y(ns)) for q, ns in points]), look),
            svg.label("max", END + 8, y(points[-1][1]) + 4),
        ]
    )
    named = ", ".join(tier for tier, _ in limits)
    description = "Latency of the window's successful requests by percentile" + (
        f"; the limits of {named} on all requests are steps that end at the percentile they are about."
        if named
        else "."
    )
    chart = svg.chart("spectrum", "Latency by percentile", description, drawing, height=HEIGHT)
    return Chart(chart, (line_key(look, "measured"),))


def _percentile_mark(place: int, name: str, x: Log) -> Drawing:
    at = x(place)
    return svg.grid_line(at, TOP, at, HEIGHT - BOTTOM) + svg.label(
        name, at, HEIGHT - BOTTOM + 16, anchor="middle", muted=True
    )


def _tier_steps(spec: Spec) -> list[tuple[str, list[tuple[float, float]]]]:
    """Return for each tier the places 1/(1-q) and limits in nanoseconds of objectives on all requests."""
    steps: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for objective in lines.objectives_on(spec, IndicatorKind.LATENCY):
        for tier in spec.tiers:
            if tier in objective.limits:
                value = float(objective.limits[tier].value * NS_PER_SECOND)
                steps[tier].append((float(1 / (1 - lines.quantile_of(objective))), value))
    return [(tier, sorted(found)) for tier, found in steps.items()]


def _limit_steps(
    tier: str, steps: Sequence[tuple[float, float]], x: Log, y: Log, tiers: Sequence[str]
) -> Drawing:
    """Return a tier's limits as a staircase: each holds up to its percentile."""
    corners: list[tuple[float, float]] = []
    start = x.start
    for place, ns in steps:
        corners += [(start, y(ns)), (x(place), y(ns))]
        start = x(place)
    colour, css = tier_colour(tier, tiers), tier_css(tier, tiers)
    staircase = svg.path(svg.line(corners), css=f"limit {css}", stroke=colour, stroke_width=1.5)
    end = corners[-1]
    mark = svg.dot(*end, css=f"limit {css}", colour=colour)
    return staircase + mark + svg.label(tier, end[0] + 8, end[1] + 4)


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Successful requests by time and latency.

    Attributes:
        cells: Column and row to count; row 0 is the fastest.
        step: Seconds of a column.
        low: Latency at the lower edge of row 0, nanoseconds.
        high: Latency at the upper edge of the last row.
        columns: How many there are.
    """

    cells: Cells
    step: int
    low: float
    high: float
    columns: int


def heat_map(recording: Recording) -> HeatMap | None:
    """Return the counts of `ROWS` latencies, evenly spaced on a logarithmic axis; None without requests."""
    seconds = recording.window.stop
    scope = recording.scope(seconds=range(seconds))
    step = max(1, math.ceil(seconds / COLUMNS))
    if not scope.latencies:
        return None
    low, high = (
        float(max(1, bucket_bounds(min(scope.latencies))[0])),
        float(bucket_bounds(max(scope.latencies))[1]),
    )
    if high < low * _LEAST_SPAN:
        middle = math.sqrt(low * high)
        low, high = middle / math.sqrt(_LEAST_SPAN), middle * math.sqrt(_LEAST_SPAN)
    return HeatMap(dict(_cells(scope, step, low, high)), step, low, high, math.ceil(seconds / step))


def _cells(scope: Scope, step: int, low: float, high: float) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield column, row and count of each cell that has a request."""
    least = min(scope.latencies)
    row_of = [_row(index, low, high) for index in range(least, max(scope.latencies) + 1)]
    for first, lowest, counts in scope.histograms(step):
        rows = row_of[lowest - least : lowest - least + counts.shape[1]]
        begins = [0, *(place for place in range(1, len(rows)) if rows[place] != rows[place - 1])]
        added = np.add.reduceat(counts, begins, axis=1)
        for column, place in np.argwhere(added).tolist():
            yield (first + column, rows[begins[place]]), int(added[column, place])


def _row(index: int, low: float, high: float) -> int:
    """Return the row of the heat map for a histogram bucket."""
    middle = max(1.0, sum(bucket_bounds(index)) / 2)
    return min(ROWS - 1, max(0, math.floor(ROWS * math.log(middle / low) / math.log(high / low))))


def heatmap_chart(found: HeatMap, clock: Clock, recording: Recording) -> Chart:
    """Return the number of requests by latency and time, darker for more."""
    seconds = recording.window.stop
    x, y = svg.time_scale(seconds), Log(found.low, found.high, HEIGHT - BOTTOM, TOP)
    most = max(found.cells.values())
    drawing = svg.together(
        [
            svg.value_axis(y, [latency_text(value) for value in y.ticks()], "latency, logarithmic"),
            svg.time_axis(x, HEIGHT, clock),
            Drawing(_grid_of_cells(found, most, x, seconds)),
            svg.warmup(x, recording.warmup_s, HEIGHT),
        ]
    )
    description = (
        f"Each cell counts successful requests by latency in {found.step} s; darker is more, "
        f"logarithmic, up to {most:,}."
    )
    chart = svg.chart("heatmap", "Latency distribution over time", description, drawing, height=HEIGHT)
    return Chart(chart, tuple(_heat_keys(most)))


def _shade(count: int, most: int) -> int:
    """Return which shade a count has, on a logarithmic scale."""
    share = math.log(count) / math.log(most) if most > 1 else 1.0
    return min(len(SHADES) - 1, int(share * len(SHADES)))


def _grid_of_cells(found: HeatMap, most: int, x: svg.Linear, seconds: int) -> Markup:
    """Return one path per shade, in units of cells; neighbours of one shade are one rectangle."""
    paths: defaultdict[int, list[str]] = defaultdict(list)
    for row, begin, length, shade in _runs(found.cells, most):
        paths[shade].append(f"M{begin},{ROWS - 1 - row}h{length}v1H{begin}z")
    shapes = [
        element("path", d="".join(boxes), fill=HEAT_COLOUR, fill_opacity=SHADES[shade], class_="heat")
        for shade, boxes in sorted(paths.items())
    ]
    width = (x.end - x.start) * found.columns * found.step / seconds
    return element(
        "svg",
        *shapes,
        x=x.start,
        y=TOP,
        width=width,
        height=HEIGHT - TOP - BOTTOM,
        viewBox=f"0 0 {found.columns} {ROWS}",
        preserveAspectRatio="none",
    )


def _runs(cells: Cells, most: int) -> list[tuple[int, int, int, int]]:
    """Return row, first column, length and shade of neighbouring cells of one shade."""
    found: list[tuple[int, int, int, int]] = []
    for (column, row), count in sorted(cells.items(), key=lambda item: (item[0][1], item[0][0])):
        shade = _shade(count, most)
        if found and found[-1][0] == row and sum(found[-1][1:3]) == column and found[-1][3] == shade:
            found[-1] = (row, found[-1][1], found[-1][2] + 1, shade)
        else:
            found.append((row, column, 1, shade))
    return found


def _heat_keys(most: int) -> list[LegendEntry]:
    """Return the scale of shades."""
    keys = []
    for number, opacity in enumerate(SHADES):
        first = max(1, math.ceil(most ** (number / len(SHADES))))
        box = element(
            "rect", x=8, y=0, width=14, height=12, fill=HEAT_COLOUR, fill_opacity=opacity, class_="heat"
        )
        mark = element("svg", box, class_="mark", width=30, height=12, aria_hidden="true")
        keys.append(
            LegendEntry(mark, f"{first:,} or more" if number == len(SHADES) - 1 else f"from {first:,}")
        )
    return keys
