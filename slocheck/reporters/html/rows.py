"""One row for each objective on the first screen: its value, its limit, and where it lies among the tiers."""

from dataclasses import dataclass
from math import isfinite

from markupsafe import Markup

from slocheck.documents.units import format_ratio
from slocheck.grading.assessment import (
    SEVERITY,
    TOO_MANY_BAD,
    LevelResult,
    ObjectiveResult,
    SideResult,
    Verdict,
)
from slocheck.grading.nearest import most_used_first
from slocheck.grading.report import Report
from slocheck.grading.value_interval import value_interval
from slocheck.reporters.decision import other_side_text, reason_text
from slocheck.reporters.escape import slug
from slocheck.reporters.html.change import ChangeView, change
from slocheck.reporters.html.ruler import Mark, ruler
from slocheck.reporters.text import (
    NO_DATA,
    SIDE_TITLES,
    indicator_text,
    limit_text,
    limits_of,
    margin_text,
    range_text,
    scope_text,
    value_text,
)
from slocheck.spec.formatting import format_value


@dataclass(frozen=True, slots=True)
class SideValue:
    """One side's value in words.

    Attributes:
        title: Who measured.
        value: The measured value, or that there is no data.
        interval: Where the true value lies; empty if the statistics do not say.
        why: Which side decides, if this one says otherwise; else empty.
    """

    title: str
    value: str
    interval: str
    why: str


@dataclass(frozen=True, slots=True)
class ObjectiveRow:
    """One objective.

    Attributes:
        anchor: Id of the place where it is explained.
        name: The key in slo.yaml.
        what: The indicator in words, and on which requests.
        verdict: Of the levels that the gate needs; None if it needs none of them.
        value: Of the deciding side.
        limit: The level that decides, with its limit.
        margin: From the limit to the value.
        sides: Client and server.
        ruler: The tier ruler; empty if nothing was measured.
        reason: Why it is not met; empty if it is met, or if the numbers say why.
        change: Since the last comparable run; None if there is none.
    """

    anchor: str
    name: str
    what: str
    verdict: Verdict | None
    value: str
    limit: str
    margin: str
    sides: tuple[SideValue, ...]
    ruler: Markup
    reason: str
    change: ChangeView | None


def rows(report: Report, *, needed: bool) -> tuple[ObjectiveRow, ...]:
    """Return the objectives that the gate needs, the worst first, or those that it does not need."""
    numbers = {id(result): number for number, result in enumerate(report.assessment.objectives)}
    chosen = [result for result in report.assessment.objectives if (result.verdict is not None) is needed]
    found = [result for result, _ in most_used_first((result, result.shown) for result in chosen)]
    found.sort(key=lambda result: SEVERITY.index(result.shown.verdict))
    return tuple(_row(report, result, numbers[id(result)]) for result in found)


def anchor_of(result: ObjectiveResult, number: int) -> str:
    """Return the id of an objective's details."""
    return f"objective-{number}-{slug(result.objective.name)}"


def _row(report: Report, result: ObjectiveResult, number: int) -> ObjectiveRow:
    objective, level = result.objective, result.shown
    decides = level.deciding
    shown = decides.display if decides else None
    reason = reason_text(level, report.assessment.outcome)
    marks = [mark for side in level.sides if (mark := _mark(report, result, side)) is not None]
    sides = tuple(_side(result, level, side, marks, report) for side in level.sides)
    return ObjectiveRow(
        anchor=anchor_of(result, number),
        name=objective.name,
        what=f"{indicator_text(objective.indicator)}, {scope_text(objective)}",
        verdict=result.verdict,
        value=value_text(objective, shown),
        limit=limit_text(level.level, level.limit),
        margin=margin_text(objective, level.limit, shown),
        sides=sides,
        ruler=_ruler(report, result, marks, sides, number),
        reason="" if level.verdict is Verdict.MET or TOO_MANY_BAD in reason else reason,
        change=change(report, result, number),
    )


def _mark(report: Report, result: ObjectiveResult, side: SideResult) -> Mark | None:
    display = side.display
    if display is None or display.low is None or display.high is None:
        return None
    interval = value_interval(result, side, report.evidence.recording, report.assessment.confidence)
    return Mark(side.side, display.low, display.high, interval)


def _side(
    result: ObjectiveResult, level: LevelResult, side: SideResult, marks: list[Mark], report: Report
) -> SideValue:
    interval = next((mark.interval for mark in marks if mark.side is side.side), None)
    confidence = report.assessment.confidence
    text = ""
    if interval is not None and confidence is not None and isfinite(min(interval)):
        kind, limits = result.objective.indicator.kind, limits_of(result.objective)
        low, high = (format_value(kind, end, limits=limits) for end in interval)
        text = f"{format_ratio(confidence.level)} interval {range_text(low, high)}"
    value = value_text(result.objective, side.display)
    return SideValue(SIDE_TITLES[side.side], value, text, other_side_text(level, side))


def _ruler(
    report: Report, result: ObjectiveResult, marks: list[Mark], sides: tuple[SideValue, ...], number: int
) -> Markup:
    if not marks:
        return Markup("")
    seen = "; ".join(
        ", ".join(filter(None, (f"{side.title} {side.value}", side.interval, side.why)))
        for side in sides
        if side.value != NO_DATA
    )
    limits = ", ".join(limit_text(level.level, level.limit) for level in result.levels)
    return ruler(result, marks, report.spec.tiers, name=f"ruler-{number}", words=f"{seen}. Limits: {limits}.")
