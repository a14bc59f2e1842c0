"""Charts over time: latency, load with its errors, cache hits, all on the same time axis."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from markupsafe import Markup

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.recording import FailureClass
from slocheck.reporters.html import svg
from slocheck.reporters.html.svg import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Linear, Log, element, label
from slocheck.reporters.html.timeline import QUANTILE_COLUMNS, Counts, Timeline, decimated
from slocheck.reporters.text import latency_text
from slocheck.spec.model import IndicatorKind, Objective, Spec

MEDALS = ("#8a6100", "#5f6670", "#8c4a1c")
"""Strictest tier first: gold, silver, bronze; dark enough to be readable as text on white."""

OTHER_TIER = "#3d4f63"
LINES: Mapping[str, tuple[str, str]] = {
    "p50": ("#0072b2", "none"),
    "p95": ("#a34a00", "7 3"),
    "p99": ("#7a2f6f", "2 3"),
}
"""Colour and dash of each percentile: either is enough to tell them apart."""

FAILURE_COLOURS = dict(
    zip(
        FailureClass,
        (
            "#5b2a86",
            "#8f1d14",
            "#b3261e",
            "#c8501e",
            "#7a5c00",
            "#8c2f6b",
            "#d1495b",
            "#a05195",
            "#006d77",
            "#4a4a4a",
        ),
        strict=True,
    )
)
SENT_COLOUR, CACHE_COLOUR = "#0072b2", "#00735c"
LOAD_HEIGHT, CACHE_HEIGHT = 252, 212
_LEAST_NS = 1000
_LABEL_GAP = 13
_HEADROOM = 1.15
_TINT = 0.13
_PERCENT = 100


def tier_colour(tier: str, tiers: Sequence[str]) -> str:
    """Return a tier's colour: the strictest three are gold, silver and bronze."""
    place = len(tiers) - 1 - tiers.index(tier) if tier in tiers else len(MEDALS)
    return MEDALS[place] if place < len(MEDALS) else OTHER_TIER


def tier_limits(objective: Objective | None, spec: Spec) -> list[tuple[str, Fraction]]:
    """Return an objective's tier limits, strictest first."""
    if objective is None:
        return []
    return [(tier, objective.limits[tier].value) for tier in reversed(spec.tiers) if tier in objective.limits]


def banded(spec: Spec, kind: IndicatorKind) -> Objective | None:
    """Return the objective whose tiers a chart shows: of this kind, on all requests, with the most tiers."""
    found = [item for item in spec.objectives if item.indicator.kind is kind and item.endpoint is None]
    return max(found, key=lambda item: len(tier_limits(item, spec)), default=None)


def latency_chart(time: Timeline, spec: Spec, warmup_s: int) -> Markup:
    """Return p50, p95 and p99 over time with the tiers of one percentile as bands."""
    objective = banded(spec, IndicatorKind.LATENCY)
    limits = [(tier, float(value * NS_PER_SECOND)) for tier, value in tier_limits(objective, spec)]
    known = [float(value) for column in time.quantiles.values() for value in column if not math.isnan(value)]
    values = [*known, *(value for _, value in limits)] or [float(NS_PER_SECOND)]
    low = max(_LEAST_NS, 0.7 * min(values))
    scale = Log(low, max(_HEADROOM * max(values), 4 * low), HEIGHT - BOTTOM, TOP)
    x = svg.time_scale(len(time))
    named = f"tiers of {objective.name}" if objective and limits else "no tier limits"
    return svg.chart(
        "latency",
        "Latency over time",
        f"p50, p95 and p99 of the successful requests of each second, on a logarithmic axis, with {named}.",
        bands(limits, scale, spec.tiers),
        svg.value_axis(scale, [latency_text(value) for value in scale.ticks()], "latency, logarithmic"),
        svg.time_axis(x, HEIGHT),
        svg.warmup(x, warmup_s, HEIGHT),
        *(_curve(time, name, x, scale) for name in QUANTILE_COLUMNS),
        _end_labels(time, limits, scale, spec),
    )


def bands(limits: Sequence[tuple[str, float]], scale: svg.Scale, tiers: Sequence[str]) -> Markup:
    """Return a tinted, hatched band per tier, from its limit to that of the next stricter one."""
    parts = []
    below = scale.low
    for number, (tier, value) in enumerate(limits):
        colour, y, bottom = tier_colour(tier, tiers), scale(value), scale(below)
        name = f"hatch-{number}"
        hatch = element(
            "path", d="M0,8L8,0", stroke=colour, stroke_width=1, stroke_opacity=0.2 / (1 + number)
        )
        size = 8 + 6 * number
        pattern = element("pattern", hatch, id=name, width=size, height=size, patternUnits="userSpaceOnUse")
        box = {"x": LEFT, "y": y, "width": WIDTH - LEFT - RIGHT, "height": max(0.0, bottom - y)}
        parts.append(pattern)
        parts.append(element("rect", **box, fill=colour, fill_opacity=_TINT / (1 + number)))
        parts.append(element("rect", **box, fill=f"url(#{name})"))
        parts.append(
            element(
                "line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, stroke=colour, stroke_width=1.5, class_="limit"
            )
        )
        below = value
    return Markup("").join(parts)


