"""What a run says of the gate: outcome, exit code, and one sentence."""

from collections.abc import Sequence

from slocheck.documents.words import capitalised, quantity
from slocheck.errors import SIGNAL_EXIT_CODES
from slocheck.evidence.model import Ending, Evidence
from slocheck.grading import tiers
from slocheck.grading.assessment import Finding, ObjectiveResult, Outcome, SideResult, Verdict
from slocheck.grading.nearest import nearest
from slocheck.spec.model import Spec
from slocheck.statistics.confidence import Criterion
from slocheck.statistics.multiple_testing import holm

INTERRUPTED_CODE = 130
EXIT_CODES = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNDECIDED: 3, Outcome.INVALID: 4}


def outcome_of(
    results: Sequence[ObjectiveResult],
    findings: Sequence[Finding],
    spec: Spec,
    runs: Sequence[Evidence],
    criterion: Criterion | None,
) -> Outcome:
    """Put verdicts and validity together: a breach that no fault explains comes first.

    An interrupted run never passes and never fails. A run whose target went down never passes. A Locust file
    that sets an exit code has its own gate, which fails a valid run.
    """
    if any(run.ending is Ending.INTERRUPTED for run in runs):
        return Outcome.INTERRUPTED
    breaches = significant_breaches(results, criterion)
    faults = [finding for finding in findings if not finding.valid]
    if any(not _explained(name, faults) for name in breaches):
        return Outcome.FAIL
    if faults:
        return Outcome.INVALID
    if breaches or any(run.health.file.exit_code for run in runs):
        return Outcome.FAIL
    met = tiers.tier_verdict(results, spec.gate, spec.tiers) is Verdict.MET
    return Outcome.PASS if met and all(run.ending is Ending.COMPLETE for run in runs) else Outcome.UNDECIDED


def significant_breaches(results: Sequence[ObjectiveResult], criterion: Criterion | None) -> list[str]:
    """Return the objectives whose breach fails the gate: by Holm's correction if there is a confidence.

    Each objective is one test, of the strictest limit that is breached: of two sides the smaller p-value,
    doubled.
    """
    tests = [
        (result.objective.name, level)
        for result in results
        if (level := tiers.strictest_tested(result)) is not None
    ]
    if criterion is None:
        significant = [True] * len(tests)
    else:
        significant = holm([_p_breach(level.sides) for _, level in tests], criterion.breached)
    return [
        name
        for (name, level), holds in zip(tests, significant, strict=True)
        if holds and level.breached_on_a_side
    ]


def _p_breach(sides: Sequence[SideResult]) -> float:
    """Return the p-value of a breach on any of the sides; without statistics it is 0 for a breach, else 1."""
    smallest = min(
        side.bounds.p_breach if side.bounds is not None else float(side.verdict is not Verdict.BREACHED)
        for side in sides
    )
    return min(1.0, smallest * len(sides))


def _explained(objective: str, faults: Sequence[Finding]) -> bool:
    """Tell whether one of the faults could have caused this objective's breach."""
    return any(objective in fault.affects for fault in faults)


def file_gate(runs: Sequence[Evidence]) -> str:
    """Say by which exit code, and where, a Locust file fails its run; empty if none does."""
    file = next((run.health.file for run in runs if run.health.file.exit_code), None)
    if file is None:
        return ""
    place = f" in {file.exit_place}" if file.exit_place else ""
    return f"the Locust file set exit code {file.exit_code}{place}"


def exit_code(outcome: Outcome, runs: Sequence[Evidence]) -> int:
    """Return the exit code of an outcome; that of an interrupted run follows from the signal."""
    if outcome is not Outcome.INTERRUPTED:
        return EXIT_CODES[outcome]
    signal = next(run.signal for run in runs if run.ending is Ending.INTERRUPTED)
    return SIGNAL_EXIT_CODES.get(signal, INTERRUPTED_CODE)


def headline(
    outcome: Outcome,
    results: Sequence[ObjectiveResult],
    findings: Sequence[Finding],
    spec: Spec,
    *,
    file: str = "",
) -> str:
    """Say in one sentence what matters most; `file`: what the Locust file's own gate says, if it failed."""
    if outcome is Outcome.INTERRUPTED:
        return "The run was interrupted; what was measured until then is shown but not graded."
    if outcome is Outcome.INVALID:
        fault = next(finding for finding in findings if not finding.valid)
        return f"The measurement is invalid: {fault.message}."
    if outcome is Outcome.PASS:
        return f"Every objective of {spec.gate} is met."
    gate = tiers.tier_verdict(results, spec.gate, spec.tiers)
    worst = nearest(results, gate)
    gaps = tiers.gaps(results, spec.gate, spec.tiers)
    if file and gate is not Verdict.BREACHED:
        return f"{capitalised(file)}; {spec.gate} itself is {gate.value}."
    gap = next((gap for gap in gaps if worst and gap.objective == worst.objective.name), None)
    if gap is None:
        return f"{spec.gate} is {gate.value}, but the target stopped responding before the end of the run."
    if outcome is Outcome.UNDECIDED and gate is Verdict.BREACHED:
        needed = [level for result in results if (level := tiers.strictest_tested(result)) is not None]
        tests = quantity(sum(len(level.sides) for level in needed), "test")
        return (
            f"The breach of {gap.objective} is not significant after correcting for {tests}; "
            "a longer run may decide."
        )
    return f"{gap.objective} is {gap.message}."
