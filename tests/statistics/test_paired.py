"""Two groups in the same blocks of time: a difference is told from chance, whatever changes over time."""

import numpy as np
import pytest
from scipy import special as reference

from slocheck.statistics.paired import LEAST_BLOCKS, compare_paired

BLOCKS = 60
TRIALS = 400


def drawn(draw: np.random.Generator, shares: np.ndarray, total: int) -> tuple[np.ndarray, np.ndarray]:
    """Return counts and totals of blocks with these true shares."""
    return draw.binomial(total, shares), np.full(len(shares), total)


@pytest.mark.parametrize("clustered", [False, True], ids=["independent", "in bursts"])
def test_groups_that_are_alike_seldom_differ(*, clustered: bool) -> None:
    """At 5 % about every twentieth does, also if a common trend changes both, or each has bursts."""
    draw, found = np.random.default_rng(5), 0
    for _ in range(TRIALS):
        course = 0.2 + 0.15 * np.sin(np.linspace(0, 6, BLOCKS))
        own = [course + (draw.normal(0, 0.05, BLOCKS) if clustered else 0) for _ in range(2)]
        groups = [drawn(draw, np.clip(share, 0, 1), 100 + 400 * number) for number, share in enumerate(own)]
        compared = compare_paired(groups[0], groups[1])
        assert compared is not None
        found += compared.p_value < 0.05
    assert found / TRIALS == pytest.approx(0.05, abs=0.03)


def test_a_difference_is_found_within_a_course_that_is_larger() -> None:
    """A difference of two points in what swings by fifteen; the shares are those of all requests."""
    course = 0.2 + 0.15 * np.sin(np.linspace(0, 6, BLOCKS))
    total = np.full(BLOCKS, 10_000)
    one, other = (np.round(share * total).astype(int) for share in (course + 0.02, course))
    compared = compare_paired((one, total), (other, total))
    assert compared is not None
    assert compared.p_value < 1e-6
    assert compared.one - compared.other == pytest.approx(0.02, abs=1e-4)


def test_too_little_says_nothing() -> None:
    """Few common blocks; and requests that are all good, or all bad, do not differ."""
    few = np.array([100] * (LEAST_BLOCKS - 1) + [0] * 20)
    assert compare_paired((few // 2, few), (few // 5, few)) is None
    whole = np.full(BLOCKS, 10)
    for bad in (whole * 0, whole):
        compared = compare_paired((bad, whole), (bad, whole))
        assert compared is not None
        assert compared.p_value == 1


def test_shares_that_do_not_spread_vary_as_independent_requests_do() -> None:
    """Eight blocks of 3 of 10 against 8 of 40: the standard error is that of the pooled share, by hand."""
    one, other = (np.full(8, 3), np.full(8, 10)), (np.full(8, 8), np.full(8, 40))
    pooled = (24 + 64) / (80 + 320)
    error = (pooled * (1 - pooled) * (1 / 10 + 1 / 40) / 8) ** 0.5
    for groups in ((one, other), (other, one)):
        compared = compare_paired(*groups)
        assert compared is not None
        assert compared.p_value == pytest.approx(2 * reference.stdtr(7, -0.1 / error))
