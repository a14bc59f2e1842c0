"""Formats indicator values for people, in the indicator's unit."""

import math
from collections.abc import Iterable
from fractions import Fraction

from slocheck.documents.units import rounded
from slocheck.spec.indicators import Unit, traits_of
from slocheck.spec.model import IndicatorKind

_MILLISECOND = Fraction(1, 1000)
_FLOAT_DIGITS = 15  # significant digits that a float always holds
_WHOLE_FROM = 10  # factors from here on are shown as whole numbers
_LEAST_LONGER = 1.1
_NEAR = 0.002  # share of a limit: two numbers this close differ in the fourth digit
_FIXED = {Unit.RATIO: (100, "%"), Unit.PER_SECOND: (1, "/s"), Unit.NUMBER: (1, "")}


def format_value(
    kind: IndicatorKind, value: Fraction | float, *, limits: Iterable[Fraction] = (), digits: int = 3
) -> str:
    """Return an indicator's value, rounded, for people.

    Args:
        kind: Decides the unit.
        value: In base units: seconds, a 0..1 ratio, 1/s, or a plain number.
        limits: Limits shown next to the value, in the same unit. The text stays on the value's side of each.
        digits: Fewest significant digits; more are used if `limits` require them.

    Returns:
        Such as ``99.9ms``, ``0.62%``, ``523/s``; ``unbounded`` for infinity, ``not a number`` for NaN.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "not a number" if math.isnan(value) else "unbounded"
    exact = value if isinstance(value, Fraction) else Fraction(f"{value:.{_FLOAT_DIGITS}g}")
    kept = [*limits, Fraction(0)]
    if traits_of(kind).is_ratio:
        kept.append(Fraction(1))
    scale, unit = _unit(kind, exact)
    number = rounded(exact * scale, [limit * scale for limit in kept], digits)
    return f"{number}{unit}"


def format_near(kind: IndicatorKind, value: float, limits: Iterable[Fraction]) -> str:
    """Return the end of an interval as `format_value` does, or in words if digits would not help.

    Returns:
        Such as ``4.99%`` beside a limit of 5 %, but ``just over 5%`` for 0.050002.
    """
    kept = tuple(limits)
    text = format_value(kind, value, limits=kept)
    if text == format_value(kind, value):
        return text
    nearest = min(kept, key=lambda limit: abs(limit - Fraction(value)))
    budget = min(nearest, 1 - nearest) if traits_of(kind).is_ratio else nearest
    if abs(value - nearest) > _NEAR * budget:
        return text
    side = "over" if value > nearest else "under"
    return f"just {side} {format_value(kind, nearest)}"


def format_seconds(seconds: float, *limits: float) -> str:
    """Return a duration, rounded, in the form of the spec's limits and on its side of each of `limits`."""
    kept = [Fraction(str(limit)) for limit in limits]
    return format_value(IndicatorKind.LATENCY, seconds, limits=kept)


def format_longer(factor: float) -> str:
    """Return the text for a run that is `factor` (over 1) times as long: rounded up, never as a power of ten.

    Returns:
        Such as ``a run at least 1.2 times longer``, ``a run at least 150 times longer``. It says "at least"
        because longer windows show more correlation.
    """
    if factor < _WHOLE_FROM:
        return f"a run at least {max(_LEAST_LONGER, math.ceil(factor * 10) / 10):.2g} times longer"
    step = 10 ** max(0, math.floor(math.log10(factor)) - 1)
    return f"a run at least {math.ceil(factor / step) * step:,} times longer"


def _unit(kind: IndicatorKind, value: Fraction) -> tuple[int, str]:
    """Return the factor from base units, and the unit to write after the value."""
    fixed = _FIXED.get(traits_of(kind).unit)
    if fixed is not None:
        return fixed
    if abs(value) >= 1:
        return 1, "s"
    return (1_000_000, "us") if 0 < abs(value) < _MILLISECOND else (1000, "ms")
