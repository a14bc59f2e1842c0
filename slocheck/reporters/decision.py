"""What decided: the sentence that ends a summary, the counts of a breach, and which of two sides."""

import re
from dataclasses import replace
from fractions import Fraction
from math import isfinite

from slocheck.documents.texts import shorten
from slocheck.documents.units import format_ratio
from slocheck.evidence.series import ENDED_EARLY
from slocheck.grading.assessment import (
    TOO_MANY_BAD,
    Cause,
    Gap,
    LevelResult,
    ObjectiveResult,
    Outcome,
    SideResult,
    Verdict,
)
from slocheck.grading.nearest import nearest, use_of_limit
from slocheck.grading.report import Report
from slocheck.grading.sides import BY_CLIENT
from slocheck.grading.validity.withhold import RUN_INVALID
from slocheck.grading.verdict import NO_DATA
from slocheck.reporters.text import (
    SIDE_TITLES,
    bad_text,
    interval_text,
    limit_text,
    too_slow_text,
    value_text,
)
from slocheck.reporters.totals import may_have_failed
from slocheck.spec.indicators import error_budget, traits_of
from slocheck.spec.model import Objective

MAX_ENDPOINT = 40
MAX_FAULT = 200
_STOP = re.compile(r"[,;] (?![^()]*[)\]])")
"""Up to the first of these outside of brackets, a reason says what is missing."""

_EXAMPLE = re.compile("; |, most often: ")
"""Up to the first of these, a finding says what is wrong; after it come examples and advice."""

_BOTH = "both sides have to keep a limit"

_SIDES = re.compile(f"^(?:client|server|client and server): (?:{NO_DATA})?")


def decision_text(report: Report) -> str:
    """Say in one sentence what the verdict is and which number decided it, without a full stop."""
    assessment = report.assessment
    gate = assessment.gate
    breached = nearest(assessment.objectives, Verdict.BREACHED)
    undecided = nearest(assessment.objectives, Verdict.UNDECIDED)
    match assessment.outcome:
        case Outcome.PASS:
            closest = nearest(assessment.objectives, Verdict.MET)
            return f"{gate} is met" + (f"; closest: {_measured(closest, ',')}" if closest else "")
        case Outcome.FAIL if breached and not assessment.regressed:
            return f"{breached.shown.level} is not met: {_measured(breached, limit='limit')}"
        case Outcome.UNDECIDED if undecided and not breached:
            return _measured(undecided) + _why(undecided)
        case Outcome.INVALID:
            fault = next(finding for finding in assessment.findings if not finding.valid)
            return f"no verdict on {gate}: {shorten(_EXAMPLE.split(fault.message)[0], MAX_FAULT)}"
        case _:
            return assessment.headline.removesuffix(".")


def reason_text(level: LevelResult, outcome: Outcome) -> str:
    """Return why a level is not met; empty if an invalid run says it once for all objectives."""
    if outcome is not Outcome.INVALID or level.verdict is not Verdict.UNDECIDED:
        return level.reason
    short = [
        side.cause is Cause.TOO_FEW_SLICES or side.reason.endswith(ENDED_EARLY)
        for side in level.sides
        if side.verdict is level.verdict
    ]
    return "" if level.reason.startswith(RUN_INVALID) or (short and all(short)) else level.reason


def counts_text(report: Report, objective: Objective, level: LevelResult, side: SideResult) -> str:
    """Write a breach's counts: ``297 of 4,174 requests >= 200ms, 5% allowed``; empty for other values."""
    text = bad_text(objective, side)
    allowed = error_budget(objective.indicator, level.limit)
    is_percentile = traits_of(objective.indicator.kind).is_percentile
    if not text or allowed is None or not is_percentile:
        return text
    slow = too_slow_text(level.limit, failed=may_have_failed(report, objective, side))
    return f"{text.removesuffix(' bad')} requests {slow}, {format_ratio(allowed)} allowed"


