"""How far another machine's clock is ahead, by round trips. No Locust here.

A machine is asked for its time. It answers between the question and the answer's arrival, so the
difference to the middle of these two is its offset, give or take half of the round trip, however unequal the
two directions were (Cristian 1989). The shortest of many round trips has the smallest bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass

ROUNDS = 20


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """One question and its answer, nanoseconds.

    Attributes:
        asked: On this machine's monotonic clock.
        there: On the other machine's.
        answered: On this machine's.
    """

    asked: int
    there: int
    answered: int

    @property
    def duration(self) -> int:
        """How long it took."""
        return self.answered - self.asked


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How far a clock is ahead of this machine's.

    Attributes:
        ahead: Nanoseconds; below 0: it is behind.
        bound: The largest error of that.
    """

    ahead: int
    bound: int


def clock_offset(rounds: Sequence[RoundTrip]) -> ClockOffset | None:
    """Return the offset by the shortest round trip; None without any."""
    possible = [trip for trip in rounds if trip.duration >= 0]
    if not possible:
        return None
    shortest = min(possible, key=lambda trip: trip.duration)
    middle = shortest.asked + shortest.duration // 2
    return ClockOffset(shortest.there - middle, -(-shortest.duration // 2))
