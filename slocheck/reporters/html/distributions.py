"""Charts of the latency distribution: by percentile, and as a heatmap over time."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction

from markupsafe import Markup

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import bucket_bounds, merge, quantile_bounds
from slocheck.evidence.recording import Recording
from slocheck.reporters.html import svg
from slocheck.reporters.html.charts import tier_colour
from slocheck.reporters.html.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Linear, Log, element, label
from slocheck.reporters.text import latency_text
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Spec

HEAT_COLOUR, SPECTRUM_COLOUR = "#0072b2", "#0072b2"
SHADES = (0.10, 0.22, 0.38, 0.56, 0.76, 1.0)
COLUMNS, ROWS_PER_DECADE = 120, 10
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


def window_histogram(recording: Recording) -> dict[int, int]:
    """Return the histogram of the window's successful requests."""
    return merge(part.latencies for part in recording.window_slices())


def spectrum_points(histogram: Mapping[int, int]) -> list[tuple[Fraction, float]]:
    """Return quantiles, evenly spaced in 1/(1-q), with their latency in nanoseconds, up to the largest."""
    total = sum(histogram.values())
    steps = int(_POINTS_PER_DECADE * math.log10(total))
    shares = sorted(
        {Fraction(1, round(10 ** (2 + step / _POINTS_PER_DECADE))) * 100 for step in range(steps + 1)}
    )
    quantiles = sorted({1 - share for share in shares} | {Fraction(total - 1, total)})
    return [(q, sum(quantile_bounds(histogram, q)) / 2) for q in quantiles]


def marked_percentiles(histogram: Mapping[int, int]) -> list[tuple[Fraction, float]]:
    """Return the percentiles named on the axis that enough requests exist for, in nanoseconds."""
    total = sum(histogram.values())
    quantiles = [1 - Fraction(1, place) for place, _ in _MARKS if place <= total]
    return [(q, sum(quantile_bounds(histogram, q)) / 2) for q in quantiles]


def spectrum_chart(recording: Recording, spec: Spec) -> Markup | None:
    """Return latency against 1/(1-q) with each tier's latency limits as steps; None below two requests."""
    histogram = window_histogram(recording)
    total = sum(histogram.values())
    if total < _FEW:
        return None
    points = spectrum_points(histogram)
    limits = _tier_steps(spec)
    x = Log(1, float(max(10, total)), LEFT, WIDTH - RIGHT)
    values = [ns for _, ns in points] + [ns for _, steps in limits for _, ns in steps]
    low = max(_LEAST_NS, 0.7 * min(values))
    y = Log(low, max(1.15 * max(values), 4 * low), HEIGHT - BOTTOM, TOP)
    curve = [(x(float(1 / (1 - q))), y(ns)) for q, ns in points]
    return svg.chart(
        "spectrum",
        "Latency by percentile",
        "Latency of the window's successful requests by percentile; the limits of the tiers are steps.",
        svg.value_axis(y, [latency_text(value) for value in y.ticks()], "latency, logarithmic"),
        *(_percentile_mark(place, name, x) for place, name in _MARKS if place <= x.high),
        *(_limit_steps(tier, steps, x, y, spec.tiers) for tier, steps in limits),
        element(
            "path", d=svg.line(curve), fill="none", stroke=SPECTRUM_COLOUR, stroke_width=2, class_="line p50"
        ),
    )


def _percentile_mark(place: int, name: str, x: Log) -> Markup:
    at = x(place)
    return svg.grid_line(at, TOP, at, HEIGHT - BOTTOM) + label(
        name, at, HEIGHT - BOTTOM + 18, anchor="middle", muted=True
    )


def _tier_steps(spec: Spec) -> list[tuple[str, list[tuple[float, float]]]]:
    """Return for each tier the places 1/(1-q) and limits in nanoseconds of objectives on all requests."""
    steps: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for objective in spec.objectives:
        q = objective.indicator.quantile
        if traits_of(objective.indicator.kind).is_percentile and objective.endpoint is None and q is not None:
            for tier in spec.tiers:
                if tier in objective.limits:
                    value = float(objective.limits[tier].value * NS_PER_SECOND)
                    steps[tier].append((float(1 / (1 - q)), value))
    return [(tier, sorted(found)) for tier, found in steps.items()]


