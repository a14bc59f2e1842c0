"""The effective sample size of correlated requests: the variance between blocks of slices.

Blocks of 1, 2, 4 ... slices are compared (the blocking of Flyvbjerg and Petersen 1989, doi
10.1063/1.457480). If neighbouring slices are correlated, longer blocks show more variance than shorter
ones, and the largest counts. Few blocks are trusted less: by Student's t with their degrees of freedom. If
the blocks are still correlated with each other, what lasts longer than they do counts as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from slocheck.statistics.special import normal_quantile, t_quantile

MIN_SLICES = 10
"""Fewer blocks than this say nothing about correlation."""

MIN_RUNS = 3
"""From this many pooled runs on, each run is a block too."""

CHANCE = 0.05
"""A correlation of blocks that chance alone would exceed so often is not counted."""

MOST_CORRELATION = 0.9
"""A larger one cannot be told from a drift by the blocks of a window."""

SKEWED = 1.5
"""Blocks with a larger skewness have a few that are far worse than the others."""

Floats = NDArray[np.float64]
Starts = NDArray[np.intp]


def run_lengths(runs: Sequence[int] | None, slices: int) -> list[int]:
    """Return the slices of each pooled run, in order; one run if `runs` is None.

    Raises:
        ValueError: The lengths do not add up to `slices`.
    """
    if runs is None:
        return [slices]
    if sum(runs) != slices or any(length < 1 for length in runs):
        raise ValueError(f"runs: {list(runs)} does not add up to {slices} slices")
    return list(runs)


def block_starts(lengths: Sequence[int]) -> tuple[Starts, ...]:
    """Return, for each block size, the index at which every block starts; blocks never cross runs.

    The last block of a run takes its remainder.
    """
    return _block_starts(tuple(lengths))


@lru_cache(maxsize=64)
def _block_starts(lengths: tuple[int, ...]) -> tuple[Starts, ...]:
    begins = np.concatenate(([0], np.cumsum(lengths)[:-1])).astype(np.intp)
    found: list[Starts] = []
    size = 1
    while size <= max(lengths):
        parts = (np.arange(max(1, length // size)) * size for length in lengths)
        starts = np.concatenate([begin + part for begin, part in zip(begins, parts, strict=True)])
        if len(starts) < MIN_SLICES:
            break
        found.append(starts)
        size *= 2
    return (*found, begins) if len(lengths) >= MIN_RUNS else tuple(found)


@dataclass(frozen=True, slots=True)
class BlockSize:
    """What the variance between blocks of one size says.

    Attributes:
        sample_size: The number of independent requests that would show the same variance.
        degrees: Degrees of freedom: the number of blocks minus one.
        correlation: Of each block with the next one, 0..1; 0 if it may be chance.
        skewness: Of the blocks, if they are correlated; else 0.
    """

    sample_size: float
    degrees: int
    correlation: float = 0.0
    skewness: float = 0.0

    @property
    def swings(self) -> bool:
        """Whether blocks are correlated, and about as many of them are bad as good.

        Where a few blocks are far worse, a window with too many of them also varies more, and that keeps it
        from a false breach. Where about half of them are bad, nothing does.
        """
        return self.correlation > 0 and self.skewness < SKEWED

    @property
    def lasting(self) -> "BlockSize":
        """The same if the correlation goes on from block to block, as that of an AR(1) process does.

        Then a mean varies (1 + r) / (1 - r) times as much. The r of few blocks is too small by (1 + 3r) / B
        (Kendall 1954).
        """
        r = self.correlation
        if not r:
            return self
        r = min(MOST_CORRELATION, r + (1 + 3 * r) / (self.degrees + 1))
        return replace(self, sample_size=self.sample_size * (1 - r) / (1 + r))

    @property
    def neighbouring(self) -> "BlockSize":
        """The same if a block is correlated with the ones beside it and no others: 1 + 2r times as much."""
        return replace(self, sample_size=self.sample_size / (1 + 2 * self.correlation))


def sample_sizes(sizes: Floats, bad: Floats, lengths: Sequence[int]) -> list[BlockSize]:
    """Return one entry for each block size that shows any variance; none if all are good or all bad.

    Args:
        sizes: Requests per slice, shape (S,).
        bad: Bad ones, shape (S,).
        lengths: Slices per run; their sum is S.
    """
    total = float(sizes.sum())
    share = float(bad.sum()) / total
    if not 0 < share < 1:
        return []
    errors = bad - share * sizes
    found = []
    for starts in block_starts(lengths):
        count = len(starts)
        sums = np.add.reduceat(errors, starts)
        squares = _product(sums, sums)
        variance = count / (count - 1) * squares / total**2
        if variance > 0:
            # of pooled runs each is a block of its own
            correlation = _correlation(sums, squares) if len(lengths) < MIN_RUNS else 0.0
            skewness = _skewness(sums) if correlation else 0.0
            found.append(BlockSize(share * (1 - share) / variance, count - 1, correlation, skewness))
    return found


def _correlation(sums: Floats, squares: float) -> float:
    """Return the correlation of neighbouring blocks; 0 if chance alone makes it as large."""
    found = _product(sums[1:], sums[:-1]) / squares
    return found if found > normal_quantile(1 - CHANCE) / sqrt(len(sums)) else 0.0


def _product(one: Floats, other: Floats) -> float:
    """Return the scalar product; that of the linear algebra library would use all cores for long runs."""
    return float((one * other).sum())


def _skewness(sums: Floats) -> float:
    """Return the skewness of blocks that are not all alike."""
    off = sums - sums.mean()
    return float(np.mean(off**3) / np.mean(off**2) ** 1.5)


def effective_sample_size(total: float, found: Sequence[BlockSize], alpha: float) -> float:
    """Return the effective sample size of `total` requests at one-sided `alpha`, at most `total`.

    The fewer blocks a variance is known from, the more it is widened: by Student's t against the normal.
    """
    return min(total, *(_widened(item, alpha) for item in found)) if found else total


def deciding_size(found: Sequence[BlockSize], alpha: float) -> BlockSize | None:
    """Return the block size that makes the effective sample size smallest; None if there is none."""
    return min(found, key=lambda item: _widened(item, alpha), default=None)


def _widened(item: BlockSize, alpha: float) -> float:
    return item.sample_size * (normal_quantile(alpha) / t_quantile(item.degrees, alpha)) ** 2
