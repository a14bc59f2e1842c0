"""A mean of per-slice rates against a limit: Student's t at the widest error that any block size shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np

from slocheck.statistics.blocking import MIN_SLICES, run_lengths, standard_errors
from slocheck.statistics.sample_size import LARGEST_FACTOR
from slocheck.statistics.special import t_cdf, t_quantile


@dataclass(frozen=True, slots=True)
class MeanComparison:
    """A mean of slices, compared with a limit that it has to reach.

    Attributes:
        mean: Of the slices; 0 without any.
        low: Lower end of the interval.
        high: Upper end.
        keeps: The whole interval reaches the limit.
        breaks: The whole interval is below the limit.
        needed_duration_factor: About the factor on the run's length that decides, mean and spread
            unchanged; None when the interval decides already, or when no factor does.
        p_breach: One-sided p-value of a breach.
    """

    mean: float
    low: float = -inf
    high: float = inf
    keeps: bool = False
    breaks: bool = False
    needed_duration_factor: float | None = None
    p_breach: float = 1.0


def compare_mean(
    values: Sequence[float], limit: float, alpha: float, *, runs: Sequence[int] | None = None
) -> MeanComparison:
    """Compare the mean of per-slice rates with `limit`.

    Args:
        values: One rate per slice, shape (S,).
        limit: Smallest mean allowed, same unit.
        alpha: One-sided error rate of each end.
        runs: Slices per run where several runs are pooled, in order; their sum is S.

    Returns:
        The comparison; an unbounded interval where there are fewer than `MIN_SLICES` slices.

    Raises:
        ValueError: A value is not finite, or `runs` does not add up.
    """
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1 or not np.all(np.isfinite(series)):
        raise ValueError("values: has to be a flat series of finite numbers")
    if len(series) < MIN_SLICES:
        return MeanComparison(float(series.mean()) if len(series) else 0.0)
    mean = float(series.mean())
    errors = list(standard_errors(series - mean, run_lengths(runs, len(series))))
    margin = max(t_quantile(degrees, 1 - alpha) * error for degrees, error in errors)
    low, high = mean - margin, mean + margin
    keeps, breaks = low >= limit, low < limit and high < limit
    return MeanComparison(
        mean=mean,
        low=low,
        high=high,
        keeps=keeps,
        breaks=breaks,
        needed_duration_factor=None if keeps or breaks else _needed_factor(mean, margin, limit),
        p_breach=max(_p_below(mean - limit, degrees, error) for degrees, error in errors),
    )


def _needed_factor(mean: float, margin: float, limit: float) -> float | None:
    """Return the factor on the length: the margin shrinks with the square root of it."""
    if mean == limit:
        return None
    factor = (margin / (mean - limit)) ** 2
    return factor if isfinite(factor) and factor < LARGEST_FACTOR else None


def _p_below(difference: float, degrees: int, error: float) -> float:
    """Return the one-sided p-value of a mean below its limit by Student's t."""
    if error == 0:
        return 0.0 if difference < 0 else 1.0
    return t_cdf(degrees, difference / error)
