"""How sure a verdict can be: intervals for shares and means of requests that are not independent.

A share is judged by Clopper and Pearson's interval at an effective sample size (Korn and Graubard
1998, as in R's survey::svyciprop, method "beta"). The design effect is the largest that batches of
1, 2, 4 ... slices show (the blocking of Flyvbjerg and Petersen 1989, doi 10.1063/1.457480), corrected for
the few degrees of freedom of few batches. A rare tail borrows at least the design effect of lower edges.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isfinite, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv, ndtri, stdtr, stdtrit

from slocheck.grading.assessment import Verdict

MIN_SLICES = 10
"""Fewer batches than this tell nothing about clustering."""

CALIBRATION = 5
"""The interval is computed at (1 - confidence) / 5: found by simulation, see docs/statistics.md."""

LARGEST_FACTOR = 1e6
"""A run that would have to be longer than this many times is hopeless, not undecided for now."""

MIN_RUNS = 3

SMALLEST_P = 1e-12
"""A p-value below this is told as this: no correction asks for a smaller one."""

Floats = NDArray[np.float64]

Spreads = list[tuple[float, int]]
"""Sample sizes that batches speak for, each with its degrees of freedom."""


@dataclass(frozen=True, slots=True)
class ProportionJudgement:
    """What the slices say of a share of bad requests against a limit.

    Attributes:
        verdict: MET: the share is below the limit; BREACHED: above; else UNDECIDED.
        share: Bad for certain over all, 0..1; 0 without requests.
        low: Lower end of the interval, 0..1.
        high: Upper end, from what is possibly bad where that was given.
        n_effective: Independent requests that the sample is worth, at most its size.
        design_effect: Size over `n_effective`, at least 1.
        needed_factor: Smallest factor on the run's length that decides, the share unchanged; None when
            decided or hopeless.
        tolerated_design_effect: Largest design effect that keeps MET; None when not met.
        p_breach: One-sided p-value of a breach: the smallest alpha at which it would be BREACHED.
    """

    verdict: Verdict
    share: float
    low: float
    high: float
    n_effective: float
    design_effect: float
    needed_factor: float | None
    tolerated_design_effect: float | None
    p_breach: float = 1.0


@dataclass(frozen=True, slots=True)
class MeanJudgement:
    """What the slices say of a rate that has to reach a limit.

    Attributes:
        verdict: MET: the whole interval reaches the limit; BREACHED: none of it does; else UNDECIDED.
        mean: Of the slices.
        low: Lower end of the interval.
        high: Upper end.
        needed_factor: As in `ProportionJudgement`.
        p_breach: As in `ProportionJudgement`.
    """

    verdict: Verdict
    mean: float
    low: float
    high: float
    needed_factor: float | None
    p_breach: float = 1.0


def alpha_for(confidence: Fraction) -> float:
    """Return the one-sided error rate to compute at for a stated confidence such as 19/20."""
    return float((1 - confidence) / CALIBRATION)


def judge_proportion(
    n: Sequence[int],
    bad: Sequence[int],
    limit: float,
    alpha: float,
    *,
    bad_upper: Sequence[int] | None = None,
    edges: Sequence[Sequence[int]] = (),
    runs: Sequence[int] | None = None,
) -> ProportionJudgement:
    """Judge the share of bad requests against `limit`.

    Args:
        n: Requests per slice, shape (S,).
        bad: Bad ones for certain, shape (S,).
        limit: Largest share allowed, 0..1.
        alpha: One-sided error rate of each end of the interval, 0..0.5.
        bad_upper: Bad or possibly bad, shape (S,); None where nothing is in doubt.
        edges: Reference series, each of shape (S,): requests at or over lower latencies.
        runs: Slices per run where several runs are pooled, in order; their sum is S.

    Raises:
        ValueError: Lengths differ, or a count is negative or larger than its slice.
    """
    sizes = _counts("n", n)
    certain = _counts("bad", bad, sizes)
    possible = certain if bad_upper is None else _counts("bad_upper", bad_upper, sizes)
    references = [_counts("edges", edge, sizes) for edge in edges]
    lengths = _run_lengths(runs, len(sizes))
    if np.any(possible < certain):
        raise ValueError("bad_upper: smaller than bad in a slice; it counts bad and possibly bad")
    total = float(sizes.sum())
    if len(sizes) < MIN_SLICES or total == 0:
        share = float(certain.sum()) / total if total else 0.0
        return ProportionJudgement(Verdict.UNDECIDED, share, 0.0, 1.0, 0.0, inf, None, None)
    spreads = _with_references(sizes, certain, references, lengths)
    n_low = _effective_size(total, spreads, alpha)
    n_high = min(n_low, _effective_size(total, _spreads(sizes, possible, lengths), alpha))
    share, share_high = float(certain.sum()) / total, float(possible.sum()) / total
    low, high = _lower(share, n_low, alpha), _upper(share_high, n_high, alpha)
    verdict = Verdict.MET if high < limit else Verdict.BREACHED if low > limit else Verdict.UNDECIDED
    return ProportionJudgement(
        verdict,
        share,
        low,
        high,
        n_high,
        total / n_high,
        _needed_factor((share, n_low), (share_high, n_high), limit, alpha)
        if verdict is Verdict.UNDECIDED
        else None,
        _burst_tolerance(share_high, total, limit, alpha) if verdict is Verdict.MET else None,
        _p_breach(share, total, spreads, limit, alpha),
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


def _run_lengths(runs: Sequence[int] | None, slices: int) -> list[int]:
    if runs is None:
        return [slices]
    if sum(runs) != slices or any(length < 1 for length in runs):
        raise ValueError(f"runs: {list(runs)} does not add up to {slices} slices")
    return list(runs)


def blocks(lengths: Sequence[int]) -> Iterator[NDArray[np.intp]]:
    """Yield, for each batch size, the start of every block; blocks never cross runs.

    The last block of a run takes its remainder. With three runs or more each run is a block too.
    """
    size = 1
    while True:
        starts: list[int] = []
        begin = 0
        for length in lengths:
            starts += [begin + size * index for index in range(max(1, length // size))]
            begin += length
        if len(starts) < MIN_SLICES or size > max(lengths):
            break
        yield np.asarray(starts)
        size *= 2
    if len(lengths) >= MIN_RUNS:
        yield np.concatenate(([0], np.cumsum(lengths)[:-1]))


def _spreads(sizes: Floats, series: Floats, lengths: Sequence[int]) -> Spreads:
    """Return, for each batch size, the sample size that the batches' spread speaks for, and their degrees."""
    total = float(sizes.sum())
    share = float(series.sum()) / total
    if not 0 < share < 1:
        return []
    errors = series - share * sizes
    found = []
    for starts in blocks(lengths):
        count = len(starts)
        variance = count / (count - 1) * float(np.sum(np.add.reduceat(errors, starts) ** 2)) / total**2
        if variance > 0:
            found.append((share * (1 - share) / variance, count - 1))
    return found


