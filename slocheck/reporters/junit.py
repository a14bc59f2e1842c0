"""JUnit XML for CI: a suite for the run, a case for each limit and each validity check.

The names of cases contain no measured values, so a CI server can follow a case from run to run. What was
measured is in the message and in the body, because some servers show one and some the other.
"""

from typing import Any

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from slocheck.comparison.words import change_lines, regression_sentence
from slocheck.grading.assessment import Finding, LevelResult, ObjectiveResult, Outcome, Verdict
from slocheck.grading.outcome import file_gate
from slocheck.grading.report import Report
from slocheck.reporters.decision import numbered_reason, other_sides_text
from slocheck.reporters.escape import for_xml
from slocheck.reporters.text import (
    NO_VERDICT,
    evidence_text,
    limit_text,
    margin_text,
    sides_text,
)
from slocheck.reporters.totals import endpoint_totals, may_have_failed, statuses_text, totals_of
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Objective


def render(report: Report) -> str:
    """Return the document."""
    suite = TestSuite(for_xml(f"slocheck {report.spec.service}"))
    suite.timestamp = for_xml(report.evidence.provenance.started)
    suite.hostname = for_xml(report.evidence.provenance.host)
    cases = [_completed(report)]
    cases += [_validity(report, finding) for finding in report.assessment.findings]
    cases += _steady(report) + _file_gate(report) + _regression(report)
    for result in report.assessment.objectives:
        cases += [_case(report, result, level) for level in result.levels]
    suite.add_testcases(cases)
    xml = JUnitXml("slocheck")
    xml.add_testsuite(suite)
    xml.update_statistics()  # type: ignore[no-untyped-call] # junitparser is typed in part
    # Jenkins' xUnit plugin refuses the count of skipped cases here, and only here
    xml._elem.attrib.pop("skipped", None)  # noqa: SLF001 - junitparser has no way to leave it out
    _one_line_each(xml._elem)  # noqa: SLF001 - as above
    text: str = xml.tostring().decode("utf-8")  # type: ignore[no-untyped-call] # the same
    return text + "\n"


def _one_line_each(root: Any) -> None:
    """Begin a line with each suite and each case, so that a search or a comparison shows one of them."""
    for parent in (root, *root):
        parent.text = "\n"
        for child in parent:
            child.tail = "\n"


def _named(report: Report, group: str, name: str) -> TestCase:
    return TestCase(for_xml(name), classname=for_xml(f"slocheck.{report.spec.service}.{group}"), time=0.0)


def _completed(report: Report) -> TestCase:
    """Return the case that is in error when the run was interrupted or is invalid.

    Its output has each endpoint's responses by status, and the warnings.
    """
    case = _named(report, "run", "completed")
    assessment = report.assessment
    if assessment.outcome in NO_VERDICT:
        faults = ", ".join(finding.code for finding in assessment.findings if not finding.valid)
        invalid = f"The measurement is invalid: {faults}"  # their own cases say why
        message = invalid if assessment.outcome is Outcome.INVALID else assessment.headline
        case.result = [Error(for_xml(message), assessment.outcome.value)]
    said = file_gate([report.evidence])
    found = endpoint_totals(report.evidence.recording)
    lines = [
        f"statuses of {item.endpoint}: {statuses_text(item.statuses)}" for item in found if item.statuses
    ]
    # the Locust file's gate has its own case
    lines += [f"warning: {item.text}" for item in assessment.warnings if item.text != said]
    if lines:
        case.system_out = "\n".join(map(for_xml, lines))
    return case


def _validity(report: Report, finding: Finding) -> TestCase:
    case = _named(report, "validity", finding.code)
    if not finding.valid:
        case.result = [Error(for_xml(finding.message), "invalid")]
    return case


def _steady(report: Report) -> list[TestCase]:
    """Return the case that is in error when an unsteady window withholds met verdicts."""
    assessment = report.assessment
    if not assessment.steady_states:
        return []
    case = _named(report, "run", "steady")
    text = for_xml("; ".join(item.message for item in assessment.steady_states))
    if not any(item.withheld for item in assessment.steady_states):
        case.system_out = text
    else:
        case.result = [Error(text, "undecided")]
    return [case]


