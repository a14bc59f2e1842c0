"""Grading: evidence against a spec, to an assessment."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from slocheck.documents.words import capitalised, quantity
from slocheck.errors import UsageError
from slocheck.evidence.merge import MAX_ENDPOINTS, OTHER_ENDPOINT
from slocheck.evidence.model import Ending, Evidence
from slocheck.evidence.warnings import RunWarning
from slocheck.grading import tiers
from slocheck.grading.advice import short_window
from slocheck.grading.assessment import Assessment, Finding, ObjectiveResult, Outcome, Verdict
from slocheck.grading.outcome import exit_code, file_gate, headline, outcome_of
from slocheck.grading.sides import grade_objective
from slocheck.grading.validity.busy_machine import unexplained_by_machine
from slocheck.grading.validity.checks import check_run, response_warnings
from slocheck.grading.validity.generator_lag import unexplained_by_target, with_generator_lag
from slocheck.grading.validity.machine_differences import machine_differences
from slocheck.grading.validity.settle import settle
from slocheck.grading.validity.steady_state import steadiness, steady_states
from slocheck.grading.validity.unsteady import Unsteady, steady_warnings
from slocheck.grading.validity.withhold import withhold_invalid
from slocheck.indicators.measured_run import MeasuredRun, measured
from slocheck.plan.arrival_notices import phase_locked
from slocheck.spec.model import Spec
from slocheck.statistics.confidence import Criterion, criterion_for

MAX_COMPLAINTS = 5
DOWN = "the load was ended early: every request failed for 10 s or more"


def assess(spec: Spec, *runs: Evidence) -> Assessment:
    """Grade evidence against a spec; the same input always gives the same assessment.

    Several runs are pooled into one larger sample; each is checked for validity by itself.

    Raises:
        UsageError: The evidence counted failures by another rule than the spec's.
    """
    _refuse_other_failures(spec, runs)
    criterion = _criterion(spec, runs)
    measured_runs = tuple(measured(run) for run in runs)
    results = tuple(
        grade_objective(objective, spec, measured_runs, criterion) for objective in spec.objectives
    )
    steady, withheld = steadiness(spec, results, measured_runs), dict[str, list[str]]()
    if criterion is not None:
        results, withheld = Unsteady(steady, spec, criterion).withhold(results)
    states = steady_states(steady, withheld)
    checked = settle(tuple(_checked(spec, measured_runs)), results)
    lag, machine = unexplained_by_target(results, spec, runs), unexplained_by_machine(results, runs)
    findings = (*machine, *checked, *lag)
    results = with_generator_lag(withhold_invalid(results, findings), spec, runs)
    outcome = outcome_of(results, findings, spec, runs, criterion)
    achieved = tiers.achieved_tier(results, spec.tiers) if _may_achieve(outcome, findings, runs) else None
    following = tiers.next_tier(achieved, results, spec.tiers)
    gate = file_gate(runs)
    said = _with_scope(headline(outcome, results, findings, spec, file=gate), short_window(outcome, runs))
    return Assessment(
        outcome=outcome,
        exit_code=exit_code(outcome, runs),
        tier=achieved,
        gate=spec.gate,
        next_tier=following,
        gaps=tiers.gaps(results, following, spec.tiers),
        objectives=results,
        findings=findings,
        warnings=(
            *response_warnings(spec, runs),
            *_load_warnings(spec),
            *_shared_seed(runs),
            *_merged_names(runs),
            *_idle_classes(runs),
            *steady_warnings(states, spec),
            *_warnings(results, runs, gate="" if capitalised(gate) in said else gate),
        ),
        confidence=spec.confidence,
        headline=said,
        steady_states=states,
    )


def _refuse_other_failures(spec: Spec, runs: Sequence[Evidence]) -> None:
    for run in runs:
        for key in ("statuses", "expected", "redirects"):
            said, counted = getattr(spec.failures, key), getattr(run.failures, key)
            if set(said) != set(counted):
                raise UsageError(
                    f"the run was made with failures.{key}: {list(counted)}, the spec says {list(said)}; "
                    "grading by another rule needs a new run"
                )


def _criterion(spec: Spec, runs: Sequence[Evidence]) -> Criterion | None:
    """Return the criterion for this evidence; None without a confidence."""
    if spec.confidence is None:
        return None
    asked = criterion_for(
        spec.confidence.level,
        tuple(float(run.recording.window_s) for run in runs),
        float(spec.confidence.bursts or 0),
    )
    return asked.spending(min(run.alpha_share for run in runs))


def _checked(spec: Spec, runs: Sequence[MeasuredRun]) -> Iterator[Finding]:
    """Yield every run's findings; if several runs are pooled, each says which run it is about."""
    for number, run in enumerate(runs, start=1):
        for finding in check_run(spec, run):
            name = f"run {number}: " if len(runs) > 1 else ""
            yield replace(finding, message=f"{name}{finding.message}")


