"""A graded run as a record that later runs are compared with."""

from math import isfinite

from slocheck.comparison.conditions import workload_sha256, workload_text
from slocheck.comparison.model import Conditions, ObjectiveRecord, Observed, RunRecord
from slocheck.evidence.model import Ending, Evidence
from slocheck.grading.assessment import Assessment, ObjectiveResult, Side, SideResult
from slocheck.indicators.batches import log_percentile_error
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Spec


def run_record(spec: Spec, evidence: Evidence, assessment: Assessment, folder: str) -> RunRecord:
    """Return what later runs are compared with."""
    total = evidence.recording.scope().total
    origin = evidence.provenance
    return RunRecord(
        run_id=origin.run_id,
        folder=folder,
        started=origin.started,
        outcome=assessment.outcome.value,
        gate=assessment.gate,
        tier=assessment.tier,
        valid=is_valid(evidence.ending, assessment),
        commit=origin.git_sha,
        dirty=origin.git_dirty,
        requests=int(total.sent[0]),
        failed=int(total.failed[0]),
        conditions=conditions(spec, evidence),
        objectives=tuple(_objective(result, evidence) for result in assessment.objectives),
    )


def is_valid(ending: Ending, assessment: Assessment) -> bool:
    """Tell whether a run reached its end, and its measurement was valid."""
    return ending is Ending.COMPLETE and all(finding.valid for finding in assessment.findings)


def conditions(spec: Spec, evidence: Evidence) -> Conditions:
    """Return under what conditions a run was made."""
    origin = evidence.provenance
    return Conditions(
        service=spec.service,
        target=origin.target,
        scenario_sha256=origin.scenario_sha256,
        workload=workload_text(spec.workload),
        workload_sha256=workload_sha256(spec),
        spec_sha256=origin.spec_sha256,
        host=origin.host,
        cores=origin.cores,
        window_s=float(evidence.recording.window_s),
        slocheck=origin.slocheck,
    )


def _objective(result: ObjectiveResult, evidence: Evidence) -> ObjectiveRecord:
    objective = result.objective
    indicator = objective.indicator
    return ObjectiveRecord(
        name=objective.name,
        kind=indicator.kind,
        quantile=float(indicator.quantile) if indicator.quantile is not None else None,
        promql=indicator.promql,
        endpoint=str(objective.endpoint) if objective.endpoint else "",
        lower_is_better=result.levels[0].limit.comparison.lower_is_better,
        limits={level.level: level.limit.text for level in result.levels},
        verdict=result.verdict.value if result.verdict else "",
        observed=_observed(result, evidence),
    )


def _observed(result: ObjectiveResult, evidence: Evidence) -> Observed | None:
    """Return the client's value, or the server's if the client has none; None if neither has one."""
    sides = sorted(result.levels[0].sides, key=lambda side: side.side is not Side.CLIENT)
    for side in sides:
        shown = side.display
        if shown is not None and shown.low is not None and shown.high is not None and isfinite(shown.low):
            return _of_side(result, side, shown.low, shown.high, evidence)
    return None


def _of_side(
    result: ObjectiveResult, side: SideResult, low: float, high: float, evidence: Evidence
) -> Observed:
    objective, indicator = result.objective, result.objective.indicator
    client, traits = side.side is Side.CLIENT, traits_of(indicator.kind)
    error = None
    if client and traits.is_percentile and indicator.quantile is not None:
        error = log_percentile_error(evidence.recording, objective.endpoint, indicator.quantile)
    size = side.bounds.effective_sample_size if side.bounds and not traits.is_percentile else None
    return Observed(
        side=side.side.value,
        low=low,
        high=high if isfinite(high) else None,
        standard_error=error,
        total=side.total,
        effective_sample_size=size,
    )
