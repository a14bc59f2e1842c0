"""The result as OpenMetrics text, for GitLab's metrics report, a Pushgateway or a textfile collector.

No label changes from run to run, so that a series can be followed, and a merge request shows what changed.
The numbers are those of the graded window. Source of the format: OpenMetrics 1.0, with no other types than
the older text format has: a Pushgateway reads nothing else.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.recording import FailureClass
from slocheck.grading.assessment import LevelResult, ObjectiveResult, Outcome, SideResult, Verdict
from slocheck.grading.report import Report
from slocheck.reporters.escape import for_openmetrics
from slocheck.reporters.text import unit_name
from slocheck.reporters.totals import PERCENTILES, Totals, endpoint_totals
from slocheck.spec.model import Endpoint

Labels = dict[str, str]
Sample = tuple[str, Labels, float]
"""Suffix of the family's name, labels, value."""


def render(report: Report) -> str:
    """Return the text; it ends with ``# EOF``."""
    common = {"service": report.spec.service}
    lines = [*_run(report, common), *_objectives(report, common), *_requests(report, common)]
    return "\n".join([*lines, "# EOF", ""])


def _family(name: str, kind: str, text: str, samples: Iterable[Sample], common: Labels) -> Iterator[str]:
    """Yield the lines of one family of metrics; nothing if it has no sample."""
    found = list(samples)
    if not found:
        return
    yield f"# TYPE {name} {kind}"
    if name.endswith("_seconds"):
        yield f"# UNIT {name} seconds"
    yield f"# HELP {name} {for_openmetrics(text)}"
    for suffix, labels, value in found:
        shown = ",".join(f'{key}="{for_openmetrics(item)}"' for key, item in (common | labels).items())
        yield f"{name}{suffix}{{{shown}}} {_number(value)}"


def _number(value: float) -> str:
    """Write a number as OpenMetrics does; only infinity has a form of its own."""
    return str(value).replace("inf", "Inf").replace("nan", "NaN")


def _verdicts(names: Iterable[str], current: str, labels: Labels) -> Iterator[Sample]:
    """Yield 1 for the verdict that was given, 0 for each other one."""
    for name in names:
        yield "", {**labels, "verdict": name}, int(name == current)


def _run(report: Report, common: Labels) -> Iterator[str]:
    """Yield the samples of the run as a whole."""
    assessment, tiers = report.assessment, report.spec.tiers
    outcomes = [outcome.value for outcome in Outcome]
    verdict = _verdicts(outcomes, assessment.outcome.value, {"gate": assessment.gate})
    yield from _family("slocheck_verdict", "gauge", "1 for the verdict on the gate.", verdict, common)
    code: list[Sample] = [("", {}, assessment.exit_code)]
    yield from _family("slocheck_exit_code", "gauge", "Exit code of slocheck run.", code, common)
    met = tiers[: tiers.index(assessment.tier) + 1] if assessment.tier else ()
    reached = [("", {"tier": tier}, int(tier in met)) for tier in tiers]
    yield from _family("slocheck_tier_met", "gauge", "1 for each tier that is met.", reached, common)
    checks = [("", {"check": item.code}, int(item.valid)) for item in assessment.findings]
    yield from _family("slocheck_valid", "gauge", "1 for each validity check that passed.", checks, common)
    window: list[Sample] = [("", {}, report.evidence.recording.window_s)]
    yield from _family("slocheck_window_seconds", "gauge", "The time that was graded.", window, common)


def _objectives(report: Report, common: Labels) -> Iterator[str]:
    """Yield values, limits and verdicts of the objectives."""
    results = report.assessment.objectives
    names = _distinct([result.objective.endpoint for result in results])
    labelled = [(result, _labels(result, names)) for result in results]
    values = [
        sample
        for result, labels in labelled
        for side in result.shown.sides
        for sample in _values(side, labels)
    ]
    text = "Bounds of the observed value, in the unit of its label."
    yield from _family("slocheck_objective_value", "gauge", text, values, common)
    levels = [
        (level, {**labels, "level": level.level}) for result, labels in labelled for level in result.levels
    ]
    limits = [("", labels, float(level.limit.value)) for level, labels in levels]
    text = "The limit of each level, in the unit of its label."
    yield from _family("slocheck_objective_limit", "gauge", text, limits, common)
    verdicts = [sample for level, labels in levels for sample in _verdict(level, labels)]
    text = "1 for the verdict on each level."
    yield from _family("slocheck_objective_verdict", "gauge", text, verdicts, common)


def _verdict(level: LevelResult, labels: Labels) -> Iterator[Sample]:
    return _verdicts([verdict.value for verdict in Verdict], level.verdict.value, labels)


def _labels(result: ObjectiveResult, names: Mapping[Endpoint, str]) -> Labels:
    objective, endpoint = result.objective, result.objective.endpoint
    unit = unit_name(objective.indicator.kind)
    return {"objective": objective.name, "endpoint": names[endpoint] if endpoint else "", "unit": unit}


def _values(side: SideResult, labels: Labels) -> Iterator[Sample]:
    """Yield the bounds of what one side observed, as far as there are any."""
    if side.display is None:
        return
    for bound, value in (("low", side.display.low), ("high", side.display.high)):
        if value is not None:
            yield "", {**labels, "side": side.side.value, "bound": bound}, float(value)


def _requests(report: Report, common: Labels) -> Iterator[str]:
    """Yield what each endpoint was sent and answered in the window."""
    found = endpoint_totals(report.evidence.recording)
    names = _distinct([item.endpoint for item in found])
    named = [(item, {"endpoint": names[item.endpoint]}) for item in found if item.endpoint]
    statuses = [
        ("", {**labels, "status": str(status or "none")}, count)
        for item, labels in named
        for status, count in item.statuses.items()
    ]
    text = "Requests of the window by status code; none: no response."
    yield from _family("slocheck_requests", "gauge", text, statuses, common)
    failures = [
        ("", {**labels, "class": failure.value}, count)
        for item, labels in named
        for failure, count in item.failures.items()
        if failure is not FailureClass.UNEXPECTED
    ]
    text = "Failed requests of the window by class."
    yield from _family("slocheck_failed_requests", "gauge", text, failures, common)
    latencies = [sample for item, labels in named for sample in _latencies(report, item, labels)]
    text = "Latency of the successful requests."
    yield from _family("slocheck_latency_seconds", "summary", text, latencies, common)
    largest = [("", labels, item.max_ns / NS_PER_SECOND) for item, labels in named if item.ok]
    text = "Largest latency of the successful requests."
    yield from _family("slocheck_latency_max_seconds", "gauge", text, largest, common)


def _latencies(report: Report, item: Totals, labels: Labels) -> Iterator[Sample]:
    for quantile, ns in zip(PERCENTILES, item.quantiles, strict=False):
        yield "", {**labels, "quantile": str(float(quantile))}, ns / NS_PER_SECOND
    yield "_count", labels, item.ok
    scope = report.evidence.recording.scope(item.endpoint)
    yield "_sum", labels, scope.total_ns / NS_PER_SECOND


def _distinct(endpoints: Sequence[Endpoint | None]) -> Mapping[Endpoint, str]:
    """Return the endpoints' names; those that would be the same in the text are numbered."""
    names: dict[Endpoint, str] = {}
    taken: set[str] = set()
    for endpoint in endpoints:
        if endpoint is None or endpoint in names:
            continue
        name, number = str(endpoint), 1
        while for_openmetrics(name) in taken:
            number += 1
            name = f"{endpoint} ({number})"
        taken.add(for_openmetrics(name))
        names[endpoint] = name
    return names