def _with_references(
    sizes: Floats, bad: Floats, references: Sequence[Floats], lengths: Sequence[int]
) -> Spreads:
    """Return the spreads of a series, and those that it borrows from references that are better filled."""
    found = _spreads(sizes, bad, lengths)
    for reference in references:
        if reference.sum() > 0 and bad.sum() <= reference.sum() <= sizes.sum() / 2:
            found += _spreads(sizes, reference, lengths)
    return found


def _effective_size(total: float, spreads: Spreads, alpha: float) -> float:
    """Return the number of independent requests that a sample of `total` is worth at `alpha`.

    The fewer batches a spread is known from, the less it is trusted: by Student's t.
    """
    if not spreads:
        return total
    sizes, degrees = np.asarray(spreads).T
    return min(total, float(np.min(sizes * (ndtri(alpha) / stdtrit(degrees, alpha)) ** 2)))


def _lower(share: float, size: float, alpha: float) -> float:
    """Clopper and Pearson's lower end at a real-valued sample size."""
    bad = share * size
    return 0.0 if share <= 0 else float(betaincinv(bad, size - bad + 1, alpha))


def _p_breach(share: float, total: float, spreads: Spreads, limit: float, alpha: float) -> float:
    """Return the smallest alpha at which a share is above `limit`, at least `SMALLEST_P`.

    The effective size depends on alpha itself, so that a breach's p-value is searched. Of what is no
    breach at `alpha` the size there does: no procedure rejects it.
    """
    if share <= 0:
        return 1.0
    bad = share * (size := _effective_size(total, spreads, alpha))
    p_value = float(betainc(bad, size - bad + 1, limit))
    if p_value >= alpha:
        return p_value

    def breached(p: float) -> bool:
        return _lower(share, _effective_size(total, spreads, p), p) > limit

    low, high = SMALLEST_P, alpha
    if breached(low):
        return low
    while high > low * (1 + 1e-6):
        middle = sqrt(low * high)
        low, high = (low, middle) if breached(middle) else (middle, high)
    return high


