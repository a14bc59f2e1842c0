"""A summary in Markdown for a merge request comment or a CI job page, bounded in size."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slocheck.comparison.words import change_lines, runs_text
from slocheck.documents.texts import shorten, shorten_to_sentence
from slocheck.evidence.recording import FailureClass
from slocheck.grading.advice import short_window
from slocheck.grading.assessment import SEVERITY, ObjectiveResult, Outcome
from slocheck.grading.report import Report
from slocheck.reporters import totals
from slocheck.reporters.decision import decision_text, numbered_gaps, numbered_reason, other_sides_text
from slocheck.reporters.escape import for_markdown, for_markdown_code, slug
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
    latency_text,
    limit_text,
    margin_text,
    percentile_name,
    scope_text,
    short_sha,
    sides_text,
)
from slocheck.spec.model import EXTRA_LEVELS

MAX_BYTES = 60_000
"""Below the 64 kB that the strictest code host accepts."""

MAX_TEXT = 600
MAX_COMMAND = 2000
MAX_LISTED = 20
MAX_ENDPOINTS = 50
SPARE = 2_000
"""Bytes for the line that says what was left out."""

ALL_OF_IT = "The HTML report has all of it."


@dataclass(frozen=True, slots=True)
class MarkdownSection:
    """A part of the summary that may be left out, or its last entries.

    Attributes:
        name: Its name in the line about what was left out.
        head: Lines before the first entry.
        entries: A line each.
    """

    name: str
    head: tuple[str, ...]
    entries: tuple[str, ...]


def render(report: Report) -> str:
    """Return the summary: verdict, table of objectives, validity, what the next tier needs, provenance."""
    sections = [_table(report), *_lists(report), _endpoints(report)]
    return _bounded([*_head(report), ""], [part for part in sections if part.entries], list(_foot(report)))


def _bounded(head: Sequence[str], sections: Sequence[MarkdownSection], foot: Sequence[str]) -> str:
    """Join head, sections and foot up to the size limit; if something is left out, a line says what.

    No section takes more than half, so that many objectives leave room for the reasons.
    """
    lines, left_out = list(head), []
    size = _size(head) + _size(foot) + SPARE
    for section in sections:
        size += _size(section.head) + 1
        most, fitting = min(MAX_BYTES, size + MAX_BYTES // 2), 0
        for entry in section.entries:
            size += _size([entry])
            if size > most:
                size = most
                break
            fitting += 1
        if fitting:
            lines += [*section.head, *section.entries[:fitting], ""]
        missing = len(section.entries) - fitting
        if missing and fitting:
            left_out.append(f"{missing:,} of {len(section.entries):,} lines of {section.name}")
        elif missing:
            left_out.append(section.name)
    if left_out:
        lines += [f"_Left out, as a comment may not be longer: {'; '.join(left_out)}. {ALL_OF_IT}_", ""]
    return "\n".join([*lines, *foot]) + "\n"


def _size(lines: Sequence[str]) -> int:
    return sum(len(line.encode()) + 1 for line in lines)


def marker(report: Report) -> str:
    """Return the hidden line by which a bot finds its comment, to update it instead of adding one."""
    spec = report.evidence.provenance.spec_path
    known = hashlib.sha256(f"{report.spec.service}\0{spec}".encode("utf-8", "backslashreplace")).hexdigest()
    return f"<!-- slocheck {slug(report.spec.service)} {known[:12]} -->"


def _escaped(text: str) -> str:
    return for_markdown(shorten_to_sentence(text, MAX_TEXT))


def _head(report: Report) -> Iterator[str]:
    assessment, evidence = report.assessment, report.evidence
    glyph = OUTCOME_GLYPHS[assessment.outcome]
    yield marker(report)
    yield ""
    yield f"### {glyph} {headline_word(assessment.outcome)}: {_escaped(report.spec.service)}"
    yield ""
    total = totals.window_totals(evidence.recording)
    achieved = f"Achieved **{_escaped(assessment.tier or 'no tier')}**"
    if assessment.outcome in NO_VERDICT:
        achieved = "**No verdict**"
    window = clock_text(evidence.recording.window_s)
    gate = _escaped(assessment.gate)
    yield f"{achieved}, gate **{gate}**; {total.sent:,} requests in {window}{_decision(report)}."


def _decision(report: Report) -> str:
    """Say which number decided; empty for an invalid run, whose faults follow."""
    if report.assessment.outcome is Outcome.INVALID:
        return ""
    said = ["", decision_text(report), short_window(report.assessment.outcome, (report.evidence,))]
    return _escaped("; ".join(text for number, text in enumerate(said) if text or not number))


def _table(report: Report) -> MarkdownSection:
    """Return the objectives, worst first: the observed value, and each level's limit with its verdict."""
    results = sorted(report.assessment.objectives, key=_severity)
    written = {level.level for result in results for level in result.levels}
    levels = [name for name in (*report.spec.tiers, *EXTRA_LEVELS) if name in written]
    columns = ["objective", "requests", "observed", *map(_escaped, levels)]
    head = ("| | " + " | ".join(columns) + " |", "|---" * (1 + len(columns)) + "|")
    return MarkdownSection("the objectives", head, tuple(_row(result, levels) for result in results))


