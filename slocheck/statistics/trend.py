"""Whether a series of per-second values is one steady state: three tests, and how much to cut off.

The first fifth is compared with the rest, and the last tenth with what came before, by Student's t at the
widest error that any block size shows (see `blocking`). A drift through the whole series is sought by the
rank test of Mann and Kendall on blocks of 5 s. It has to hold at 10 s, 20 s ... too, because neighbouring
blocks of a busy queue are correlated. The cut is that of MSER-5 (White 1997).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from slocheck.statistics.blocking import MIN_SLICES, Floats, block_starts
from slocheck.statistics.special import normal_quantile, t_quantile

FAMILY_ALPHA = 0.02
"""Two-sided error rate of all tests on all series of an assessment together."""

TESTS = 3
"""How many tests each series undergoes."""

FIRST = 0.2
"""The share of the series, at its begin, that is compared with the rest."""

LAST = 0.1
"""The share at its end that is compared with what came before."""

BLOCK = 5
"""Seconds of the shortest block of the trend test and of MSER-5."""

MOST_BLOCKS = 240
"""The trend test compares all pairs; in series over 20 minutes its blocks are longer than `BLOCK`."""

MATERIAL = 0.05
"""A smaller change, relative to the mean, does not count however significant: no server is that steady."""

ROUNDING = 1e-9
"""More than sums of a day's blocks are wrong by, relative to the sum of their squares."""

UNSURE = 2e-15
"""More than the mean of a day's blocks is wrong by, relative to the largest."""

MOST_CUTS = 20
"""The most cuts that are tried if MSER-5 finds none."""


@dataclass(frozen=True, slots=True)
class SeriesPart:
    """A part of a series against the rest of it; values in the unit of the series.

    Attributes:
        seconds: How many of the seconds are in the part.
        mean: Of the part.
        rest: Mean of the rest.
        differs: The two differ, materially and significantly.
    """

    seconds: int
    mean: float
    rest: float
    differs: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """Whether a series is in a steady state.

    Attributes:
        begin: The first part against what comes after.
        end: The last part against what came before.
        trend: 1 if the series rises throughout, -1 if it falls, else 0.
        cut: Seconds after which the series is steadiest; None if that is not in its first half.
        worse_from: The second from which on it is higher than before; None if it is steady, or lower.
    """

    begin: SeriesPart
    end: SeriesPart
    trend: int
    cut: int | None
    worse_from: int | None

    @property
    def steady(self) -> bool:
        """Whether no test found a change."""
        return not self.begin.differs and not self.end.differs and not self.trend


