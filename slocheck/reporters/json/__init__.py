"""The result for machines: one JSON document with its keys in a fixed order and without NaN or infinity.

`keys` describes each key; a test keeps the two in step.
"""

import math
from fractions import Fraction

from slocheck.comparison.model import Change, Comparison, Observed
from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.recording import ErrorExample, FailureClass
from slocheck.grading.assessment import (
    Bounds,
    Finding,
    Gap,
    LevelResult,
    ObjectiveResult,
    SideResult,
    SteadyState,
)
from slocheck.grading.report import Report
from slocheck.indicators.samples import Display
from slocheck.indicators.saturation import Usage
from slocheck.reporters import totals
from slocheck.reporters.dashboard import dashboard_of
from slocheck.reporters.escape import for_json
from slocheck.reporters.json.keys import SCHEMA_VERSION, Json
from slocheck.reporters.machines import MachineFigures, machine_figures
from slocheck.reporters.saturation import usages
from slocheck.reporters.text import unit_name
from slocheck.reporters.totals import Totals
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Limit, Objective


def render(report: Report) -> str:
    """Return the document, indented, with a line end at its end."""
    return for_json(document(report), indent=2) + "\n"


def document(report: Report) -> Json:
    """Return the document as plain values."""
    assessment = report.assessment
    sure = assessment.confidence
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": assessment.outcome.value,
        "exit_code": assessment.exit_code,
        "tier": assessment.tier,
        "next_tier": assessment.next_tier,
        "gate": assessment.gate,
        "headline": assessment.headline,
        "confidence": _number(sure.level if sure else None),
        "bursts_seconds": _number(sure.bursts if sure else None),
        "service": report.spec.service,
        "tiers": list(report.spec.tiers),
        "run": _run(report),
        "objectives": [_objective(report, result) for result in assessment.objectives],
        "gaps": [_gap(gap) for gap in assessment.gaps],
        "findings": [_finding(finding) for finding in assessment.findings],
        "steady_states": [_steady_state(item) for item in assessment.steady_states],
        "warnings": [{"code": item.code, "message": item.text} for item in assessment.warnings],
        "errors": [_error(item) for item in totals.frequent_failures(report.evidence.recording)],
        "machines": [_machine(figures) for figures in machine_figures(report)],
        "saturation": [_usage(usage) for usage in usages(report)],
        "endpoints": [_endpoint(item) for item in totals.endpoint_totals(report.evidence.recording)],
        "comparison": comparison_document(report.comparison) if report.comparison else None,
        "provenance": _provenance(report),
    }


def _number(value: float | Fraction | None) -> float | None:
    """Return a finite number, or None, as JSON has neither NaN nor infinity."""
    if value is None or not math.isfinite(value):
        return None
    return float(value)


def _run(report: Report) -> Json:
    evidence = report.evidence
    total = totals.window_totals(evidence.recording)
    return {
        "id": evidence.provenance.run_id,
        "folder": report.folder,
        "started": evidence.provenance.started,
        "ended": evidence.provenance.ended,
        "ending": evidence.ending.value,
        "signal": evidence.signal or None,
        "warmup_s": evidence.recording.warmup_s,
        "window_s": evidence.recording.window_s,
        "planned_window_s": _number(evidence.planned_window_s),
        "requests": total.sent,
        "failed": total.failed,
        "unexpected": total.unexpected,
        "requests_by_status": _by_status(total),
        "workload": report.record.conditions.workload if report.record else None,
        "workload_sha256": report.record.conditions.workload_sha256 if report.record else None,
    }


def _by_status(item: Totals) -> Json:
    return {str(status): count for status, count in item.statuses.items()}


def _objective(report: Report, result: ObjectiveResult) -> Json:
    objective = result.objective
    quantile = objective.indicator.quantile
    return {
        "name": objective.name,
        "indicator": objective.indicator.kind.value,
        "quantile": _number(quantile),
        "promql": objective.indicator.promql,
        "endpoint": str(objective.endpoint) if objective.endpoint else None,
        "source": objective.source.value,
        "unit": unit_name(objective.indicator.kind),
        "defined_at": f"{report.spec.path}:{objective.position.line}",
        "verdict": result.verdict.value if result.verdict else None,
        "dashboard": _dashboard(report, objective),
        "observed": _observed(report, objective),
        "levels": [_level(objective, level) for level in result.levels],
    }


