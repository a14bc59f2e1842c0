"""The last lines of a run, for a terminal or a CI log: the verdict first and last."""

from collections.abc import Iterator, Mapping
from math import isfinite

from rich.console import Console
from rich.text import Text

from slocheck.comparison.words import summary
from slocheck.documents.texts import shorten
from slocheck.documents.words import quantity
from slocheck.evidence.recording import FailureClass
from slocheck.grading.advice import advice, short_window
from slocheck.grading.assessment import Outcome, Side, Verdict
from slocheck.grading.report import Report
from slocheck.reporters import totals
from slocheck.reporters.decision import decision_text
from slocheck.reporters.escape import for_terminal
from slocheck.reporters.terminal import details, objectives
from slocheck.reporters.terminal.layout import GAP, apart, columns, say, wrapped
from slocheck.reporters.text import (
    headline_word,
    latency_text,
    rough_duration,
    short_sha,
    tiers_text,
)

STYLES = {Verdict.MET: "green", Verdict.BREACHED: "bold red", Verdict.UNDECIDED: "yellow"}
OUTCOME_STYLES = {
    Outcome.PASS: "bold green",
    Outcome.FAIL: "bold red",
    Outcome.UNDECIDED: "bold yellow",
    Outcome.INVALID: "bold magenta",
    Outcome.INTERRUPTED: "bold magenta",
}
MAX_SERVICE = 48
MAX_TEXT = 300
MAX_FAILURES = 3
AGREE_WITHIN = 0.1
"""Client and server agree on a latency if their values are this close, relative to the client's."""

NEGLIGIBLE_S = 0.005
"""A difference that is always small: connecting and the network."""


def render_summary(
    report: Report, console: Console, paths: Mapping[str, str], *, verbose: bool = False
) -> None:
    """Print a run's result.

    Args:
        report: The graded run.
        console: Where to print; it decides about colours (NO_COLOR, not a terminal) and the width.
        paths: The file written for each format; may be empty.
        verbose: Whether statistics, all validity checks and all paths are printed as well.
    """
    width = columns(console)
    for line in _lines(report, paths, width, verbose=verbose):
        say(console, line)


def _lines(report: Report, paths: Mapping[str, str], width: int, *, verbose: bool) -> Iterator[Text]:
    yield from _headline(report, width)
    yield Text()
    yield from _plain(_findings(report, verbose=verbose), width, "magenta")
    yield from _objective_lines(report, width)
    yield from _plain(_warnings(report), width, "yellow")
    for text in _facts(report, width):
        yield Text(text)
    yield from _plain(_responses(report, verbose=verbose), width)
    if verbose:
        for text in details.lines(report, width):
            yield Text(text)
    if report.comparison is not None and not report.assessment.regressed:  # otherwise the last line says it
        yield from _plain(iter((shorten(f"change{GAP}{summary(report.comparison)}", MAX_TEXT),)), width)
    yield from _plain(_next_tier(report), width)
    shown = paths if verbose else {name: path for name, path in paths.items() if name == "html"}
    for name, path in shown.items():
        yield Text(f"{GAP}{details.PATH_TITLES.get(name, name)}{GAP}{for_terminal(path)}")
    yield from _verdict_line(report, decision_text(report), width)


def _headline(report: Report, width: int) -> Iterator[Text]:
    """Say outcome, tier and gate, and on the right what was tested."""
    assessment, provenance = report.assessment, report.evidence.provenance
    service = report.spec.service
    if provenance.git_sha:
        service += f" @ {short_sha(provenance.git_sha, dirty=provenance.git_dirty)}"
    left = f"{headline_word(assessment.outcome)}{GAP}{tiers_text(assessment)}"
    yield from _coloured(apart(left, shorten(for_terminal(service), MAX_SERVICE), width), report)


def _verdict_line(report: Report, said: str, width: int) -> Iterator[Text]:
    word = f"{headline_word(report.assessment.outcome)}{GAP}"
    yield from _coloured(wrapped(said, width, first=word, rest=GAP), report)


def _coloured(lines: Iterator[str], report: Report) -> Iterator[Text]:
    """Colour the word of the outcome at the beginning of the first line."""
    word = headline_word(report.assessment.outcome)
    for number, text in enumerate(lines):
        line = Text(text)
        if number == 0:
            line.stylize(OUTCOME_STYLES[report.assessment.outcome], 0, len(word))
        yield line


