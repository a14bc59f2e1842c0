"""A summary in Markdown for a merge request comment or a CI job page, bounded in size."""

from collections.abc import Iterator, Sequence

from slocheck.documents.texts import shorten
from slocheck.evidence.recording import FailureClass
from slocheck.grading.assessment import ObjectiveResult, Outcome
from slocheck.grading.report import Report
from slocheck.reporters import totals
from slocheck.reporters.escape import for_markdown, for_markdown_code
from slocheck.reporters.saturation import usage_text, usages
from slocheck.reporters.text import (
    GLYPHS,
    NO_VERDICT,
    OUTCOME_GLYPHS,
    clock_text,
    confidence_text,
    evidence_text,
    failure_text,
    headline_word,
    limit_text,
    margin_text,
    scope_text,
    short_sha,
    sides_text,
)
from slocheck.spec.model import EXTRA_LEVELS

MAX_BYTES = 60_000
"""Below the 64 kB that the strictest forge accepts."""

MAX_TEXT = 400
MAX_COMMAND = 2000
MAX_LISTED = 20
CUT = "\n_The rest did not fit; the HTML report has all of it._\n"


def render(report: Report) -> str:
    """Return the summary: verdict, table of objectives, validity, what the next tier needs, provenance."""
    lines = [*_head(report), "", *_table(report), "", *_lists(report), *_foot(report)]
    return _bounded(lines)


def _bounded(lines: Sequence[str]) -> str:
    """Join lines up to the size limit; if lines are left out, a last line says so."""
    kept: list[str] = []
    size = len(CUT.encode())
    for line in lines:
        size += len(line.encode()) + 1
        if size > MAX_BYTES:
            return "\n".join(kept) + "\n" + CUT
        kept.append(line)
    return "\n".join(kept) + "\n"


def _escaped(text: str) -> str:
    return for_markdown(shorten(text, MAX_TEXT))


def _head(report: Report) -> Iterator[str]:
    assessment, evidence = report.assessment, report.evidence
    glyph = OUTCOME_GLYPHS[assessment.outcome]
    yield f"### {glyph} {headline_word(assessment.outcome)}: {_escaped(report.spec.service)}"
    yield ""
    total = totals.window_totals(evidence.recording)
    achieved = _escaped(assessment.tier or "no tier")
    window = clock_text(evidence.recording.window_s)
    headline = "" if assessment.outcome is Outcome.INVALID else f" {_escaped(assessment.headline)}"
    gate = _escaped(assessment.gate)
    yield f"Achieved **{achieved}**, gate **{gate}**; {total.sent:,} requests in {window}.{headline}"


def _table(report: Report) -> Iterator[str]:
    """Yield the objectives: the observed value, and each level's limit with its verdict."""
    written = {level.level for result in report.assessment.objectives for level in result.levels}
    levels = [name for name in (*report.spec.tiers, *EXTRA_LEVELS) if name in written]
    yield "| | " + " | ".join(["objective", "requests", "observed", *map(_escaped, levels)]) + " |"
    yield "|---" * (4 + len(levels)) + "|"
    for result in report.assessment.objectives:
        objective = result.objective
        glyph = GLYPHS[result.verdict] if result.verdict else "·"
        cells = [objective.name, scope_text(objective), sides_text(objective, result.shown)]
        row = [glyph, *map(_escaped, cells), *(_cell(result, name) for name in levels)]
        yield "| " + " | ".join(row) + " |"


def _cell(result: ObjectiveResult, name: str) -> str:
    level = result.level(name)
    return f"{GLYPHS[level.verdict]} {_escaped(level.limit.text)}" if level else ""


def _lists(report: Report) -> Iterator[str]:
    """Yield the failed validity checks, the reasons, what the next tier needs, and what else to know."""
    assessment = report.assessment
    failed = [f"{item.code}: {item.message}" for item in assessment.findings if not item.valid]
    invalid = assessment.outcome is Outcome.INVALID
    yield from _list("The measurement is invalid" if invalid else "Failed validity checks", failed)
    if assessment.outcome not in NO_VERDICT:
        reasons = [_reason(result) for result in _needed(report) if result.shown.reason]
        yield from _list("Why", [reason for reason in reasons if not assessment.headline.startswith(reason)])
        if assessment.next_tier not in (None, assessment.gate):  # what the gate is missing is said above
            gaps = [f"{gap.objective}: {gap.message}" for gap in assessment.gaps]
            yield from _list(f"Missing for {assessment.next_tier}", gaps)
    yield from _list("Evidence", _evidence(report))
    yield from _list("Warnings", [warning.text for warning in assessment.warnings])
    examples = totals.frequent_failures(report.evidence.recording)
    unexpected = [item for item in examples if item.failure is FailureClass.UNEXPECTED]
    failures = [item for item in examples if item.failure is not FailureClass.UNEXPECTED]
    statuses = totals.unusual_statuses(report.evidence.recording)
    yield from _list("Responses by status", [statuses] if statuses else [])
    yield from _list("Unexpected responses", [failure_text(example) for example in unexpected])
    yield from _list("Failed requests", [failure_text(example) for example in failures])
    yield from _list("Saturation (not graded)", [usage_text(usage) for usage in usages(report)])


def _needed(report: Report) -> list[ObjectiveResult]:
    return [result for result in report.assessment.objectives if result.verdict is not None]


def _evidence(report: Report) -> list[str]:
    """Return what each verdict rests on: counts, interval, effective sample size."""
    found = []
    for result in _needed(report):
        objective, level = result.objective, result.shown
        side = level.deciding
        if side is None or side.bounds is None:
            continue
        margin = margin_text(objective, level.limit, side.display)
        shown = evidence_text(objective, level.limit, side, report.assessment.confidence)
        where = limit_text(level.level, level.limit) + (f" ({margin})" if margin else "")
        found.append(f"{objective.name}, {where}: {shown}")
    return found


def _reason(result: ObjectiveResult) -> str:
    level = result.shown
    where = limit_text(level.level, level.limit)
    return f"{result.objective.name} is {level.verdict.value} at {where}: {level.reason}"


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    if not items:
        return
    yield f"**{_escaped(title)}**"
    yield ""
    yield from (f"- {_escaped(item)}" for item in items[:MAX_LISTED])
    if len(items) > MAX_LISTED:
        yield f"- and {len(items) - MAX_LISTED} more"
    yield ""


def _foot(report: Report) -> Iterator[str]:
    provenance = report.evidence.provenance
    sha = short_sha(provenance.git_sha, dirty=provenance.git_dirty)
    commit = f", commit {sha}" if sha else ""
    confidence = confidence_text(report.assessment.confidence)
    yield f"{_escaped(confidence)}; slocheck {_escaped(provenance.slocheck)}{_escaped(commit)}."
    yield ""
    yield f"Run again: {for_markdown_code(shorten(totals.rerun_command(report), MAX_COMMAND))}"
