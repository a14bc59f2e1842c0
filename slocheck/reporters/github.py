"""What GitHub Actions shows and passes on: annotations as workflow commands, outputs of the step.

Sources: docs.github.com, "Workflow commands for GitHub Actions": the escapes, the files, and that a step may
have ten errors and ten warnings.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slocheck.comparison.words import change_text, runs_text
from slocheck.errors import SlocheckError, SpecError
from slocheck.grading.assessment import SEVERITY, ObjectiveResult, Outcome, Verdict
from slocheck.grading.report import Report
from slocheck.reporters.decision import numbered_reason
from slocheck.reporters.escape import clean, for_terminal
from slocheck.reporters.text import limit_text, margin_text, scope_text, sides_text

MAX_ANNOTATIONS = 9
MAX_SUMMARY = 1 << 20
"""Bytes of a step's summary; GitHub drops a larger one as a whole."""

_ERROR, _WARNING = "error", "warning"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A message at a line of a file.

    Attributes:
        level: ``error`` or ``warning``.
        path: Of the file, as the user named it; empty: it is not about a file.
        title: In bold above the message.
        text: The message.
        line: From 1; 0: of the whole file.
        column: From 1; 0: unknown.
    """

    level: str
    path: str
    title: str
    text: str
    line: int = 0
    column: int = 0

    def command(self, workspace: str) -> str:
        """Return the workflow command; GitHub knows files by their path in the checkout."""
        found = {
            "file": _in_checkout(self.path, workspace),
            "line": str(self.line or ""),
            "col": str(self.column or ""),
            "title": self.title,
        }
        properties = ",".join(f"{name}={_property(text)}" for name, text in found.items() if text)
        return f"::{self.level} {properties}::{_data(self.text)}"


def _data(text: str) -> str:
    """Return a text as a command's message."""
    return for_terminal(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return a text as a command's property."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _in_checkout(path: str, workspace: str) -> str:
    """Return a path relative to the checkout if it is inside."""
    inside = os.path.relpath(path, workspace) if workspace and path else path
    return path if Path(inside).parts[:1] == (os.pardir,) else inside


def annotations(report: Report) -> list[Annotation]:
    """Return what is not met, worst first: an error for a breach, a warning for what is undecided.

    A run without a verdict has an error for each check that did not pass. If earlier runs prove that an
    objective got worse, and that fails the run, that is an error, too.
    """
    return bounded([*_without_verdict(report), *_with_verdict(report), *_regressions(report)])


def of_error(error: SlocheckError) -> list[Annotation]:
    """Return an annotation for each thing that is wrong in a document, or else for the error as a whole."""
    if not isinstance(error, SpecError):
        return [Annotation(_ERROR, "", "slocheck", str(error))]
    return bounded(
        [
            Annotation(_ERROR, item.path, item.where or "slocheck", item.what, item.line, item.column)
            for item in error.problems
        ]
    )


def bounded(found: Sequence[Annotation]) -> list[Annotation]:
    """Return at most `MAX_ANNOTATIONS`; if there are more, the last one says how many."""
    if len(found) <= MAX_ANNOTATIONS:
        return list(found)
    shown, rest = found[: MAX_ANNOTATIONS - 1], found[MAX_ANNOTATIONS - 1 :]
    text = f"{len(rest)} more are not shown here; the job's summary and the log have all of them"
    return [*shown, Annotation(rest[0].level, rest[0].path, "slocheck", text)]


def _without_verdict(report: Report) -> Iterator[Annotation]:
    """Yield why a run has no verdict; nothing if it has one."""
    assessment, path = report.assessment, report.spec.path
    if assessment.outcome is Outcome.INTERRUPTED:
        yield Annotation(_ERROR, path, "The run was interrupted", assessment.headline)
    if assessment.outcome is Outcome.INVALID:
        for finding in assessment.findings:
            if not finding.valid:
                title = f"The run is invalid: {finding.code}"
                yield Annotation(_ERROR, path, title, finding.message)


def _with_verdict(report: Report) -> Iterator[Annotation]:
    """Yield the objectives that the gate needs and that are not met, worst first."""
    if report.assessment.outcome not in (Outcome.FAIL, Outcome.UNDECIDED):
        return
    for verdict in SEVERITY[:-1]:
        for result in report.assessment.objectives:
            if result.verdict is verdict:
                yield _of_objective(report, result, verdict)


def _of_objective(report: Report, result: ObjectiveResult, verdict: Verdict) -> Annotation:
    """Return the annotation at the limit that decides an objective."""
    objective, level = result.objective, result.shown
    decides = level.deciding
    margin = margin_text(objective, level.limit, decides.display) if decides else ""
    text = f"{scope_text(objective)}: {sides_text(objective, level)}, {limit_text(level.level, level.limit)}"
    text += f" ({margin})" if margin else ""
    reason = numbered_reason(report, objective, level)
    text += f": {reason}" if reason else ""
    position = level.limit.position
    title = f"{objective.name} is {verdict.value}"
    kind = _ERROR if verdict is Verdict.BREACHED else _WARNING
    return Annotation(kind, report.spec.path, title, text, position.line, position.column)


def _regressions(report: Report) -> Iterator[Annotation]:
    """Yield what is certainly worse than in earlier runs, if that fails the run."""
    comparison = report.comparison
    if comparison is None or not comparison.gates:
        return
    lines = {objective.name: objective.position.line for objective in report.spec.objectives}
    for change in comparison.regressions:
        text = f"{change_text(change)}; {comparison.margin * 100:.3g}% is allowed"
        title = f"{change.objective} is worse than in {runs_text(comparison)}"
        yield Annotation(_ERROR, report.spec.path, title, text, lines.get(change.objective, 0))


def outputs(report: Report, files: Mapping[str, str]) -> Mapping[str, str]:
    """Return the outputs of the step; `files` are the paths of the reports that were written, by format."""
    assessment = report.assessment
    return {
        "verdict": assessment.outcome.value,
        "exit-code": str(assessment.exit_code),
        "tier": assessment.tier or "",
        "gate": assessment.gate,
        "run": report.folder,
        "report": files.get("html", ""),
        "summary": files.get("markdown", ""),
    }


def output_lines(values: Mapping[str, str], delimiter: str) -> str:
    """Return the outputs as GITHUB_OUTPUT wants them.

    The delimiter is random: with a known one, a value could end early and set another output.
    """
    return "".join(f"{name}<<{delimiter}\n{clean(text)}\n{delimiter}\n" for name, text in values.items())
