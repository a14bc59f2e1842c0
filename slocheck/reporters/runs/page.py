"""Pages on several runs: one HTML file each, without script or network, under a strict CSP."""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log10

from slocheck.comparison.history import History, Point, Series
from slocheck.comparison.model import Comparison
from slocheck.comparison.spectrum import Spectrum
from slocheck.comparison.words import (
    amount_text,
    change_lines,
    interval_text,
    name_of,
    regression_sentence,
    runs_text,
    value_text,
)
from slocheck.reporters.escape import for_html
from slocheck.reporters.text import short_sha
from slocheck.spec.model import IndicatorKind

STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#57606a;--paper:#fff;--line:#d0d7de;--band:#ddf0e3;
--bad:#b42318}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--dim:#9da7b1;--paper:#0d1117;--line:#30363d;
--band:#16382a;--bad:#ff9b8f}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:1rem auto;
max-width:72rem;padding:0 1rem;overflow-wrap:anywhere}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{border-bottom:1px solid var(--line);padding:.3rem .6rem .3rem 0;text-align:left;vertical-align:top;
overflow-wrap:break-word}th{white-space:nowrap}
svg{width:100%;height:auto;max-width:60rem}svg text{font-size:13px;fill:var(--dim)}
.axis{stroke:var(--line)}.band{fill:var(--band)}.curve{fill:none;stroke:var(--ink);stroke-width:1.5}
.old{stroke:var(--dim);stroke-dasharray:5 4}.point{fill:var(--ink)}.bad{fill:var(--bad);color:var(--bad)}
p.bad,td.bad{fill:none;font-weight:600}h2,h3{margin-bottom:.3rem}
"""
ROOM = 0.15
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 200, 80, 12, 90, 26
GLYPHS = {"pass": "✓", "fail": "✗", "undecided": "?", "invalid": "!", "interrupted": "!"}
QUANTILE_TICKS = (0.5, 0.9, 0.99, 0.999, 0.9999)


def history_page(histories: Sequence[History]) -> str:
    """Return the trend of each service: a chart an objective, then a row a run."""
    parts = [part for history in histories for part in _history(history)]
    return _page("History of runs", parts or ["<p>No run has a result yet.</p>"])


def comparison_page(comparison: Comparison, spectra: Sequence[tuple[str, Spectrum]]) -> str:
    """Return two sides beside each other, and the percentile spectra of both where they are known."""
    return _page("Comparison of runs", [*_comparison(comparison), *_spectra(spectra)])


def _page(title: str, parts: Iterable[str]) -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _history(history: History) -> Iterator[str]:
    yield f"<h2>{for_html(history.service)}</h2>"
    yield (
        f"<p>{len(history.runs)} runs. The band is where the runs before would have put a value at 99 %; "
        "a value outside is marked.</p>"
    )
    for series in history.series:
        yield from _series(history, series)
    yield _table(
        "Runs",
        ("run", "verdict", "tier", "commit", "load", "stands out"),
        [_run_cells(history, place) for place in range(len(history.runs) - 1, -1, -1)],
    )


def _run_cells(history: History, place: int) -> tuple[str, ...]:
    run = history.runs[place]
    found = [
        f"{series.objective.name} {value_text(series.objective.kind, point.value)}"
        for series, point in history.outliers(run.run_id)
    ]
    commit = short_sha(run.commit, dirty=run.dirty) if run.commit else "none"
    verdict = f"{GLYPHS.get(run.outcome, '')} {run.outcome}"
    return run.run_id, verdict, run.tier or "none", commit, run.conditions.workload, ", ".join(found)


@dataclass(frozen=True, slots=True)
class _Axis:
    """A linear axis of values, in pixels from the top."""

    low: float
    high: float

    def y(self, value: float) -> float:
        """Return where a value is."""
        span = (self.high - self.low) or 1.0
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (self.high - value) / span, 1)


def _axis(values: Sequence[float]) -> _Axis:
    """Return an axis with room around the values; it does not go below 0 where none of them does."""
    low, high = min(values), max(values)
    room = ROOM * ((high - low) or abs(high) or 1.0)
    return _Axis(max(0.0, low - room) if low >= 0 else low - room, high + room)


def _series(history: History, series: Series) -> Iterator[str]:
    objective, points = series.objective, series.points
    name = f"{objective.name} of {objective.endpoint}" if objective.endpoint else objective.name
    yield f"<h3>{for_html(name)}</h3>"
    known = [point.value for point in points if point.value is not None]
    if not known:
        yield "<p>No value.</p>"
        return
    bands = [end for point in points if point.expected for end in (point.expected.low, point.expected.high)]
    axis = _axis([*known, *bands])
    step = (WIDTH - LEFT - RIGHT) / max(1, len(points) - 1)
    xs = [round(LEFT + step * place, 1) for place in range(len(points))]
    drawn = [(x, axis.y(point.value)) for x, point in zip(xs, points, strict=True) if point.value is not None]
    body = [
        *_value_ticks(axis, objective.kind),
        *_band(xs, points, axis),
        _curve(drawn, "curve"),
        *(_mark(history, place, xs[place], axis, series) for place in range(len(points))),
        _text(WIDTH - RIGHT + 8, drawn[-1][1] + 4, value_text(objective.kind, known[-1])),
        _text(LEFT, HEIGHT - 6, history.runs[0].started[:10]),
        _text(WIDTH - RIGHT, HEIGHT - 6, history.runs[-1].started[:10], "end"),
    ]
    yield _svg(name, f"{len(known)} values, the newest at the right", body)


def _band(xs: Sequence[float], points: Sequence[Point], axis: _Axis) -> Iterator[str]:
    """Yield a bar for each run's expected values."""
    for x, point in zip(xs, points, strict=True):
        if point.expected is not None:
            top, bottom = axis.y(point.expected.high), axis.y(point.expected.low)
            height = f"{max(1.0, bottom - top):.1f}"
            yield f'<rect class="band" x="{x - 6}" y="{top}" width="12" height="{height}"/>'


