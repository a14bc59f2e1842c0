"""Which objective decides: the one that uses most of its limit, with a number to show for it."""

from collections.abc import Iterable
from math import inf, isfinite

from slocheck.grading.assessment import LevelResult, ObjectiveResult, Verdict
from slocheck.spec.indicators import traits_of

Graded = tuple[ObjectiveResult, LevelResult]


def nearest(results: Iterable[ObjectiveResult], verdict: Verdict) -> ObjectiveResult | None:
    """Return the objective of this verdict that uses most of its limit, the first of several; None: none."""
    found = most_used_first((result, result.shown) for result in results if result.verdict is verdict)
    return found[0][0] if found else None


def most_used_first(graded: Iterable[Graded]) -> list[Graded]:
    """Return objectives, each with the level that is shown, by the use of the level's limit, largest first.

    A percentile that failed requests make unbounded comes last if a breached objective counts them: that
    one has the number that explains it.
    """
    found = list(graded)
    counted = any(_counts_failures(result) and level.verdict is Verdict.BREACHED for result, level in found)
    return sorted(found, key=lambda pair: (counted and _is_unbounded(*pair), -use_of_level(*pair)))


def _counts_failures(result: ObjectiveResult) -> bool:
    """Tell whether an objective counts the requests that make a percentile unbounded."""
    traits = traits_of(result.objective.indicator.kind)
    return traits.is_ratio and traits.counts_requests


def _is_unbounded(result: ObjectiveResult, level: LevelResult) -> bool:
    value = _worst_value(level)
    is_percentile = traits_of(result.objective.indicator.kind).is_percentile
    return is_percentile and value is not None and not isfinite(value)


def use_of_limit(result: ObjectiveResult) -> float:
    """Return how much of its shown limit an objective uses: see `use_of_level`."""
    return use_of_level(result, result.shown)


def use_of_level(result: ObjectiveResult, level: LevelResult) -> float:
    """Return how much of a limit an objective uses: over 1 if it is broken, 0 if nothing is known.

    For a share of good requests that is the bad share as a part of the allowed one.
    """
    value = _worst_value(level)
    if value is None:
        return 0.0
    if not isfinite(value):
        return inf
    limit = float(level.limit.value)
    if traits_of(result.objective.indicator.kind).good_share:
        return _ratio(1 - value, 1 - limit)
    return _ratio(value, limit) if level.limit.comparison.lower_is_better else _ratio(limit, value)


def _ratio(part: float, whole: float) -> float:
    if whole:
        return part / whole
    return inf if part else 1.0


def _worst_value(level: LevelResult) -> float | None:
    """Return the deciding side's value, at the end that is worse for the limit."""
    decides = level.deciding
    display = decides.display if decides else None
    if display is None or display.low is None or display.high is None:
        return None
    return display.high if level.limit.comparison.lower_is_better else display.low
