"""Indicators by name, and their limits: how to read them, and which of two is stricter."""

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from slocheck.documents.reader import InvalidValue, Value, ValueType, unknown
from slocheck.documents.types import anchored
from slocheck.documents.units import (
    UnitError,
    shown,
    split_comparison,
)
from slocheck.spec.indicators import TRAITS, UPPER, LimitForm, traits_of
from slocheck.spec.model import Indicator, IndicatorKind, Limit

LATENCY_PATTERN = r"latency_p(?!0+(\.0+)?$)[0-9]{1,2}(\.[0-9]{1,3})?"
_LATENCY = re.compile(LATENCY_PATTERN)
_RUN_TOGETHER = re.compile(r"latency_p([0-9]{2})([0-9]{1,3})")
SINGLE = {
    str(kind): Indicator(kind)
    for kind, traits in TRAITS.items()
    if not (traits.is_percentile or traits.is_query)
}
_EXAMPLES = ("latency_p50", "latency_p95", "latency_p99", "latency_p99.9", *SINGLE)


def indicator_named(name: str) -> Indicator | None:
    """Return the indicator of that name, None if there is none.

    Percentiles are written with a point, ``latency_p99.9``. Raises InvalidValue for ``latency_p999`` and for
    percentiles outside 0..100.
    """
    if _LATENCY.fullmatch(name):
        return Indicator(IndicatorKind.LATENCY, quantile=Fraction(name.removeprefix("latency_p")) / 100)
    together = _RUN_TOGETHER.fullmatch(name)
    if together and name != "latency_p100":
        raise InvalidValue(f"{shown(name)} has no point; write latency_p{together[1]}.{together[2]}")
    if name.startswith("latency_p"):
        raise InvalidValue(
            f"{shown(name)} is not a percentile between 0 and 100; write one such as latency_p99.9"
        )
    return SINGLE.get(name)


def unknown_indicator(name: str) -> str:
    """Say that a name is not an indicator."""
    return unknown("indicator", name, _EXAMPLES)


def limit_type(kind: IndicatorKind) -> ValueType[Limit | None]:
    """Return the type of a limit on an indicator of this kind."""
    form = traits_of(kind).limit

    def read(value: Value) -> Limit:
        text = value.scalar().text.strip()
        comparison, rest = split_comparison(text)
        if comparison is None:
            raise InvalidValue(_without_comparison(text, form))
        limit = Limit(comparison, form.parse(rest), text, value.position)
        if comparison not in form.comparisons:
            side = "an upper" if form.comparisons is UPPER else "a lower"
            raise InvalidValue(
                f"{shown(text)}: {kind} needs {side} limit; write '{form.comparisons[0]} {rest}'"
            )
        _check_reachable(limit, kind, form)
        return limit

    comparisons = "|".join(sorted(form.comparisons, key=len, reverse=True))
    return ValueType(
        read, {"type": "string", "pattern": anchored(rf"\s*({comparisons})\s*{form.pattern}\s*")}
    )


def _without_comparison(text: str, form: LimitForm) -> str:
    try:
        form.parse(text)
    except UnitError:
        return f"{shown(text)} is not a limit; write a comparison and a value, such as '{form.example}'"
    return f"{shown(text)} has no comparison; write '{form.comparisons[0]} {text}'"


def _check_reachable(limit: Limit, kind: IndicatorKind, form: LimitForm) -> None:
    """Refuse a limit that no measurement can meet."""
    best = form.least if limit.comparison.lower_is_better else form.most
    never = best is not None and not limit.holds(best)
    if traits_of(kind).is_percentile:
        never = limit.value == 0
    if never:
        raise InvalidValue(f"{shown(limit.text)} can never be met; write one such as '{form.example}'")


def contradictions(limits: Mapping[str, Limit], tiers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each level whose limit contradicts another level's, and the message.

    Args:
        limits: Limits of one objective by level.
        tiers: Loosest first.
    """
    ordered = [level for level in tiers if level in limits]
    first = next(iter(limits), None)
    mixed = [level for level in limits if first and _upper(limits[level]) is not _upper(limits[first])]
    if first and mixed:
        for level in mixed:
            yield level, f"has the opposite direction to {_quoted(first, limits)}; use < for all levels or >"
        return
    for looser, tier in pairwise(ordered):
        if stricter(limits[looser], limits[tier]):
            yield (
                tier,
                (
                    f"{shown(limits[tier].text)} is looser than {_quoted(looser, limits)}; "
                    f"write {shown(limits[looser].text)} or stricter"
                ),
            )
    for level in (*ordered[:1], "target"):
        if "critical" in limits and level in limits and stricter(limits["critical"], limits[level]):
            yield (
                "critical",
                (
                    f"{shown(limits['critical'].text)} is stricter than {_quoted(level, limits)}, so "
                    f"{level} alone is never reached; write {shown(limits[level].text)} or looser"
                ),
            )


def _upper(limit: Limit) -> bool:
    return limit.comparison.lower_is_better


def _quoted(level: str, limits: Mapping[str, Limit]) -> str:
    limit = limits[level]
    return f"{level} {shown(limit.text)} on line {limit.position.line}"


def stricter(one: Limit, other: Limit) -> bool:
    """Tell whether `one` refuses a value that `other`, with the same direction, allows."""
    return _strictness(one) > _strictness(other)


def _strictness(limit: Limit) -> tuple[Fraction, bool]:
    sign = -1 if limit.comparison.lower_is_better else 1
    return sign * limit.value, limit.comparison.strict
