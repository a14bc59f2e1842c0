"""Grading: evidence against a spec, to an assessment."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from slocheck.errors import SIGNAL_EXIT_CODES, UsageError
from slocheck.evidence.model import Ending, Evidence
from slocheck.evidence.warnings import RunWarning
from slocheck.grading import tiers
from slocheck.grading.assessment import (
    Assessment,
    Finding,
    LevelResult,
    ObjectiveResult,
    Outcome,
    Side,
    SideResult,
    Verdict,
)
from slocheck.grading.generator_lag import own_lateness
from slocheck.grading.sides import combine
from slocheck.grading.steady_state import steady_states, steady_warnings, withhold_unsteady
from slocheck.grading.validity import findings
from slocheck.grading.verdict import grade_sample
from slocheck.grading.withhold import withhold_met
from slocheck.indicators.measured_run import MeasuredRun, measured
from slocheck.indicators.pooling import pool
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Limit, Objective, SourceChoice, Spec
from slocheck.statistics.confidence import alpha_for
from slocheck.statistics.multiple_testing import holm

MAX_COMPLAINTS = 5
DOWN = "the load was ended early: for 10 s and more nothing but failures came back"
_ENDINGS = (Ending.COMPLETE, Ending.TARGET_DOWN, Ending.GENERATOR_LOST, Ending.INTERRUPTED)
"""From good to bad."""

_EXIT = {Outcome.PASS: 0, Outcome.FAIL: 1, Outcome.UNDECIDED: 3, Outcome.INVALID: 4}


def assess(spec: Spec, *runs: Evidence) -> Assessment:
    """Grade evidence against a spec; the same always gives the same assessment.

    Several runs are pooled: each is as valid as by itself, and what they say is one larger sample.

    Raises:
        UsageError: The evidence counted failures by another rule than the spec's.
    """
    for run in runs:
        if set(spec.failures.statuses) != set(run.failed_statuses):
            raise UsageError(
                f"the run counted {list(run.failed_statuses)} as failures, the spec says "
                f"{list(spec.failures.statuses)}; grading by another rule needs a new run"
            )
    # of several runs the one that ended worst speaks for all
    evidence = max(runs, key=lambda run: _ENDINGS.index(run.ending))
    measured_runs = tuple(measured(run) for run in runs)
    alpha = _alpha(spec, runs)
    results = tuple(_objective(objective, spec, measured_runs, alpha) for objective in spec.objectives)
    steadiness = steady_states(spec, runs)
    if spec.confidence is not None:
        results = withhold_unsteady(results, steadiness)
    checks = (
        *_each_checked(spec, measured_runs),
        *own_lateness(results, spec, runs),
    )
    # a breach can stand beside a fault of the measurement; what is met cannot
    for fault in (check for check in checks if not check.valid):
        touched = fault.affects if fault.server_only else None
        results = withhold_met(results, f"not to be believed: {fault.message}", only=touched)
    gate = tiers.tier_verdict(results, spec.gate, spec.tiers)
    outcome = outcome_of(results, checks, spec, runs)
    achieved = tiers.achieved_tier(results, spec.tiers)
    unsound = any(not check.valid for check in checks) or evidence.ending is Ending.TARGET_DOWN
    if unsound or outcome is Outcome.INTERRUPTED:
        achieved = None
    following = tiers.next_tier(achieved, results, spec.tiers)
    missing = tiers.gaps(results, following, spec.tiers)
    return Assessment(
        outcome=outcome,
        exit_code=SIGNAL_EXIT_CODES.get(evidence.signal, 130)
        if outcome is Outcome.INTERRUPTED
        else _EXIT[outcome],
        tier=achieved,
        gate=spec.gate,
        next_tier=following,
        gaps=missing,
        objectives=results,
        findings=checks,
        warnings=(*steady_warnings(steadiness, spec), *_warnings(results, runs)),
        confidence=spec.confidence,
        headline=_headline(outcome, gate, results, checks, spec),
        steadiness=steadiness,
    )


def _each_checked(spec: Spec, runs: Sequence[MeasuredRun]) -> Iterator[Finding]:
    """Yield every run's findings; of several runs each says which one it is about."""
    for number, run in enumerate(runs, start=1):
        for finding in findings(spec, run):
            name = f"run {number}: " if len(runs) > 1 else ""
            yield replace(finding, message=f"{name}{finding.message}")


def outcome_of(
    results: Sequence[ObjectiveResult], checks: Sequence[Finding], spec: Spec, runs: Sequence[Evidence]
) -> Outcome:
    """Put verdicts and validity together: a breach that no fault explains comes first.

    An interrupted run is never met and never failed. A target that died has failed.
    """
    if any(run.ending is Ending.INTERRUPTED for run in runs):
        return Outcome.INTERRUPTED
    breaches = _breaches(results, spec, _alpha(spec, runs))
    faults = [check for check in checks if not check.valid]
    if any(not _tainted(name, faults) for name in breaches):
        return Outcome.FAIL
    if faults:
        return Outcome.INVALID
    if breaches:
        return Outcome.FAIL
    met = tiers.tier_verdict(results, spec.gate, spec.tiers) is Verdict.MET
    return Outcome.PASS if met and all(run.ending is Ending.COMPLETE for run in runs) else Outcome.UNDECIDED


