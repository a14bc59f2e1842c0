"""Runs on a terminal: one row per run, the newest last; what stands out is below its run."""

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len

from slocheck.comparison.history import History, HistoryPoint, Series
from slocheck.comparison.model import Comparison, RunRecord
from slocheck.comparison.words import change_lines, name_of, runs_text, value_text
from slocheck.documents.texts import shorten
from slocheck.documents.words import quantity
from slocheck.reporters.escape import for_terminal
from slocheck.reporters.terminal.layout import GAP, INDENT, padded, without_middle, wrapped
from slocheck.reporters.text import short_sha

BARS = "▁▂▃▄▅▆▇█"
NO_VALUE = " "
MAX_NAME = 200
_HEAD = ("run", "verdict", "tier", "commit", "service", "load")
_NAMES = ("service", "tier", "load")
_LEAST_NAME = 8
_STANDS_OUT = "!"
_INVALID = "x"
"""Replaces the bar of a run that was invalid or interrupted."""


def run_rows(runs: Sequence[RunRecord], unread: Mapping[str, str], width: int) -> Iterator[str]:
    """Yield a row for each run, in the order of their names, oldest first.

    Args:
        runs: Those with a record.
        unread: Those without one, and why.
        width: Columns of a line: names that would not fit lose their middle.
    """
    rows = {run.run_id: _cells(run) for run in runs}
    if rows:
        longest = [max(map(cell_len, column)) for column in zip(_HEAD, *rows.values(), strict=True)]
        widths = _fitting(longest, width)
        yield _row(_HEAD, widths)
    for run_id in sorted({*rows, *unread}):
        if run_id in rows:
            yield _row(rows[run_id], widths)
        else:
            yield from wrapped(unread[run_id], width, first=f"{run_id}{GAP}")


def _cells(run: RunRecord) -> tuple[str, ...]:
    commit = short_sha(run.commit, dirty=run.dirty) if run.commit else "-"
    verdict = run.outcome.upper()
    texts = (run.run_id, verdict, run.tier or "none", commit, run.conditions.service, run.conditions.workload)
    return tuple(shorten(for_terminal(text), MAX_NAME) for text in texts)


def _fitting(widths: Sequence[int], width: int) -> Sequence[int]:
    """Return the columns' widths for a line of `width`: the widest names are cut, but stay recognizable."""
    fitting = [min(wide, max(width, _LEAST_NAME)) for wide in widths]
    names = [_HEAD.index(name) for name in _NAMES]
    while sum(fitting) + len(GAP) * (len(fitting) - 1) > width:
        widest = max(names, key=fitting.__getitem__)
        if fitting[widest] <= _LEAST_NAME:
            break
        fitting[widest] -= 1
    return fitting


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    fitted = (padded(without_middle(cell, width), width) for cell, width in zip(cells, widths, strict=True))
    return GAP.join(fitted).rstrip()


def history_lines(history: History, width: int) -> Iterator[str]:
    """Yield the rows of a service's runs, each with what stands out, then a line for each objective."""
    invalid = sum(not run.valid for run in history.runs)
    left_out = (
        f"; {quantity(invalid, 'invalid one')} ({_INVALID}), whose values do not count" if invalid else ""
    )
    said = f"{history.service}: {quantity(len(history.runs), 'run')}, oldest first{left_out}"
    yield from wrapped(said, width, first="")
    yield ""
    head, *rows = run_rows(history.runs, {}, width)
    yield head
    for run, row in zip(history.runs, rows, strict=True):
        yield row
        found = history.outliers(run.run_id)
        for series, point in found:
            yield from wrapped(_outlier(series, point), width, first=INDENT)
        if found and run.run_id in history.machines:
            yield from wrapped(history.machines[run.run_id], width, first=INDENT)
    yield ""
    for series in history.series:
        yield from _series_lines(series, [run.valid for run in history.runs], width)


def _outlier(series: Series, point: HistoryPoint) -> str:
    """Say what stands out: the value, and what the earlier runs predict."""
    kind, expected = series.objective.kind, point.expected
    if expected is None:
        return ""
    ends = f"{value_text(kind, expected.low)} to {value_text(kind, expected.high)}"
    word = "worse" if expected.worse else "better"
    return (
        f"{_STANDS_OUT} {series.objective.name} {value_text(kind, point.value)}, {word} than expected: {ends}"
    )


def _series_lines(series: Series, valid: Sequence[bool], width: int) -> Iterator[str]:
    values = [point.value for point in series.points]
    known = [value for value in values if value is not None]
    kind, where = series.objective.kind, series.objective.endpoint
    name = f"{series.objective.name} of {where}" if where else series.objective.name
    if not known:
        yield from wrapped(f"{name}{GAP}no value", width, first=GAP)
        return
    low, high, last = (value_text(kind, value) for value in (min(known), max(known), known[-1]))
    when = "last" if values[-1] is None else "now"
    drawn = "".join(
        bar if is_valid else _INVALID for bar, is_valid in zip(sparkline(values), valid, strict=True)
    )
    said = low if low == high else f"{low} to {high}, {when} {last}"
    yield from wrapped(f"{name}: {said}", width, first=f"{GAP}{drawn}{GAP}")


def sparkline(values: Sequence[float | None]) -> str:
    """Draw values as bars from the lowest to the highest; a space if there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return NO_VALUE * len(values)
    low, high = min(known), max(known)
    top = len(BARS) - 1
    return "".join(
        NO_VALUE
        if value is None
        else BARS[round((value - low) / (high - low) * top) if high > low else top // 2]
        for value in values
    )


def comparison_lines(comparison: Comparison, width: int) -> Iterator[str]:
    """Yield what is compared with what, how the runs differ, and a paragraph for each objective."""
    new = comparison.new[-1].run_id if len(comparison.new) == 1 else f"{len(comparison.new)} runs"
    yield from wrapped(f"{new} against {runs_text(comparison)}, {_method_text(comparison)}", width)
    for text in comparison.differences:
        yield from wrapped(f"{_STANDS_OUT} {text}", width, first=GAP)
    yield ""
    for change, line in zip(comparison.changes, change_lines(comparison), strict=True):
        said = line if len(change.recent) <= 2 else f"{line} {sparkline(change.recent)}"  # noqa: PLR2004 - old, new
        yield from wrapped(said, width, first=GAP)
    if not comparison.changes:
        yield from wrapped("no objective to compare", width, first=GAP)
    if comparison.regressions:
        names = ", ".join(name_of(change) for change in comparison.regressions)
        yield ""
        yield from wrapped(f"WORSE by more than {comparison.margin * 100:.3g}%: {names}", width)


def _method_text(comparison: Comparison) -> str:
    return f"{comparison.method.value}, {comparison.confidence * 100:.3g}% confidence"
