"""The last lines of a run, for a terminal or a CI log: the worst first, nothing cut, nothing wrapped."""

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from slocheck.grading.assessment import SEVERITY, Gap, LevelResult, Outcome, Verdict
from slocheck.grading.report import Report
from slocheck.reporters import totals
from slocheck.reporters.escape import for_terminal, shorten
from slocheck.reporters.saturation import usage_text, usages
from slocheck.reporters.text import (
    GLYPHS,
    clock_text,
    deciding_side,
    evidence_text,
    failure_text,
    headline_word,
    limit_text,
    margin_text,
    short_sha,
    sides_text,
)
from slocheck.reporters.totals import ObjectiveStatus

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
SHOWN_PATHS = {"html": "report", "json": "json", "junit": "junit", "markdown": "markdown"}
_TIGHT = "  "

Line = tuple[str, Sequence[str]]
"""A style and the cells of one aligned line."""


def render_summary(report: Report, console: Console, paths: Mapping[str, str]) -> None:
    """Print a run's result.

    Args:
        report: The graded run.
        console: Where to; colours are its business (NO_COLOR, no terminal).
        paths: Format to the path it was written to; may be empty.
    """
    for text in _lines(report, paths):
        # soft_wrap: a line break inside foreign text could begin a CI command, and logs are grepped by line
        console.print(text, soft_wrap=True, markup=False, highlight=False, emoji=False)


def _lines(report: Report, paths: Mapping[str, str]) -> Iterator[Text]:
    assessment = report.assessment
    yield _headline(report)
    objective_statuses = totals.objective_statuses(report.spec, assessment)
    asked = sorted(
        (standing for standing in objective_statuses if standing.verdict is not None),
        key=lambda standing: SEVERITY.index(standing.verdict or Verdict.MET),
    )
    still_open = {item.result.objective.name for item in asked if item.verdict is not Verdict.MET}
    no_verdict = assessment.outcome in (Outcome.INVALID, Outcome.INTERRUPTED)
    if no_verdict or (assessment.outcome is not Outcome.PASS and not still_open):
        yield _text(assessment.headline, OUTCOME_STYLES[assessment.outcome])
    listed = [item for item in asked if item.verdict is not Verdict.MET or _has_interval(item, report)]
    yield from _aligned([_objective_line(standing, report) for standing in listed])
    yield from _tally(asked, [standing for standing in asked if standing not in listed])
    yield from _next_tier_lines(report, still_open)
    for warning in assessment.warnings:
        yield _text(f"! {shorten(for_terminal(warning.text), MAX_TEXT)}", "yellow")
    yield from _failure_lines(report)
    yield from _validity_lines(report)
    yield from _usage_lines(report)
    if shown := [f"{title} {paths[name]}" for name, title in SHOWN_PATHS.items() if name in paths]:
        yield _text(_TIGHT.join(shown))
    yield _text(f"again  {totals.again(report)}")


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
            f"{totals.window_sums(evidence.recording).sent:,} requests",
        )
    )
    head = Text(headline_word(assessment.outcome), style=OUTCOME_STYLES[assessment.outcome])
    return head.append(f"{_TIGHT}{for_terminal(rest)}", style="default")


def _objective_line(standing: ObjectiveStatus, report: Report) -> Line:
    """Return the cells that show an objective and what its verdict rests on."""
    objective, level = standing.result.objective, standing.level
    assert standing.verdict is not None
    scope = str(objective.endpoint) if objective.endpoint else ""
    cells = (
        f"{GLYPHS[standing.verdict]} {objective.name}",
        scope,
        sides_text(objective, level),
        _limit_cell(standing),
        f"{report.spec.path}:{level.limit.position.line}",
        _why(standing, report),
    )
    return STYLES[standing.verdict], [shorten(for_terminal(cell), MAX_TEXT) for cell in cells]


def _limit_cell(standing: ObjectiveStatus) -> str:
    """Write the limit, how far from it the value is, and that ``critical`` is broken too."""
    objective, level = standing.result.objective, standing.level
    text = limit_text(level.level, level.limit)
    decides = deciding_side(level)
    if decides:
        margin = margin_text(objective, level.limit, decides.display)
        text += f" ({margin})" if margin else ""
    critical = standing.result.level(totals.CRITICAL)
    if critical and critical is not level and critical.verdict is Verdict.BREACHED:
        text += f", {limit_text(critical.level, critical.limit)} too"
    return text