def _file_gate(report: Report) -> list[TestCase]:
    """Return the failed case of a Locust file that sets an exit code; empty if it sets none."""
    text = file_gate([report.evidence])
    if not text:
        return []
    case = _named(report, "run", "locust-file")
    case.result = [Failure(for_xml(text), "failed")]
    return [case]


def _regression(report: Report) -> list[TestCase]:
    """Return the case that fails if the run is worse than its baseline; empty without a gating baseline."""
    comparison = report.comparison
    if comparison is None or not comparison.gates:
        return []
    case = _named(report, "run", "regression")
    text = "\n".join(map(for_xml, change_lines(comparison)))
    if comparison.regressions:
        failure = Failure(for_xml(regression_sentence(comparison)), "failed")
        failure.text = text
        case.result = [failure]
    else:
        case.system_out = text
    return [case]


def _case(report: Report, result: ObjectiveResult, level: LevelResult) -> TestCase:
    """Return a limit's case: passed, failed, in error, or skipped if the gate does not need it."""
    objective = result.objective
    scope = f" [{objective.endpoint}]" if objective.endpoint else ""
    case = _named(report, "objectives", f"{objective.name} {level.level}{scope}")
    message = for_xml(_message(report, objective, level))
    result_of_case = _result(report, level, message)
    if result_of_case is None:
        case.system_out = _body(report, objective, level)
    else:
        result_of_case.text = _body(report, objective, level)
        case.result = [result_of_case]
    return case


def _result(report: Report, level: LevelResult, message: str) -> Error | Failure | Skipped | None:
    """Return what a limit's case ended with; None if it passed."""
    outcome = report.assessment.outcome
    if not level.needed:
        return Skipped(for_xml(f"not needed for the gate {report.assessment.gate}: {message}"))
    if outcome in NO_VERDICT:
        return Error(for_xml(f"no verdict, the run is {outcome.value}; {message}"), outcome.value)
    match level.verdict:
        case Verdict.BREACHED:
            return Failure(message, "breached")
        case Verdict.UNDECIDED:
            return Error(message, "undecided")
        case _:
            return None


def _body(report: Report, objective: Objective, level: LevelResult) -> str:
    """Write the numbers of a case one below the other: value, limit, margin, and what they rest on."""
    decides = level.deciding
    lines = {
        "verdict": level.verdict.value,
        "value": sides_text(objective, level),
        "limit": limit_text(level.level, level.limit),
        "margin": margin_text(objective, level.limit, decides.display) if decides else "",
        "reason": numbered_reason(report, objective, level),
        "statuses": _statuses(report, objective),
        "evidence": _evidence(report, objective, level),
        "spec": f"{report.spec.path}:{level.limit.position}",
    }
    return "\n".join(for_xml(f"{name}: {text}") for name, text in lines.items() if text)


def _statuses(report: Report, objective: Objective) -> str:
    """Write the statuses of an objective's responses; empty for a query, which may be about anything."""
    if traits_of(objective.indicator.kind).is_query:
        return ""
    return statuses_text(totals_of(report.evidence.recording, objective.endpoint).statuses)


def _message(report: Report, objective: Objective, level: LevelResult) -> str:
    """Say what was observed, the limit and its place in the spec, and what the verdict rests on."""
    observed = sides_text(objective, level)
    text = f"{level.verdict.value}: {observed}, {limit_text(level.level, level.limit)}"
    decides = level.deciding
    margin = margin_text(objective, level.limit, decides.display) if decides else ""
    text += f" ({margin})" if margin else ""
    reason = numbered_reason(report, objective, level)
    text += f" ({reason})" if reason else ""
    text += f", {report.spec.path}:{level.limit.position}"
    evidence = _evidence(report, objective, level)
    return f"{text}; {evidence}" if evidence else text


def _evidence(report: Report, objective: Objective, level: LevelResult) -> str:
    decides = level.deciding
    if decides is None:
        return ""
    failed = may_have_failed(report, objective, decides)
    confidence = report.assessment.confidence
    shown = evidence_text(objective, level.limit, decides, confidence, failed=failed)
    return "; ".join(filter(None, (shown, other_sides_text(report, objective, level))))
