"""A share of bad requests against a limit: an interval for requests that are not independent.

Clopper and Pearson's interval at an effective sample size (Korn and Graubard 1998, as in R's
survey::svyciprop, method "beta"). The effective sample size comes from `blocking`. A rare tail borrows at
least the design effect of lower latency thresholds, which are better filled.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np

from slocheck.statistics.blocking import (
    MIN_SLICES,
    BlockSize,
    Floats,
    deciding_size,
    effective_sample_size,
    run_lengths,
    sample_sizes,
)
from slocheck.statistics.confidence import Criterion
from slocheck.statistics.sample_size import smallest_factor
from slocheck.statistics.special import beta_cdf, beta_quantile, beta_sf, beta_upper_quantile

SMALLEST_P = 1e-12
"""A smaller p-value is given as this one: no correction asks for less."""


@dataclass(frozen=True, slots=True)
class ProportionComparison:
    """A share of bad requests, compared with a limit.

    Attributes:
        share: Certainly bad over all, 0..1; 0 without requests.
        low: Lower end of the interval, 0..1.
        high: Upper end, from what is possibly bad if that was given.
        keeps: The whole interval is below the limit.
        breaks: The whole interval is above the limit.
        effective_sample_size: Effective sample size, at most the number of requests.
        needed_duration_factor: Smallest factor on the run's length that decides, the share unchanged; None
            when the interval decides already, or when no factor does.
        tolerated_design_effect: Largest design effect at which the limit is kept; None when it is not.
        p_breach: One-sided p-value of a breach: the smallest alpha at which `breaks` holds.
        active_s: For how long requests were sent, seconds.
        error_rate: One-sided error rate of the upper end, which met rests on; 0 if nothing was compared.
    """

    share: float
    low: float = 0.0
    high: float = 1.0
    keeps: bool = False
    breaks: bool = False
    effective_sample_size: float = 0.0
    needed_duration_factor: float | None = None
    tolerated_design_effect: float | None = None
    p_breach: float = 1.0
    active_s: float = 0.0
    error_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class _Sample:
    """A share observed in a number of independent requests, which need not be whole."""

    share: float
    size: float

    def lower(self, alpha: float) -> float:
        """Clopper and Pearson's lower end."""
        bad = self.share * self.size
        return 0.0 if self.share <= 0 else beta_quantile(bad, self.size - bad + 1, alpha)

    def upper(self, alpha: float) -> float:
        """Clopper and Pearson's upper end."""
        bad = self.share * self.size
        return 1.0 if self.share >= 1 else beta_upper_quantile(bad + 1, self.size - bad, alpha)

    def is_above(self, limit: float, alpha: float) -> bool:
        """Tell whether the lower end is above `limit`, by the tail there: the end itself costs more."""
        bad = self.share * self.size
        return self.share > 0 and beta_cdf(bad, self.size - bad + 1, limit) < alpha

    def is_below(self, limit: float, alpha: float) -> bool:
        """Tell whether the upper end is below `limit`."""
        bad = self.share * self.size
        return self.share < 1 and beta_sf(bad + 1, self.size - bad, limit) < alpha


def compare_proportion(
    n: Sequence[int],
    bad: Sequence[int],
    limit: float,
    criterion: Criterion,
    *,
    bad_upper: Sequence[int] | None = None,
    references: Sequence[Sequence[int]] = (),
    runs: Sequence[int] | None = None,
    slice_s: float = 1.0,
) -> ProportionComparison:
    """Compare the share of bad requests with `limit`.

    Args:
        n: Requests per slice, shape (S,).
        bad: Certainly bad ones, shape (S,).
        limit: Largest share allowed, 0..1.
        criterion: How strictly; each error rate 0..0.5.
        bad_upper: Certainly or possibly bad, shape (S,); None if all are certain.
        references: Series of shape (S,): requests at or over lower latencies.
        runs: Slices per run if several runs are pooled, in order; their sum is S.
        slice_s: Length of a slice, seconds.

    Returns:
        The comparison; an interval of 0 to 1 if there are fewer than `MIN_SLICES` slices, or no request.

    Raises:
        ValueError: Lengths differ, or a count is negative or larger than its slice.
    """
    sizes = _counts("n", n)
    certain = _counts("bad", bad, sizes)
    possible = certain if bad_upper is None else _counts("bad_upper", bad_upper, sizes)
    borrowed = [_counts("references", series, sizes) for series in references]
    lengths = run_lengths(runs, len(sizes))
    if np.any(possible < certain):
        raise ValueError("bad_upper: smaller than bad in a slice; it counts bad and possibly bad")
    total = float(sizes.sum())
    if len(sizes) < MIN_SLICES or total == 0:
        return ProportionComparison(float(certain.sum()) / total if total else 0.0)
    found = _with_references(sizes, certain, borrowed, lengths)
    active_s = slice_s * busy_slices(sizes)
    most = min(total, active_s / criterion.bursts_s) if criterion.bursts_s else total
    both = [*found, *sample_sizes(sizes, possible, lengths)]
    if criterion.memory:  # met is the end that a long memory makes wrong first: see docs/statistics.md
        found, both = [one.neighbouring for one in found], [one.lasting for one in both]
    certainly = _Seen(float(certain.sum()) / total, most, found)
    possibly = _Seen(float(possible.sum()) / total, most, both)
    return replace(_decided(certainly, possibly, total, limit, criterion), active_s=active_s)