def _mark(history: History, place: int, x: float, axis: _Axis, series: Series) -> str:
    """Return a run's point, a larger square where it stands out, with what it is."""
    run, point = history.runs[place], series.points[place]
    if point.value is None:
        return ""
    y = axis.y(point.value)
    commit = short_sha(run.commit, dirty=run.dirty) if run.commit else "no commit"
    said = f"{run.run_id} {commit} {run.outcome}: {value_text(series.objective.kind, point.value)}"
    title = f"<title>{for_html(said)}</title>"
    if point.expected is not None and point.expected.outside:
        return f'<rect class="bad" x="{x - 6}" y="{y - 6}" width="12" height="12">{title}</rect>'
    return f'<circle class="point" cx="{x}" cy="{y}" r="4">{title}</circle>'


def _value_ticks(axis: _Axis, kind: IndicatorKind) -> Iterator[str]:
    for value in (axis.low, (axis.low + axis.high) / 2, axis.high):
        y = axis.y(value)
        yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield _text(LEFT - 8, y + 4, value_text(kind, value), "end")


def _curve(points: Sequence[tuple[float, float]], classes: str) -> str:
    return f'<polyline class="{classes}" points="{" ".join(f"{x},{y}" for x, y in points)}"/>'


def _text(x: float, y: float, said: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{for_html(said)}</text>'


def _svg(title: str, description: str, body: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{for_html(title)}</title>'
        f"<desc>{for_html(description)}</desc>{''.join(body)}</svg>"
    )


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    titles = "".join(f'<th scope="col">{for_html(cell)}</th>' for cell in head)
    lines = "\n".join(f"<tr>{''.join(f'<td>{for_html(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{for_html(caption)}">'
        f"<table>\n<thead><tr>{titles}</tr></thead>\n<tbody>\n{lines}\n</tbody></table></div>"
    )


def _comparison(comparison: Comparison) -> Iterator[str]:
    new = comparison.new[-1].run_id if len(comparison.new) == 1 else f"{len(comparison.new)} runs"
    yield f"<p>{for_html(f'{new} against {runs_text(comparison)}')}</p>"
    if comparison.regressions:
        yield f'<p class="bad">✗ {for_html(regression_sentence(comparison))}</p>'
    if comparison.differences:
        items = "".join(f"<li>{for_html(text)}</li>" for text in comparison.differences)
        yield f"<p>The runs differ:</p><ul>{items}</ul>"
    confidence = f"{comparison.confidence * 100:.3g}% interval ({comparison.method.value})"
    yield _table(
        "Changes",
        ("objective", "before", "now", "change", confidence, "says"),
        [
            (
                name_of(change),
                value_text(change.kind, change.old),
                value_text(change.kind, change.new),
                amount_text(change, change.amount),
                interval_text(change),
                line.rpartition(": ")[2] if not change.reason else f"{change.trend.value}: {change.reason}",
            )
            for change, line in zip(comparison.changes, change_lines(comparison), strict=True)
        ],
    )


def _spectra(spectra: Sequence[tuple[str, Spectrum]]) -> Iterator[str]:
    """Yield the latency of all successful requests by percentile, both runs on one pair of axes."""
    if not spectra:
        return
    yield "<h2>Latency by percentile</h2>"
    axis = _Axis(0.0, max(value for _, spectrum in spectra for _, value in spectrum))
    ticks = [_text(_quantile_x(tick), HEIGHT - 6, f"p{tick * 100:g}", "middle") for tick in QUANTILE_TICKS]
    body = [*_value_ticks(axis, IndicatorKind.LATENCY), *ticks]
    for place, (_, spectrum) in enumerate(spectra):
        points = [(_quantile_x(quantile), axis.y(value)) for quantile, value in spectrum]
        body.append(_curve(points, "curve" if place else "curve old"))
        body.append(_text(points[-1][0] + 4, points[-1][1] + 4, "now" if place else "before"))
    names = " and ".join(name for name, _ in spectra)
    yield _svg("Latency by percentile", f"{names}: dashed before, solid now", body)
    columns = [f"p{quantile * 100:g}" for quantile, _ in spectra[0][1]]
    rows = [
        (name, *(value_text(IndicatorKind.LATENCY, value) for _, value in spectrum))
        for name, spectrum in spectra
    ]
    yield _table("Latency by percentile", ("run", *columns), rows)


def _quantile_x(quantile: float) -> float:
    """Return where a quantile is: as far to the right as it has nines."""
    nines = -log10(max(1e-5, 1 - quantile)) / 5
    return round(LEFT + (WIDTH - LEFT - RIGHT) * nines, 1)
