"""A climb as one HTML page: complete without JavaScript, styled like the report, under a strict CSP."""

from dataclasses import dataclass

from slocheck.documents.units import format_ratio
from slocheck.reporters.decision import numbered_gaps
from slocheck.reporters.html.documents import asset, csp_hash, environment
from slocheck.reporters.ladder.charts import charts
from slocheck.reporters.ladder.lines import moved_text
from slocheck.reporters.ladder.model import Climb, ClimbStep, Measure, Move, measures, move


@dataclass(frozen=True, slots=True)
class StepChange:
    """One objective before and after a step.

    Attributes:
        name: Of the objective.
        before: The value without the strategy.
        now: The value with it.
        move: Whether the intervals lie apart.
    """

    name: str
    before: Measure
    now: Measure
    move: Move


@dataclass(frozen=True, slots=True)
class Shown:
    """One step as the page shows it.

    Attributes:
        step: The step.
        moved: Which objectives it moved, in words.
        changes: Each objective before and after; none for the first step.
        measures: Each objective now.
    """

    step: ClimbStep
    moved: str
    changes: tuple[StepChange, ...]
    measures: tuple[Measure, ...]


def render(climb: Climb) -> str:
    """Return the page of a climb; the reports of its runs are next to it, by their run's id."""
    first, last = climb.steps[0], climb.steps[-1]
    origin, confidence = last.report.evidence.provenance, last.report.assessment.confidence
    style = asset("style.css")
    return (
        environment(__name__)
        .get_template("ladder.html.j2")
        .render(
            style=style,
            style_hash=csp_hash(style),
            climb=climb,
            steps=_shown(climb),
            charts=charts(climb),
            first=first,
            last=last,
            gaps=numbered_gaps(last.report),
            interval=f"{format_ratio(confidence.level)} interval" if confidence else "interval",
            machine=f"{origin.host}, {origin.cores} cores",
            window=f"{last.report.evidence.recording.window_s:g} s",
        )
    )


def _shown(climb: Climb) -> list[Shown]:
    found: list[Shown] = []
    before: ClimbStep | None = None
    for step in climb.steps:
        now = measures(step)
        old = measures(before) if before else ()
        changes = tuple(
            StepChange(new.objective.name, was, new, move(was, new))
            for was, new in zip(old, now, strict=False)
        )
        found.append(Shown(step, moved_text(before, step), changes, now))
        before = step
    return found
