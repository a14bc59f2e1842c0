"""One line per objective: glyph, name, endpoint, value, limit, margin; a reason if it is not met."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from slocheck.documents.texts import shorten
from slocheck.grading.assessment import (
    SEVERITY,
    TOO_MANY_BAD,
    ObjectiveResult,
    Outcome,
    Side,
    Verdict,
)
from slocheck.grading.report import Report
from slocheck.grading.tiers import CRITICAL
from slocheck.reporters import totals
from slocheck.reporters.decision import counts_text, exceeds_times, reason_text
from slocheck.reporters.escape import for_terminal
from slocheck.reporters.terminal.layout import INDENT, flowed, padded, wrapped
from slocheck.reporters.text import (
    GLYPHS,
    NO_DATA,
    SIDE_TITLES,
    UNKNOWN,
    limit_text,
    margin_text,
    value_text,
)
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import IndicatorKind

WIDEST_CELLS = (22, 20, 14, 20, 14)
"""Columns that name, endpoint, value, limit and margin may take; a longer one gets its own line."""

MAX_NOTE = 60
MAX_REASON = 300
NAME, ENDPOINT, VALUE = range(3)


@dataclass(frozen=True, slots=True)
class Row:
    """An objective's cells.

    Attributes:
        verdict: Of the level that is shown.
        cells: Name with glyph, endpoint, value, limit, margin.
        note: What came back instead of a success, and a broken ``critical``; may be empty.
        reason: Why it is not met; empty if it is met, or if the line above already says why.
    """

    verdict: Verdict
    cells: tuple[str, ...]
    note: str
    reason: str


def rows(report: Report) -> list[Row]:
    """Return a row for each objective that the gate needs: breached, then undecided, then met.

    Within a verdict those with the same reason are together, and only the last one states it.
    """
    needed = [result for result in report.assessment.objectives if result.verdict is not None]
    found = [_row(result, report) for result in needed]
    reasons = list(dict.fromkeys(row.reason for row in found))
    found.sort(key=lambda row: (SEVERITY.index(row.verdict), reasons.index(row.reason)))
    return found


def lines(found: Sequence[Row], width: int) -> Iterator[tuple[Verdict | None, str]]:
    """Yield the lines of all rows, each with its verdict if it begins with a glyph."""
    widths = _widths(found)
    for number, row in enumerate(found):
        verdict: Verdict | None = row.verdict
        for line in _row_lines(row, widths, width):
            yield verdict, line
            verdict = None
        following = found[number + 1] if number + 1 < len(found) else None
        if following is None or (following.verdict, following.reason) != (row.verdict, row.reason):
            for line in wrapped(row.reason, width, first=INDENT):
                yield None, line


def _widths(found: Sequence[Row]) -> list[int]:
    """Return the width of each column, by the cells that are not too wide for it."""
    return [
        max((cell_len(row.cells[column]) for row in found if cell_len(row.cells[column]) <= most), default=0)
        for column, most in enumerate(WIDEST_CELLS)
    ]


def _row_lines(row: Row, widths: Sequence[int], width: int) -> Iterator[str]:
    """Yield an objective's lines; a name or endpoint that is too long for its column gets its own line."""
    name, endpoint, *rest = row.cells
    beside = endpoint if cell_len(endpoint) <= widths[ENDPOINT] else ""
    cells = [padded(text, size) for text, size in zip(rest[1:], widths[3:], strict=True)]
    cells = [padded(rest[0], widths[VALUE], right=True), *cells, row.note]
    if widths[ENDPOINT]:
        cells = [padded(beside, widths[ENDPOINT]), *cells]
    head = f"  {padded(name, widths[NAME])}"
    if cell_len(name) > widths[NAME]:
        yield f"  {shorten(name, width - 2)}"
        head = " " * (2 + widths[NAME])
    yield from flowed([head, *cells], width)
    if endpoint and not beside:
        yield INDENT + shorten(endpoint, width - len(INDENT))


def _row(result: ObjectiveResult, report: Report) -> Row:
    objective, level = result.objective, result.shown
    decides = level.deciding
    cells = (
        f"{GLYPHS[level.verdict]} {objective.name}",
        str(objective.endpoint) if objective.endpoint else "",
        value_text(objective, decides.display) if decides else NO_DATA,
        limit_text(level.level, level.limit),
        _margin(result),
    )
    return Row(
        verdict=level.verdict,
        cells=tuple(for_terminal(cell) for cell in cells),
        note=shorten(for_terminal("; ".join(_notes(result, report))), MAX_NOTE),
        reason=_reason(result, report),
    )


def _margin(result: ObjectiveResult) -> str:
    """Write how far the value lies from the limit: ``+62ms``, ``6.2x`` if a share is far over it."""
    if (exceeded := exceeds_times(result)) is not None:
        return f"{float(exceeded):,.1f}x"
    level = result.shown
    return margin_text(result.objective, level.limit, level.deciding.display if level.deciding else None)


def _notes(result: ObjectiveResult, report: Report) -> Iterator[str]:
    """Yield the end of a line: how requests failed, and a broken ``critical``."""
    objective, level = result.objective, result.shown
    if objective.indicator.kind is IndicatorKind.ERROR_RATE:
        counted = totals.totals_of(report.evidence.recording, objective.endpoint)
        if failed := totals.failed_text(counted, report.spec.failures):
            yield failed
    critical = result.level(CRITICAL)
    if critical and critical is not level and critical.verdict is Verdict.BREACHED:
        yield f"{limit_text(critical.level, critical.limit)} too"


def _reason(result: ObjectiveResult, report: Report) -> str:
    """Say why an objective is not met; nothing if the invalid run says it for all."""
    level = result.shown
    if level.verdict is Verdict.MET:
        return ""
    if level.verdict is Verdict.BREACHED:
        said = "" if TOO_MANY_BAD in level.reason else level.reason
        decides = level.deciding
        counts = counts_text(report, result.objective, level, decides) if decides else ""
        parts = (counts, shorten(said, MAX_REASON), _other_side(result))
        return "; ".join(part for part in parts if part)
    said = reason_text(level, report.assessment.outcome)
    if not said and report.assessment.outcome is Outcome.INVALID:
        return ""
    return shorten(said, MAX_REASON) or "undecided"


def _other_side(result: ObjectiveResult) -> str:
    """Write the value of the side that did not decide; empty if it is the same."""
    objective, level = result.objective, result.shown
    decides = level.deciding
    others = [side for side in level.sides if side is not decides and side.display is not None]
    value = value_text(objective, decides.display) if decides else ""
    texts = [(side, value_text(objective, side.display)) for side in others]
    return "; ".join(
        f"{SIDE_TITLES[side.side]} {text}" for side, text in texts if text not in (value, UNKNOWN)
    )


def both_sides(report: Report) -> list[tuple[ObjectiveResult, dict[Side, tuple[float, float]]]]:
    """Return the latency objectives that client and server both measured, with the bounds of their values."""
    found = []
    for result in report.assessment.objectives:
        sides = {
            side.side: (side.display.low, side.display.high)
            for side in result.shown.sides
            if side.display is not None and side.display.low is not None and side.display.high is not None
        }
        if len(sides) == len(Side) and traits_of(result.objective.indicator.kind).is_percentile:
            found.append((result, sides))
    return found
