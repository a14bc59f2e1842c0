"""Building blocks of charts: elements, scales, axes. They use presentation attributes and need no CSS."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from slocheck.reporters.escape import for_html

WIDTH, HEIGHT = 960, 292
LEFT, RIGHT, TOP, BOTTOM = 72, 112, 34, 40
INK, MUTED, GRID = "#1f2933", "#52606d", "#d9dee4"
FONT = "system-ui, sans-serif"
_TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_MOST_TIME_TICKS = 10
_DECADE_STEPS = (1, 2, 5)
_LINEAR_TICKS = 4


def element(tag: str, *children: str, **attributes: object) -> Markup:
    """Return one element; attribute names use ``_`` for ``-``, a trailing ``_`` is dropped.

    Children that are `Markup` stand as they are, other text is escaped; attributes always are.
    """
    inside = Markup("").join(map(_text, children))
    pairs = Markup("").join(
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), _plain(value))
        for name, value in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(tag, pairs, inside)


def _text(child: str) -> Markup:
    """Return markup as it is, other text escaped."""
    if isinstance(child, Markup):
        return child
    return Markup(for_html(child))  # noqa: S704 - escaped by the sink's own function


def _plain(value: object) -> str:
    """Write a coordinate to a tenth of a pixel, which is enough."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Linear:
    """A linear scale from values to pixels.

    Attributes:
        low: Value at `start`.
        high: Value at `end`.
        start: Pixel.
        end: Pixel.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value; values beyond the ends are clamped."""
        share = (min(max(value, self.low), self.high) - self.low) / ((self.high - self.low) or 1)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return round values from `low` to `high`, about four."""
        step = _round_up((self.high - self.low) / _LINEAR_TICKS)
        return [self.low + step * number for number in range(int((self.high - self.low) / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class Log:
    """A logarithmic scale from positive values to pixels; see `Linear`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value; values beyond the ends are clamped."""
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


def round_high(value: float) -> float:
    """Return the upper end of a linear axis that fits `value` and has round ticks."""
    step = _round_up(value / _LINEAR_TICKS)
    return step * max(1, math.ceil(value / step - 1e-9))


def time_scale(seconds: int) -> Linear:
    """Return the time axis that all charts share."""
    return Linear(0, max(1, seconds), LEFT, WIDTH - RIGHT)


def label(
    text: str, x: float, y: float, *, anchor: str = "start", muted: bool = False, size: int = 12
) -> Markup:
    """Return a text with its baseline at `y`."""
    return element(
        "text",
        text,
        x=x,
        y=y,
        text_anchor=anchor,
        fill=MUTED if muted else INK,
        font_size=size,
        font_family=FONT,
        class_="muted" if muted else "ink",
    )


def line(points: Sequence[tuple[float, float]]) -> str:
    """Return path data through points in pixels."""
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


def time_axis(scale: Linear, height: int) -> Markup:
    """Return the time axis: round minutes and seconds since the load began."""
    step = next((s for s in _TIME_STEPS if scale.high / s <= _MOST_TIME_TICKS), _TIME_STEPS[-1])
    parts = []
    for second in range(0, int(scale.high) + 1, step):
        x = scale(second)
        minutes, rest = divmod(second, 60)
        parts.append(grid_line(x, TOP, x, height - BOTTOM))
        parts.append(label(f"{minutes}:{rest:02}", x, height - BOTTOM + 18, anchor="middle", muted=True))
    parts.append(
        label("minutes since the load began", scale.end, height - 6, anchor="end", muted=True, size=11)
    )
    return Markup("").join(parts)


def value_axis(scale: Scale, texts: Sequence[str], title: str) -> Markup:
    """Return the axis on the left; `texts` label the scale's ticks."""
    parts = [label(title, 8, 12, muted=True, size=11)]
    for value, text in zip(scale.ticks(), texts, strict=True):
        y = scale(value)
        parts.append(grid_line(LEFT, y, WIDTH - RIGHT, y))
        parts.append(label(text, LEFT - 8, y + 4, anchor="end", muted=True))
    return Markup("").join(parts)


def grid_line(x1: float, y1: float, x2: float, y2: float) -> Markup:
    """Return a faint line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=GRID, stroke_width=1, class_="grid")


def warmup(scale: Linear, seconds: int, height: int) -> Markup:
    """Return a labelled shade over the warm-up; nothing if there is none."""
    if not seconds:
        return Markup("")
    x = scale(seconds)
    shade = element(
        "rect",
        x=LEFT,
        y=TOP,
        width=x - LEFT,
        height=height - TOP - BOTTOM,
        fill=MUTED,
        fill_opacity=0.14,
        class_="shade",
    )
    edge = element(
        "line",
        x1=x,
        y1=TOP,
        x2=x,
        y2=height - BOTTOM,
        stroke=MUTED,
        stroke_dasharray="4 3",
        class_="shade-edge",
    )
    return shade + edge + label("warm-up, not graded", LEFT, TOP - 5, muted=True, size=11)


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


def chart(name: str, title: str, description: str, *parts: Markup, height: int = HEIGHT) -> Markup:
    """Return a whole chart: `name` is its id, `title` and `description` are for those who cannot see it."""
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        *parts,
        id=name,
        class_="chart",
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {height}",
        width="100%",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
    )
