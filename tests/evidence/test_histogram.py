"""The latency histogram: exact containment, monotone, at most 1/256 wide."""

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.histogram import (
    bucket_bounds,
    bucket_index,
    bucket_indices,
    count_at_or_over,
    merge,
    quantile_bounds,
)

SUB_BUCKETS = 256
"""Of an octave, as the module says."""
LATENCIES = st.integers(0, 2**62)


@given(LATENCIES)
def test_a_bucket_holds_its_latencies_and_is_narrow(ns: int) -> None:
    """Every latency lies in its own bucket, which is at most 1/256 of its lower edge wide, or 1 ns."""
    low, high = bucket_bounds(bucket_index(ns))
    assert low <= ns < high
    assert high - low == 1 or (high - low) * SUB_BUCKETS <= low


@given(LATENCIES, LATENCIES)
def test_indices_keep_the_order(one: int, two: int) -> None:
    """A smaller latency never has a greater bucket."""
    assert one > two or bucket_index(one) <= bucket_index(two)


@given(st.integers(0, 54 * SUB_BUCKETS))
def test_buckets_touch(index: int) -> None:
    """Each bucket begins where the one before ends: no latency is left out, none counted twice."""
    low, high = bucket_bounds(index)
    assert bucket_bounds(index + 1)[0] == high
    assert (bucket_index(low), bucket_index(high - 1), bucket_index(high)) == (index, index, index + 1)


@given(st.lists(LATENCIES | st.integers(0, 62).map(lambda e: 2**e - 1), min_size=1))
def test_the_vectorised_index_is_the_same(latencies: list[int]) -> None:
    """Numpy's indices agree with the exact ones, powers of two included."""
    indices = bucket_indices(np.array(latencies, dtype=np.int64))
    assert indices.tolist() == [bucket_index(ns) for ns in latencies]


def test_a_negative_latency_is_refused() -> None:
    """Time does not run backwards."""
    with pytest.raises(ValueError, match="negative"):
        bucket_index(-1)


@given(st.lists(st.integers(0, 10**10), min_size=1, max_size=60), st.fractions(0, 1))
def test_quantiles_contain_the_exact_one(latencies: list[int], q: Fraction) -> None:
    """The k-th smallest latency, k = ceil(qN), lies within the bounds."""
    histogram = merge({bucket_index(ns): 1} for ns in latencies)
    low, high = quantile_bounds(histogram, q)
    assert low <= sorted(latencies)[max(1, ceil(q * len(latencies))) - 1] <= high
    assert (high - low) * SUB_BUCKETS <= low


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        pytest.param(Fraction(95, 100), 1, id="k = 19 of 20 is exact, where floats would give 20"),
        pytest.param(Fraction(951, 1000), 300, id="just over"),
        pytest.param(Fraction(0), 1, id="the least"),
        pytest.param(Fraction(1), 300, id="the greatest"),
    ],
)
def test_the_rank_is_exact(q: Fraction, expected: int) -> None:
    """No rounding decides which latency is the quantile."""
    assert quantile_bounds({1: 19, 300: 1}, q) == (expected, expected)


@pytest.mark.parametrize(
    ("histogram", "q", "says"),
    [
        pytest.param({}, Fraction(1, 2), "empty", id="empty"),
        pytest.param({1: 1}, Fraction(3, 2), "0..1", id="over 1"),
    ],
)
def test_no_quantile_without_data(histogram: dict[int, int], q: Fraction, says: str) -> None:
    """An empty histogram or a quantile outside 0..1 raises an error."""
    with pytest.raises(ValueError, match=says):
        quantile_bounds(histogram, q)


@given(st.lists(st.integers(0, 10**6), max_size=60), st.integers(0, 10**6))
def test_counts_over_a_threshold_are_bounded(latencies: list[int], threshold: int) -> None:
    """The true count lies within the bounds, which differ by one bucket at most."""
    histogram = merge({bucket_index(ns): 1} for ns in latencies)
    fewest, most = count_at_or_over(histogram, threshold)
    assert fewest <= sum(ns >= threshold for ns in latencies) <= most
    assert most - fewest <= histogram.get(bucket_index(threshold), 0)
