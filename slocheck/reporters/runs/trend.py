"""The trend page: for each service one chart per objective, its values as a table, and one row per run."""

from collections.abc import Iterator, Sequence

from slocheck.comparison.history import History, HistoryPoint, Series
from slocheck.comparison.model import RunRecord
from slocheck.comparison.words import value_text
from slocheck.documents.words import quantity
from slocheck.reporters.escape import for_html
from slocheck.reporters.runs.document import (
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    Axis,
    axis_for,
    curve,
    drawing,
    folded,
    label,
    page,
    table,
)
from slocheck.reporters.text import short_sha

GLYPHS = {"pass": "✓", "fail": "✗", "undecided": "?", "invalid": "!", "interrupted": "!"}
_DAY = 10
"""The leading characters of a time that give its day."""


def history_page(histories: Sequence[History]) -> str:
    """Return the trend of each service as one page."""
    parts = [part for history in histories for part in _history(history)]
    return page("History of runs", parts or ["<p>No run has a result yet.</p>"])


def _history(history: History) -> Iterator[str]:
    yield f"<h2>{for_html(history.service)}</h2>"
    yield (
        f"<p>{quantity(len(history.runs), 'run')}, the newest on the right. The band is the 99 % prediction "
        "from up to 20 earlier runs; a square marks a value outside of it, filled if it is worse. "
        "An invalid or interrupted run has no value.</p>"
    )
    for series in history.series:
        yield from _series(history, series)
    yield table(
        f"Runs of {history.service}",
        ("run", "verdict", "tier", "commit", "load", "stands out"),
        [_run_cells(history, run) for run in reversed(history.runs)],
    )


def _run_cells(history: History, run: RunRecord) -> tuple[str, ...]:
    found = [
        f"{series.objective.name} {value_text(series.objective.kind, point.value)}"
        for series, point in history.outliers(run.run_id)
    ]
    if found and run.run_id in history.machines:
        found.append(history.machines[run.run_id])
    verdict = f"{GLYPHS.get(run.outcome, '')} {run.outcome}"
    return (
        *(run.run_id, verdict, run.tier or "none", _commit(run), run.conditions.workload),
        ", ".join(found),
    )


def _commit(run: RunRecord) -> str:
    return short_sha(run.commit, dirty=run.dirty) if run.commit else "no commit"


def _series(history: History, series: Series) -> Iterator[str]:
    objective, points = series.objective, series.points
    name = f"{objective.name} of {objective.endpoint}" if objective.endpoint else objective.name
    yield f"<h3>{for_html(name)}</h3>"
    known = [point.value for point in points if point.value is not None]
    if not known:
        yield "<p>No value.</p>"
        return
    bands = [end for point in points if point.expected for end in (point.expected.low, point.expected.high)]
    axis = axis_for([*known, *bands])
    step = (WIDTH - LEFT - RIGHT) / max(1, len(points) - 1)
    xs = [round(LEFT + step * place, 1) for place in range(len(points))]
    drawn = [(x, axis.y(point.value)) for x, point in zip(xs, points, strict=True) if point.value is not None]
    body = [
        *axis.ticks(objective.kind),
        *_band(xs, points, axis),
        curve(drawn, "curve"),
        *(_mark(history.runs[place], series, place, xs[place], axis) for place in range(len(points))),
        label(WIDTH - RIGHT + 8, drawn[-1][1] + 4, value_text(objective.kind, known[-1])),
        label(LEFT, HEIGHT - 6, history.runs[0].started[:_DAY]),
        label(WIDTH - RIGHT, HEIGHT - 6, history.runs[-1].started[:_DAY], "end"),
    ]
    yield drawing(f"{name}, {history.service}", f"{len(known)} values", body)
    yield folded("Values", _values(f"Values of {name}, {history.service}", history, series))


def _values(caption: str, history: History, series: Series) -> str:
    kind = series.objective.kind
    rows = []
    for run, point in zip(history.runs, series.points, strict=True):
        expected = point.expected
        ends = f"{value_text(kind, expected.low)} to {value_text(kind, expected.high)}" if expected else ""
        outside = "" if expected is None or not expected.outside else "worse" if expected.worse else "better"
        verdict = point.verdict if run.valid else run.outcome
        rows.append((run.run_id, _commit(run), value_text(kind, point.value), verdict, ends, outside))
    return table(caption, ("run", "commit", "value", "verdict", "expected", "outside"), rows[::-1])


def _band(xs: Sequence[float], points: Sequence[HistoryPoint], axis: Axis) -> Iterator[str]:
    """Yield a bar for each run's expected values."""
    for x, point in zip(xs, points, strict=True):
        if point.expected is not None:
            top, bottom = axis.y(point.expected.high), axis.y(point.expected.low)
            height = f"{max(1.0, bottom - top):.1f}"
            yield f'<rect class="band" x="{x - 6}" y="{top}" width="12" height="{height}"/>'


def _mark(run: RunRecord, series: Series, place: int, x: float, axis: Axis) -> str:
    """Return a run's point, a square if it stands out, with its description."""
    point = series.points[place]
    if point.value is None:
        return ""
    y = axis.y(point.value)
    said = f"{run.run_id} {_commit(run)} {run.outcome}: {value_text(series.objective.kind, point.value)}"
    title = f"<title>{for_html(said)}</title>"
    if point.expected is not None and point.expected.outside:
        word = "worse" if point.expected.worse else "better"
        return f'<rect class="{word}" x="{x - 6}" y="{y - 6}" width="12" height="12">{title}</rect>'
    return f'<circle class="point" cx="{x}" cy="{y}" r="4">{title}</circle>'
