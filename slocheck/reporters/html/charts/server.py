"""Charts of how busy the service was: processor and memory of its processes and containers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from slocheck.indicators.saturation import Course
from slocheck.reporters.html.charts import lines, svg
from slocheck.reporters.html.charts.clock import Clock
from slocheck.reporters.html.charts.lines import LOOKS, line_key
from slocheck.reporters.html.charts.over_time import LOW_HEIGHT, Chart
from slocheck.reporters.html.charts.svg import BOTTOM, TOP, Linear
from slocheck.reporters.html.charts.timeline import decimated
from slocheck.reporters.text import bytes_text

MOST_LINES = len(LOOKS)
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Span:
    """The time axis that these charts share with the others.

    Attributes:
        seconds: Its length.
        clock: Of the run.
        warmup_s: Length of the warm-up.
    """

    seconds: int
    clock: Clock
    warmup_s: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of the charts: its id, its title, its axis label, and how a value is written."""

    name: str
    title: str
    what: str
    text: Callable[[float], str]


_CPU = _Kind("cpu", "CPU", "processor cores used", lambda value: f"{value:g}")
_MEMORY = _Kind("memory", "Memory", "memory used", bytes_text)


def cpu_chart(courses: Sequence[Course], span: Span) -> Chart | None:
    """Return the processor cores used over time; None if no series shows them."""
    return _chart(_CPU, {course.name: course.cpu_cores for course in courses if course.cpu_cores}, span)


def memory_chart(courses: Sequence[Course], span: Span) -> Chart | None:
    """Return the memory used over time; None if no series shows it."""
    found = {course.name: course.memory_bytes for course in courses if course.memory_bytes}
    return _chart(_MEMORY, found, span)


def _chart(kind: _Kind, found: Mapping[str, Points], span: Span) -> Chart | None:
    """Return lines over time, those with the largest values first."""
    if not found:
        return None
    shown = sorted(found, key=lambda item: -max(value for _, value in found[item]))[:MOST_LINES]
    highest = max(value for item in shown for _, value in found[item])
    x = svg.time_scale(span.seconds)
    y = Linear(0, svg.round_high(highest or 1.0), LOW_HEIGHT - BOTTOM, TOP)
    looks = dict(zip(shown, LOOKS, strict=False))
    drawing = svg.together(
        [
            svg.value_axis(y, [kind.text(value) for value in y.ticks()], kind.what),
            svg.time_axis(x, LOW_HEIGHT, span.clock),
            svg.warmup(x, span.warmup_s, LOW_HEIGHT),
            *(
                lines.stroke(
                    svg.broken_line((x(at), y(value)) for at, value in _kept(found[item])), looks[item]
                )
                for item in shown
            ),
        ]
    )
    description = (
        f"{kind.title} of {', '.join(shown)} over time: {kind.what}, as the metric source scraped it."
    )
    chart = svg.chart(kind.name, f"{kind.title} over time", description, drawing, height=LOW_HEIGHT)
    return Chart(chart, tuple(line_key(look, item) for item, look in looks.items()))


def _kept(points: Points) -> Points:
    """Return the points that are drawn: of many, the smallest and largest of each pixel."""
    return [points[row] for row in decimated(np.asarray([value for _, value in points])).tolist()]
