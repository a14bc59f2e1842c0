"""From verdicts on limits to the achieved tier, the gate, and what is missing to the next tier."""

from collections.abc import Sequence
from fractions import Fraction
from math import isfinite

from slocheck.grading.assessment import Gap, LevelResult, ObjectiveResult, Verdict
from slocheck.spec.model import Limit

CRITICAL, TARGET = "critical", "target"


def level_names_needed(tier: str, tiers: Sequence[str]) -> frozenset[str]:
    """Return the names of the levels that a tier needs: its own, all looser tiers, and ``critical``."""
    return frozenset({*tiers[: tiers.index(tier) + 1], CRITICAL})


def levels_needed(result: ObjectiveResult, tier: str, tiers: Sequence[str]) -> list[LevelResult]:
    """Return the levels of an objective that a tier needs: its own, all looser ones, and critical."""
    names = level_names_needed(tier, tiers)
    return [level for level in result.levels if level.level in names]


def hardest_level(result: ObjectiveResult, gate: str, tiers: Sequence[str]) -> list[LevelResult]:
    """Return the level of an objective that the gate needs and that is the hardest to keep; none or one.

    Whoever breaks a looser one breaks it, too; so it alone is tested.
    """
    needed = levels_needed(result, gate, tiers)
    if not needed:
        return []
    lower = needed[0].limit.comparison.lower_is_better
    return [min(needed, key=lambda level: level.limit.value if lower else -level.limit.value)]


def tier_verdict(results: Sequence[ObjectiveResult], tier: str, tiers: Sequence[str]) -> Verdict:
    """Return the verdict on a tier: that of its worst level; a tier nobody speaks of is undecided."""
    needed = [level.verdict for result in results for level in levels_needed(result, tier, tiers)]
    if Verdict.BREACHED in needed:
        return Verdict.BREACHED
    return Verdict.UNDECIDED if Verdict.UNDECIDED in needed or not needed else Verdict.MET


def achieved_tier(results: Sequence[ObjectiveResult], tiers: Sequence[str]) -> str | None:
    """Return the highest tier that is met, None where not even the loosest is.

    A tier at which no objective has a limit of its own cannot be achieved by silence: it has to be
    named by at least one objective.
    """
    named = {level.level for result in results for level in result.levels}
    met = [tier for tier in tiers if tier in named and tier_verdict(results, tier, tiers) is Verdict.MET]
    return met[-1] if met else None


def next_tier(achieved: str | None, results: Sequence[ObjectiveResult], tiers: Sequence[str]) -> str | None:
    """Return the lowest tier above the achieved one that an objective names."""
    named = {level.level for result in results for level in result.levels}
    start = 0 if achieved is None else tiers.index(achieved) + 1
    return next((tier for tier in tiers[start:] if tier in named), None)


def gaps(results: Sequence[ObjectiveResult], tier: str | None, tiers: Sequence[str]) -> tuple[Gap, ...]:
    """Return what keeps the run from a tier: breaches first, then by relative distance, largest first."""
    if tier is None:
        return ()
    found = [
        (level, _gap(result, level, tier))
        for result in results
        if (level := _worst(levels_needed(result, tier, tiers))) is not None
    ]
    found.sort(key=lambda pair: (pair[1].verdict is not Verdict.BREACHED, -_relative(*pair)))
    return tuple(gap for _, gap in found)


def _worst(levels: Sequence[LevelResult]) -> LevelResult | None:
    """Return the first breached level, else the first undecided one."""
    for verdict in (Verdict.BREACHED, Verdict.UNDECIDED):
        for level in levels:
            if level.verdict is verdict:
                return level
    return None


def _gap(result: ObjectiveResult, level: LevelResult, tier: str) -> Gap:
    distances = [_distance(level.limit, value) for value in _observed(level)]
    distance = max(distances, default=None)
    message = f"{level.verdict.value} at {level.level} {level.limit.text}"
    if level.reason:
        message += f": {level.reason}"
    return Gap(result.objective.name, tier, level.verdict, distance, message)


def _observed(level: LevelResult) -> list[Fraction]:
    """Return the observed values of a level's sides, the end of each that is further from the limit."""
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


def _relative(level: LevelResult, gap: Gap) -> Fraction:
    if gap.distance_to_limit is None:
        return Fraction(0)
    return gap.distance_to_limit / level.limit.value if level.limit.value else gap.distance_to_limit
