"""The climb as charts: a value with its interval at each step, and the limits of the tiers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from slocheck.reporters.html.charts import svg
from slocheck.reporters.html.charts.lines import LOOKS, Look, draw_limits, limit_lines, tier_colour, tier_css
from slocheck.reporters.html.charts.svg import BOTTOM, END, START, TOP, Drawing, Linear, Log, Scale
from slocheck.reporters.ladder.model import Climb, Measure, measures
from slocheck.spec.formatting import format_value

_HEIGHT = 300
_TIER_HEIGHT = 200
_LEAST_LATENCY_S = 0.001
_MOST_LATENCY_S = 10.0
_WHISKER = 5


@dataclass(frozen=True, slots=True)
class ClimbChart:
    """One chart of the page.

    Attributes:
        title: Its heading.
        note: What it shows.
        drawing: The chart.
    """

    title: str
    note: str
    drawing: Markup


def charts(climb: Climb) -> tuple[ClimbChart, ...]:
    """Return the tier, the latencies, and each share of the spec, step by step."""
    names = [item.name for item in climb.steps[0].report.spec.objectives]
    latencies = [name for name in names if name.startswith("latency")]
    found = [_tiers(climb), _lines(climb, latencies, "Latency per step", logarithmic=True)]
    for name, title in (("error_rate", "Error rate per step"), ("cache_hit_rate", "Hit rate per step")):
        if name in names:
            found.append(_lines(climb, [name], title, logarithmic=False))
    return tuple(found)


def _tiers(climb: Climb) -> ClimbChart:
    """Draw the tier that each step reached."""
    tiers = climb.steps[0].report.spec.tiers
    height, x = _TIER_HEIGHT, _places(climb)
    y = Linear(0, len(tiers), height - BOTTOM, TOP)
    parts = [_axis(climb, x, height)]
    for level, name in enumerate(("none", *tiers)):
        parts.append(svg.grid_line(START, y(level), END, y(level)))
        parts.append(svg.label(name, 0, y(level) + 4, muted=True))
    for place, step in zip(x, climb.steps, strict=True):
        reached = step.report.assessment.tier
        level = tiers.index(reached) + 1 if reached in tiers else 0
        css, colour = tier_css(reached or "", tiers), tier_colour(reached or "", tiers)
        parts.append(svg.dot(place, y(level), css=css, colour=colour, size=13))
    words = ", ".join(f"{step.strategy}: {step.tier}" for step in climb.steps)
    drawing = svg.chart("tiers", "Tier per step", words, svg.together(parts), height=height)
    return ClimbChart("Tier per step", "The highest tier whose objectives are all met.", drawing)


def _lines(climb: Climb, names: Sequence[str], title: str, *, logarithmic: bool) -> ClimbChart:
    """Draw objectives of one unit over the steps."""
    x = _places(climb)
    bottom = _HEIGHT - BOTTOM
    y: Scale = (
        Log(_LEAST_LATENCY_S, _MOST_LATENCY_S, bottom, TOP) if logarithmic else Linear(0, 1, bottom, TOP)
    )
    series = [[_of(step, name) for step in _measured(climb)] for name in names]
    spec = climb.steps[0].report.spec
    kind = series[0][0].objective.indicator.kind
    graded = [item for item in spec.objectives if item.name == _graded(names)]
    parts = [
        _axis(climb, x, _HEIGHT),
        svg.value_axis(y, [format_value(kind, tick) for tick in y.ticks()], ""),
        draw_limits(limit_lines(graded, spec), y, spec.tiers, bottom=bottom),
        *(_series(one, x, y, look) for one, look in zip(series, LOOKS, strict=False)),
    ]
    words = "; ".join(
        f"{name}: {', '.join(one.value for one in values)}"
        for name, values in zip(names, series, strict=True)
    )
    key = title.lower().replace(" ", "-")
    drawing = svg.chart(key, title, words, svg.together(parts), height=_HEIGHT)
    limits = f" Limits are those of {_graded(names)}." if graded else ""
    note = f"With the interval in which the true value lies.{limits}"
    return ClimbChart(title, note, drawing)


def _graded(names: Sequence[str]) -> str:
    """Return the objective whose limits are drawn: of several percentiles p95."""
    return next((name for name in names if name.endswith("p95")), names[0])


def _measured(climb: Climb) -> list[tuple[Measure, ...]]:
    return [measures(step) for step in climb.steps]


def _of(found: Sequence[Measure], name: str) -> Measure:
    return next(one for one in found if one.objective.name == name)


def _places(climb: Climb) -> list[float]:
    """Return the places of the steps on the axis."""
    count = len(climb.steps)
    return [START + (END - START) * (number + 0.5) / count for number in range(count)]


def _axis(climb: Climb, x: Sequence[float], height: int) -> Drawing:
    """Name the steps below the chart, every other one a line lower."""
    return svg.together(
        svg.grid_line(place, TOP, place, height - BOTTOM)
        + svg.label(
            step.strategy, place, height - BOTTOM + (15 if number % 2 else 30), anchor="middle", muted=True
        )
        for number, (place, step) in enumerate(zip(x, climb.steps, strict=True))
    )


def _series(values: Sequence[Measure], x: Sequence[float], y: Scale, look: Look) -> Drawing:
    """Draw one objective: a line through its values, and its interval at each step."""
    points = [
        (place, None if one.middle is None else y(one.middle)) for place, one in zip(x, values, strict=True)
    ]
    parts = [
        svg.path(svg.broken_line(points), css=look.css, stroke=look.colour, stroke_dasharray=look.dash),
        *(_whisker(one, place, y, look) for place, one in zip(x, values, strict=True)),
    ]
    last = next((one for one in reversed(values) if one.middle is not None), None)
    if last is not None and last.middle is not None:
        parts.append(
            svg.label(last.objective.name, END + 6, y(last.middle) + 4, css=look.css, colour=look.colour)
        )
    return svg.together(parts)


def _whisker(one: Measure, place: float, y: Scale, look: Look) -> Drawing:
    """Draw an interval as an upright line; one that has no upper end reaches the top."""
    if one.interval is None or not math.isfinite(one.interval[0]):
        return Drawing()
    low, high = y(one.interval[0]), y(min(one.interval[1], 1e9))
    ends = svg.together(
        svg.rule(place - _WHISKER, end, place + _WHISKER, end, css=look.css, stroke=look.colour)
        for end in (low, high)
    )
    return svg.rule(place, low, place, high, css=look.css, stroke=look.colour, stroke_width=2) + ends