def _error(example: ErrorExample) -> Json:
    return {
        "endpoint": str(example.endpoint),
        "failure_class": example.failure.value,
        "count": example.count,
        "message": example.message,
        "first_seen_s": example.second,
    }


def _usage(usage: Usage) -> Json:
    return {
        "name": usage.name,
        "cpu_cores": _number(usage.cpu_cores),
        "cpu_cores_max": _number(usage.cpu_cores_max),
        "memory_bytes_max": _number(usage.memory_bytes_max),
        "throttled_ratio": _number(usage.throttled_ratio),
    }


def _machine(figures: MachineFigures) -> Json:
    """Return what a machine sent; a percentile is the middle of its bucket."""
    known = figures.known
    p50, p95, p99 = [ns / NS_PER_SECOND for ns in figures.percentiles] or (None, None, None)
    return {
        "name": known.machine,
        "address": known.address or None,
        "targets": list(known.targets),
        "workers": len(known.workers),
        "requests": figures.sent,
        "not_ok": figures.not_ok,
        "rate": _number(figures.rate),
        "p50_s": p50,
        "p95_s": p95,
        "p99_s": p99,
        "schedule_lag_p99_s": _number(known.load.schedule_lag_p99),
        "loop_lag_p99_s": _number(figures.loop_lag_p99),
        "cpu": _number(figures.cpu),
        "clock_offset_s": _number(known.clock_offset),
        "clock_bound_s": _number(known.clock_bound),
        "clock_moved_s": _number(known.clock_moved),
    }


def _dashboard(report: Report, objective: Objective) -> Json | None:
    """Return what a dashboard would show; None if Prometheus was not asked."""
    found = dashboard_of(objective, report.evidence.server)
    if found is None:
        return None
    return {"query": found.query, "value": _number(found.value), "error": found.error}


def _observed(report: Report, objective: Objective) -> Json | None:
    """Return the value that other runs are compared with; None without one."""
    kept = report.record.objective(objective.name) if report.record else None
    return _observation(kept.observed) if kept and kept.observed else None


def _observation(observed: Observed) -> Json:
    return {
        "side": observed.side,
        "low": _number(observed.low),
        "high": _number(observed.high),
        "standard_error": _number(observed.standard_error),
        "total": observed.total,
        "effective_sample_size": _number(observed.effective_sample_size),
    }


def comparison_document(comparison: Comparison) -> Json:
    """Return a comparison as plain values."""
    return {
        "runs": [run.run_id for run in comparison.old],
        "folders": [run.folder for run in comparison.old],
        "method": comparison.method.value,
        "confidence": comparison.confidence,
        "max_regression": comparison.margin,
        "gates": comparison.gates,
        "differences": list(comparison.differences),
        "changes": [_change(change) for change in comparison.changes],
    }


def _change(change: Change) -> Json:
    return {
        "objective": change.objective,
        "old": _number(change.old),
        "new": _number(change.new),
        "form": change.form.value,
        "amount": _number(change.amount),
        "low": _number(change.low),
        "high": _number(change.high),
        "trend": change.trend.value,
        "reason": change.reason,
    }


def _level(objective: Objective, level: LevelResult) -> Json:
    limit = level.limit
    return {
        "level": level.level,
        "needed": level.needed,
        "verdict": level.verdict.value,
        "reason": level.reason,
        "limit": {
            "text": limit.text,
            "comparison": limit.comparison.value,
            "value": _number(limit.value),
            "line": limit.position.line,
            "column": limit.position.column,
        },
        "sides": [_side(objective, limit, side) for side in level.sides],
    }


