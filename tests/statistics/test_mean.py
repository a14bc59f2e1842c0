"""A mean rate against a limit."""

import numpy as np
import pytest

from slocheck.statistics.mean import compare_mean


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [
        pytest.param(99.0, (True, False), id="well below"),
        pytest.param(101.0, (False, True), id="well above"),
        pytest.param(100.0, (False, False), id="at the mean"),
    ],
)
def test_a_mean_rate(limit: float, verdict: tuple[bool, bool]) -> None:
    """A steady rate of 100 with unit noise over 60 slices is known to a fraction of one."""
    values = 100 + np.random.default_rng(1).normal(0, 1, 60)
    compared = compare_mean(list(values), limit, 0.01)
    assert (compared.keeps, compared.breaks) == verdict


def test_a_constant_rate_is_known_exactly() -> None:
    """On the limit the rate reaches it."""
    assert compare_mean([500.0] * 30, 500.0, 0.01).keeps


def test_a_trend_widens_the_interval_of_the_mean() -> None:
    """Slices in order, as a queue makes them, are worth less than the same ones shuffled."""
    values = list(np.linspace(90, 110, 64))
    shuffled = list(np.random.default_rng(2).permutation(values))
    ordered, mixed = compare_mean(values, 0, 0.01), compare_mean(shuffled, 0, 0.01)
    assert ordered.high - ordered.low > 1.5 * (mixed.high - mixed.low)


@pytest.mark.parametrize("rate", [5.0, 0.5])
def test_a_single_second_decides_nothing(rate: float) -> None:
    """Its spread is not known, however far from the limit it is."""
    found = compare_mean([rate], 1.0, 0.05)
    assert (found.keeps, found.breaks) == (False, False)
