"""Shifts between runs: vectors from R and scipy, and what holds for any runs."""

from collections.abc import Sequence
from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from slocheck.statistics.shift import (
    Estimate,
    Shift,
    against_history,
    angle,
    share_of,
    welch,
    within_runs,
)

VALUES = st.lists(st.floats(-5, 5), min_size=5, max_size=20)
MARGIN = log(1.1)


def exact(values: Sequence[float]) -> list[Estimate]:
    """Return values of runs that show no spread within themselves."""
    return [Estimate(value) for value in values]


def test_the_prediction_interval_of_a_textbook() -> None:
    """Five readings of Hahn and Meeker (1991): mean 50.10, s 1.31; one more lies in 46.1 to 54.1 at 95 %."""
    readings = exact([51.4, 49.5, 48.7, 49.3, 51.6])
    low, high = against_history(Estimate(50.1), readings).interval(0.95)
    assert (50.1 + low, 50.1 + high) == pytest.approx((46.11, 54.09), abs=0.01)


@given(VALUES, st.floats(-5, 5), st.floats(0.5, 0.999))
def test_the_prediction_interval_is_student_s(old: list[float], new: float, confidence: float) -> None:
    """The mean, and s times the root of 1 + 1/m, with m - 1 degrees of freedom."""
    shift = against_history(Estimate(new), exact(old), resolution=1e-3)
    spread = max(float(np.std(old, ddof=1)), 1e-3)
    scale = spread * sqrt(1 + 1 / len(old))
    expected = stats.t.interval(confidence, len(old) - 1, loc=new - float(np.mean(old)), scale=scale)
    assert shift.interval(confidence) == pytest.approx(expected, rel=1e-8, abs=1e-8)


@given(VALUES, VALUES, st.floats(-1, 1))
def test_welch_is_scipy_s(new: list[float], old: list[float], margin: float) -> None:
    """The p-value of a shift beyond a margin is twice the one-sided one of scipy's test."""
    if np.std(new) < 1e-3 or np.std(old) < 1e-3:
        return
    shift = welch(exact(new), exact(old))
    found = stats.ttest_ind([value - margin for value in new], old, equal_var=False, alternative="greater")
    assert shift.degrees == pytest.approx(found.df)
    if shift.amount > margin:
        assert shift.p_above(margin) == pytest.approx(2 * found.pvalue, rel=1e-6, abs=1e-12)


def test_welch_by_hand() -> None:
    """Five against five: the two-sided p-value without a margin is scipy's."""
    new, old = (5.0, 5.1, 5.2, 5.1, 5.0), (4.8, 4.9, 4.8, 4.7, 4.8)
    shift = welch(exact(new), exact(old))
    found = stats.ttest_ind(new, old, equal_var=False)
    assert (shift.degrees, shift.p_above(0.0)) == pytest.approx((found.df, found.pvalue), rel=1e-9)


@given(VALUES, st.floats(-5, 5), st.floats(0.9, 0.999), st.floats(0, 1))
def test_p_value_and_interval_agree(old: list[float], new: float, confidence: float, margin: float) -> None:
    """The interval lies above the margin exactly when the p-value is below 1 - confidence."""
    shift = against_history(Estimate(new), exact(old), resolution=1e-3)
    low, _ = shift.interval(confidence)
    if abs(low - margin) > 1e-9:
        assert (low > margin) == (shift.p_above(margin) < 1 - confidence)


@pytest.mark.parametrize(
    ("new", "old", "error"),
    [
        pytest.param(0.0, [0.0] * 5, 0.05 * sqrt(1.2), id="equal runs: no less than within them"),
        pytest.param(
            0.5, [0.0] * 5, sqrt(0.05**2 / 5 + 0.25), id="a new run that varies more counts by itself"
        ),
    ],
)
def test_the_spread_within_runs_is_the_least(new: float, old: Sequence[float], error: float) -> None:
    """Old runs that happen to agree do not make the next one certain."""
    shift = against_history(Estimate(1.0, new), [Estimate(value, 0.05) for value in old])
    assert shift.error == pytest.approx(error)


def test_two_runs_are_compared_by_their_batches() -> None:
    """Errors of .03 and .04 add up to .05; the degrees are Satterthwaite's."""
    shift = within_runs(Estimate(log(1.2), 0.03), Estimate(0.0, 0.04), 19)
    assert (shift.amount, shift.error) == pytest.approx((log(1.2), 0.05))
    assert shift.degrees == pytest.approx(0.05**4 / ((0.03**4 + 0.04**4) / 19))


def test_nothing_that_varies_is_certain() -> None:
    """Without any spread a shift is what it is."""
    assert within_runs(Estimate(1.0), Estimate(1.0), 19).p_above(0.0) == 1.0
    assert Shift(0.2, 0.0, 19).p_above(0.1) == 0.0


@pytest.mark.parametrize("runs", [[], [Estimate(1.0)]])
def test_one_run_has_no_spread(runs: list[Estimate]) -> None:
    """A single run has no spread and is refused."""
    with pytest.raises(ValueError, match="at least 2"):
        against_history(Estimate(1.0), runs)


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_angles_are_shares(total: int, share: float) -> None:
    """An angle is turned back into its share, but for what Anscombe adds."""
    assert share_of(angle(share * total, total).value) == pytest.approx(share, abs=0.5 / total)


@pytest.mark.parametrize(("bad", "total"), [(-1, 5), (6, 5), (0, 0)])
def test_what_is_not_a_share_is_refused(bad: float, total: float) -> None:
    """More bad ones than all, none of none, and less than none."""
    with pytest.raises(ValueError, match="not a share"):
        angle(bad, total)


def test_angles_vary_alike() -> None:
    """At 0.5 %, 5 % and 50 % the standard error of an angle is that of its binomial, within 6 %."""
    draws = np.random.default_rng(3)
    for share in (0.005, 0.05, 0.5):
        angles = [angle(float(bad), 2000.0).value for bad in draws.binomial(2000, share, size=4000)]
        assert np.std(angles) == pytest.approx(angle(1, 2000).error, rel=0.06)


def test_an_end_beyond_the_scale_is_the_end() -> None:
    """An interval of angles may exceed the scale; shares do not."""
    assert (share_of(-0.3), share_of(4.0)) == (0.0, 1.0)


def test_a_first_burst_of_failures_is_undecided_and_scattered_ones_are_not() -> None:
    """20 clean runs: 200 failures in a second say as much as one, 30 scattered ones are beyond chance."""
    clean = [angle(0, 30_000) for _ in range(20)]
    burst = angle(200 / 30_000 * 150, 150)
    scattered = angle(30, 30_000)
    assert against_history(burst, clean).p_above(0.0) > 0.01
    assert against_history(scattered, clean).p_above(0.0) < 0.001
