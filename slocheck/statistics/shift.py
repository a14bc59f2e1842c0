"""How much a value has shifted between runs, and how sure that is: Student's t on a scale without bounds.

Runs differ by more than their own requests show: machines, neighbours, caches. So a new run is judged by the
spread between earlier runs, and by the spread within a run only if that is larger. Latencies and
rates are compared as logarithms; shares as angles, on which the variance does not depend on the share
(Freeman and Tukey 1950; Anscombe 1948).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, inf, pi, sin, sqrt

from slocheck.statistics.special import t_cdf, t_quantile

MIN_RUNS = 5
"""Fewer runs say too little of how much runs differ: Student's t at 1 % is 4.6 for five, 9.9 for three."""

_ZERO_SHIFT, _TOTAL_SHIFT = 3 / 8, 3 / 4
"""What Anscombe adds to the bad requests and to all: an angle for none of them, too."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value of one run on a scale on which differences are compared.

    Attributes:
        value: On that scale.
        error: Its standard error as far as one run shows it, 0 or more.
    """

    value: float
    error: float = 0.0


@dataclass(frozen=True, slots=True)
class Shift:
    """A difference, new minus old.

    Attributes:
        amount: As observed.
        error: Its standard error; 0 only if nothing varies at all.
        degrees: Degrees of freedom of Student's t distribution, 1 or more.
    """

    amount: float
    error: float
    degrees: float

    def interval(self, confidence: float) -> tuple[float, float]:
        """Return the two-sided interval of the true difference, at a confidence of 0..1."""
        reach = t_quantile(self.degrees, (1 + confidence) / 2) * self.error
        return self.amount - reach, self.amount + reach

    def p_above(self, margin: float) -> float:
        """Return the two-sided p-value of a true difference that is over `margin`; 1 if it is not over it.

        It is below 1 - c if the interval at confidence c lies above `margin`, so that the two agree.
        """
        over = self.amount - margin
        if over <= 0:
            return 1.0
        t = over / self.error if self.error > 0 else inf
        return 2 * t_cdf(self.degrees, -t) if t < inf else 0.0


def against_history(new: Estimate, old: Sequence[Estimate], *, resolution: float = 0.0) -> Shift:
    """Return the shift of one new run against the mean of old ones: a t prediction interval.

    Hahn and Meeker 1991, 4.7: the error is s sqrt(1 + 1/m) with m - 1 degrees of freedom. The spread s of the
    old runs is at least what each shows within itself, and at least `resolution`; the new run's own spread
    counts if it is the larger one.

    Args:
        new: Of the new run.
        old: Of the old runs, two at least.
        resolution: The smallest spread that the measurement can show, on the scale.

    Raises:
        ValueError: There are fewer than two old runs.
    """
    mean, variance = _spread(old, resolution)
    error = sqrt(variance / len(old) + max(variance, new.error**2))
    return Shift(new.value - mean, error, len(old) - 1)


def welch(new: Sequence[Estimate], old: Sequence[Estimate], *, resolution: float = 0.0) -> Shift:
    """Return the shift of the mean of new runs against that of old ones: Welch's t-test.

    Welch 1947, with Satterthwaite's degrees of freedom. `resolution` as in `against_history`.

    Raises:
        ValueError: There are fewer than two runs on a side.
    """
    (mean, variance), (mean_old, variance_old) = _spread(new, resolution), _spread(old, resolution)
    return _difference(
        mean - mean_old, (variance / len(new), len(new) - 1), (variance_old / len(old), len(old) - 1)
    )


def within_runs(new: Estimate, old: Estimate, degrees: int) -> Shift:
    """Return the shift between two runs by what each shows within itself, from `degrees` + 1 batches each.

    It says how far the two runs differ, not how far others would.
    """
    return _difference(new.value - old.value, (new.error**2, degrees), (old.error**2, degrees))


def _difference(amount: float, one: tuple[float, int], other: tuple[float, int]) -> Shift:
    """Return a difference of two means from the variance of each, and its degrees of freedom."""
    total = one[0] + other[0]
    if total <= 0:
        return Shift(amount, 0.0, min(one[1], other[1]))
    degrees = total**2 / sum(variance**2 / free for variance, free in (one, other))
    return Shift(amount, sqrt(total), max(1.0, degrees))


def _spread(runs: Sequence[Estimate], resolution: float) -> tuple[float, float]:
    """Return the mean of runs, and their variance: at least that within them."""
    count = len(runs)
    if count < 2:  # noqa: PLR2004 - a spread needs two
        raise ValueError(f"the spread of {count} runs is unknown; at least 2 are needed")
    mean = sum(run.value for run in runs) / count
    between = sum((run.value - mean) ** 2 for run in runs) / (count - 1)
    within = sum(run.error**2 for run in runs) / count
    return mean, max(between, within, resolution**2)


def angle(bad: float, total: float) -> Estimate:
    """Return a share of bad ones among `total` independent ones as an angle, 0..pi (Anscombe 1948).

    Raises:
        ValueError: `total` is not positive, or `bad` is not within 0..total.
    """
    if not 0 <= bad <= total or total <= 0:
        raise ValueError(f"{bad} of {total} is not a share")
    return Estimate(2 * asin(sqrt((bad + _ZERO_SHIFT) / (total + _TOTAL_SHIFT))), 1 / sqrt(total + 0.5))


def share_of(angle_: float) -> float:
    """Return the share, 0..1, that an angle stands for; an angle beyond 0..pi stands for the end."""
    return sin(min(max(angle_, 0.0), pi) / 2) ** 2