def numbered_reason(report: Report, objective: Objective, level: LevelResult) -> str:
    """Return why a level is not met, with each side's counts instead of words for too many bad requests."""
    clauses = []
    for clause in level.reason.split("; "):
        if not clause.endswith(TOO_MANY_BAD):
            clauses.append(clause)
            continue
        named = [side for side in level.sides if side.side.value in clause.split(": ")[0].split(" and ")]
        for side in named or level.sides[:1]:
            said = counts_text(report, objective, level, side) or TOO_MANY_BAD
            clauses.append(f"{side.side.value}: {said}" if named else said)
    return "; ".join(clauses)


def numbered_gaps(report: Report) -> list[Gap]:
    """Return what the next tier is missing, with counts as in `numbered_reason`."""
    results = {result.objective.name: result for result in report.assessment.objectives}
    return [_numbered(report, results[gap.objective], gap) for gap in report.assessment.gaps]


def _numbered(report: Report, result: ObjectiveResult, gap: Gap) -> Gap:
    for level in result.levels:
        told = f": {level.reason}"
        if level.reason and gap.message == f"{level.verdict.value} at {level.level} {level.limit.text}{told}":
            said = numbered_reason(report, result.objective, level)
            return replace(gap, message=f"{gap.message.removesuffix(told)}: {said}")
    return gap


def _why(result: ObjectiveResult) -> str:
    """Return the beginning of the reason of an undecided level."""
    reason = _SIDES.sub("", result.shown.reason)
    return f": {_STOP.split(reason)[0]}" if reason else ""


def _measured(result: ObjectiveResult, verb: str = " is", *, limit: str = "") -> str:
    """Write an objective with its value and limit: ``latency_p95 of GET /items is 262ms, silver < 200ms``."""
    objective, level = result.objective, result.shown
    decides = level.deciding
    where = f" of {shorten(str(objective.endpoint), MAX_ENDPOINT)}" if objective.endpoint else ""
    value = value_text(objective, decides.display if decides else None)
    if decides is None or decides.display is None:
        verb = " has"
    return f"{objective.name}{where}{verb} {value}, {limit_text(limit or level.level, level.limit)}"


def exceeds_times(result: ObjectiveResult) -> Fraction | None:
    """Return by what factor a breached share exceeds its limit, from 2 on; else None."""
    traits = traits_of(result.objective.indicator.kind)
    if not traits.is_ratio or result.shown.verdict is not Verdict.BREACHED:
        return None
    used = use_of_limit(result)
    return Fraction(used) if isfinite(used) and used >= 2 else None  # noqa: PLR2004 - twice


def other_side_text(level: LevelResult, side: SideResult) -> str:
    """Say which side decides a limit, and why this one does not; empty where it says the same.

    Its value and interval stand in a report beside a verdict that they do not bear out.
    """
    if side.display is None or side.verdict is level.verdict:
        return ""
    reason = _STOP.split(level.reason)[0]
    if level.verdict is Verdict.MET and reason.startswith(BY_CLIENT):
        return reason
    others = [one for one in level.sides if one is not side]
    if level.verdict is Verdict.UNDECIDED:
        return f"left open by the {SIDE_TITLES[others[0].side]}'s count: {_BOTH}" if others else ""
    deciding = [one for one in others if one.verdict is level.verdict is Verdict.BREACHED]
    if deciding:
        return f"decided by the {SIDE_TITLES[deciding[0].side]}'s count: {_BOTH}"
    return f"follows from another limit: {reason}"


def other_sides_text(report: Report, objective: Objective, level: LevelResult) -> str:
    """Write the numbers of the sides that say otherwise than the verdict, each with why it does not decide.

    Such as ``server 590/s, 95% CI 323-605/s: decided by the client's count: ...``; empty where there is none.
    """
    found = []
    for side in level.sides:
        if side is level.deciding or not (why := other_side_text(level, side)):
            continue
        failed = may_have_failed(report, objective, side)
        interval = interval_text(objective, level.limit, side, report.assessment.confidence, failed=failed)
        value = f"{SIDE_TITLES[side.side]} {value_text(objective, side.display)}"
        found.append(f"{', '.join(filter(None, (value, interval)))} ({why})")
    return "; ".join(found)