def _why(standing: ObjectiveStatus, report: Report) -> str:
    """Say what the verdict rests on, and before that, of an open one, why it is open."""
    objective, level = standing.result.objective, standing.level
    decides = deciding_side(level)
    evidence = ""
    if decides is not None:
        evidence = evidence_text(objective, level.limit, decides, report.assessment.confidence)
    if level.verdict is not Verdict.UNDECIDED:
        return evidence or level.reason
    why = f"undecided: {level.reason}" if level.reason else "undecided"
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
        line = Text(_TIGHT.join(padded).rstrip())
        line.stylize(style, 0, len(cells[0]))
        yield line


def _tally(asked: Sequence[ObjectiveStatus], unlisted: Sequence[ObjectiveStatus]) -> Iterator[Text]:
    """Say how many objectives keep the gate, and name those that have no line of their own."""
    met = sum(standing.verdict is Verdict.MET for standing in asked)
    if met:
        names = [f"✓ {standing.result.objective.name}" for standing in unlisted]
        yield _text(_TIGHT.join([*names, f"({met} of {len(asked)} met)"]), "green")


def _has_interval(standing: ObjectiveStatus, report: Report) -> bool:
    """Tell whether there is more to say of a met objective than its name."""
    decides = deciding_side(standing.level)
    return report.assessment.confidence is not None and decides is not None and decides.bounds is not None


def _next_tier_lines(report: Report, shown: set[str]) -> Iterator[Text]:
    """Say what is missing to the next tier, beyond what the lines above show already."""
    assessment = report.assessment
    if assessment.next_tier is None:
        return
    missing = [gap for gap in assessment.gaps if gap.objective not in shown]
    for gap in missing[:MAX_GAPS]:
        text = f"to {assessment.next_tier}: {_gap_text(report, gap)}"
        yield _text(shorten(for_terminal(text), MAX_TEXT))
    if len(missing) > MAX_GAPS:
        yield _text(f"to {assessment.next_tier}: and {len(missing) - MAX_GAPS} more, see the report")


def _gap_text(report: Report, gap: Gap) -> str:
    level = _level_of(report, gap)
    result = next(item for item in report.assessment.objectives if item.objective.name == gap.objective)
    value = f" {sides_text(result.objective, level)}" if level else ""
    return f"{gap.objective}{value}, {gap.message}"


def _level_of(report: Report, gap: Gap) -> LevelResult | None:
    """Return the level whose verdict a gap speaks of."""
    result = next(item for item in report.assessment.objectives if item.objective.name == gap.objective)
    return result.level(gap.tier) or next(
        (level for level in result.levels if level.verdict is gap.verdict), None
    )


def _failure_lines(report: Report) -> Iterator[Text]:
    """Say what most of the failed requests failed with."""
    found = totals.frequent_failures(report.evidence.recording)
    for example in found[:MAX_FAILURES]:
        yield _text(shorten(for_terminal(f"failed  {failure_text(example)}"), MAX_TEXT))
    if len(found) > MAX_FAILURES:
        yield _text(f"failed  and {len(found) - MAX_FAILURES} messages more, see the report")


def _usage_lines(report: Report) -> Iterator[Text]:
    found = usages(report)
    for usage in found[:MAX_USAGES]:
        yield _text(shorten(for_terminal(f"saturation  {usage_text(usage)}"), MAX_TEXT))
    if len(found) > MAX_USAGES:
        yield _text(f"saturation  and {len(found) - MAX_USAGES} more, see the report")


def _validity_lines(report: Report) -> Iterator[Text]:
    """Say in one line that the run can be believed, or in one line each why not."""
    findings = report.assessment.findings
    source_failed = [finding for finding in findings if not finding.valid]
    for finding in source_failed:
        yield _text(f"✗ validity, {finding.name}: {finding.message}", "magenta")
    if not source_failed:
        told = ", ".join(finding.message for finding in findings)
        yield _text(f"validity ok: {told}" if told else "validity ok")