def _objective_lines(report: Report, width: int) -> Iterator[Text]:
    found = objectives.rows(report)
    if (
        not any(row.verdict is not Verdict.MET for row in found)
        and report.assessment.outcome is not Outcome.PASS
    ):
        yield from _plain(_unsaid(report), width)
    for verdict, text in objectives.lines(found, width):
        line = Text(text)
        if verdict is not None:
            line.stylize(STYLES[verdict], 0, 3)
        yield line
    if found:
        yield Text()


def _unsaid(report: Report) -> Iterator[str]:
    """Say why the outcome is what it is, if neither an objective's line nor the last line says so."""
    said = report.assessment.headline.removesuffix(".")
    if report.assessment.outcome is not Outcome.INVALID and said != decision_text(report):
        yield said


def _plain(texts: Iterator[str], width: int, style: str = "") -> Iterator[Text]:
    for text in texts:
        for line in wrapped(text, width, first=GAP):
            yield Text(line, style=style)


def _findings(report: Report, *, verbose: bool) -> Iterator[str]:
    """Yield a paragraph for each check that failed; the details list them all."""
    for finding in report.assessment.findings:
        if not finding.valid and not verbose:
            yield f"! invalid ({finding.code}): {finding.message}"


def _warnings(report: Report) -> Iterator[str]:
    for warning in report.assessment.warnings:
        yield f"! {shorten(warning.text, MAX_TEXT)}"
    if scope := short_window(report.assessment.outcome, (report.evidence,)):
        yield f"! {scope}; for a release, measure five minutes or more"


def _facts(report: Report, width: int) -> Iterator[str]:
    """Say in one line what was sent, whether the run is valid, and what the server says about it."""
    recording = report.evidence.recording
    sent, window = totals.window_totals(recording).sent, recording.window_s
    text = f"{GAP}{quantity(sent, 'request')} in {rough_duration(window) if window else '0s'}"
    if window:
        text += f" at {sent / window:,.4g}/s"
    if all(finding.valid for finding in report.assessment.findings):
        text += ", run valid"
    yield from apart(text, _agreement(report), width)


def _agreement(report: Report) -> str:
    """Say how far the server's latencies are from the client's; empty if only one side measured any."""
    furthest, agree = 0.0, True
    found = [sides for _, sides in objectives.both_sides(report) if _can_be_compared(sides)]
    for sides in found:
        (low, high), (least, most) = sides[Side.CLIENT], sides[Side.SERVER]
        distance = max(0.0, low - most, least - high)
        furthest = max(furthest, distance)
        agree = agree and distance <= max(NEGLIGIBLE_S, AGREE_WITHIN * low)
    if not found or not isfinite(furthest):
        return ""
    apart_by = latency_text(furthest * 1e9)
    if not agree:
        return f"server differs by up to {apart_by}"
    return f"server agrees within {apart_by}" if furthest else "server agrees"


def _can_be_compared(sides: Mapping[Side, tuple[float, float]]) -> bool:
    """Whether the client's value is a number, and the server's is more than "something above zero"."""
    least, most = sides[Side.SERVER]
    return isfinite(sides[Side.CLIENT][1]) and (least > 0 or isfinite(most))


def _responses(report: Report, *, verbose: bool) -> Iterator[str]:
    """Show the responses if not all of them were 2xx, and messages that say more than a status."""
    if statuses := totals.unusual_statuses(report.evidence.recording):
        yield shorten(f"responses{GAP}{statuses}", MAX_TEXT)
    if verbose:
        return
    plain = (FailureClass.STATUS, FailureClass.TIMEOUT)
    found = list(details.failure_lines(report, without=plain))
    for line in found[:MAX_FAILURES]:
        yield shorten(line, MAX_TEXT)
    if len(found) > MAX_FAILURES:
        yield f"failed{GAP}and {quantity(len(found) - MAX_FAILURES, 'more message')}, see the report"


def _next_tier(report: Report) -> Iterator[str]:
    """Say in one line what the next tier needs; breaches were reported above."""
    assessment = report.assessment
    if assessment.outcome in (Outcome.PASS, Outcome.UNDECIDED) and assessment.next_tier is not None:
        yield advice(assessment, report.spec)
