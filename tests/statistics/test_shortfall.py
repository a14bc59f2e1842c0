"""What was not served of what is usually served."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.statistics.shortfall import block_size, usual_shortfall


@pytest.mark.parametrize(
    ("slices", "slice_s", "bursts_s", "size"),
    [
        pytest.param(300, 1.0, 12.0, 12, id="as long as a burst"),
        pytest.param(60, 1.0, 12.0, 6, id="ten blocks are left"),
        pytest.param(60, 5.0, 12.0, 2, id="scrapes"),
        pytest.param(300, 1.0, 0.2, 1, id="no shorter than a slice"),
    ],
)
def test_blocks_are_about_as_long_as_a_burst(slices: int, slice_s: float, bursts_s: float, size: int) -> None:
    """And there are always enough of them for a verdict."""
    assert block_size(slices, slice_s, bursts_s) == size


@given(st.lists(st.integers(0, 500), min_size=10, max_size=60), st.integers(1, 6))
def test_the_usual_pace_less_what_was_missed_is_never_more_than_was_served(
    served: list[int], size: int
) -> None:
    """So the lower end of a rate that rests on it is never too high for the window itself."""
    size = min(size, len(served))
    could, missed = usual_shortfall(served, size)
    assert len(could) == len(missed) == len(served) // size
    assert all(0 <= less <= most for less, most in zip(missed, could, strict=True))
    assert sum(could) - sum(missed) <= sum(served)


def test_chance_from_second_to_second_is_not_a_shortfall() -> None:
    """The best second is a third over the mean; the median block is not."""
    could, missed = usual_shortfall([70, 100, 130] * 20, 6)
    assert (sum(could), sum(missed)) == (6000, 0)