def _severity(result: ObjectiveResult) -> int:
    return SEVERITY.index(result.verdict) if result.verdict else len(SEVERITY)


def _row(result: ObjectiveResult, levels: Sequence[str]) -> str:
    objective = result.objective
    glyph = GLYPHS[result.verdict] if result.verdict else "·"
    cells = [objective.name, scope_text(objective), sides_text(objective, result.shown)]
    return "| " + " | ".join([glyph, *map(_escaped, cells), *(_cell(result, name) for name in levels)]) + " |"


def _cell(result: ObjectiveResult, name: str) -> str:
    level = result.level(name)
    return f"{GLYPHS[level.verdict]} {_escaped(level.limit.text)}" if level else ""


def _lists(report: Report) -> Iterator[MarkdownSection]:
    """Yield the failed validity checks, the reasons, what the next tier needs, and what else to know."""
    assessment = report.assessment
    failed = [f"{item.code}: {item.message}" for item in assessment.findings if not item.valid]
    invalid = assessment.outcome is Outcome.INVALID
    yield _list("The measurement is invalid" if invalid else "Failed validity checks", failed)
    if assessment.outcome not in NO_VERDICT:
        yield _list("Why", [_reason(report, result) for result in _needed(report) if result.shown.reason])
        if assessment.next_tier not in (None, assessment.gate):  # what the gate is missing is said above
            gaps = [f"{gap.objective}: {gap.message}" for gap in numbered_gaps(report)]
            yield _list(f"Missing for {assessment.next_tier}", gaps)
    if report.comparison is not None:
        yield _list(f"Change since {runs_text(report.comparison)}", change_lines(report.comparison))
    yield _list("Evidence", _evidence(report))
    yield _list("Warnings", [warning.text for warning in assessment.warnings])
    examples = totals.frequent_failures(report.evidence.recording)
    unexpected = [item for item in examples if item.failure is FailureClass.UNEXPECTED]
    failures = [item for item in examples if item.failure is not FailureClass.UNEXPECTED]
    statuses = totals.statuses_text(totals.window_totals(report.evidence.recording).statuses)
    yield _list("Responses by status", [statuses] if statuses else [])
    counted = totals.beyond_window(report.evidence.recording)
    yield _list(f"Unexpected responses{counted}", [failure_text(example) for example in unexpected])
    yield _list(f"Failed requests{counted}", [failure_text(example) for example in failures])
    yield _list("Saturation (not graded)", [usage_text(usage) for usage in usages(report)])


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
        failed = totals.may_have_failed(report, objective, side)
        shown = evidence_text(objective, level.limit, side, report.assessment.confidence, failed=failed)
        where = limit_text(level.level, level.limit) + (f" ({margin})" if margin else "")
        others = other_sides_text(report, objective, level)
        found.append(f"{objective.name}, {where}: {shown}{f'; {others}' if others else ''}")
    return found


def _reason(report: Report, result: ObjectiveResult) -> str:
    level = result.shown
    where = limit_text(level.level, level.limit)
    said = numbered_reason(report, result.objective, level)
    return f"{result.objective.name} is {level.verdict.value} at {where}: {said}"


def _list(title: str, items: Sequence[str]) -> MarkdownSection:
    entries = [f"- {_escaped(item)}" for item in items[:MAX_LISTED]]
    if len(items) > MAX_LISTED:
        entries.append(f"- and {len(items) - MAX_LISTED} more")
    return MarkdownSection(_escaped(title), (f"**{_escaped(title)}**", ""), tuple(entries))


def _endpoints(report: Report) -> MarkdownSection:
    """Return what each endpoint was sent and answered in the window, the busiest first."""
    found = sorted(totals.endpoint_totals(report.evidence.recording), key=lambda item: -item.sent)
    columns = ("endpoint", "requests", "failed", "statuses", *map(percentile_name, totals.PERCENTILES), "max")
    head = ("**Endpoints**", "", "| " + " | ".join(columns) + " |", "|---" * len(columns) + "|")
    rows = [_endpoint(item) for item in found[:MAX_ENDPOINTS]]
    if len(found) > MAX_ENDPOINTS:
        rows.append(f"| and {len(found) - MAX_ENDPOINTS} more" + " |" * len(columns))
    return MarkdownSection("Endpoints", head, tuple(rows))


def _endpoint(item: totals.Totals) -> str:
    latencies: list[float | None] = list(item.quantiles)
    latencies += [None] * (len(totals.PERCENTILES) - len(latencies))
    texts = [str(item.endpoint), f"{item.sent:,}", f"{item.failed:,}", totals.statuses_text(item.statuses)]
    texts += [latency_text(value) for value in (*latencies, item.max_ns if item.ok else None)]
    return "| " + " | ".join(map(_escaped, texts)) + " |"


def _foot(report: Report) -> Iterator[str]:
    provenance = report.evidence.provenance
    sha = short_sha(provenance.git_sha, dirty=provenance.git_dirty)
    commit = f", commit {sha}" if sha else ""
    confidence = confidence_text(report.assessment.confidence)
    yield f"{_escaped(confidence)}; slocheck {_escaped(provenance.slocheck)}{_escaped(commit)}."
    yield ""
    yield f"Run again: {for_markdown_code(shorten(totals.rerun_command(report), MAX_COMMAND))}"