def _curve(time: Timeline, name: str, x: Linear, y: svg.Scale) -> Markup:
    rows = decimated(time.quantiles[name])
    values = time.quantiles[name][rows].tolist()
    points = [
        (x(second + 0.5), None if math.isnan(value) else y(value))
        for second, value in zip(time.seconds[rows].tolist(), values, strict=True)
    ]
    colour, dash = LINES[name]
    return element(
        "path",
        d=svg.broken_line(points),
        fill="none",
        stroke=colour,
        stroke_width=1.6,
        stroke_dasharray=dash,
        class_=f"line {name}",
    )


def _end_labels(time: Timeline, limits: Sequence[tuple[str, float]], scale: svg.Scale, spec: Spec) -> Markup:
    """Return the names of lines and tiers at the right edge, moved apart where they would overlap."""
    found: list[tuple[str, float, str, str]] = []
    for name in QUANTILE_COLUMNS:
        known = [value for value in time.quantiles[name].tolist() if not math.isnan(value)]
        if known:
            found.append((name, scale(known[-1]), *LINES[name]))
    found += [
        (f"{tier} {latency_text(value)}", scale(value), tier_colour(tier, spec.tiers), "")
        for tier, value in limits
    ]
    places = svg.spread([y for _, y, _, _ in found], gap=_LABEL_GAP, low=TOP, high=HEIGHT - BOTTOM)
    named = zip(found, places, strict=True)
    return Markup("").join(_end_label(name, colour, dash, y) for (name, _, colour, dash), y in named)


def _end_label(name: str, colour: str, dash: str, y: float) -> Markup:
    """Return a name with its mark: a piece of a line that has a dash, a square for a tier."""
    left = WIDTH - RIGHT + 4
    if dash:
        mark = element(
            "line",
            x1=left,
            x2=left + 16,
            y1=y,
            y2=y,
            stroke=colour,
            stroke_width=2,
            stroke_dasharray=dash,
            class_=f"line {name}",
        )
    else:
        mark = element("rect", x=left + 3, y=y - 4, width=9, height=8, fill=colour, class_="limit")
    return mark + label(name, left + 20, y + 4, size=11)


def load_chart(time: Timeline, warmup_s: int) -> Markup:
    """Return the requests sent per second, with failed ones stacked by class from the axis up."""
    high = svg.round_high(max(1.0, float(time.counts["sent"].max())))
    scale = Linear(0, high, LOAD_HEIGHT - BOTTOM, TOP)
    x = svg.time_scale(len(time))
    classes = [failure for failure in FailureClass if time.counts[str(failure)].any()]
    parts = [_area(time, time.counts["sent"], None, x, scale, colour=SENT_COLOUR, css="sent")]
    floor = np.zeros_like(time.counts["sent"])
    for failure in classes:
        top = floor + time.counts[str(failure)]
        parts.append(_area(time, top, floor, x, scale, colour=FAILURE_COLOURS[failure], css="failed"))
        floor = top
    shown = ", ".join(map(str, classes)) or "none"
    return svg.chart(
        "load",
        "Requests and errors over time",
        f"Requests sent in each second; failed requests are stacked by class from the axis up: {shown}. "
        "A mark under the axis shows each second with a failure.",
        svg.value_axis(scale, [f"{value:,.0f}" for value in scale.ticks()], "requests per second"),
        svg.time_axis(x, LOAD_HEIGHT),
        svg.warmup(x, warmup_s, LOAD_HEIGHT),
        *parts,
        _failure_marks(time, x),
        _load_legend(classes),
        height=LOAD_HEIGHT,
    )


def _area(
    time: Timeline,
    top: Counts,
    floor: Counts | None,
    x: Linear,
    y: svg.Scale,
    *,
    colour: str,
    css: str,
) -> Markup:
    """Return a filled area between two columns, flat across each second."""
    rows = decimated(top)
    seconds = time.seconds[rows].tolist()
    upper = _steps(seconds, top[rows].tolist(), x, y)
    lower = _steps(seconds, [0] * len(rows) if floor is None else floor[rows].tolist(), x, y)
    opacity = 0.30 if floor is None else 0.9
    edge = colour if floor is None else "none"
    path = svg.line([*upper, *reversed(lower)]) + "Z"
    return element(
        "path", d=path, fill=colour, fill_opacity=opacity, stroke=edge, stroke_width=0.8, class_=css
    )


