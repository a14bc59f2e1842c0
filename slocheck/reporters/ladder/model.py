"""A climb: one workload against one API, with one strategy more at each step."""

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from slocheck.grading.assessment import LevelResult, ObjectiveResult, Side, SideResult, Verdict
from slocheck.grading.report import Report
from slocheck.grading.value_interval import Interval, value_interval
from slocheck.reporters.text import NO_DATA, NO_VERDICT, limits_of, range_text, value_text
from slocheck.spec.formatting import format_value
from slocheck.spec.model import Objective

NO_TIER = "no tier"
NO_RESULT = "no verdict"


class Move(StrEnum):
    """What a step did to an objective; one run a step, so only chance within a run is ruled out."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "not told apart"


@dataclass(frozen=True, slots=True)
class ClimbStep:
    """One step of a climb.

    Attributes:
        strategy: What was added, such as ``cache-aside``; of the first step ``none``.
        does: What that does, in a few words.
        report: The graded run with everything up to this step.
    """

    strategy: str
    does: str
    report: Report

    @property
    def tier(self) -> str:
        """The tier that was reached, in words."""
        assessment = self.report.assessment
        return NO_RESULT if assessment.outcome in NO_VERDICT else assessment.tier or NO_TIER


@dataclass(frozen=True, slots=True)
class Climb:
    """All steps, the one without a strategy first.

    Attributes:
        steps: At least one.
        parts: What the API ran on, such as ``SQLite and a cache in the process``.
    """

    steps: tuple[ClimbStep, ...]
    parts: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One objective at one step.

    Attributes:
        objective: What is measured.
        value: In words.
        middle: The same as a number, base units; None without data or a bound.
        interval: Where the true value lies, base units; None if the statistics do not say.
        tier: The strictest tier whose limit, and that of each below it, is met; None: none.
    """

    objective: Objective
    value: str
    middle: float | None
    interval: Interval | None
    tier: str | None

    @property
    def interval_text(self) -> str:
        """The interval in words; empty if there is none."""
        if self.interval is None or not isfinite(self.interval[0]):
            return ""
        kind, limits = self.objective.indicator.kind, limits_of(self.objective)
        low, high = (format_value(kind, end, limits=limits) for end in self.interval)
        return range_text(low, high)


def measures(step: ClimbStep) -> tuple[Measure, ...]:
    """Return what a step measured, in the order of the spec."""
    return tuple(_measure(step.report, result) for result in step.report.assessment.objectives)


def move(before: Measure, now: Measure) -> Move:
    """Return what a step did to an objective: the two intervals have to lie apart."""
    if before.interval is None or now.interval is None:
        return Move.SAME
    lower_is_better = next(iter(now.objective.limits.values())).comparison.lower_is_better
    if now.interval[1] < before.interval[0]:
        return Move.BETTER if lower_is_better else Move.WORSE
    if now.interval[0] > before.interval[1]:
        return Move.WORSE if lower_is_better else Move.BETTER
    return Move.SAME


def moves(before: ClimbStep, now: ClimbStep) -> dict[str, Move]:
    """Return what a step did to each objective, by its name."""
    pairs = zip(measures(before), measures(now), strict=True)
    return {new.objective.name: move(old, new) for old, new in pairs}


def _measure(report: Report, result: ObjectiveResult) -> Measure:
    side = _client_first(result.levels[0])
    display = side.display if side else None
    interval = None
    if side is not None and display is not None:
        assessment = report.assessment
        interval = value_interval(result, side, report.evidence.recording, assessment.confidence)
    middle = None
    if display is not None and display.low is not None and display.high is not None:
        middle = (display.low + display.high) / 2
    return Measure(
        objective=result.objective,
        value=value_text(result.objective, display) if side else NO_DATA,
        middle=middle if middle is not None and isfinite(middle) else None,
        interval=interval,
        tier=_tier(result, report.spec.tiers),
    )


def _client_first(level: LevelResult) -> SideResult | None:
    """Return the side to show: the client's, as users see it, unless only the server has data."""
    sides = sorted(level.sides, key=lambda side: (side.display is None, side.side is not Side.CLIENT))
    return next(iter(sides), None)


def _tier(result: ObjectiveResult, tiers: tuple[str, ...]) -> str | None:
    """Return the strictest tier up to which all limits are met; tiers are loosest first."""
    reached = None
    for tier in tiers:
        level = result.level(tier)
        if level is not None and level.verdict is not Verdict.MET:
            return reached
        reached = tier if level is not None else reached
    return reached