def _may_achieve(outcome: Outcome, findings: Sequence[Finding], runs: Sequence[Evidence]) -> bool:
    """Tell whether a tier may count as achieved: the measurement is valid, and the target stayed up."""
    return (
        outcome is not Outcome.INTERRUPTED
        and all(finding.valid for finding in findings)
        and all(run.ending is not Ending.TARGET_DOWN for run in runs)
    )


def _with_scope(sentence: str, scope: str) -> str:
    return f"{sentence.removesuffix('.')}; {scope}." if scope else sentence


def _load_warnings(spec: Spec) -> Iterator[RunWarning]:
    """Yield what a user should know about the load that the spec asks for."""
    yield from (RunWarning("old-word", text) for text in spec.workload.old_words)
    if text := phase_locked(spec.workload):
        yield RunWarning("even-arrivals", text)


def _shared_seed(runs: Sequence[Evidence]) -> Iterator[RunWarning]:
    """Yield a warning if pooled runs had the same arrivals and data."""
    seeds = Counter(run.provenance.seed for run in runs)
    for seed, count in seeds.items():
        if count > 1 and seed is not None:
            yield RunWarning(
                "same-seed",
                f"{count} of the {len(runs)} runs have the seed {seed}, and with it the same arrivals and "
                "data, so they say less than as many different ones; make runs to be pooled without --seed",
            )


def _idle_classes(runs: Sequence[Evidence]) -> Iterator[RunWarning]:
    """Yield a warning if a part of the Locust file was never run."""
    for run in runs:
        if run.health.idle_classes:
            names = ", ".join(run.health.idle_classes)
            was, its = ("was", "its") if len(run.health.idle_classes) == 1 else ("were", "their")
            ended = run.ending is not Ending.COMPLETE or run.health.exceptions or run.health.gone
            why = (
                f"{its} users failed or left, or the run ended, before their first one"
                if ended
                else f"{its} weight is too small for this many users or arrivals"
            )
            yield RunWarning("class-never-ran", f"{names} never ran a task and {was} not measured: {why}")


def _merged_names(runs: Sequence[Evidence]) -> Iterator[RunWarning]:
    """Yield a warning if requests lost their names, because there were too many different ones."""
    merged = [part for run in runs for part in run.recording.parts(OTHER_ENDPOINT)]
    if merged:
        count = sum(int(part.counts.sent.sum()) for part in merged)
        yield RunWarning(
            "merged-names",
            f"the requests have more than {MAX_ENDPOINTS} different names, so "
            f"{quantity(count, 'request')} of the others are shown together as "
            f"{OTHER_ENDPOINT.name}; give requests that differ by a value in their path one name",
        )


def _warnings(
    results: Sequence[ObjectiveResult], runs: Sequence[Evidence], *, gate: str
) -> tuple[RunWarning, ...]:
    """Collect what the headline does not say; `gate`: what the Locust file's own gate says, if it failed."""
    missed = tuple(
        RunWarning("missed-target", f"{result.objective.name} misses its target {level.limit.text}")
        for result in results
        for level in result.levels
        if level.level == tiers.TARGET and level.verdict is Verdict.BREACHED
    )
    down = (RunWarning("target-down", DOWN) for run in runs if run.ending is Ending.TARGET_DOWN)
    undone = (text for run in runs for text in run.health.file.warnings)
    file = (RunWarning("locust-file", text) for text in ((gate,) if gate else ()) + tuple(undone))
    server = (warning for run in runs if run.server for warning in run.server.warnings)
    complaints = (text for run in runs for worker in run.health.workers for text in worker.messages)
    generator = (
        RunWarning("load-generator", f"load generator: {text}")
        for text in islice(dict.fromkeys(complaints), MAX_COMPLAINTS)
    )
    git = (
        RunWarning("no-commit", f"the report names no commit: {run.provenance.git_error}")
        for run in runs
        if run.provenance.git_error
    )
    insecure = (
        RunWarning(
            "insecure", f"{key}: true: the certificate was not verified, so another server may have responded"
        )
        for run in runs
        for key in run.provenance.insecure
    )
    machines = (warning for run in runs for warning in machine_differences(run))
    return tuple(dict.fromkeys((*insecure, *missed, *down, *file, *server, *machines, *generator, *git)))
