"""The last part of a window, cut from a sample of the whole one."""

from fractions import Fraction

import pytest

from slocheck.indicators.later_part import NO_LATER_PART, sample_from
from slocheck.indicators.samples import Display, NoData, Rate, Sample, Scalar, Share, Slices

SHOWN = Display(0.0, 0.0)
FIVE_SECONDS = Slices((100, 100, 100, 50), (0, 1, 2, 3), (0, 1, 4, 5), slice_s=5.0)


def test_only_slices_after_the_moment_are_in_it_and_what_has_no_slice_is_bad() -> None:
    """From second 7 on two slices of 5 s are whole; 4 more requests may be bad, and have no slice."""
    share = Share(350, Fraction(6, 350), Fraction(14, 350), SHOWN, FIVE_SECONDS)
    part = sample_from(share, 7)
    assert isinstance(part, Share)
    assert part.slices is not None
    assert (part.total, part.slices.n) == (150, (100, 50))
    assert (part.low, part.high) == (Fraction(5, 150), Fraction(9 + 4, 150))


def test_a_rate_is_that_of_the_part() -> None:
    """Of 10/s offered all are served in the first half, and half of them in the second."""
    slices = Slices((10,) * 20, (0,) * 10 + (5,) * 10)
    rate = Rate(Fraction(15, 2), Fraction(15, 2), Fraction(10), Fraction(10), slices)
    part = sample_from(rate, 10)
    assert isinstance(part, Rate)
    assert [part.low, part.high] == [Fraction(5)] * 2
    assert [part.offered, part.ceiling] == [Fraction(10)] * 2


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        pytest.param(Scalar(Fraction(1)), NO_LATER_PART, id="one value of the whole window"),
        pytest.param(Share(1, Fraction(0), Fraction(0), SHOWN), NO_LATER_PART, id="totals alone"),
        pytest.param(
            Share(350, Fraction(0), Fraction(0), SHOWN, FIVE_SECONDS), NO_LATER_PART, id="no whole slice"
        ),
        pytest.param(NoData("why"), NoData("why"), id="no data"),
    ],
)
def test_what_cannot_be_cut_is_no_data(sample: Sample, found: Sample) -> None:
    """Then nothing is met on the part."""
    assert sample_from(sample, 18) == found
