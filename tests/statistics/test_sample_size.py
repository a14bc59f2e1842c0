"""How many requests a proof needs."""

import pytest
from scipy.stats import beta

from slocheck.statistics.sample_size import requests_needed, smallest_factor


@pytest.mark.parametrize(
    ("share", "bad", "alpha", "needed"),
    [
        (0.05, 0, 0.05, 59),
        (0.05, 0, 0.01, 90),
        (0.01, 0, 0.05, 299),
        (0.01, 0, 0.01, 459),
        (0.01, 1, 0.01, 662),
        (0.001, 0, 0.05, 2995),
        (0.001, 0, 0.01, 4603),
        (0.0001, 0, 0.05, 29956),
        (0.0001, 0, 0.01, 46050),
        (0.0001, 1, 0.05, 47437),
        (0.0001, 1, 0.01, 66381),
    ],
)
def test_requests_needed(share: float, bad: int, alpha: float, needed: int) -> None:
    """The published numbers, and they are the smallest: one request less does not suffice."""
    assert requests_needed(share, alpha, bad) == needed
    assert (
        beta.ppf(1 - alpha, bad + 1, needed - bad) < share <= beta.ppf(1 - alpha, bad + 1, needed - 1 - bad)
    )


@pytest.mark.parametrize(
    ("from_", "expected"), [(1.5, 1.5), (2.0, 2.0), (2.7, 2.7), (70_000.0, 70_000.0), (2e6, None)]
)
def test_the_smallest_factor_is_found(from_: float, expected: float | None) -> None:
    """To seven digits; a factor beyond a million is none."""
    found = smallest_factor(lambda factor: factor >= from_)
    assert found == (expected and pytest.approx(expected, rel=2e-7))


def test_a_share_outside_of_0_and_1_cannot_be_proven() -> None:
    """Nothing proves that no request is ever bad."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        requests_needed(0.0, 0.05)