def _upper(share: float, size: float, alpha: float) -> float:
    """Clopper and Pearson's upper end at a real-valued sample size."""
    bad = share * size
    return 1.0 if share >= 1 else float(betaincinv(bad + 1, size - bad, 1 - alpha))


def _needed_factor(
    certain: tuple[float, float], possible: tuple[float, float], limit: float, alpha: float
) -> float | None:
    """Return the smallest factor on both sample sizes that decides; None where none does.

    Each of `certain` and `possible` is (share, effective size).
    """

    def decides(factor: float) -> bool:
        return (
            _upper(possible[0], possible[1] * factor, alpha) < limit
            or _lower(certain[0], certain[1] * factor, alpha) > limit
        )

    return _smallest(decides)


def _smallest(decides: Callable[[float], bool]) -> float | None:
    """Bisect the smallest factor above 1 for which `decides` holds, to seven digits."""
    high = 2.0
    while not decides(high):
        high *= 2
        if high > LARGEST_FACTOR:
            return None
    low = high / 2
    while high - low > 1e-7 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high


def _burst_tolerance(share: float, total: float, limit: float, alpha: float) -> float:
    """Return the largest design effect on `total` requests at which the limit is still met."""
    low, high = 1.0, 2.0
    while high < total and _upper(share, total / high, alpha) < limit:
        low, high = high, high * 2
    high = min(high, total)
    while high - low > 1e-7 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _upper(share, total / middle, alpha) < limit else (low, middle)
    return low


def judge_mean(
    values: Sequence[float], limit: float, alpha: float, *, runs: Sequence[int] | None = None
) -> MeanJudgement:
    """Judge whether the mean of per-slice rates reaches `limit`.

    Args:
        values: One rate a slice, shape (S,).
        limit: Smallest mean allowed, same unit.
        alpha: One-sided error rate of each end.
        runs: Slices per run where several runs are pooled, in order; their sum is S.

    Raises:
        ValueError: A value is not finite, or `runs` does not add up.
    """
    series = np.asarray(values, dtype=np.float64)
    if series.ndim != 1 or not np.all(np.isfinite(series)):
        raise ValueError("values: has to be a flat series of finite numbers")
    if len(series) < MIN_SLICES:
        mean = float(series.mean()) if len(series) else 0.0
        return MeanJudgement(Verdict.UNDECIDED, mean, -inf, inf, None)
    mean = float(series.mean())
    errors = list(_standard_errors(series - mean, _run_lengths(runs, len(series))))
    margin = max(float(stdtrit(degrees, 1 - alpha)) * error for degrees, error in errors)
    low, high = mean - margin, mean + margin
    verdict = Verdict.MET if low >= limit else Verdict.BREACHED if high < limit else Verdict.UNDECIDED
    needed = None
    if verdict is Verdict.UNDECIDED and mean != limit:
        # the margin shrinks with the square root of the length
        factor = (margin / (mean - limit)) ** 2
        needed = factor if isfinite(factor) and factor < LARGEST_FACTOR else None
    p_breach = max(_p_below(mean - limit, degrees, error) for degrees, error in errors)
    return MeanJudgement(verdict, mean, low, high, needed, p_breach)


def _standard_errors(errors: Floats, lengths: Sequence[int]) -> Iterator[tuple[int, float]]:
    """Yield, for each batch size, the degrees of freedom and the standard error of the mean."""
    for starts in blocks(lengths):
        count = len(starts)
        squares = float(np.sum(np.add.reduceat(errors, starts) ** 2))
        yield count - 1, sqrt(count / (count - 1) * squares) / len(errors)


def _p_below(difference: float, degrees: int, error: float) -> float:
    """One-sided p-value of a mean below its limit by Student's t."""
    if error == 0:
        return 0.0 if difference < 0 else 1.0
    return float(stdtr(degrees, difference / error))
