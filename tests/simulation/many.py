"""The product's verdict on many windows at once: for levels that take tens of thousands of them.

The same formulas as `slocheck.statistics.proportion`, on arrays; a test holds the two together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from slocheck.statistics.blocking import CHANCE, MOST_CORRELATION, SKEWED, block_starts
from slocheck.statistics.special import normal_quantile, t_quantile
from tests.simulation.models import Floats, Ints
from tests.simulation.rates import Rates, Windows

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class BlockSizes:
    """What blocks of one size say of each window: `blocking.BlockSize`, on arrays."""

    degrees: int
    lasting: Floats
    neighbouring: Floats
    swings: Flags


def many_rates(window: Windows) -> Rates:
    """Judge windows as `rates.our_rates` does."""
    met, breached = many_verdicts(window)
    return Rates(len(met), int(met.sum()), int(breached.sum()))


def many_verdicts(window: Windows) -> tuple[Flags, Flags]:
    """Return which windows keep the limit, and which ones break it."""
    counts, criterion = window.counts, window.criterion()
    total, bad = (series.sum(axis=1).astype(float) for series in (counts.n, window.bad))
    most = np.minimum(total, _busy(counts.n) / criterion.bursts_s) if criterion.bursts_s else total
    found = list(_block_sizes(window))

    def tail(calibrated: Floats, above: int) -> Floats:
        known = [(one.degrees, one.lasting if above else one.neighbouring) for one in found]
        bounded = (most < total) & (_smallest(known, criterion.nominal, total) >= most)
        alpha = np.where(bounded, np.maximum(calibrated, criterion.nominal), calibrated)
        sizes = most
        for level in np.unique(alpha):
            sizes = np.where(alpha == level, _smallest(known, float(level), most), sizes)
        part = bad / total * sizes
        below = betainc(np.maximum(part + above, 1e-12), sizes - part + 1 - above, window.share)
        return np.asarray((1 - below if above else below) / alpha)

    calibrated = np.full(len(total), criterion.breached)
    if criterion.memory:
        calibrated[_swing(found, criterion.breached)] = min(criterion.breached, criterion.met)
    met = (bad < total) & (tail(np.full(len(total), criterion.met), 1) < 1)
    breached = ~met & (bad > 0) & (tail(calibrated, 0) < 1)
    return met, breached


def _smallest(found: Sequence[tuple[int, Floats]], alpha: float, at_most: Floats) -> Floats:
    """Return `blocking.effective_sample_size` of each window."""
    best = at_most
    for degrees, sizes in found:
        best = np.minimum(best, sizes * (normal_quantile(alpha) / t_quantile(degrees, alpha)) ** 2)
    return np.asarray(best)


def _swing(found: Sequence[BlockSizes], alpha: float) -> Flags:
    """Tell of which windows the blocks swing that decide the sample size."""
    swings = np.zeros(len(found[0].swings), bool)
    best = np.full(len(swings), np.inf)
    for one in found:
        size = one.neighbouring * (normal_quantile(alpha) / t_quantile(one.degrees, alpha)) ** 2
        swings, best = np.where(size < best, one.swings, swings), np.minimum(size, best)
    return np.asarray(swings)


def _busy(n: Ints) -> Floats:
    """Return `proportion.busy_slices` of each window."""
    totals, squares = n.sum(axis=1).astype(float), (n.astype(float) ** 2).sum(axis=1) - n.sum(axis=1)
    even = np.minimum(n.shape[1], totals**2 / np.maximum(squares, 1))
    return np.asarray(np.where(squares > 0, even, n.shape[1]))


def _block_sizes(window: Windows) -> Iterator[BlockSizes]:
    """Yield what each block size says, of the limit and of its references."""
    n, total = window.counts.n, window.counts.n.sum(axis=1).astype(float)
    bad = window.bad.sum(axis=1)
    near = np.ones(len(total), bool) if window.near is None else window.near.any(axis=1)
    for number, series in enumerate((window.bad, *window.counts.over[:-1])):
        reached = series.sum(axis=1)
        share = reached / total
        used = (share > 0) & (share < 1)
        if number:
            used &= near & (bad <= reached) & (reached <= total / 2)
        errors = series - share[:, None] * n
        for starts in block_starts([n.shape[1]]):
            sums, count = np.add.reduceat(errors, starts, axis=1), len(starts)
            squares = (sums**2).sum(axis=1)
            variance = count / (count - 1) * squares / total**2
            known = used & (variance > 0)
            size = np.where(known, share * (1 - share) / np.where(known, variance, 1), np.inf)
            r = (sums[:, 1:] * sums[:, :-1]).sum(axis=1) / np.where(known, squares, 1)
            counts = known & (r > normal_quantile(1 - CHANCE) / sqrt(count)) & window.criterion().memory
            r = np.where(counts, r, 0.0)
            whole = np.where(r > 0, np.minimum(MOST_CORRELATION, r + (1 + 3 * r) / count), 0.0)
            off = sums - sums.mean(axis=1, keepdims=True)
            spread = np.where(known, (off**2).mean(axis=1), 1) ** 1.5
            yield BlockSizes(
                count - 1,
                size * (1 - whole) / (1 + whole),
                size / (1 + 2 * r),
                (r > 0) & ((off**3).mean(axis=1) / spread < SKEWED),
            )
