"""The last lines of a run, for a terminal or a CI log: the worst first, no line wrapped."""

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from slocheck.comparison.words import summary
from slocheck.documents.texts import shorten
from slocheck.evidence.recording import FailureClass
from slocheck.grading.assessment import SEVERITY, Gap, ObjectiveResult, Outcome, Verdict
from slocheck.grading.report import Report
from slocheck.grading.tiers import CRITICAL
from slocheck.reporters import totals
from slocheck.reporters.escape import for_terminal
from slocheck.reporters.saturation import usage_text, usages
from slocheck.reporters.text import (
    GLYPHS,
    NO_VERDICT,
    clock_text,
    evidence_text,
    failure_text,
    headline_word,
    limit_text,
    margin_text,
    short_sha,
    sides_text,
)

STYLES = {Verdict.MET: "green", Verdict.BREACHED: "bold red", Verdict.UNDECIDED: "yellow"}
OUTCOME_STYLES = {
    Outcome.PASS: "bold green",
    Outcome.FAIL: "bold red",
    Outcome.UNDECIDED: "bold yellow",
    Outcome.INVALID: "bold magenta",
    Outcome.INTERRUPTED: "bold magenta",
}
MAX_TEXT = 300
MAX_GAPS = 3
MAX_USAGES = 3
MAX_FAILURES = 3
PATH_TITLES = {"html": "report"}
"""What the file of a format is called, where that is not the format's name."""
_GAP = "  "

Line = tuple[str, Sequence[str]]
"""A style and the cells of one aligned line."""


def render_summary(report: Report, console: Console, paths: Mapping[str, str]) -> None:
    """Print a run's result.

    Args:
        report: The graded run.
        console: Where to print; it decides about colours (NO_COLOR, not a terminal).
        paths: The file written for each format; may be empty.
    """
    for text in _lines(report, paths):
        # soft_wrap: a line break inside foreign text could begin a CI command, and logs are grepped by line
        console.print(text, soft_wrap=True, markup=False, highlight=False, emoji=False)


def _lines(report: Report, paths: Mapping[str, str]) -> Iterator[Text]:
    assessment = report.assessment
    yield _headline(report)
    needed = sorted(
        (result for result in assessment.objectives if result.verdict is not None),
        key=lambda result: SEVERITY.index(result.verdict or Verdict.MET),
    )
    not_met = {result.objective.name for result in needed if result.verdict is not Verdict.MET}
    yield from _outcome_lines(report, not_met)
    listed = [
        result for result in needed if result.objective.name in not_met or _has_interval(result, report)
    ]
    yield from _aligned([_objective_line(result, report) for result in listed])
    yield from _met_lines(needed, listed)
    yield from _next_tier_lines(report, not_met)
    for warning in assessment.warnings:
        yield _text(f"! {shorten(for_terminal(warning.text), MAX_TEXT)}", "yellow")
    yield from _failure_lines(report)
    if assessment.outcome is not Outcome.INVALID:
        yield from _validity_lines(report)
    yield from _usage_lines(report)
    if report.comparison is not None:
        yield _text(shorten(f"change  {summary(report.comparison)}", MAX_TEXT))
    if shown := [f"{PATH_TITLES.get(name, name)} {path}" for name, path in paths.items()]:
        yield _text(_GAP.join(shown))
    yield _text(f"rerun  {totals.rerun_command(report)}")


def _outcome_lines(report: Report, not_met: set[str]) -> Iterator[Text]:
    """Say why the outcome is what it is, where no objective's line says it."""
    assessment = report.assessment
    if assessment.outcome is Outcome.INVALID:
        yield from _validity_lines(report)
    elif assessment.outcome is Outcome.INTERRUPTED or (
        assessment.outcome is not Outcome.PASS and not not_met
    ):
        yield _text(assessment.headline, OUTCOME_STYLES[assessment.outcome])


def _text(text: str, style: str = "") -> Text:
    return Text(for_terminal(text), style=style)


def _headline(report: Report) -> Text:
    """Say outcome, tier, gate, what was tested, for how long and with how many requests."""
    assessment, evidence = report.assessment, report.evidence
    service = report.spec.service
    if sha := evidence.provenance.git_sha:
        service += f" @ {short_sha(sha, dirty=evidence.provenance.git_dirty)}"
    rest = "   ".join(
        (
            f"achieved {assessment.tier or 'no tier'}, gate {assessment.gate}",
            service,
            clock_text(evidence.recording.window_s),
            f"{totals.window_totals(evidence.recording).sent:,} requests",
        )
    )
    head = Text(headline_word(assessment.outcome), style=OUTCOME_STYLES[assessment.outcome])
    return head.append(f"{_GAP}{for_terminal(rest)}", style="default")


def _objective_line(result: ObjectiveResult, report: Report) -> Line:
    """Return the cells that show an objective and what its verdict rests on."""
    objective, level = result.objective, result.shown
    cells = (
        f"{GLYPHS[level.verdict]} {objective.name}",
        str(objective.endpoint) if objective.endpoint else "",
        sides_text(objective, level),
        _limit_cell(result),
        f"{report.spec.path}:{level.limit.position.line}",
        _why(result, report),
    )
    *rest, why = (for_terminal(cell) for cell in cells)
    return STYLES[level.verdict], [*(shorten(cell, MAX_TEXT) for cell in rest), why]


