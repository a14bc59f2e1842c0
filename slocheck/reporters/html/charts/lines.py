"""What the charts over time share: line styles, limits of tiers, names at lines' ends, legends."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from markupsafe import Markup

from slocheck.reporters.html.charts import svg
from slocheck.reporters.html.charts.svg import END, LABEL_GAP, START, TOP, Drawing, Linear, Scale, element
from slocheck.reporters.html.charts.timeline import Counts, Floats, Timeline, decimated
from slocheck.spec.model import IndicatorKind, Limit, Objective, Spec

MEDALS = ("#8a6100", "#5f6670", "#8c4a1c")
"""Strictest tier first: gold, silver, bronze; dark enough to be readable as text on white."""

OTHER_TIER = "#3d4f63"
"""Colour of further tiers, and of ``target`` and ``critical``."""


@dataclass(frozen=True, slots=True)
class Look:
    """A line's style: its colour and its dash are each enough to tell it from the others.

    Attributes:
        colour: On white.
        dash: Lengths of dashes and gaps, or ``none``.
        css: Class in the style sheet, which has the colour on black.
    """

    colour: str
    dash: str
    css: str


LOOKS = (
    Look("#0067a8", "none", "line l1"),
    Look("#b5177e", "8 3", "line l2"),
    Look("#00705a", "2 3", "line l3"),
    Look("#5b3fc4", "9 3 2 3", "line l4"),
    Look("#a3123f", "14 4", "line l5"),
    Look("#31506b", "5 5", "line l6"),
)


@dataclass(frozen=True, slots=True)
class LimitLine:
    """A limit as a line of a chart.

    Attributes:
        name: Such as ``p95 silver < 200ms``.
        level: A tier, ``target`` or ``critical``.
        value: In the chart's unit.
    """

    name: str
    level: str
    value: float


def tier_colour(tier: str, tiers: Sequence[str]) -> str:
    """Return a tier's colour: the strictest three are gold, silver and bronze."""
    place = len(tiers) - 1 - tiers.index(tier) if tier in tiers else len(MEDALS)
    return MEDALS[place] if place < len(MEDALS) else OTHER_TIER


def tier_css(tier: str, tiers: Sequence[str]) -> str:
    """Return the class of a tier's colour in the style sheet."""
    place = len(tiers) - 1 - tiers.index(tier) if tier in tiers else len(MEDALS)
    return f"tier t{min(place, len(MEDALS))}"


def limit_lines(
    objectives: Iterable[Objective], spec: Spec, *, scale: float = 1.0, prefix: str = ""
) -> list[LimitLine]:
    """Return every limit of objectives, strictest tier first; levels with the same limit share a line.

    Values are multiplied by `scale`.
    """
    order = [*reversed(spec.tiers), "target", "critical"]
    found: dict[str, list[tuple[str, Limit]]] = {}
    for objective in objectives:
        for level, limit in sorted(objective.limits.items(), key=lambda item: order.index(item[0])):
            found.setdefault(limit.text, []).append((level, limit))
    return [
        LimitLine(
            f"{prefix}{', '.join(level for level, _ in same)} {text}",
            same[0][0],
            float(same[0][1].value) * scale,
        )
        for text, same in found.items()
    ]


def objectives_on(spec: Spec, kind: IndicatorKind, endpoint: object = None) -> list[Objective]:
    """Return the objectives of a kind on one endpoint, or on all requests."""
    return [item for item in spec.objectives if item.indicator.kind is kind and item.endpoint == endpoint]


def draw_limits(limits: Sequence[LimitLine], y: Scale, tiers: Sequence[str], *, bottom: float) -> Drawing:
    """Return limits as thin lines with their names on them, moved apart where they would overlap."""
    ends = [y(limit.value) for limit in limits]
    places = svg.spread([end - 4 for end in ends], gap=LABEL_GAP, low=TOP + 10, high=bottom - 3)
    parts = []
    for limit, end, place in zip(limits, ends, places, strict=True):
        css = tier_css(limit.level, tiers)
        colour = tier_colour(limit.level, tiers)
        parts.append(
            svg.rule(START, end, END, end, css=f"limit {css}", stroke=colour, stroke_width=1.5)
            + svg.label(limit.name, END - 6, place, anchor="end", css=css, colour=colour)
        )
    return svg.together(parts)


def curve(column: Floats, time: Timeline, x: Linear, y: Scale, look: Look, *, most: int) -> Drawing:
    """Return a column as a line with gaps where it has no value."""
    rows = decimated(column, most)
    points = [
        (x(second + time.step / 2), None if math.isnan(value) else y(value))
        for second, value in zip(time.seconds[rows].tolist(), column[rows].tolist(), strict=True)
    ]
    return stroke(svg.broken_line(points), look)


def stroke(data: str, look: Look) -> Drawing:
    """Return path data as a line."""
    return svg.path(data, css=look.css, stroke=look.colour, stroke_width=1.8, stroke_dasharray=look.dash)


def steps(counts: Counts, time: Timeline, x: Linear, y: Scale, *, most: int) -> list[tuple[float, float]]:
    """Return the corners of a staircase: flat at its count from the start to the end of each row."""
    rows = decimated(counts, most)
    seconds = time.seconds[rows].tolist()
    corners: list[tuple[float, float]] = []
    for second, end, count in zip(seconds, [*seconds[1:], x.high], counts[rows].tolist(), strict=True):
        height = y(float(count))
        if len(corners) > 1 and corners[-1][1] == height:
            corners[-1] = (x(end), height)
        else:
            corners += [(x(second), height), (x(end), height)]
    return corners


def end_names(names: Mapping[str, float], *, bottom: float) -> Drawing:
    """Return names of lines right of their ends, moved apart where they would overlap."""
    places = svg.spread(list(names.values()), gap=LABEL_GAP, low=TOP + 6, high=bottom)
    return svg.together(
        svg.label(name, END + 8, place + 4) for name, place in zip(names, places, strict=True)
    )


def last_of(column: Floats) -> float | None:
    """Return the last value of a column that is known."""
    known = column[~(column != column)]  # noqa: PLR0124 - NaN is the one value that is not itself
    return float(known[-1]) if len(known) else None


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """An entry of a legend: a sample of the line or area, and its name."""

    mark: Markup
    text: str


def line_key(look: Look, text: str) -> LegendEntry:
    """Return the legend's entry of a line."""
    mark = element(
        "line", x1=0, y1=6, x2=30, y2=6, stroke=look.colour, stroke_width=2, stroke_dasharray=look.dash,
        class_=look.css,
    )  # fmt: skip
    return LegendEntry(_mark(mark), text)


def area_key(colour: str, css: str, text: str) -> LegendEntry:
    """Return the legend's entry of an area."""
    mark = element("rect", x=8, y=0, width=14, height=12, fill=colour, class_=css)
    return LegendEntry(_mark(mark), text)


def _mark(inside: Markup) -> Markup:
    return element("svg", inside, class_="mark", width=30, height=12, aria_hidden="true")


def quantile_of(objective: Objective) -> Fraction:
    """Return the percentile that a latency objective is about, 0..1."""
    return objective.indicator.quantile or Fraction(0)