def _side(objective: Objective, limit: Limit, side: SideResult) -> Json:
    return {
        "side": side.side.value,
        "verdict": side.verdict.value,
        "reason": side.reason,
        "value": _value(side.display),
        "value_minus_limit": _value_minus_limit(limit, side.display),
        "total": side.total,
        "bad": side.bad,
        "bad_upper": side.bad_upper,
        "confidence_interval": _confidence_interval(objective, side.bounds),
        "notes": list(side.notes),
        "source_failed": side.source_failed,
    }


def _value(display: Display | None) -> Json | None:
    """Return an observed value's bounds; `unbounded` tells an infinite upper bound from an unknown one."""
    if display is None:
        return None
    return {
        "low": _number(display.low),
        "high": _number(display.high),
        "unbounded": display.high is not None and math.isinf(display.high),
    }


def _value_minus_limit(limit: Limit, display: Display | None) -> float | None:
    """Return the middle of the observed bounds minus the limit."""
    if display is None or display.low is None or display.high is None:
        return None
    return _number((display.low + display.high) / 2 - float(limit.value))


def _confidence_interval(objective: Objective, bounds: Bounds | None) -> Json | None:
    """Return the confidence interval, and of what: the share of bad requests, or the value itself."""
    if bounds is None:
        return None
    tolerance = bounds.tolerance
    return {
        "of": "bad_share" if traits_of(objective.indicator.kind).is_share else "value",
        "low": _number(bounds.low),
        "high": _number(bounds.high),
        "effective_sample_size": _number(bounds.effective_sample_size),
        "needed_duration_factor": _number(bounds.needed_duration_factor),
        "tolerated_design_effect": _number(tolerance.design_effect if tolerance else None),
        "tolerated_burst_seconds": _number(tolerance.burst_s if tolerance else None),
        "allowed_outage_seconds": _number(tolerance.outage_s if tolerance else None),
    }


def _gap(gap: Gap) -> Json:
    return {
        "objective": gap.objective,
        "tier": gap.tier,
        "verdict": gap.verdict.value,
        "distance_to_limit": _number(gap.distance_to_limit),
        "message": gap.message,
    }


def _finding(finding: Finding) -> Json:
    return {
        "code": finding.code,
        "valid": finding.valid,
        "message": finding.message,
        "affects": sorted(finding.affects),
    }


def _steady_state(item: SteadyState) -> Json:
    return {
        "steady": item.steady,
        "message": item.message,
        "suggested_warmup_s": item.suggested_warmup_s,
        "withheld": list(item.withheld),
    }


def _endpoint(item: Totals) -> Json:
    """Return an endpoint's totals over the window; a percentile is the middle of its bucket."""
    quantiles = [ns / NS_PER_SECOND for ns in item.quantiles]
    p50, p95, p99 = quantiles or (None, None, None)
    return {
        "endpoint": str(item.endpoint),
        "requests": item.sent,
        "failed": item.failed,
        "failed_by_class": {
            failure.value: count
            for failure, count in item.failures.items()
            if failure is not FailureClass.UNEXPECTED
        },
        "unexpected": item.unexpected,
        "requests_by_status": _by_status(item),
        "p50_s": p50,
        "p95_s": p95,
        "p99_s": p99,
        "max_s": item.max_ns / NS_PER_SECOND if item.ok else None,
    }


def _provenance(report: Report) -> Json:
    provenance = report.evidence.provenance
    return {
        "command": provenance.command,
        "rerun_command": totals.rerun_command(report),
        "slocheck_version": provenance.slocheck,
        "versions": dict(sorted(provenance.versions.items())),
        "host": provenance.host,
        "cores": provenance.cores,
        "git_sha": provenance.git_sha or None,
        "git_dirty": provenance.git_dirty,
        "git_error": provenance.git_error or None,
        "spec_path": provenance.spec_path,
        "spec_sha256": provenance.spec_sha256,
        "scenario": provenance.scenario,
        "scenario_sha256": provenance.scenario_sha256,
        "target": provenance.target,
        "seed": provenance.seed,
        "server_source": report.evidence.server.kind if report.evidence.server else None,
        "server_mapping": (report.evidence.server.mapping or None) if report.evidence.server else None,
        "queries": list(report.evidence.server.queries) if report.evidence.server else [],
    }