@dataclass(frozen=True, slots=True)
class _Seen:
    """A share of bad requests, and what is known of how many independent ones it rests on.

    Attributes:
        share: 0..1.
        most: The largest number of independent requests that it may rest on.
        found: What each block size says of that number.
    """

    share: float
    most: float
    found: Sequence[BlockSize]

    def swings(self, alpha: float) -> bool:
        """Tell whether the blocks that decide its sample size at one-sided `alpha` swing."""
        deciding = deciding_size(self.found, alpha)
        return deciding is not None and deciding.swings

    def error_rate(self, calibrated: float, criterion: Criterion, total: float) -> float:
        """Return the error rate of its end: the nominal one if the condition on bursts bounds it."""
        if self.most == total or effective_sample_size(total, self.found, criterion.nominal) < self.most:
            return calibrated
        return max(calibrated, criterion.nominal)

    def sample(self, alpha: float) -> "_Sample":
        """Return it as a sample of independent requests, at one-sided `alpha`."""
        return _Sample(self.share, effective_sample_size(self.most, self.found, alpha))


def _decided(
    certainly: _Seen, possibly: _Seen, total: float, limit: float, criterion: Criterion
) -> ProportionComparison:
    """Compare at the error rates that hold for each end."""
    breached = criterion.breached
    if criterion.memory and certainly.swings(breached):
        breached = min(breached, criterion.met)
    at = replace(
        criterion,
        met=possibly.error_rate(criterion.met, criterion, total),
        breached=certainly.error_rate(breached, criterion, total),
    )
    compared = _compared(certainly.sample(at.breached), possibly.sample(at.met), total, limit, at)
    p_breach = _p_breach(certainly.share, certainly.most, certainly.found, limit, at.breached)
    # as it compares with the error rate that all tests share
    return replace(compared, p_breach=min(1.0, p_breach * criterion.breached / at.breached))


def busy_slices(sizes: Floats) -> float:
    """Return how many slices of one size would hold the requests as evenly: not all if most are idle.

    The participation ratio, without what chance alone adds to the squares.
    """
    squares = float((sizes**2).sum() - sizes.sum())
    return min(float(len(sizes)), float(sizes.sum()) ** 2 / squares) if squares > 0 else float(len(sizes))


def _compared(
    lowest: _Sample, highest: _Sample, total: float, limit: float, criterion: Criterion
) -> ProportionComparison:
    """Put the comparison together: what is certain gives the lower end, what is possible the upper one."""
    low, high = lowest.lower(criterion.breached), highest.upper(criterion.met)
    keeps, breaks = high < limit, high >= limit and low > limit
    return ProportionComparison(
        share=lowest.share,
        low=low,
        high=high,
        keeps=keeps,
        breaks=breaks,
        effective_sample_size=highest.size,
        error_rate=criterion.met,
        needed_duration_factor=None if keeps or breaks else _needed_factor(lowest, highest, limit, criterion),
        tolerated_design_effect=_tolerated_design_effect(highest.share, total, limit, criterion.met)
        if keeps
        else None,
    )


def _counts(name: str, values: Sequence[int], sizes: Floats | None = None) -> Floats:
    """Check one series of counts and return it as floats."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not np.all(np.isfinite(array)) or np.any(array < 0):
        raise ValueError(f"{name}: has to be a flat series of counts, none of them negative")
    if sizes is not None and len(array) != len(sizes):
        raise ValueError(f"{name}: {len(array)} slices where n has {len(sizes)}")
    if sizes is not None and np.any(array > sizes):
        raise ValueError(f"{name}: more requests than n in a slice")
    return array


def _with_references(
    sizes: Floats, bad: Floats, references: Sequence[Floats], lengths: Sequence[int]
) -> list[BlockSize]:
    """Return a series' own sample sizes, and those that it borrows from references that are better filled."""
    found = sample_sizes(sizes, bad, lengths)
    for reference in references:
        if reference.sum() > 0 and bad.sum() <= reference.sum() <= sizes.sum() / 2:
            found += sample_sizes(sizes, reference, lengths)
    return found


def _p_breach(share: float, total: float, found: Sequence[BlockSize], limit: float, alpha: float) -> float:
    """Return the smallest alpha at which a share is above `limit`, at least `SMALLEST_P`.

    The effective sample size depends on alpha itself, so that the p-value of a breach is searched for. If
    nothing is breached at `alpha`, the size at `alpha` is used: no procedure rejects it.
    """
    if share <= 0:
        return 1.0
    bad = share * (size := effective_sample_size(total, found, alpha))
    p_value = beta_cdf(bad, size - bad + 1, limit)
    if p_value >= alpha:
        return p_value

    def breached(p: float) -> bool:
        return _Sample(share, effective_sample_size(total, found, p)).is_above(limit, p)

    low, high = SMALLEST_P, alpha
    if breached(low):
        return low
    while high > low * (1 + 1e-6):
        middle = sqrt(low * high)
        low, high = (low, middle) if breached(middle) else (middle, high)
    return high


def _needed_factor(lowest: _Sample, highest: _Sample, limit: float, criterion: Criterion) -> float | None:
    """Return the smallest factor on both sample sizes that decides; None if none does.

    A window that becomes long enough is tested for a breach at the nominal rate.
    """

    def decides(factor: float) -> bool:
        longer = _Sample(highest.share, highest.size * factor)
        above = _Sample(lowest.share, lowest.size * factor)
        breached = criterion.breached
        if factor >= criterion.long_from:
            breached = max(breached, criterion.nominal)
        return longer.is_below(limit, criterion.met) or above.is_above(limit, breached)

    return smallest_factor(decides)


def _tolerated_design_effect(share: float, total: float, limit: float, alpha: float) -> float:
    """Return the largest design effect on `total` requests at which the limit is still kept."""

    def keeps(design_effect: float) -> bool:
        return _Sample(share, total / design_effect).is_below(limit, alpha)

    low, high = 1.0, 2.0
    while high < total and keeps(high):
        low, high = high, high * 2
    high = min(high, total)
    while high - low > 1e-7 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if keeps(middle) else (low, middle)
    return low
