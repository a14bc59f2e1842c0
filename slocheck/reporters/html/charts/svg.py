"""Building blocks of charts: elements, scales, axes. They use presentation attributes and need no CSS.

A chart is as wide as the page gives it. Its shapes stretch with it, its texts and line widths do not: places
across are thousandths of the chart's width, places down are pixels.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from slocheck.reporters.escape import for_html
from slocheck.reporters.html.charts.clock import Clock

WHOLE = 1000
"""The width of a chart."""
START, END = 60, 900
"""Where the plot begins and ends; the names of lines are right of it."""
TOP, BOTTOM = 34, 38
INK, MUTED, GRID, PAPER = "#1f2933", "#52606d", "#d9dee4", "#ffffff"
FONT = "system-ui, sans-serif"
LABEL_GAP = 14
_TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
_MOST_TIME_TICKS = 9
_DECADE_STEPS = (1, 2, 5)
_LINEAR_TICKS = 4
_ROOM_FOR_NAME = 180


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """Return one element; attribute names use ``_`` for ``-``, a trailing ``_`` is dropped.

    Children that are `Markup` stay as they are, other text is escaped, as are all attributes.
    """
    inside = "".join(map(_text, children))
    pairs = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for name, value in attributes.items()
    )
    return Markup(f"<{tag}{pairs}>{inside}</{tag}>")  # noqa: S704 - each part is escaped


def _text(child: str) -> Markup:
    """Return markup as it is, other text escaped."""
    if isinstance(child, Markup):
        return child
    return Markup(for_html(child))  # noqa: S704 - escaped by the sink's own function


def _plain(value: object) -> str:
    """Write a coordinate to a tenth, which is enough."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


EMPTY = Markup("")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A part of a chart.

    Attributes:
        shapes: What stretches with the chart.
        texts: What does not.
    """

    shapes: Markup = EMPTY
    texts: Markup = EMPTY

    def __add__(self, other: "Drawing") -> "Drawing":
        """Draw the other one over this one."""
        return Drawing(self.shapes + other.shapes, self.texts + other.texts)


def together(parts: Iterable[Drawing]) -> Drawing:
    """Return several parts as one, the last one on top."""
    return sum(parts, Drawing())


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear scale from values to places.

    Attributes:
        low: Value at `start`.
        high: Value at `end`.
        start: Place.
        end: Place.
        least: Smallest step between ticks: 1 for counts.
    """

    low: float
    high: float
    start: float
    end: float
    least: float = 0.0

    def __call__(self, value: float) -> float:
        """Return the place of a value; values beyond the ends are clamped."""
        share = (min(max(value, self.low), self.high) - self.low) / ((self.high - self.low) or 1)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return round values from `low` to `high`, about four."""
        step = _round_up(max(self.least, (self.high - self.low) / _LINEAR_TICKS))
        return [self.low + step * number for number in range(int((self.high - self.low) / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class Log:
    """A logarithmic scale from positive values to places; see `Linear`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value; values beyond the ends are clamped."""
        return Linear(math.log(self.low), math.log(self.high), self.start, self.end)(
            math.log(max(value, self.low))
        )

    def ticks(self) -> list[float]:
        """Return 1, 2 and 5 of each decade; only the powers of ten if there are many."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        few = last - first <= len(_DECADE_STEPS)
        steps = _DECADE_STEPS if few else (1,)
        values = [step * 10.0**decade for decade in range(first, last + 1) for step in steps]
        return [value for value in values if self.low <= value <= self.high]


Scale = Linear | Log


def _round_up(value: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    decade = 10.0 ** math.floor(math.log10(value))
    return next(step * decade for step in (1, 2, 5, 10) if step * decade >= value * (1 - 1e-9))


def round_high(value: float, *, least: float = 0.0) -> float:
    """Return the upper end of a linear axis that fits `value` and has round ticks; see `Linear.least`."""
    step = _round_up(max(least, value / _LINEAR_TICKS))
    return step * max(1, math.ceil(value / step - 1e-9))


def count_scale(most: float, bottom: float) -> Linear:
    """Return the scale of a chart's upright axis for counts."""
    return Linear(0, round_high(max(1.0, most), least=1), bottom, TOP, least=1)


def time_scale(seconds: int) -> Linear:
    """Return the scale of the time axis: seconds since the load began."""
    return Linear(0, max(1, seconds), START, END)


def label(
    text: str,
    x: float,
    y: float,
    *,
    anchor: str = "start",
    muted: bool = False,
    css: str = "",
    colour: str = "",
) -> Drawing:
    """Return a text with its baseline at `y`, readable on any background."""
    drawn = element(
        "text",
        text,
        x=f"{_plain(x / 10)}%",
        y=y,
        text_anchor=anchor,
        fill=colour or (MUTED if muted else INK),
        font_size=12,
        font_family=FONT,
        stroke=PAPER,
        stroke_width=5,
        stroke_linejoin="round",
        paint_order="stroke",
        class_=" ".join(filter(None, ("halo", "" if colour else "muted" if muted else "ink", css))),
    )
    return Drawing(texts=drawn)


def path(data: str, *, css: str, **attributes: object) -> Drawing:
    """Return a path whose lines keep their width, however wide the chart is."""
    plain = {"fill": "none", "vector_effect": "non-scaling-stroke", **attributes}
    return Drawing(element("path", d=data, class_=css, **plain)) if data else Drawing()


def rule(x1: float, y1: float, x2: float, y2: float, *, css: str, **attributes: object) -> Drawing:
    """Return a straight line."""
    plain = {"vector_effect": "non-scaling-stroke", **attributes}
    return Drawing(element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=css, **plain))


