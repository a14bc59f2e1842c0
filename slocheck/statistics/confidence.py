"""From a stated confidence to what an interval has to keep."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf

CALIBRATION = 5
"""Without a condition on bursts, met is tested at (1 - confidence) / 5: found by simulation, see
docs/statistics.md. With one, 1 - confidence itself holds."""

CALIBRATED_S = 300.0
"""From this window on a breach is tested at 1 - confidence itself: the simulation shows that it holds."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """How strictly a sample is compared with its limit.

    Attributes:
        met: One-sided error rate of the end of an interval that has to be on the good side for met.
        breached: One-sided error rate of the other end, which has to be on the bad side for breached.
        window_s: Length of all windows together, seconds.
        bursts_s: What lies within so many seconds counts as one independent request at most; 0: no condition.
    """

    met: float
    breached: float
    window_s: float = 0.0
    bursts_s: float = 0.0

    @property
    def most_independent(self) -> float:
        """The largest number of independent requests that the windows may count as."""
        return self.window_s / self.bursts_s if self.bursts_s else inf

    def spending(self, share: float) -> "Criterion":
        """Return the criterion of an analysis that may spend a share of the error rate, 0..1."""
        return replace(self, met=self.met * share, breached=self.breached * share)


def criterion_for(level: Fraction, windows_s: tuple[float, ...], bursts_s: float = 0.0) -> Criterion:
    """Return what a stated confidence asks for.

    Args:
        level: Such as 19/20.
        windows_s: Length of each run's window, seconds.
        bursts_s: The condition on bursts; 0: none.
    """
    nominal = float(1 - level)
    calibrated = nominal if bursts_s else nominal / CALIBRATION
    breached = nominal if min(windows_s) >= CALIBRATED_S else calibrated
    return Criterion(calibrated, breached, sum(windows_s), bursts_s)