def _limit_cell(result: ObjectiveResult) -> str:
    """Write the limit, the value's distance from it, and whether ``critical`` is breached as well."""
    objective, level = result.objective, result.shown
    text = limit_text(level.level, level.limit)
    decides = level.deciding
    if decides:
        margin = margin_text(objective, level.limit, decides.display)
        text += f" ({margin})" if margin else ""
    critical = result.level(CRITICAL)
    if critical and critical is not level and critical.verdict is Verdict.BREACHED:
        text += f", {limit_text(critical.level, critical.limit)} too"
    return text


def _why(result: ObjectiveResult, report: Report) -> str:
    """Say what the verdict rests on; if undecided, first say why."""
    objective, level = result.objective, result.shown
    decides = level.deciding
    evidence = ""
    if decides is not None:
        evidence = evidence_text(objective, level.limit, decides, report.assessment.confidence)
    if level.verdict is not Verdict.UNDECIDED:
        return evidence or shorten(level.reason, MAX_TEXT)
    why = f"undecided: {shorten(level.reason, MAX_TEXT)}" if level.reason else "undecided"
    return f"{why}; {evidence}" if evidence else why


def _aligned(lines: Sequence[Line]) -> Iterator[Text]:
    """Put the cells of all lines below each other; columns that are empty throughout are left out."""
    if not lines:
        return
    columns = list(zip(*(cells for _, cells in lines), strict=True))
    widths = [max(map(cell_len, column)) for column in columns]
    for style, cells in lines:
        padded = [
            cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True) if width
        ]
        line = Text(_GAP.join(padded).rstrip())
        line.stylize(style, 0, len(cells[0]))
        yield line


def _met_lines(needed: Sequence[ObjectiveResult], listed: Sequence[ObjectiveResult]) -> Iterator[Text]:
    """Count the objectives that are met, and name those without a line of their own."""
    met = [result for result in needed if result.verdict is Verdict.MET]
    if met:
        names = [f"✓ {result.objective.name}" for result in met if result not in listed]
        yield _text(_GAP.join([*names, f"({len(met)} of {len(needed)} met)"]), "green")


def _has_interval(result: ObjectiveResult, report: Report) -> bool:
    """Tell whether there is more to say about a met objective than its name."""
    decides = result.shown.deciding
    return report.assessment.confidence is not None and decides is not None and decides.bounds is not None


def _next_tier_lines(report: Report, shown: set[str]) -> Iterator[Text]:
    """Say what the next tier needs beyond the lines above; nothing for a run without a verdict."""
    assessment = report.assessment
    if assessment.next_tier is None or assessment.outcome in NO_VERDICT:
        return
    missing = [gap for gap in assessment.gaps if gap.objective not in shown]
    for gap in missing[:MAX_GAPS]:
        text = f"to {assessment.next_tier}: {_gap_text(report, gap)}"
        yield _text(shorten(for_terminal(text), MAX_TEXT))
    if len(missing) > MAX_GAPS:
        yield _text(f"to {assessment.next_tier}: and {len(missing) - MAX_GAPS} more, see the report")


def _gap_text(report: Report, gap: Gap) -> str:
    result = next(item for item in report.assessment.objectives if item.objective.name == gap.objective)
    same = (level for level in result.levels if level.verdict is gap.verdict)
    level = result.level(gap.tier) or next(same, None)
    value = f" {sides_text(result.objective, level)}" if level else ""
    return f"{gap.objective}{value}, {gap.message}"


def _failure_lines(report: Report) -> Iterator[Text]:
    """Show what came back, where not all of it was 2xx, and the most frequent failure messages."""
    if statuses := totals.unusual_statuses(report.evidence.recording):
        yield _text(shorten(f"responses  {statuses}", MAX_TEXT))
    found = totals.frequent_failures(report.evidence.recording)
    for example in found[:MAX_FAILURES]:
        kind = "response  " if example.failure is FailureClass.UNEXPECTED else "failed  "
        yield _text(shorten(for_terminal(f"{kind}{failure_text(example)}"), MAX_TEXT))
    if len(found) > MAX_FAILURES:
        yield _text(f"failed  and {len(found) - MAX_FAILURES} more messages, see the report")


def _usage_lines(report: Report) -> Iterator[Text]:
    found = usages(report)
    for usage in found[:MAX_USAGES]:
        yield _text(shorten(for_terminal(f"saturation  {usage_text(usage)}"), MAX_TEXT))
    if len(found) > MAX_USAGES:
        yield _text(f"saturation  and {len(found) - MAX_USAGES} more, see the report")


def _validity_lines(report: Report) -> Iterator[Text]:
    """Say in one line that the run is valid, or in a line for each failed check why it is not."""
    assessment = report.assessment
    title = "The measurement is invalid" if assessment.outcome is Outcome.INVALID else "✗ validity"
    failed = [finding for finding in assessment.findings if not finding.valid]
    for finding in failed:
        yield _text(f"{title} ({finding.code}): {finding.message}", "magenta")
    if not failed:
        passed = ", ".join(finding.message for finding in assessment.findings)
        yield _text(f"validity ok: {passed}" if passed else "validity ok")
