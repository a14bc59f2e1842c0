"""The sentence that ends a summary: the verdict, and the number that decided it."""

import re
from collections.abc import Iterable
from fractions import Fraction
from math import inf, isfinite

from slocheck.documents.texts import shorten
from slocheck.grading.assessment import LevelResult, ObjectiveResult, Outcome, Verdict
from slocheck.grading.report import Report
from slocheck.reporters.text import limit_text, value_text
from slocheck.spec.indicators import traits_of

MAX_ENDPOINT = 40
_STOP = re.compile("[,;:] ")
"""Before the first one a message says what was measured."""

_SIDES = re.compile("^(?:client|server|client and server): ")


def decision_text(report: Report) -> str:
    """Say in one sentence what the verdict is and which number decided it, without a full stop."""
    assessment = report.assessment
    gate = assessment.gate
    match assessment.outcome:
        case Outcome.PASS:
            closest = _nearest(report, Verdict.MET)
            return f"{gate} is met" + (f"; closest: {_measured(closest, ',')}" if closest else "")
        case Outcome.FAIL if not assessment.regressed and (breached := _nearest(report, Verdict.BREACHED)):
            return f"{breached.shown.level} is not met: {_measured(breached, limit='limit')}"
        case Outcome.UNDECIDED if not _nearest(report, Verdict.BREACHED) and (
            undecided := _nearest(report, Verdict.UNDECIDED)
        ):
            return _measured(undecided) + _why(undecided)
        case Outcome.INVALID:
            fault = next(finding for finding in assessment.findings if not finding.valid)
            return f"no verdict on {gate}: {_STOP.split(fault.message)[0]}"
        case _:
            return assessment.headline.removesuffix(".")


def _why(result: ObjectiveResult) -> str:
    """Return the beginning of the reason for what is undecided."""
    reason = _SIDES.sub("", result.shown.reason)
    return f": {_STOP.split(reason)[0]}" if reason else ""


def use_of_limit(result: ObjectiveResult) -> float:
    """Return how much of its limit an objective uses: over 1 where it is broken, 0 where nothing is known.

    For a share of good requests that is the bad share as a part of the allowed one.
    """
    level = result.shown
    value = _worst_value(level)
    if value is None:
        return 0.0
    if not isfinite(value):
        return inf
    limit = float(level.limit.value)
    if traits_of(result.objective.indicator.kind).good_share:
        return _ratio(1 - value, 1 - limit)
    return _ratio(value, limit) if level.limit.comparison.lower_is_better else _ratio(limit, value)


def _ratio(part: float, whole: float) -> float:
    if whole:
        return part / whole
    return inf if part else 1.0


def _worst_value(level: LevelResult) -> float | None:
    """Return the deciding side's value, at the end that is worse for the limit."""
    decides = level.deciding
    display = decides.display if decides else None
    if display is None or display.low is None or display.high is None:
        return None
    return display.high if level.limit.comparison.lower_is_better else display.low


def _nearest(report: Report, verdict: Verdict) -> ObjectiveResult | None:
    """Return the objective of this verdict that uses most of its limit, the first of several; None: none."""
    return _most_used(result for result in report.assessment.objectives if result.verdict is verdict)


def _most_used(results: Iterable[ObjectiveResult]) -> ObjectiveResult | None:
    return max(results, key=use_of_limit, default=None)


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
    """Return how many times a broken limit of a share is exceeded, from twice on; else None."""
    traits = traits_of(result.objective.indicator.kind)
    if not traits.is_ratio or result.shown.verdict is not Verdict.BREACHED:
        return None
    used = use_of_limit(result)
    return Fraction(used) if isfinite(used) and used >= 2 else None  # noqa: PLR2004 - twice