def _limit_steps(
    tier: str, steps: Sequence[tuple[float, float]], x: Log, y: Log, tiers: Sequence[str]
) -> Markup:
    """Return a tier's limits as a staircase: each holds up to its percentile."""
    corners: list[tuple[float, float]] = []
    start = x.start
    for place, ns in steps:
        corners += [(start, y(ns)), (x(place), y(ns))]
        start = x(place)
    colour = tier_colour(tier, tiers)
    path = element(
        "path",
        d=svg.line(corners),
        fill="none",
        stroke=colour,
        stroke_width=1.5,
        stroke_dasharray="6 3",
        class_="limit",
    )
    end = corners[-1]
    dot = element("circle", cx=end[0], cy=end[1], r=3, fill=colour, class_="limit")
    return path + dot + label(tier, end[0] + 6, end[1] - 5, size=11)


def heatmap_chart(recording: Recording) -> Markup | None:
    """Return the number of requests by latency and time, darker for more; None if there are none."""
    seconds = recording.window.stop
    step = max(1, math.ceil(seconds / COLUMNS))
    cells: Counter[tuple[int, int]] = Counter()
    for part in recording.slices():
        if 0 <= part.second < seconds:
            for index, count in part.latencies.items():
                cells[part.second // step, _row(index)] += count
    if not cells:
        return None
    rows = [row for _, row in cells]
    low, high = (10 ** (row / ROWS_PER_DECADE) for row in (min(rows), max(rows) + 1))
    x, y = svg.time_scale(seconds), Log(low, high, HEIGHT - BOTTOM, TOP)
    return svg.chart(
        "heatmap",
        "Latency distribution over time",
        f"Each cell counts successful requests by latency in {step} s; darker is more, logarithmic.",
        svg.value_axis(y, [latency_text(value) for value in y.ticks()], "latency, logarithmic"),
        svg.time_axis(x, HEIGHT),
        svg.warmup(x, recording.warmup_s, HEIGHT),
        *_shaded(cells, step, x, y),
        _heat_legend(max(cells.values())),
    )


def _row(index: int) -> int:
    """Return the heatmap's row of a histogram bucket: tenths of a decade of nanoseconds."""
    low, high = bucket_bounds(index)
    return math.floor(ROWS_PER_DECADE * math.log10(max(1.0, (low + high) / 2)))


def _shade(count: int, most: int) -> int:
    """Return which shade a count has, on a logarithmic scale."""
    share = math.log(count) / math.log(most) if most > 1 else 1.0
    return min(len(SHADES) - 1, int(share * len(SHADES)))


def _shaded(cells: Mapping[tuple[int, int], int], step: int, x: Linear, y: Log) -> list[Markup]:
    """Return one path per shade: its cells as rectangles."""
    most = max(cells.values())
    paths: defaultdict[int, list[str]] = defaultdict(list)
    for (column, row), count in sorted(cells.items()):
        left, right = x(column * step), x(min((column + 1) * step, x.high))
        top, bottom = (y(10 ** (edge / ROWS_PER_DECADE)) for edge in (row + 1, row))
        box = f"M{left:.1f},{top:.1f}H{right:.1f}V{bottom:.1f}H{left:.1f}Z"
        paths[_shade(count, most)].append(box)
    return [
        element("path", d="".join(boxes), fill=HEAT_COLOUR, fill_opacity=SHADES[shade], class_="heat")
        for shade, boxes in sorted(paths.items())
    ]


def _heat_legend(most: int) -> Markup:
    """Return the scale of shades at the right edge."""
    parts = [label("requests", WIDTH - RIGHT + 10, TOP + 8, size=11, muted=True)]
    for number, opacity in enumerate(SHADES):
        at = TOP + 16 + 18 * (len(SHADES) - 1 - number)
        first = max(1, math.ceil(most ** (number / len(SHADES))))
        box = element(
            "rect",
            x=WIDTH - RIGHT + 10,
            y=at,
            width=14,
            height=16,
            fill=HEAT_COLOUR,
            fill_opacity=opacity,
            class_="heat",
        )
        parts.append(box + label(f"{first:,}+", WIDTH - RIGHT + 30, at + 12, size=11))
    return Markup("").join(parts)
