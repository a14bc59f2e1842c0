"""What the template shows about the verdict and the objectives, as plain text that is not escaped yet."""

from dataclasses import dataclass
from fractions import Fraction

from slocheck.documents.words import capitalised, quantity
from slocheck.evidence.series import ServerSeries
from slocheck.grading.advice import short_window
from slocheck.grading.assessment import TOO_MANY_BAD, LevelResult, ObjectiveResult, SideResult, Verdict
from slocheck.grading.report import Report
from slocheck.reporters import totals
from slocheck.reporters.dashboard import dashboard_of, dashboard_text
from slocheck.reporters.decision import decision_text, numbered_reason, other_side_text
from slocheck.reporters.html.charts.clock import clock_of
from slocheck.reporters.html.rows import anchor_of
from slocheck.reporters.terminal.workload import load_text
from slocheck.reporters.text import (
    OUTCOME_GLYPHS,
    SIDE_TITLES,
    bad_text,
    clock_text,
    gap_between_sides,
    headline_word,
    indicator_text,
    interval_text,
    limit_text,
    margin_text,
    ratio_text,
    sample_size_text,
    scope_text,
    short_sha,
    source_text,
    tiers_text,
    value_text,
)
from slocheck.spec.indicators import error_budget, traits_of
from slocheck.spec.model import EXTRA_LEVELS, Objective

MONTH_DAYS = 30
MAX_SPEC_LINES = 14
MAX_QUERIES = 12
_MANY_MONTHS = 100  # a budget that lasts longer than this is not shown as a number


@dataclass(frozen=True, slots=True)
class VerdictView:
    """The head of the report.

    Attributes:
        word: The outcome, such as ``PASS``.
        glyph: Its sign.
        css: Its class in the style sheet.
        tiers: Which tier was achieved, and which the gate asks for.
        decided: The sentence with the number that decided it.
        headline: What the assessment says besides; empty if the sentence says the same.
    """

    word: str
    glyph: str
    css: str
    tiers: str
    decided: str
    headline: str


def verdict(report: Report) -> VerdictView:
    """Return the verdict in words."""
    assessment = report.assessment
    decided, headline = decision_text(report), assessment.headline.removesuffix(".")
    if TOO_MANY_BAD in headline:  # the sentence above has the number
        headline = short_window(assessment.outcome, (report.evidence,))
    names = {result.objective.name for result in assessment.objectives}
    names |= {*report.spec.tiers, *EXTRA_LEVELS}  # keys keep their case
    if decided.partition(" ")[0] not in names:
        decided = capitalised(decided)
    return VerdictView(
        headline_word(assessment.outcome),
        OUTCOME_GLYPHS[assessment.outcome],
        assessment.outcome.value,
        tiers_text(assessment),
        decided,
        "" if headline in (decided, f"Every objective of {assessment.gate} is met") else headline,
    )


def facts(report: Report) -> tuple[tuple[str, str], ...]:
    """Return what was tested, when and with how much load, as pairs of name and text."""
    evidence, total = report.evidence, totals.window_totals(report.evidence.recording)
    where, recording = evidence.provenance, evidence.recording
    failed = f"{total.failed:,} ({ratio_text(total.failed, total.sent)})" if total.failed else "0"
    unexpected = f", {total.unexpected:,} with an unexpected status" if total.unexpected else ""
    rate = f", {total.sent / recording.window_s:,.1f}/s" if recording.window_s else ""
    rows = (
        ("service", report.spec.service),
        ("commit", short_sha(where.git_sha, dirty=where.git_dirty)),
        ("when", _when(where.started)),
        ("target", where.target),
        ("load", f"{load_text(report.spec.workload)}; window {clock_text(recording.window_s)}"),
        ("requests in the window", f"{total.sent:,}{rate}"),
        ("failed requests", f"{failed}{unexpected}"),
    )
    return tuple((name, text) for name, text in rows if text)


def _when(started: str) -> str:
    start = clock_of(started).start
    return f"{start:%Y-%m-%d %H:%M:%S} UTC" if start else started


@dataclass(frozen=True, slots=True)
class ValidityView:
    """Whether the measurement can be trusted.

    Attributes:
        summary: How many checks passed, or did not.
        is_open: Whether one did not pass.
        checks: Glyph, class, what was checked, and what was found.
    """

    summary: str
    is_open: bool
    checks: tuple[tuple[str, str, str, str], ...]


def validity(report: Report) -> ValidityView:
    """Return the validity checks, those that did not pass first."""
    assessment = report.assessment
    failed = [finding for finding in assessment.findings if not finding.valid]
    checks = [
        ("✓", "met", finding.code, finding.message)
        if finding.valid
        else ("✗", "breached", finding.code, finding.message)
        for finding in sorted(assessment.findings, key=lambda finding: finding.valid)
    ]
    unsteady = [item for item in assessment.steady_states if item.withheld]
    checks += [
        ("?", "undecided", "steady-state", item.message)
        if item.withheld
        else ("✓", "met", "steady-state", item.message)
        if item.steady
        else ("~", "note", "steady-state", item.message)
        for item in assessment.steady_states
    ]
    passed = sum(css == "met" for _, css, _, _ in checks)
    parts = [f"{quantity(passed, 'check')} passed"]
    if failed:
        parts.insert(0, f"{quantity(len(failed), 'check')} failed")
    if unsteady:
        parts.insert(0, "the window is not steady")
    named = tuple((glyph, css, code.replace("-", " "), text) for glyph, css, code, text in checks)
    return ValidityView(capitalised(", ".join(parts)), bool(failed or unsteady), named)


