"""Withholds met limits: if something is wrong with the measurement, none counts as met."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from slocheck.grading.assessment import Finding, LevelResult, ObjectiveResult, SideResult, Verdict

RUN_INVALID = "the run is invalid"
"""How the reason of a limit begins that is not counted as met because the whole run is invalid."""


def withhold_met(
    results: Sequence[ObjectiveResult], reason: str, *, only: Collection[str] | None = None
) -> tuple[ObjectiveResult, ...]:
    """Return the results with every MET turned into UNDECIDED; what is breached stays so.

    Args:
        results: Of all objectives.
        reason: A short one, such as ``the run is invalid (schedule-lag)``; the finding says the rest.
        only: Names of the objectives concerned; None: all.
    """
    return tuple(
        replace(result, levels=tuple(withheld_level(level, reason) for level in result.levels))
        if only is None or result.objective.name in only
        else result
        for result in results
    )


def withhold_invalid(
    results: Sequence[ObjectiveResult], findings: Sequence[Finding]
) -> tuple[ObjectiveResult, ...]:
    """Return the results with every MET withheld that a fault of the measurement makes invalid.

    A breach can stand despite a fault: see `outcome.outcome_of`.
    """
    for fault in (finding for finding in findings if not finding.valid):
        only = fault.affects if fault.server_only else None
        subject = "the server side is invalid" if fault.server_only else RUN_INVALID
        results = withhold_met(results, f"{subject} ({fault.code})", only=only)
    return tuple(results)


def withheld_level(level: LevelResult, reason: str) -> LevelResult:
    """Return a level, and each of its sides, with MET turned into UNDECIDED."""
    sides = tuple(_withheld_side(side, reason) for side in level.sides)
    if level.verdict is not Verdict.MET:
        return replace(level, sides=sides)
    return replace(level, verdict=Verdict.UNDECIDED, reason=reason, sides=sides)


def _withheld_side(side: SideResult, reason: str) -> SideResult:
    if side.verdict is not Verdict.MET:
        return side
    bounds = replace(side.bounds, tolerance=None) if side.bounds else None
    return replace(side, verdict=Verdict.UNDECIDED, reason=reason, bounds=bounds)