def dot(x: float, y: float, *, css: str, colour: str, size: float = 7, square: bool = False) -> Drawing:
    """Return a round or square dot that keeps its form."""
    cap = "square" if square else "round"
    data = f"M{_plain(x)},{_plain(y)}h0.01"
    return path(data, css=css, stroke=colour, stroke_width=size, stroke_linecap=cap)


def line(points: Sequence[tuple[float, float]]) -> str:
    """Return path data through points."""
    return "M" + "L".join(f"{_plain(float(x))},{_plain(float(y))}" for x, y in points)


def broken_line(points: Iterable[tuple[float, float | None]]) -> str:
    """Return path data that leaves a gap where a value is missing; a lone point becomes a short dash."""
    runs: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if y is None:
            runs.append([])
        else:
            runs[-1].append((x, y))
    return "".join(line(run if len(run) > 1 else [run[0], (run[0][0] + 1, run[0][1])]) for run in runs if run)


def time_axis(scale: Linear, height: int, clock: Clock) -> Drawing:
    """Return the time axis: the time of day, and below it the time since the load began."""
    step = next((s for s in _TIME_STEPS if scale.high / s <= _MOST_TIME_TICKS), _TIME_STEPS[-1])
    parts = []
    for number, second in enumerate(range(0, int(scale.high) + 1, step)):
        x, css = scale(second), "odd" if number % 2 else ""
        parts.append(grid_line(x, TOP, x, height - BOTTOM))
        for text, y in ((clock.time_of_day(second), 15), (clock.elapsed(second), 30)):
            parts.append(label(text, x, height - BOTTOM + y, anchor="middle", muted=True, css=css))
    return together(parts)


def value_axis(scale: Scale, texts: Sequence[str], title: str) -> Drawing:
    """Return the axis on the left; `texts` label the scale's ticks."""
    parts = [label(title, 0, 11, muted=True, css="scale")]
    for value, text in zip(scale.ticks(), texts, strict=True):
        y = scale(value)
        parts.append(grid_line(START, y, END, y) + label(text, 0, y + 4, muted=True, css="scale"))
    return together(parts)


def grid_line(x1: float, y1: float, x2: float, y2: float) -> Drawing:
    """Return a faint line."""
    return rule(x1, y1, x2, y2, css="grid", stroke=GRID, stroke_width=1)


def warmup(scale: Linear, seconds: int, height: int) -> Drawing:
    """Return a labelled shade over the warm-up; nothing if there is none."""
    if not seconds:
        return Drawing()
    x = scale(seconds)
    box = {"x": START, "y": TOP, "width": x - START, "height": height - TOP - BOTTOM}
    shade = Drawing(element("rect", **box, fill=MUTED, fill_opacity=0.12, class_="shade"))
    edge = rule(x, TOP, x, height - BOTTOM, css="shade-edge", stroke=MUTED, stroke_dasharray="4 3")
    names = label("window ▸", x, TOP - 6, muted=True)
    if x - START > _ROOM_FOR_NAME:
        names += label("warm-up", START, TOP - 6, muted=True)
    return shade + edge + names


def spread(places: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Move label places apart, in their order, to at least `gap` from each other, within low..high."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    result = list(places)
    at = low - gap
    for index in order:
        at = result[index] = max(places[index], at + gap)
    at = high + gap
    for index in reversed(order):
        at = result[index] = min(result[index], at - gap)
    return result


def chart(name: str, title: str, description: str, drawing: Drawing, *, height: int) -> Markup:
    """Return a whole chart: `name` is its id, `title` and `description` are for readers who cannot see it."""
    shapes = element(
        "svg",
        drawing.shapes,
        x=0,
        y=0,
        width="100%",
        height=height,
        viewBox=f"0 0 {WHOLE} {height}",
        preserveAspectRatio="none",
    )
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        shapes,
        drawing.texts,
        id=name,
        class_="chart",
        xmlns="http://www.w3.org/2000/svg",
        width="100%",
        height=height,
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )
