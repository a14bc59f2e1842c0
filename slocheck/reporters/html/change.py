"""What changed since earlier comparable runs: a sparkline and the difference, for each objective."""

from dataclasses import dataclass

from markupsafe import Markup

from slocheck.comparison.model import Change
from slocheck.comparison.words import amount_text, change_lines, interval_text, summary, value_text
from slocheck.grading.assessment import ObjectiveResult
from slocheck.grading.report import Report
from slocheck.reporters.html.charts import svg
from slocheck.reporters.html.charts.lines import LOOKS

_HEIGHT, _ROOM = 30, 6
_FEW = 2


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One objective since earlier runs.

    Attributes:
        text: The difference, the value before, and the conclusion.
        spark: The values of the earlier runs and of this one; empty if there are none.
    """

    text: str
    spark: Markup


def since(report: Report) -> str:
    """Say in one line what changed since the runs that this one is compared with; empty without any."""
    return summary(report.comparison) if report.comparison else ""


def tested(report: Report) -> tuple[str, ...]:
    """Return a line for each change, with its conclusion, or why there is none; empty without any."""
    return tuple(change_lines(report.comparison)) if report.comparison else ()


def change(report: Report, result: ObjectiveResult, number: int) -> ChangeView | None:
    """Return the change of an objective; None if nothing can be compared with it."""
    if report.comparison is None:
        return None
    name = result.objective.name
    found = next((item for item in report.comparison.changes if item.objective == name), None)
    return None if found is None or found.old is None else ChangeView(_text(found), _sparkline(found, number))


def _text(found: Change) -> str:
    """Write a change: ``+34% (+12% to +60%) from 100ms, worse``."""
    amount = amount_text(found, found.amount) or f"now {value_text(found.kind, found.new)}"
    interval = interval_text(found)
    difference = f"{amount}{f' ({interval})' if interval else ''}"
    return f"{difference} from {value_text(found.kind, found.old)}, {found.trend}"


def _sparkline(found: Change, number: int) -> Markup:
    values = found.recent
    if len(values) < _FEW:
        return Markup("")
    low, high = min(values), max(values)
    room = 0.1 * ((high - low) or abs(high) or 1.0)
    x = svg.Linear(0, len(values) - 1, 20, svg.WHOLE - 30)
    y = svg.Linear(low - room, high + room, _HEIGHT - _ROOM, _ROOM)
    points = [(x(place), y(value)) for place, value in enumerate(values)]
    look = LOOKS[0]
    curve = svg.path(svg.line(points), css=look.css, stroke=look.colour, stroke_width=1.5)
    drawing = curve + svg.dot(*points[-1], css=look.css, colour=look.colour)
    listed = ", ".join(value_text(found.kind, value) for value in values)
    title = f"{found.objective} in {len(values)} runs"
    return svg.chart(
        f"spark-{number}", title, f"{listed}; the last one is this run.", drawing, height=_HEIGHT
    )
