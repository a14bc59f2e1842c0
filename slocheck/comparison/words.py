"""A comparison in words, so that the headline, the terminal and the pages say the same."""

from slocheck.comparison.model import Change, Comparison, Form, Method, Trend
from slocheck.documents.words import quantity
from slocheck.spec.formatting import format_value
from slocheck.spec.model import IndicatorKind

_POINTS = " points"
_PLACES = 6
"""Decimal places of a change in points: the rest is float rounding."""
_SEVERITY = (Trend.WORSE, Trend.BETTER, Trend.UNDECIDED, Trend.UNTESTED, Trend.WITHIN)
"""What a reader wants to know first."""


def runs_text(comparison: Comparison) -> str:
    """Name what a run is compared with: ``8 earlier runs``, or the one run."""
    if comparison.method is Method.WITHIN_RUNS or len(comparison.old) == 1:
        return f"run {comparison.old[-1].run_id}"
    return quantity(len(comparison.old), "earlier run")


def amount_text(change: Change, amount: float | None) -> str:
    """Write an amount of a change, signed: ``+31%`` of a ratio, ``+0.4 points`` of a difference of shares."""
    if amount is None:
        return ""
    if change.form is Form.RATIO:
        return f"{(amount - 1) * 100:+,.1f}%"
    return f"{round(amount * 100, _PLACES) + 0.0:+.3g}{_POINTS}"


def interval_text(change: Change) -> str:
    """Write the interval of a change: ``+12% to +31%``; empty if there is none."""
    if change.low is None or change.high is None:
        return ""
    low, high = amount_text(change, change.low), amount_text(change, change.high)
    return f"{low.removesuffix(_POINTS)} to {high}"


def name_of(change: Change) -> str:
    """Name the objective and its endpoint: ``latency_p95 of GET /items``."""
    return f"{change.objective} of {change.endpoint}" if change.endpoint else change.objective


def value_text(kind: IndicatorKind, value: float | None) -> str:
    """Write a value, or that there is none."""
    return "no value" if value is None else format_value(kind, value)


def change_text(change: Change) -> str:
    """Say what changed: ``latency_p95 of GET /items 100ms -> 134ms (+34%, +12% to +60%)``."""
    old, new = value_text(change.kind, change.old), value_text(change.kind, change.new)
    inside = ", ".join(filter(None, (amount_text(change, change.amount), interval_text(change))))
    return f"{name_of(change)} {old} -> {new}{f' ({inside})' if inside else ''}"


def regression_sentence(comparison: Comparison) -> str:
    """Say what fails the run; `comparison` has a regression."""
    surest, *others = comparison.regressions
    more = f", and {quantity(len(others), 'other objective')}" if others else ""
    return (
        f"Worse than in {runs_text(comparison)}: {change_text(surest)}{more}; "
        f"{comparison.margin * 100:.3g}% is allowed."
    )


def change_lines(comparison: Comparison) -> list[str]:
    """Return a line for each objective: what changed, what that says, and why it says no more."""
    return [
        f"{change_text(change)}: {change.trend.value}{f' ({change.reason})' if change.reason else ''}"
        for change in comparison.changes
    ]


def summary(comparison: Comparison) -> str:
    """Say in one line what matters most of a comparison: what is proven, else the largest change seen."""
    ranked = sorted(comparison.changes, key=lambda change: (_SEVERITY.index(change.trend), -_size(change)))
    against = f"since {runs_text(comparison)}"
    if not ranked:
        return f"{against}: no objective to compare"
    first = ranked[0]
    if first.trend in (Trend.WORSE, Trend.BETTER):
        return f"{against}: {first.trend.value}, {change_text(first)}"
    seen = max(ranked, key=_size)
    if comparison.method is not Method.WITHIN_RUNS:
        return f"{against}: no change is proven; the largest is {change_text(seen)}"
    return f"{against}: {change_text(seen)}; one run does not prove a change"


def _size(change: Change) -> float:
    """Return how large a change is, as a share of the value before; 0 if it is not known."""
    if change.old is None or change.new is None:
        return 0.0
    return abs(change.new - change.old) / max(abs(change.old), abs(change.new), 1e-12)