def _alpha(spec: Spec, runs: Sequence[Evidence]) -> float | None:
    """Return the one-sided error rate that this evidence may spend; None without a confidence."""
    if spec.confidence is None:
        return None
    return alpha_for(spec.confidence) * min(run.alpha_share for run in runs)


def _breaches(results: Sequence[ObjectiveResult], spec: Spec, alpha: float | None) -> list[str]:
    """Return the objectives whose breach fails the gate, by Holm where there is a confidence."""
    tests = [
        (result.objective.name, side)
        for result in results
        for level in tiers.hardest_level(result, spec.gate, spec.tiers)
        for side in level.sides
    ]
    if alpha is None:
        return [name for name, side in tests if side.verdict is Verdict.BREACHED]
    certain = holm([_p_breach(side) for _, side in tests], alpha)
    return [
        name
        for (name, side), holds in zip(tests, certain, strict=True)
        if holds and side.verdict is Verdict.BREACHED
    ]


def _p_breach(side: SideResult) -> float:
    """Return the p-value of a side's breach; what has no statistics is certain, or none."""
    if side.bounds is not None:
        return side.bounds.p_breach
    return 0.0 if side.verdict is Verdict.BREACHED else 1.0


def _tainted(objective: str, faults: Sequence[Finding]) -> bool:
    """Tell whether one of the faults could have caused this objective's breach."""
    return any(objective in fault.affects for fault in faults)


def _objective(
    objective: Objective, spec: Spec, runs: Sequence[MeasuredRun], alpha: float | None
) -> ObjectiveResult:
    return ObjectiveResult(
        objective,
        tuple(
            _level(name, limit, objective, spec=spec, runs=runs, alpha=alpha)
            for name, limit in objective.limits.items()
        ),
    )


def _level(
    name: str,
    limit: Limit,
    objective: Objective,
    *,
    spec: Spec,
    runs: Sequence[MeasuredRun],
    alpha: float | None,
) -> LevelResult:
    """Grade one limit on the sides that the objective asks for."""
    sides: list[SideResult] = []
    ratio = not traits_of(objective.indicator.kind).is_percentile
    if objective.source is not SourceChoice.PROMETHEUS:
        sample = pool([run.client_sample(objective, limit, spec) for run in runs], ratio=ratio)
        sides.append(grade_sample(Side.CLIENT, sample, objective.indicator, limit, alpha))
    if objective.source is not SourceChoice.CLIENT:
        sample = pool([run.server_sample(objective, limit, spec) for run in runs], ratio=ratio)
        sides.append(grade_sample(Side.SERVER, sample, objective.indicator, limit, alpha))
    verdict, reason = combine(objective.indicator.kind, tuple(sides))
    needed = name in tiers.level_names_needed(spec.gate, spec.tiers)
    return LevelResult(name, limit, verdict, reason, tuple(sides), needed)


def _warnings(results: Sequence[ObjectiveResult], runs: Sequence[Evidence]) -> tuple[RunWarning, ...]:
    """Collect what does not change the exit code."""
    missed = tuple(
        RunWarning("missed-target", f"{result.objective.name} misses its target {level.limit.text}")
        for result in results
        for level in result.levels
        if level.level == tiers.TARGET and level.verdict is Verdict.BREACHED
    )
    down = (RunWarning("target-down", DOWN) for run in runs if run.ending is Ending.TARGET_DOWN)
    server = (warning for run in runs if run.server for warning in run.server.warnings)
    complaints = (text for run in runs for worker in run.health.workers for text in worker.messages)
    generator = (
        RunWarning("load-generator", f"load generator: {text}")
        for text in islice(dict.fromkeys(complaints), MAX_COMPLAINTS)
    )
    return tuple(dict.fromkeys((*missed, *down, *server, *generator)))


def _headline(
    outcome: Outcome,
    gate: Verdict,
    results: Sequence[ObjectiveResult],
    checks: Sequence[Finding],
    spec: Spec,
) -> str:
    """Say in one sentence what matters most."""
    faults = [check.message for check in checks if not check.valid]
    if outcome is Outcome.INTERRUPTED:
        return "The run was interrupted; what was measured until then is shown and grades nothing."
    if outcome is Outcome.INVALID:
        return f"The measurement is not to be believed: {faults[0]}."
    if outcome is Outcome.PASS:
        return f"Every objective of {spec.gate} is met."
    worst = tiers.gaps(results, spec.gate, spec.tiers)
    if not worst:
        return f"{spec.gate} is {gate.value}, but the target did not last to the end of the run."
    if outcome is Outcome.UNDECIDED and gate is Verdict.BREACHED:
        return (
            f"The breach of {worst[0].objective} is not significant after correcting for "
            f"{sum(bool(result.needed) for result in results)} objectives; a longer run would decide."
        )
    return f"{worst[0].objective} is {worst[0].message}."
