"""What ``-v`` adds to a summary: statistics, all validity checks, usage, failures, the command."""

from collections.abc import Container, Iterator

from slocheck.documents.texts import shorten
from slocheck.evidence.recording import FailureClass
from slocheck.grading.assessment import ObjectiveResult
from slocheck.grading.report import Report
from slocheck.reporters import totals
from slocheck.reporters.decision import numbered_gaps, other_side_text
from slocheck.reporters.machines import machine_figures, machine_text
from slocheck.reporters.saturation import usage_text, usages
from slocheck.reporters.terminal.layout import GAP, wrapped
from slocheck.reporters.text import (
    NO_VERDICT,
    SIDE_TITLES,
    confidence_text,
    evidence_text,
    failure_text,
    value_text,
)

PATH_TITLES = {"html": "report"}
"""The label of a format's file, if it is not the format's name."""

MAX_TEXT = 300


def lines(report: Report, width: int) -> Iterator[str]:
    """Yield the details of a run, each section under its title."""
    sections = (
        ("statistics", _statistics(report)),
        ("validity", _validity(report)),
        ("next tier", _gaps(report)),
        ("machines", map(machine_text, machine_figures(report))),
        ("saturation", (usage_text(usage) for usage in usages(report))),
        ("failures", failure_lines(report)),
        ("run again", iter((totals.rerun_command(report),))),
    )
    for title, texts in sections:
        for number, text in enumerate(texts):
            if number == 0:
                yield ""
                yield f"{GAP}{title}"
            yield from wrapped(shorten(text, MAX_TEXT), width, first=GAP * 2)
    yield ""


def failure_lines(report: Report, *, without: Container[FailureClass] = ()) -> Iterator[str]:
    """Yield how many requests failed with each message; an unexpected response is not called a failure."""
    counted = totals.beyond_window(report.evidence.recording)
    for example in totals.frequent_failures(report.evidence.recording):
        if example.failure not in without:
            kind = "response" if example.failure is FailureClass.UNEXPECTED else "failed"
            yield f"{kind}{counted}{GAP}{failure_text(example)}"


def _statistics(report: Report) -> Iterator[str]:
    yield confidence_text(report.assessment.confidence)
    for result in report.assessment.objectives:
        if result.verdict is not None:
            yield from _sides(result, report)


def _sides(result: ObjectiveResult, report: Report) -> Iterator[str]:
    """Yield what each side of an objective rests on."""
    objective, level = result.objective, result.shown
    place = f"{report.spec.path}:{level.limit.position.line}"
    for side in level.sides:
        value = value_text(objective, side.display)
        failed = totals.may_have_failed(report, objective, side)
        rests_on = evidence_text(objective, level.limit, side, report.assessment.confidence, failed=failed)
        text = f"{objective.name} ({place}), {SIDE_TITLES[side.side]} {value}"
        if why := other_side_text(level, side):
            text += f" ({why})"
        yield f"{text}: {rests_on}" if rests_on else text


def _validity(report: Report) -> Iterator[str]:
    for finding in report.assessment.findings:
        yield finding.message if finding.valid else f"! invalid ({finding.code}): {finding.message}"


def _gaps(report: Report) -> Iterator[str]:
    if report.assessment.outcome not in NO_VERDICT:
        for gap in numbered_gaps(report):
            yield f"{gap.objective}, {gap.message}"
