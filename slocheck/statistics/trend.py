"""Whether a series of per-second means is one steady state: two tests, and how much to cut off.

The first fifth is compared with the rest, by Student's t at the widest error that any block size shows (see
`blocking`). A drift through the whole series is sought by the rank test of Mann and Kendall on blocks of 5 s,
which has to hold at 10 s, 20 s ... too: neighbouring blocks of a busy queue are correlated, and blocks of 5 s
alone find a trend where there is none. The cut is that of MSER-5 (White 1997).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from slocheck.statistics.blocking import MIN_SLICES, Floats, block_starts
from slocheck.statistics.special import normal_quantile, t_quantile

ALPHA = 0.01
"""Two-sided error rate of each test."""

FIRST = 0.2
"""The share of the series that is compared with the rest."""

BLOCK = 5
"""Seconds of the shortest block of the trend test and of MSER-5."""

MOST_BLOCKS = 240
"""The trend test compares all pairs; in series over 20 minutes its blocks are longer than `BLOCK`."""

MATERIAL = 0.05
"""A smaller change, relative to the mean, does not count however significant: no server is that steady."""

MOST_CUTS = 20
"""The most cuts that are tried where MSER-5 finds none."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Whether a series is in a steady state; values in the unit of the series.

    Attributes:
        seconds: How many of the seconds are in its first part.
        first: Mean of the first part.
        rest: Mean of the rest.
        differs: The two differ, materially and significantly.
        trend: 1 where the series rises throughout, -1 where it falls, else 0.
        cut: Seconds after which the series is steadiest; None where that is not in its first half.
    """

    seconds: int
    first: float
    rest: float
    differs: bool
    trend: int
    cut: int | None

    @property
    def steady(self) -> bool:
        """Whether neither test found a change."""
        return not self.differs and not self.trend


def detect_drift(means: Sequence[float | None]) -> Drift | None:
    """Test per-second means in order; None stands for a second without a value.

    Returns None where there are too few seconds for a test. The unit of `means` does not matter.
    """
    present = [second for second, mean in enumerate(means) if mean is not None]
    series = np.asarray([mean for mean in means if mean is not None], dtype=np.float64)
    if len(series) < MIN_SLICES:
        return None
    split = round(FIRST * len(series))
    cut = mser5_cut(series)
    return Drift(
        seconds=present[split],
        first=float(series[:split].mean()),
        rest=float(series[split:].mean()),
        differs=means_differ(series),
        trend=trend_sign(series),
        cut=None if cut is None else present[cut] if cut else 0,
    )


def means_differ(series: Floats) -> bool:
    """Tell whether the means of the series' first part and of its rest differ.

    The variance of a sum is estimated from each part's deviations from its own mean, so that the very
    difference that is sought does not hide itself.
    """
    split = round(FIRST * len(series))
    early, late = series[:split], series[split:]
    difference = abs(float(early.mean() - late.mean()))
    if difference <= MATERIAL * float(series.mean()):
        return False
    errors = np.concatenate((early - early.mean(), late - late.mean()))
    scale = (1 / len(early) + 1 / len(late)) / len(series)
    for starts in block_starts([len(early), len(late)]):
        degrees = len(starts) - 2
        squares = float(np.sum(np.add.reduceat(errors, starts) ** 2))
        spread = sqrt((degrees + 2) / degrees * squares * scale)
        if difference <= t_quantile(degrees, 1 - ALPHA / 2) * spread:
            return False
    return True


def trend_sign(series: Floats) -> int:
    """Return the sign of a monotone trend that blocks of every length show; 0 where there is none."""
    size = max(BLOCK, -(-len(series) // MOST_BLOCKS))
    signs: list[int] = []
    while len(series) // size >= MIN_SLICES:
        signs.append(mann_kendall(_block_means(series, size)))
        size *= 2
    part = round(FIRST * len(series))
    change = abs(float(series[-part:].mean() - series[:part].mean()))
    if not signs or len(set(signs)) > 1 or change <= MATERIAL * float(series.mean()):
        return 0
    return signs[0]


def _block_means(series: Floats, size: int) -> Floats:
    """Return the means of consecutive blocks; a remainder at the end is left out."""
    count = len(series) // size
    means: Floats = series[: count * size].reshape(count, size).mean(axis=1)
    return means


def mann_kendall(values: Floats) -> int:
    """Return the sign of the trend by the test of Mann and Kendall, 0 where it may be chance.

    Normal approximation with the continuity correction; ties make it cautious.
    """
    count = len(values)
    earlier, later = np.triu_indices(count, 1)
    score = float(np.sign(values[later] - values[earlier]).sum())
    deviation = sqrt(count * (count - 1) * (2 * count + 5) / 18)
    significant = (abs(score) - 1) / deviation > normal_quantile(1 - ALPHA / 2)
    return int(np.sign(score)) if significant else 0


def mser5_cut(series: Floats) -> int | None:
    """Return how many slices to cut off: MSER-5's cut, the one before the tail whose mean is known best.

    MSER-5 searches the first half. A best cut at its end counts as none found, and comes by chance where
    blocks are few: then it is the shortest cut after which neither test finds a change; None: none.
    """
    values = _block_means(series, BLOCK)
    last = len(values) // 2
    scores = [float(np.var(values[cut:])) / (len(values) - cut) for cut in range(last + 1)]
    best = int(np.argmin(scores))
    if best < last:
        return best * BLOCK
    for cut in range(0, last, -(-max(1, last) // MOST_CUTS)):
        tail = series[cut * BLOCK :]
        if len(tail) >= MIN_SLICES and not means_differ(tail) and not trend_sign(tail):
            return cut * BLOCK
    return None