@dataclass(frozen=True, slots=True)
class _Test:
    """How a change is told from chance.

    Attributes:
        alpha: Two-sided error rate of one test.
        material: A smaller change does not count, in the unit of the series.
    """

    alpha: float
    material: float

    def begin_differs(self, series: Floats) -> bool:
        """Tell whether the first part differs from the rest."""
        return self._differs(series, round(FIRST * len(series)))

    def end_differs(self, series: Floats) -> bool:
        """Tell whether the last part differs from what came before."""
        return self._differs(series, len(series) - max(1, round(LAST * len(series))))

    def _differs(self, series: Floats, split: int) -> bool:
        """Tell whether the means before and after a split differ.

        The variance of a sum is estimated from each part's deviations from its own mean, so that the very
        difference that is sought does not hide itself.
        """
        early, late = series[:split], series[split:]
        difference = abs(float(early.mean() - late.mean()))
        if difference <= self.material:
            return False
        errors = np.concatenate((early - early.mean(), late - late.mean()))
        scale = (1 / len(early) + 1 / len(late)) / len(series)
        for starts in block_starts([len(early), len(late)]):
            degrees = len(starts) - 2
            squares = float(np.sum(np.add.reduceat(errors, starts) ** 2))
            spread = sqrt((degrees + 2) / degrees * squares * scale)
            if difference <= t_quantile(degrees, 1 - self.alpha / 2) * spread:
                return False
        return True

    def trend(self, series: Floats) -> int:
        """Return the sign of a monotone trend that blocks of every length show; 0 if there is none."""
        size = max(BLOCK, -(-len(series) // MOST_BLOCKS))
        signs: list[int] = []
        while len(series) // size >= MIN_SLICES:
            signs.append(mann_kendall(_block_means(series, size), self.alpha))
            size *= 2
        part = round(FIRST * len(series))
        change = abs(float(series[-part:].mean() - series[:part].mean()))
        return 0 if not signs or len(set(signs)) > 1 or change <= self.material else signs[0]


def detect_drift(
    values: Sequence[float | None], *, series: int = 1, material: float | None = None
) -> Drift | None:
    """Test per-second values in order; None stands for a second without a value.

    Args:
        values: One a second, in any unit.
        series: How many series are tested in all; the error rate is shared among them.
        material: A smaller change does not count; by default `MATERIAL` of the mean.

    Returns:
        None if there are too few seconds for a test.
    """
    present = [second for second, value in enumerate(values) if value is not None]
    found = np.asarray([value for value in values if value is not None], dtype=np.float64)
    if len(found) < MIN_SLICES:
        return None
    least = MATERIAL * float(found.mean()) if material is None else material
    test = _Test(FAMILY_ALPHA / TESTS / series, least)
    split = round(FIRST * len(found))
    last = len(found) - max(1, round(LAST * len(found)))
    begin = SeriesPart(
        present[split], float(found[:split].mean()), float(found[split:].mean()), test.begin_differs(found)
    )
    end = SeriesPart(
        len(values) - present[last],
        float(found[last:].mean()),
        float(found[:last].mean()),
        test.end_differs(found),
    )
    trend, cut = test.trend(found), mser5_cut(found, test)
    worse = [
        (begin.differs and begin.rest > begin.mean, present[split]),
        (trend > 0, present[len(found) - split]),
        (end.differs and end.mean > end.rest, present[last]),
    ]
    return Drift(
        begin,
        end,
        trend,
        cut=None if cut is None else present[cut] if cut else 0,
        worse_from=max((second for is_worse, second in worse if is_worse), default=None),
    )


def _block_means(series: Floats, size: int) -> Floats:
    """Return the means of consecutive blocks; a remainder at the end is left out."""
    count = len(series) // size
    means: Floats = series[: count * size].reshape(count, size).mean(axis=1)
    return means


def mann_kendall(values: Floats, alpha: float) -> int:
    """Return the sign of the trend by the test of Mann and Kendall, 0 if it may be chance at `alpha`.

    Normal approximation with the continuity correction; ties make it cautious.
    """
    count = len(values)
    earlier, later = np.triu_indices(count, 1)
    score = float(np.sign(values[later] - values[earlier]).sum())
    deviation = sqrt(count * (count - 1) * (2 * count + 5) / 18)
    significant = (abs(score) - 1) / deviation > normal_quantile(1 - alpha / 2)
    return int(np.sign(score)) if significant else 0


def least_known_cut(values: Floats, last: int) -> int:
    """Return the cut, 0 to `last`, after which variance / count is least; the first of equal ones.

    Sums from the end on tell which ones may be it, and only these are computed exactly: to do that with each
    would cost the square of the run's length.
    """
    backwards = (values - values.mean())[::-1]
    unsure = (UNSURE * float(np.abs(values).max())) ** 2
    counts = np.arange(1, len(values) + 1)
    means, squares = np.cumsum(backwards) / counts, np.cumsum(backwards**2) / counts
    rough, slack = (
        (found / counts)[::-1][: last + 1] for found in (squares - means**2, ROUNDING * squares + unsure)
    )
    best, least = 0, inf
    for cut in np.flatnonzero(rough - slack <= (rough + slack).min()).tolist():
        score = float(np.var(values[cut:])) / (len(values) - cut)
        if score < least:
            best, least = cut, score
        if not score:
            break
    return best


def mser5_cut(series: Floats, test: _Test) -> int | None:
    """Return how many slices to cut off: MSER-5's cut, the one before the tail whose mean is known best.

    MSER-5 searches the first half. A best cut at its end counts as none found, and comes by chance if
    blocks are few: then it is the shortest cut after which no test finds a change; None: none.
    """
    values = _block_means(series, BLOCK)
    last = len(values) // 2
    best = least_known_cut(values, last)
    if best < last:
        return best * BLOCK
    for cut in range(0, last, -(-max(1, last) // MOST_CUTS)):
        tail = series[cut * BLOCK :]
        if len(tail) >= MIN_SLICES and not test.begin_differs(tail) and not test.trend(tail):
            return cut * BLOCK
    return None
