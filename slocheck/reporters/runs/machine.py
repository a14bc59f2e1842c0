"""Runs for machines: JSON, Bencher's metric format, and CSV by commit."""

import csv
import io
from collections.abc import Mapping, Sequence
from math import exp

from slocheck.comparison.history import Expected, History, HistoryPoint, Series
from slocheck.comparison.model import Comparison, ObjectiveRecord, RunRecord
from slocheck.documents.units import NS_PER_SECOND
from slocheck.reporters.escape import for_csv, for_json, for_terminal
from slocheck.reporters.json import comparison_document
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import IndicatorKind

SCHEMA_VERSION = 1
TWO_SIDED_95 = 1.96
"""Standard errors on each side of a value, for an interval of about 95 %."""

Json = Mapping[str, object]


def list_json(runs: Sequence[RunRecord], unread: Mapping[str, str]) -> str:
    """Return the runs of a folder, oldest first, and those without a record."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "runs": [_run(run) for run in runs],
        "unread": [{"id": run_id, "reason": why} for run_id, why in unread.items()],
    }
    return for_json(document, indent=2) + "\n"


def history_json(histories: Sequence[History]) -> str:
    """Return the runs of each service, and each objective's values with the predicted ones."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "services": [
            {
                "service": history.service,
                "runs": [_run(run) for run in history.runs],
                "objectives": [_series(series) for series in history.series],
            }
            for history in histories
        ],
    }
    return for_json(document, indent=2) + "\n"


def comparison_json(comparison: Comparison) -> str:
    """Return a comparison: as in a run's result, with the runs on both sides."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "new": [_run(run) for run in comparison.new],
        "old": [_run(run) for run in comparison.old],
        "regressed": bool(comparison.regressions),
        **comparison_document(comparison),
    }
    return for_json(document, indent=2) + "\n"


def _run(run: RunRecord) -> Json:
    return {
        "id": run.run_id,
        "folder": run.folder,
        "started": run.started,
        "service": run.conditions.service,
        "verdict": run.outcome,
        "gate": run.gate,
        "tier": run.tier,
        "valid": run.valid,
        "commit": run.commit or None,
        "dirty": run.dirty,
        "workload": run.conditions.workload,
        "window_s": run.conditions.window_s,
        "host": run.conditions.host,
        "requests": run.requests,
        "failed": run.failed,
    }


def _series(series: Series) -> Json:
    objective = series.objective
    return {
        "objective": objective.name,
        "endpoint": objective.endpoint or None,
        "unit": traits_of(objective.kind).unit.value,
        "limits": dict(objective.limits),
        "points": [_point(point) for point in series.points],
    }


def _point(point: HistoryPoint) -> Json:
    return {
        "run": point.run_id,
        "value": point.value,
        "verdict": point.verdict or None,
        "expected": _expected(point.expected) if point.expected else None,
    }


def _expected(expected: Expected) -> Json:
    return {
        "low": expected.low,
        "high": expected.high,
        "outside": expected.outside,
        "worse": expected.worse,
    }


def bencher_json(run: RunRecord) -> str:
    """Return a run in Bencher's metric format: one benchmark per objective, latencies in nanoseconds."""
    document = {_benchmark(item): metric for item in run.objectives if (metric := _metric(item))}
    return for_json(document, indent=2) + "\n"


def _benchmark(objective: ObjectiveRecord) -> str:
    name = f"{objective.name} {objective.endpoint}" if objective.endpoint else objective.name
    return for_terminal(name)


def _metric(objective: ObjectiveRecord) -> Json | None:
    observed = objective.observed
    if observed is None or observed.value is None:
        return None
    latency = objective.kind is IndicatorKind.LATENCY
    scale = NS_PER_SECOND if latency else 1
    values = {"value": observed.value * scale}
    if latency and observed.standard_error is not None:
        factor = exp(TWO_SIDED_95 * observed.standard_error)
        ends = (observed.value / factor, observed.value * factor)
        values |= {"lower_value": ends[0] * scale, "upper_value": ends[1] * scale}
    return {"latency" if latency else objective.kind.value: values}


COLUMNS = (
    *("service", "run", "started", "commit", "dirty", "verdict", "tier", "valid"),
    *(
        "objective",
        "endpoint",
        "unit",
        "value",
        "objective_verdict",
        "expected_low",
        "expected_high",
        "outside",
    ),
)


def commits_csv(histories: Sequence[History]) -> str:
    """Return a table with a row for each run and objective, by commit; no cell can be read as a formula."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for history in histories:
        for place, run in enumerate(history.runs):
            for series in history.series:
                rows.writerow(_csv_cells(run, series, series.points[place]))
    return text.getvalue()


def _csv_cells(run: RunRecord, series: Series, point: HistoryPoint) -> list[object]:
    objective, expected = series.objective, point.expected
    texts = (
        *(run.conditions.service, run.run_id, run.started, run.commit, str(run.dirty).lower(), run.outcome),
        *(run.tier or "", str(run.valid).lower(), objective.name, objective.endpoint),
    )
    ends = (expected.low, expected.high, str(expected.outside).lower()) if expected else ("", "", "")
    value = "" if point.value is None else point.value
    unit = traits_of(objective.kind).unit.value
    return [*map(for_csv, texts), unit, value, for_csv(point.verdict), *ends]
