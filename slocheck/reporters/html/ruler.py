"""The tier ruler: an axis with an objective's limits, and where client and server saw its value."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from slocheck.grading.assessment import LevelResult, ObjectiveResult, Side
from slocheck.reporters.html.charts import svg
from slocheck.reporters.html.charts.lines import tier_colour, tier_css
from slocheck.reporters.html.charts.svg import MUTED, WHOLE, Drawing, Linear, Log
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Limit

LEFT, RIGHT = 30, 970
_LANE, _ROW = 16, 15
_TEXT_WIDTH = 23.0
"""Width of a character, in thousandths of the narrowest ruler."""
_MANY_TIMES = 8.0
_ROOM = 0.12
_COLOURS = {Side.CLIENT: ("#0067a8", "client"), Side.SERVER: ("#5b3fc4", "server")}


@dataclass(frozen=True, slots=True)
class Mark:
    """What one side says about the value.

    Attributes:
        side: Who measured.
        low: Lower bound of the value, base units.
        high: Upper bound; may be infinite.
        interval: Where the true value lies; None if the statistics do not say.
    """

    side: Side
    low: float
    high: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class _Limit:
    """A limit at its place on the axis."""

    level: str
    text: str
    x: float


Place = Callable[[float], float]


def ruler(
    result: ObjectiveResult, marks: Sequence[Mark], tiers: Sequence[str], *, name: str, words: str
) -> Markup:
    """Return the ruler of an objective.

    Args:
        result: With the limits.
        marks: One for each side that has a value.
        tiers: Of the spec, loosest first.
        name: Id of the chart.
        words: All that it shows, for readers who cannot see it.
    """
    good = traits_of(result.objective.indicator.kind).good_share
    place = _scale(marks, [level.limit for level in result.levels], good=good)
    limits = _limits(result, place)
    axis = 6.0 + _LANE * max(1, len(marks))
    rows = _label_rows(limits)
    drawing = svg.together(
        [
            svg.rule(0, axis, WHOLE, axis, css="axis", stroke=MUTED, stroke_width=1),
            _kept(result, place, axis),
            *(_limit(limit, axis, tiers, row) for limit, row in zip(limits, rows, strict=True)),
            *(_mark(mark, place, 6.0 + _LANE * number) for number, mark in enumerate(marks)),
        ]
    )
    height = int(axis) + 8 + _ROW * (1 + max(rows, default=0))
    return svg.chart(name, f"{result.objective.name} on its limits", words, drawing, height=height)


def _limits(result: ObjectiveResult, place: Place) -> list[_Limit]:
    """Return the limits at their places; levels with the same one share it."""
    same: dict[str, list[LevelResult]] = {}
    for level in result.levels:
        same.setdefault(level.limit.text, []).append(level)
    return [
        _Limit(
            levels[0].level,
            f"{', '.join(level.level for level in levels)} {text}",
            place(float(levels[0].limit.value)),
        )
        for text, levels in same.items()
    ]


def _scale(marks: Sequence[Mark], limits: Sequence[Limit], *, good: bool) -> Place:
    """Return the axis: linear, or logarithmic if values lie far apart; of good shares by their complement."""
    seen = [end for mark in marks for end in (mark.low, mark.high, *(mark.interval or ()))]
    values = [value for value in (*seen, *(float(limit.value) for limit in limits)) if math.isfinite(value)]
    if good:
        mirrored = _spaced([1 - value for value in values], RIGHT, LEFT)
        return lambda value: mirrored(1 - value)
    return _spaced(values, LEFT, RIGHT)


def _spaced(values: Sequence[float], start: float, end: float) -> Place:
    low, high = min(values), max(values)
    least = min((value for value in values if value > 0), default=high)
    if low >= 0 and least > 0 and high / least > _MANY_TIMES:  # 0 lies at the axis' end
        room = (high / least) ** _ROOM
        return Log(least / room, high * room, start, end)
    room = _ROOM * ((high - low) or abs(high) or 1.0)
    lowest = low - room
    return Linear(max(0.0, lowest) if low >= 0 else lowest, high + room, start, end)


def _kept(result: ObjectiveResult, place: Place, axis: float) -> Drawing:
    """Return a bar along the axis where the limit that the gate asks for is kept."""
    limit = result.shown.limit
    at = place(float(limit.value))
    end = 0.0 if limit.comparison.lower_is_better else float(WHOLE)
    return svg.rule(end, axis, at, axis, css="kept", stroke="#2f7d4f", stroke_width=5)


def _limit(limit: _Limit, axis: float, tiers: Sequence[str], row: int) -> Drawing:
    """Return a limit's tick with its name below it, in a separate row if another is near."""
    colour, css = tier_colour(limit.level, tiers), f"limit {tier_css(limit.level, tiers)}"
    tick = svg.rule(limit.x, axis - 7, limit.x, axis + 7, css=css, stroke=colour, stroke_width=4)
    return tick + svg.label(limit.text, limit.x, axis + 5 + _ROW * (row + 1), anchor=_anchor(limit.x))


def _anchor(x: float) -> str:
    return "start" if x < WHOLE / 5 else "end" if x > WHOLE * 4 / 5 else "middle"


def _label_rows(limits: Sequence[_Limit]) -> list[int]:
    """Return the row of each label, so that none overlaps another, however narrow the ruler."""
    ends: list[list[tuple[float, float]]] = []
    rows = []
    for limit in limits:
        width = _TEXT_WIDTH * len(limit.text)
        before = {"start": 0.0, "end": width, "middle": width / 2}[_anchor(limit.x)]
        left = limit.x - before
        row = 0
        while row < len(ends) and any(left < right and begin < left + width for begin, right in ends[row]):
            row += 1
        if row == len(ends):
            ends.append([])
        ends[row].append((left, left + width))
        rows.append(row)
    return rows


def _mark(mark: Mark, place: Place, y: float) -> Drawing:
    """Return a side's value as a dot, or as a bar if only its bounds are known, with its interval."""
    colour, css = _COLOURS[mark.side]
    low, high = place(mark.low), place(mark.high)
    parts = []
    if mark.interval is not None:
        left, right = map(place, mark.interval)
        whisker = f"M{left:.1f},{y - 4}v8M{left:.1f},{y}H{right:.1f}M{right:.1f},{y - 4}v8"
        parts.append(svg.path(whisker, css=f"line {css}", stroke=colour, stroke_width=1.5))
    if high - low > 1:
        parts.append(svg.rule(low, y, high, y, css=f"line {css}", stroke=colour, stroke_width=7))
    else:
        square = mark.side is Side.SERVER
        parts.append(svg.dot(high, y, css=f"line {css}", colour=colour, size=9, square=square))
    return svg.together(parts)
