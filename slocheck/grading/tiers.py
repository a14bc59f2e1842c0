"""From verdicts on limits to the achieved tier, the gate, and what is missing for the next tier."""

from collections.abc import Sequence
from fractions import Fraction
from math import isfinite

from slocheck.grading.assessment import Gap, LevelResult, ObjectiveResult, Verdict, worst_verdict
from slocheck.grading.nearest import most_used_first
from slocheck.spec.model import Limit

CRITICAL, TARGET = "critical", "target"


def level_names_needed(tier: str, tiers: Sequence[str]) -> frozenset[str]:
    """Return the names of the levels that a tier needs: its own, all looser tiers, and ``critical``."""
    return frozenset({*tiers[: tiers.index(tier) + 1], CRITICAL})


def levels_needed(result: ObjectiveResult, tier: str, tiers: Sequence[str]) -> list[LevelResult]:
    """Return the levels of an objective that a tier needs: its own, all looser ones, and critical."""
    names = level_names_needed(tier, tiers)
    return [level for level in result.levels if level.level in names]


def strictest_needed(result: ObjectiveResult) -> LevelResult | None:
    """Return the level that is hardest to keep of those that the gate needs; None if it needs none."""
    return min(result.needed, key=hardness, default=None)


def strictest_tested(result: ObjectiveResult) -> LevelResult | None:
    """Return the level whose breach fails the gate, if it is significant; None if the gate needs none.

    The strictest of the needed levels that a side found breached, if there are any: what breaks a looser
    level breaks a stricter one too, so that one level is tested.
    """
    breached = [level for level in result.needed if level.breached_on_a_side]
    return min(breached, key=hardness, default=strictest_needed(result))


def hardness(level: LevelResult) -> Fraction:
    """Return a number that is smaller for a limit that is harder to keep, of the same objective."""
    return level.limit.value if level.limit.comparison.lower_is_better else -level.limit.value


def tier_verdict(results: Sequence[ObjectiveResult], tier: str, tiers: Sequence[str]) -> Verdict:
    """Return the verdict on a tier: that of its worst level; undecided if no limit is needed for it."""
    needed = [level for result in results for level in levels_needed(result, tier, tiers)]
    return worst_verdict(needed) or Verdict.UNDECIDED


def achieved_tier(results: Sequence[ObjectiveResult], tiers: Sequence[str]) -> str | None:
    """Return the highest tier that is met, None if not even the loosest is.

    A tier counts only if at least one objective has a limit for it.
    """
    named = {level.level for result in results for level in result.levels}
    met = [tier for tier in tiers if tier in named and tier_verdict(results, tier, tiers) is Verdict.MET]
    return met[-1] if met else None


def next_tier(achieved: str | None, results: Sequence[ObjectiveResult], tiers: Sequence[str]) -> str | None:
    """Return the lowest tier above the achieved one for which an objective has a limit."""
    named = {level.level for result in results for level in result.levels}
    start = 0 if achieved is None else tiers.index(achieved) + 1
    return next((tier for tier in tiers[start:] if tier in named), None)


def gaps(results: Sequence[ObjectiveResult], tier: str | None, tiers: Sequence[str]) -> tuple[Gap, ...]:
    """Return what keeps the run from a tier: breaches first, then by the use of the limit, largest first."""
    if tier is None:
        return ()
    missed = [
        (result, level)
        for result in results
        if (level := _worst(levels_needed(result, tier, tiers))) is not None
    ]
    found = [_gap(result, level, tier) for result, level in most_used_first(missed)]
    return tuple(sorted(found, key=lambda gap: gap.verdict is not Verdict.BREACHED))


def _worst(levels: Sequence[LevelResult]) -> LevelResult | None:
    """Return the first breached level, else the first undecided one, else None."""
    worst = worst_verdict(levels)
    return next((level for level in levels if level.verdict is worst is not Verdict.MET), None)


def _gap(result: ObjectiveResult, level: LevelResult, tier: str) -> Gap:
    distances = [_distance(level.limit, value) for value in _observed(level)]
    distance = max(distances, default=None)
    message = f"{level.verdict.value} at {level.level} {level.limit.text}"
    if level.reason:
        message += f": {level.reason}"
    return Gap(result.objective.name, tier, level.verdict, distance, message)


def _observed(level: LevelResult) -> list[Fraction]:
    """Return the observed value of each side of a level: the end that is worse for the limit."""
    values = []
    for side in level.sides:
        if side.display is not None:
            worst = side.display.high if level.limit.comparison.lower_is_better else side.display.low
            if worst is not None and isfinite(worst):
                values.append(Fraction(worst))
    return values


def _distance(limit: Limit, value: Fraction) -> Fraction:
    """Return how far a value is on the wrong side of a limit; 0 on the right side."""
    beyond = value - limit.value if limit.comparison.lower_is_better else limit.value - value
    return max(Fraction(0), beyond)