@dataclass(frozen=True, slots=True)
class SideView:
    """One side's numbers on one limit."""

    title: str
    verdict: Verdict
    value: str
    counts: str
    interval: str
    sample_size: str
    reason: str
    why: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LevelView:
    """One limit of an objective."""

    level: str
    limit: str
    verdict: Verdict
    margin: str
    reason: str
    sides: tuple[SideView, ...]
    needed: bool


@dataclass(frozen=True, slots=True)
class ObjectiveView:
    """One objective.

    Attributes:
        anchor: Id of its element.
        name: The key in slo.yaml.
        what: The indicator in words, and on which requests.
        source: Whose numbers it is graded on.
        verdict: Of the levels that the gate needs; None if it needs none of them.
        why: The reason for the verdict shown.
        levels: All limits.
        gap: Why client and server differ.
        spec_lines: Line number and text of its block in slo.yaml.
        queries: The queries sent to the metric source for it.
        dashboard: What a dashboard would show, in words; empty if Prometheus was not asked.
        dashboard_query: The dashboard's query.
    """

    anchor: str
    name: str
    what: str
    source: str
    verdict: Verdict | None
    why: str
    levels: tuple[LevelView, ...]
    gap: str
    spec_lines: tuple[tuple[int, str], ...]
    queries: tuple[str, ...]
    dashboard: str = ""
    dashboard_query: str = ""


def objectives(report: Report) -> tuple[ObjectiveView, ...]:
    """Return every objective in the spec's order."""
    results = report.assessment.objectives
    return tuple(_objective(report, result, number) for number, result in enumerate(results))


def _objective(report: Report, result: ObjectiveResult, number: int) -> ObjectiveView:
    objective, level = result.objective, result.shown
    dashboard = dashboard_of(objective, report.evidence.server)
    return ObjectiveView(
        anchor=anchor_of(result, number),
        name=objective.name,
        what=f"{indicator_text(objective.indicator)}, {scope_text(objective)}",
        source=source_text(objective),
        verdict=result.verdict,
        why=numbered_reason(report, objective, level),
        levels=tuple(_level(report, result, item) for item in result.levels),
        gap=gap_between_sides(objective, level),
        spec_lines=spec_lines(report, objective),
        queries=queries_for(objective, report.evidence.server),
        dashboard=dashboard_text(objective, dashboard) if dashboard else "",
        dashboard_query=dashboard.query if dashboard else "",
    )


def _level(report: Report, result: ObjectiveResult, level: LevelResult) -> LevelView:
    decides = level.deciding
    return LevelView(
        level=level.level,
        limit=level.limit.text,
        verdict=level.verdict,
        margin=margin_text(result.objective, level.limit, decides.display if decides else None),
        reason=numbered_reason(report, result.objective, level),
        sides=tuple(_side(report, result.objective, level, side) for side in level.sides),
        needed=level.needed,
    )


def _side(report: Report, objective: Objective, level: LevelResult, side: SideResult) -> SideView:
    return SideView(
        title=SIDE_TITLES[side.side],
        verdict=side.verdict,
        value=value_text(objective, side.display),
        counts=bad_text(objective, side),
        interval=interval_text(
            objective,
            level.limit,
            side,
            report.assessment.confidence,
            failed=totals.may_have_failed(report, objective, side),
        ),
        sample_size=sample_size_text(side),
        reason="" if TOO_MANY_BAD in side.reason else side.reason,
        why=other_side_text(level, side),
        notes=side.notes,
    )


def spec_lines(report: Report, objective: Objective) -> tuple[tuple[int, str], ...]:
    """Return the objective's lines in slo.yaml, from its key to its last limit, with their numbers."""
    first = objective.position.line
    last = max([first, *(limit.position.line for limit in objective.limits.values())])
    lines = report.spec.text.splitlines()[first - 1 : min(last, first + MAX_SPEC_LINES - 1)]
    return tuple(enumerate(lines, start=first))


def queries_for(objective: Objective, server: ServerSeries | None) -> tuple[str, ...]:
    """Return the queries for the series that an objective is graded on."""
    if server is None:
        return ()
    if result := server.promql.get(objective.name):
        return (result.query,)
    traits = traits_of(objective.indicator.kind)
    metrics = (*traits.metrics(server.preset), *traits.failure_metrics(server.preset))
    found = [query for query in server.queries if any(metric and metric in query for metric in metrics)]
    return tuple(found[:MAX_QUERIES])


def budgets(report: Report) -> tuple[str, ...]:
    """Say for each error budget how long a month's budget lasts at the burn rate of this run."""
    gate = report.assessment.gate
    found = []
    for result in report.assessment.objectives:
        level = result.level(gate)
        traits = traits_of(result.objective.indicator.kind)
        if level is None or not (traits.is_ratio and traits.counts_requests):
            continue
        allowed = error_budget(result.objective.indicator, level.limit)
        side = level.deciding
        if allowed and side and side.bad is not None and side.total:
            lasts = _lasts(Fraction(side.bad, side.total) / allowed)
            found.append(f"{result.objective.name}, {limit_text(gate, level.limit)}: {lasts}")
    return tuple(found)


def _lasts(burn: Fraction) -> str:
    """Say how long a 30-day budget lasts at a burn rate (1: it lasts exactly 30 days)."""
    if not burn:
        return "the error budget was not used"
    days = MONTH_DAYS / burn
    if days > MONTH_DAYS * _MANY_MONTHS:
        return f"at this burn rate a {MONTH_DAYS}-day error budget is hardly touched"
    length = f"{float(days):,.1f} days" if days >= 1 else f"{float(days * 24):,.1f} hours"
    return f"at this burn rate a {MONTH_DAYS}-day error budget lasts {length}"
