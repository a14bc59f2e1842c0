"""A summary for a merge request's comment or a CI job's page: Markdown, bounded in size."""

from collections.abc import Iterator, Sequence

from slocheck.grading.assessment import LevelResult, ObjectiveResult
from slocheck.grading.report import Report
from slocheck.reporters import totals
from slocheck.reporters.escape import for_markdown, for_markdown_code, shorten
from slocheck.reporters.saturation import usage_text, usages
from slocheck.reporters.text import (
    GLYPHS,
    NO_DATA,
    OUTCOME_GLYPHS,
    clock_text,
    confidence_text,
    deciding_side,
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
"""Below the 64 kB that the strictest forge takes."""

MAX_TEXT = 400
MAX_COMMAND = 2000
MAX_LISTED = 20
CUT = "\n_The rest did not fit; the HTML report has all of it._\n"


def render(report: Report) -> str:
    """Return the summary: the verdict, a table of objectives, validity, what is missing, provenance."""
    lines = [*_head(report), "", *_table(report), "", *_lists(report), *_foot(report)]
    return _bounded(lines)


def _bounded(lines: Sequence[str]) -> str:
    """Join lines up to the size limit; whole lines are left out, and it is said so."""
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
    total = totals.window_sums(evidence.recording)
    achieved = _escaped(assessment.tier or "no tier")
    window = clock_text(evidence.recording.window_s)
    yield (
        f"Achieved **{achieved}**, gate **{_escaped(assessment.gate)}**; "
        f"{total.sent:,} requests in {window}. {_escaped(assessment.headline)}"
    )


def _table(report: Report) -> Iterator[str]:
    """Yield the objectives: what was observed, and each level's limit with its verdict."""
    written = {level.level for result in report.assessment.objectives for level in result.levels}
    levels = [name for name in (*report.spec.tiers, *EXTRA_LEVELS) if name in written]
    yield "| | " + " | ".join(["objective", "about", "observed", *map(_escaped, levels)]) + " |"
    yield "|---" * (4 + len(levels)) + "|"
    verdicts = {
        standing.result.objective.name: standing
        for standing in totals.objective_statuses(report.spec, report.assessment)
    }
    for result in report.assessment.objectives:
        standing = verdicts.get(result.objective.name)
        glyph = GLYPHS[standing.verdict] if standing and standing.verdict else "·"
        shown = standing.level if standing else None
        observed = sides_text(result.objective, shown) if shown else NO_DATA
        cells = [result.objective.name, scope_text(result.objective), observed]
        row = [glyph, *map(_escaped, cells), *(_cell(result, name) for name in levels)]
        yield "| " + " | ".join(row) + " |"


def _cell(result: ObjectiveResult, name: str) -> str:
    level = result.level(name)
    return f"{GLYPHS[level.verdict]} {_escaped(level.limit.text)}" if level else ""


def _lists(report: Report) -> Iterator[str]:
    """Yield the reasons, the gaps to the next tier, the warnings and the broken validity checks."""
    assessment = report.assessment
    reasons = [
        f"{standing.result.objective.name} is {_reason(standing.level)}"
        for standing in totals.objective_statuses(report.spec, assessment)
        if standing.verdict is not None and standing.level.reason
    ]
    gaps = [f"{gap.objective}: {gap.message}" for gap in assessment.gaps]
    source_failed = [f"{item.name}: {item.message}" for item in assessment.findings if not item.valid]
    yield from _list("Not to be believed, because", source_failed)
    yield from _list("Why", reasons)
    yield from _list("How sure", _evidence(report))
    yield from _list(f"Missing to {assessment.next_tier}", gaps if assessment.next_tier else [])
    yield from _list("Warnings", [warning.text for warning in assessment.warnings])
    failures = totals.frequent_failures(report.evidence.recording)
    yield from _list("Failed requests", [failure_text(example) for example in failures])
    yield from _list("Saturation (not graded)", [usage_text(usage) for usage in usages(report)])


def _evidence(report: Report) -> list[str]:
    """Return what each verdict rests on: margin, counts, interval, and what they are worth."""
    found = []
    for standing in totals.objective_statuses(report.spec, report.assessment):
        objective, level = standing.result.objective, standing.level
        side = deciding_side(level)
        if standing.verdict is None or side is None or side.bounds is None:
            continue
        margin = margin_text(objective, level.limit, side.display)
        shown = evidence_text(objective, level.limit, side, report.assessment.confidence)
        where = limit_text(level.level, level.limit) + (f" ({margin})" if margin else "")
        found.append(f"{objective.name}, {where}: {shown}")
    return found


def _reason(level: LevelResult) -> str:
    return f"{level.verdict.value} at {limit_text(level.level, level.limit)}: {level.reason}"


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
    sure = confidence_text(report.assessment.confidence)
    yield f"{_escaped(sure)}; slocheck {_escaped(provenance.slocheck)}{_escaped(commit)}."
    yield ""
    yield f"Again: {for_markdown_code(shorten(totals.again(report), MAX_COMMAND))}"
