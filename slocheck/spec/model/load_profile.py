"""How the load changes over time, in stages. A level is a number of users or arrivals per second."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate


class ArrivalProcess(StrEnum):
    """How the arrivals of the open model are spread.

    Even arrivals may always meet a periodic target at the same phase, and what they see of it is then a
    matter of chance, however long the window. Random arrivals see all phases (RFC 2330, section 11.1;
    Baccelli et al. 2006, doi 10.1145/1140277.1140334).
    """

    JITTERED = "jittered"
    EVEN = "even"
    POISSON = "poisson"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a load profile: a constant level, or a linear ramp from one level to another.

    Attributes:
        begin: Level at its start, users or arrivals per second.
        end: Level at its end.
        seconds: Its length.
    """

    begin: float
    end: float
    seconds: float


def rate_at(stages: Sequence[Stage], seconds: float) -> float:
    """Return the level at a time since the start of the load; after the last stage, its end level."""
    for stage in stages:
        if seconds < stage.seconds:
            return _level(stage, seconds)
        seconds -= stage.seconds
    return stages[-1].end if stages else 0.0


def length(stages: Sequence[Stage]) -> float:
    """Return the length of all stages, seconds."""
    return sum(stage.seconds for stage in stages)


def peak(stages: Sequence[Stage]) -> float:
    """Return the highest level."""
    return max((max(stage.begin, stage.end) for stage in stages), default=0.0)


def expected_arrivals(stages: Sequence[Stage], begin: float, end: float) -> float:
    """Return the integral of the level: arrivals expected from `begin` to `end`, in seconds."""
    starts = accumulate((stage.seconds for stage in stages), initial=0.0)
    total = 0.0
    for start, stage in zip(starts, stages, strict=False):
        low, high = max(begin, start), min(end, start + stage.seconds)
        if low < high:
            total += (_level(stage, low - start) + _level(stage, high - start)) / 2 * (high - low)
    return total


def _level(stage: Stage, seconds: float) -> float:
    """Return a stage's level at a time since its start; at its end, exactly its end level."""
    if seconds >= stage.seconds:
        return stage.end
    return stage.begin + (stage.end - stage.begin) * seconds / stage.seconds
