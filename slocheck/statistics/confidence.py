"""From a stated confidence to the criterion for an interval."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf

CALIBRATION = 5
"""Met is tested at (1 - confidence) / 5: found by simulation, see docs/statistics.md. If the condition on
bursts bounds the sample, 1 - confidence itself holds."""

CALIBRATED_S = 300.0
"""From this window on one run's breach is tested at 1 - confidence itself, as the simulation allows.

Not that of pooled runs: how much a few runs differ is not known well enough."""

ASSUMED_BURSTS_S = 12.0
"""The bursts assumed for a rate if none are stated and the offered rate is not known."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """How strictly a sample is compared with its limit.

    Attributes:
        met: One-sided error rate of the end of an interval that has to be on the good side for met.
        breached: One-sided error rate of the other end, which has to be on the bad side for breached.
        nominal: Of both ends if the condition on bursts is what bounds the sample.
        bursts_s: What lies within so many seconds counts as one independent request at most; 0: no condition.
        memory: Correlation of blocks of seconds counts, as it does in one window of `CALIBRATED_S` or more.
        long_from: A window so many times as long is tested for a breach at the nominal rate; 1: this one is.
    """

    met: float
    breached: float
    nominal: float = 0.0
    bursts_s: float = 0.0
    memory: bool = False
    long_from: float = inf

    def spending(self, share: float) -> "Criterion":
        """Return the criterion of an analysis that may spend a share of the error rate, 0..1."""
        return replace(
            self, met=self.met * share, breached=self.breached * share, nominal=self.nominal * share
        )

    def assuming_bursts(self, *, breached: bool = False) -> "Criterion":
        """Return the criterion of a rate in the closed model, or of one that a server alone counted.

        It is not known what could have been served in a second, so a window with few slow phases
        looks like one without any, and few make it vary much. See docs/statistics.md for what the assumption
        costs and saves. With `breached`: of the end that breached rests on, at a fifth of the nominal rate
        even where the assumption is what bounds the sample, because slow phases may last longer.
        """
        if self.bursts_s:
            return self
        nominal = self.met if breached else self.nominal
        return replace(self, bursts_s=ASSUMED_BURSTS_S, breached=self.met, nominal=nominal)


def criterion_for(level: Fraction, windows_s: tuple[float, ...], bursts_s: float = 0.0) -> Criterion:
    """Return what a stated confidence asks for.

    Args:
        level: Such as 19/20.
        windows_s: Length of each run's window, seconds.
        bursts_s: The condition on bursts; 0: none.
    """
    nominal = float(1 - level)
    calibrated = nominal / CALIBRATION
    alone = len(windows_s) == 1 and windows_s[0] > 0
    long_from = max(1.0, CALIBRATED_S / windows_s[0]) if alone else inf
    one_long = long_from == 1
    breached = nominal if one_long else calibrated
    return Criterion(calibrated, breached, nominal, bursts_s, one_long, long_from)
