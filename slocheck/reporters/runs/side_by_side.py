"""The page of a comparison: both sides of each objective, and both percentile spectra on one pair of axes."""

from collections.abc import Iterator, Sequence
from math import log10

from slocheck.comparison.model import Change, Comparison
from slocheck.comparison.spectrum import Spectrum
from slocheck.comparison.words import (
    amount_text,
    interval_text,
    name_of,
    regression_sentence,
    runs_text,
    value_text,
)
from slocheck.reporters.escape import for_html
from slocheck.reporters.html.charts.svg import spread
from slocheck.reporters.runs.document import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    curve,
    drawing,
    label,
    page,
    table,
)
from slocheck.spec.model import IndicatorKind

_TICKS = (0.5, 0.9, 0.99, 0.999, 0.9999)
_NINES = 5
"""The most at the right end of the axis: 99.999 %."""
_LABEL_GAP = 16
_SPECTRUM = "Latency by percentile"


def comparison_page(comparison: Comparison, spectra: Sequence[tuple[str, Spectrum]]) -> str:
    """Return two sides next to each other, and the percentile spectra of both if they are known."""
    return page("Comparison of runs", [*_comparison(comparison), *_spectra(spectra)])


def _comparison(comparison: Comparison) -> Iterator[str]:
    new = comparison.new[-1].run_id if len(comparison.new) == 1 else f"{len(comparison.new)} runs"
    yield f"<p>{for_html(f'{new} against {runs_text(comparison)}')}</p>"
    if comparison.regressions:
        yield f'<p class="bad">✗ {for_html(regression_sentence(comparison))}</p>'
    if comparison.differences:
        items = "".join(f"<li>{for_html(text)}</li>" for text in comparison.differences)
        yield f"<p>The runs differ:</p><ul>{items}</ul>"
    interval = f"{comparison.confidence * 100:.3g}% interval ({comparison.method.value})"
    yield table(
        "Changes",
        ("objective", "before", "now", "change", interval, "says", "limits"),
        [_cells(change, comparison) for change in comparison.changes],
    )


def _cells(change: Change, comparison: Comparison) -> tuple[str, ...]:
    return (
        name_of(change),
        value_text(change.kind, change.old),
        value_text(change.kind, change.new),
        amount_text(change, change.amount),
        interval_text(change),
        f"{change.trend.value}: {change.reason}" if change.reason else change.trend.value,
        _limits(change.objective, comparison),
    )


def _limits(name: str, comparison: Comparison) -> str:
    """Write an objective's limits; both runs' if they differ."""
    sides = []
    for run in (comparison.old[-1], comparison.new[-1]):
        found = run.objective(name)
        limits = found.limits if found else {}
        sides.append(", ".join(f"{level} {text}" for level, text in limits.items()) or "none")
    old, new = sides
    return new if old == new else f"{new} (before: {old})"


def _spectra(spectra: Sequence[tuple[str, Spectrum]]) -> Iterator[str]:
    """Yield the latency of all successful requests by percentile, before and now."""
    if not spectra:
        return
    yield f"<h2>{_SPECTRUM}</h2>"
    axis = Axis(0.0, max(value for _, spectrum in spectra for _, value in spectrum))
    end = max(_nines(quantile) for _, spectrum in spectra for quantile, _ in spectrum)
    ticks = [
        label(_x(tick, end), HEIGHT - 6, f"p{tick * 100:g}", "middle")
        for tick in _TICKS
        if _nines(tick) <= end
    ]
    body = [*axis.ticks(IndicatorKind.LATENCY), *ticks]
    drawn = [[(_x(quantile, end), axis.y(value)) for quantile, value in spectrum] for _, spectrum in spectra]
    names_at = spread([points[-1][1] + 4 for points in drawn], gap=_LABEL_GAP, low=TOP, high=HEIGHT - BOTTOM)
    for place, (points, y) in enumerate(zip(drawn, names_at, strict=True)):
        body.append(curve(points, "curve" if place else "curve old"))
        body.append(label(points[-1][0] + 4, y, "now" if place else "before"))
    names = " and ".join(name for name, _ in spectra)
    yield drawing(_SPECTRUM, f"{names}: dashed before, solid now", body)
    known = [dict(spectrum) for _, spectrum in spectra]
    quantiles = sorted({quantile for spectrum in known for quantile in spectrum})
    rows = [
        (name, *(_value(spectrum.get(quantile)) for quantile in quantiles))
        for (name, _), spectrum in zip(spectra, known, strict=True)
    ]
    yield table(f"{_SPECTRUM}, as numbers", ("run", *(f"p{q * 100:g}" for q in quantiles)), rows)


def _value(seconds: float | None) -> str:
    return "too few requests" if seconds is None else value_text(IndicatorKind.LATENCY, seconds)


def _nines(quantile: float) -> float:
    """Return how many nines a quantile has: 2 for the 99th percentile."""
    return -log10(max(10.0**-_NINES, 1 - quantile))


def _x(quantile: float, end: float) -> float:
    """Return where a quantile is: as far to the right as it has nines of `end`."""
    return round(LEFT + (WIDTH - LEFT - RIGHT) * _nines(quantile) / end, 1)