def _steps(
    seconds: Sequence[int], counts: Sequence[int], x: Linear, y: svg.Scale
) -> list[tuple[float, float]]:
    """Return the corners of a staircase: flat at its count from the start to the end of each second."""
    corners: list[tuple[float, float]] = []
    ends = [*seconds[1:], x.high]
    for second, end, count in zip(seconds, ends, counts, strict=True):
        height = y(float(count))
        if len(corners) > 1 and corners[-1][1] == height:
            corners[-1] = (x(end), height)
        else:
            corners += [(x(second), height), (x(end), height)]
    return corners


def _failure_marks(time: Timeline, x: Linear) -> Markup:
    """Return a mark under the axis for each second with a failure: a single one is too low to see."""
    y = LOAD_HEIGHT - BOTTOM + 1
    failed = time.counts["failed"]
    seconds = [time.seconds[row].item() for row in decimated(failed) if failed[row]]
    marks = "".join(f"M{svg.line([(x(second + 0.5), y)])[1:]}v5" for second in seconds)
    return (
        element("path", d=marks, stroke="#b3261e", stroke_width=2, class_="failed-mark")
        if marks
        else Markup("")
    )


def _load_legend(classes: Sequence[FailureClass]) -> Markup:
    """Return the legend at the right edge."""
    rows = [
        ("sent", SENT_COLOUR, "sent"),
        *((str(item), FAILURE_COLOURS[item], "failed") for item in classes),
    ]
    parts = []
    for number, (name, colour, css) in enumerate(rows):
        y = TOP + 8 + 18 * number
        swatch = element("rect", x=WIDTH - RIGHT + 8, y=y - 8, width=10, height=10, fill=colour, class_=css)
        parts.append(swatch + label(name, WIDTH - RIGHT + 24, y + 1, size=11))
    return Markup("").join(parts)


def cache_chart(time: Timeline, spec: Spec, warmup_s: int) -> Markup | None:
    """Return the cache hit rate over time by response headers; None if no header said hit or miss."""
    hits = time.counts["hits"]
    lookups = hits + time.counts["misses"]
    if not lookups.any():
        return None
    rate = np.divide(hits, lookups, out=np.full(len(hits), np.nan), where=lookups > 0)
    objective = banded(spec, IndicatorKind.CACHE_HIT_RATE)
    limits = [(tier, float(value)) for tier, value in tier_limits(objective, spec)]
    lowest = min([float(np.nanmin(rate)), *(value for _, value in limits)])
    scale = Linear(max(0, math.floor(lowest * 10 - 0.5) / 10), 1, CACHE_HEIGHT - BOTTOM, TOP)
    x = svg.time_scale(len(time))
    rows = decimated(rate)
    points = [
        (x(second + 0.5), None if math.isnan(share) else scale(share))
        for second, share in zip(time.seconds[rows].tolist(), rate[rows].tolist(), strict=True)
    ]
    return svg.chart(
        "cache",
        "Cache hit rate over time",
        "Share of cache hits among the responses of each second whose header says hit or miss, with limits.",
        svg.value_axis(scale, [f"{value * _PERCENT:.0f}%" for value in scale.ticks()], "cache hit rate"),
        svg.time_axis(x, CACHE_HEIGHT),
        svg.warmup(x, warmup_s, CACHE_HEIGHT),
        _rules(limits, scale, spec.tiers),
        element(
            "path",
            d=svg.broken_line(points),
            fill="none",
            stroke=CACHE_COLOUR,
            stroke_width=1.6,
            class_="line cache",
        ),
        height=CACHE_HEIGHT,
    )


def _rules(limits: Sequence[tuple[str, float]], scale: Linear, tiers: Sequence[str]) -> Markup:
    """Return a dashed, named line for each tier's limit on a ratio."""
    ends = [scale(value) for _, value in limits]
    places = svg.spread(ends, gap=_LABEL_GAP, low=TOP, high=CACHE_HEIGHT - BOTTOM)
    rules = [
        element(
            "line",
            x1=LEFT,
            x2=WIDTH - RIGHT,
            y1=end,
            y2=end,
            stroke=tier_colour(tier, tiers),
            stroke_dasharray="6 3",
            class_="limit",
        )
        + label(f"{tier} {value * _PERCENT:g}%", WIDTH - RIGHT + 8, place + 4, size=11)
        for (tier, value), end, place in zip(limits, ends, places, strict=True)
    ]
    return Markup("").join(rules)
