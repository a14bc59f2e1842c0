"""Statistics: test vectors to six digits, and properties that hold for all samples."""

from dataclasses import replace
from fractions import Fraction
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from slocheck.statistics.confidence import criterion_for
from slocheck.statistics.proportion import ProportionComparison, busy_slices, compare_proportion
from tests.builders.criteria import at

KEEPS, BREAKS, OPEN = (True, False), (False, True), (False, False)


def decided(compared: ProportionComparison) -> tuple[bool, bool]:
    """Return whether the limit is kept, and whether it is broken."""
    return compared.keeps, compared.breaks


@pytest.mark.parametrize(
    ("n", "high", "verdict"),
    [(300, 9.98528e-05, KEEPS), (299, 1.00187e-04, OPEN)],
)
def test_no_bad_request_at_four_nines(n: int, high: float, verdict: tuple[bool, bool]) -> None:
    """Just over and just under the number of requests that the rule of three demands."""
    compared = compare_proportion([n] * 100, [0] * 100, 1e-4, at(0.05))
    assert compared.high == pytest.approx(high, rel=5e-6)
    assert decided(compared) == verdict


def test_slices_that_alternate_are_worth_a_little_less() -> None:
    """More spread than chance would give reduces the effective sample size."""
    bad = [5 if t % 2 == 0 else 1 for t in range(60)]
    compared = compare_proportion([100] * 60, bad, 0.05, at(0.05))
    assert compared.effective_sample_size == pytest.approx(4158.51, rel=5e-6)
    assert (compared.low, compared.high) == pytest.approx((0.0257753, 0.0347243), rel=5e-6)
    assert decided(compared) == KEEPS


BURST = [20 if 30 <= t < 45 else 2 for t in range(120)]


@pytest.mark.parametrize(
    ("limit", "alpha", "size", "low", "high", "verdict"),
    [
        pytest.param(0.05, 0.05, 385.863, 0.0107255, 0.0377491, KEEPS, id="at 5 %"),
        pytest.param(0.05, 0.01, 347.623, 0.00737565, 0.0469720, KEEPS, id="at 1 %"),
        pytest.param(0.03, 0.05, 385.863, 0.0107255, 0.0377491, OPEN, id="a closer limit"),
    ],
)
def test_a_burst_costs_most_of_the_sample(
    *, limit: float, alpha: float, size: float, low: float, high: float, verdict: tuple[bool, bool]
) -> None:
    """15 bad seconds in 120 leave some hundred independent requests of 24,000."""
    compared = compare_proportion([200] * 120, BURST, limit, at(alpha))
    assert compared.effective_sample_size == pytest.approx(size, rel=5e-6)
    assert (compared.low, compared.high) == pytest.approx((low, high), rel=5e-6)
    assert decided(compared) == verdict


WAVES = [(20 if t // 80 % 2 else 2) for t in range(320)]
"""Eighty seconds of each kind: far longer than the longest blocks."""


@pytest.mark.parametrize(
    ("bad", "most"),
    [
        pytest.param(WAVES, 0.4, id="waves longer than the blocks"),
        pytest.param([20 if t % 2 else 2 for t in range(320)], 1.0, id="turn by turn"),
        pytest.param([11] * 320, 1.0, id="nothing varies"),
    ],
)
def test_what_outlasts_the_blocks_is_worth_less(bad: list[int], most: float) -> None:
    """In a long window of one run, at both ends; met is held to the longer memory."""
    plain, memory = (
        compare_proportion([200] * 320, bad, 0.06, replace(at(0.05), memory=memory))
        for memory in (False, True)
    )
    assert memory.effective_sample_size <= most * plain.effective_sample_size
    assert (memory.low < plain.low) is (memory.high > plain.high) is (most < 1)


def test_pooled_runs_have_blocks_of_their_own() -> None:
    """The runs themselves are compared, so nothing has to be guessed from the blocks within them."""
    plain, memory = (
        compare_proportion([200] * 320, WAVES, 0.06, replace(at(0.05), memory=memory), runs=[80] * 4)
        for memory in (False, True)
    )
    assert memory == plain


def test_an_undecided_sample_says_how_much_longer_it_takes() -> None:
    """The factor is the smallest that decides."""
    compared = compare_proportion([200] * 120, BURST, 0.03, at(0.05))
    assert compared.needed_duration_factor == pytest.approx(2.79015, rel=5e-6)


def test_uneven_slices() -> None:
    """Slices of different sizes, more bad in some."""
    n = [100 + 10 * (t % 5) for t in range(125)]
    compared = compare_proportion(n, [t * t % 7 for t in range(125)], 0.017, at(0.05))
    assert compared.share == pytest.approx(0.0167333, rel=5e-6)
    assert compared.effective_sample_size == pytest.approx(13525.1, rel=5e-6)
    assert (compared.low, compared.high) == pytest.approx((0.0149596, 0.0186637), rel=5e-6)
    assert decided(compared) == OPEN


@pytest.mark.parametrize(("limit", "verdict"), [(0.05, KEEPS), (0.03, OPEN)])
def test_what_is_possibly_bad_widens_the_upper_end(limit: float, verdict: tuple[bool, bool]) -> None:
    """The lower end counts what is certain, the upper end what is possible."""
    bad = [2 + (t % 3 == 0) for t in range(100)]
    possible = [bad[t] + 6 * (t % 4 == 0) for t in range(100)]
    compared = compare_proportion([100] * 100, bad, limit, at(0.05), bad_upper=possible)
    assert (compared.low, compared.high) == pytest.approx((0.0209668, 0.0431245), rel=5e-6)
    assert decided(compared) == verdict


@st.composite
def samples(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Slices with bursts: sizes, and how many of each are bad."""
    slices = draw(st.integers(10, 80))
    sizes = draw(st.lists(st.integers(0, 200), min_size=slices, max_size=slices))
    bad = [draw(st.integers(0, size)) if draw(st.booleans()) else 0 for size in sizes]
    return sizes, bad


@given(st.integers(10, 200), st.integers(1, 50), st.data())
def test_equal_slices_give_the_plain_interval(slices: int, size: int, data: st.DataObject) -> None:
    """If every slice has the same share, clustering costs nothing."""
    bad = data.draw(st.integers(0, size))
    compared = compare_proportion([size] * slices, [bad] * slices, 0.1, at(0.05))
    total, all_bad = size * slices, bad * slices
    assert compared.effective_sample_size == total
    if all_bad < total:
        assert compared.high == pytest.approx(beta.ppf(0.95, all_bad + 1, total - all_bad), rel=1e-9)
    if all_bad > 0:
        assert compared.low == pytest.approx(beta.ppf(0.05, all_bad, total - all_bad + 1), rel=1e-9)


@given(samples(), st.floats(0.001, 0.5), st.data())
def test_a_larger_alpha_never_takes_a_verdict_back(
    sample: tuple[list[int], list[int]], limit: float, data: st.DataObject
) -> None:
    """Asking for less confidence cannot turn met or breached into undecided."""
    strict = data.draw(st.floats(0.001, 0.2))
    lax = data.draw(st.floats(strict, 0.2))
    first = decided(compare_proportion(*sample, limit, at(strict)))
    if first != OPEN:
        assert decided(compare_proportion(*sample, limit, at(lax))) == first


@given(samples(), st.floats(0.001, 0.5))
def test_the_interval_holds_the_share_and_the_size_is_never_more(
    sample: tuple[list[int], list[int]], limit: float
) -> None:
    """An effective sample size is at most the sample's size."""
    compared = compare_proportion(*sample, limit, at(0.01))
    assert compared.effective_sample_size <= sum(sample[0])
    assert compared.low <= compared.share + 1e-12
    assert compared.share <= compared.high + 1e-12


@given(samples(), st.floats(0.001, 0.5), st.data())
def test_doubt_never_makes_met_of_another_verdict(
    sample: tuple[list[int], list[int]], limit: float, data: st.DataObject
) -> None:
    """What is possibly bad can only move a verdict away from met."""
    sizes, bad = sample
    possible = [data.draw(st.integers(low, high)) for low, high in zip(bad, sizes, strict=True)]
    plain = compare_proportion(sizes, bad, limit, at(0.01))
    doubted = compare_proportion(sizes, bad, limit, at(0.01), bad_upper=possible)
    assert plain.keeps or not doubted.keeps


@given(samples(), st.floats(0.01, 0.5), st.data())
def test_references_only_widen(
    sample: tuple[list[int], list[int]], limit: float, data: st.DataObject
) -> None:
    """A reference series can add design effect, never certainty."""
    sizes, bad = sample
    lower = [data.draw(st.integers(low, high)) for low, high in zip(bad, sizes, strict=True)]
    plain = compare_proportion(sizes, bad, limit, at(0.01))
    lent = compare_proportion(sizes, bad, limit, at(0.01), references=[lower])
    assert lent.low <= plain.low
    assert lent.high >= plain.high


@pytest.mark.parametrize(
    ("n", "bad"),
    [pytest.param([100] * 9, [0] * 9, id="nine slices"), pytest.param([0] * 60, [0] * 60, id="no request")],
)
def test_too_little_is_undecided(n: list[int], bad: list[int]) -> None:
    """No data is never a pass."""
    assert decided(compare_proportion(n, bad, 0.5, at(0.05))) == OPEN


@pytest.mark.parametrize(
    ("n", "bad", "possible", "message"),
    [
        pytest.param([1] * 10, [0] * 9, None, "9 slices where n has 10", id="lengths"),
        pytest.param([1] * 10, [2] * 10, None, "more requests than n", id="more bad than requests"),
        pytest.param([1] * 10, [-1] * 10, None, "negative", id="negative"),
        pytest.param([1] * 10, [1] * 10, [0] * 10, "smaller than bad", id="possible below certain"),
    ],
)
def test_impossible_counts_are_refused(
    n: list[int], bad: list[int], possible: list[int] | None, message: str
) -> None:
    """A defect elsewhere is found here rather than graded."""
    with pytest.raises(ValueError, match=message):
        compare_proportion(n, bad, 0.1, at(0.05), bad_upper=possible)


def test_pooled_runs_that_differ_are_worth_less() -> None:
    """Three runs, one of them bad throughout: the runs are the sample, not the requests."""
    bad = [1] * 30 + [1] * 30 + [9] * 30
    one = compare_proportion([100] * 90, bad, 0.5, at(0.05))
    pooled = compare_proportion([100] * 90, bad, 0.5, at(0.05), runs=[30, 30, 30])
    assert pooled.effective_sample_size < one.effective_sample_size


def test_a_met_share_tells_the_burst_it_would_stand() -> None:
    """At the tolerance the limit is just met, a little beyond it is not."""
    compared = compare_proportion([100] * 100, [0] * 100, 0.01, at(0.05))
    assert compared.tolerated_design_effect is not None
    size = 10_000 / compared.tolerated_design_effect
    assert beta.ppf(0.95, 1, size) == pytest.approx(0.01, rel=1e-5)


@pytest.mark.parametrize(
    ("n", "slices"),
    [
        pytest.param([100] * 300, 300.0, id="even"),
        pytest.param([1000] * 30 + [0] * 270, 30.03, id="all at the begin"),
        pytest.param([1] * 300, 300.0, id="one a second"),
        pytest.param([0, 2] * 150, 300.0, id="what chance may do"),
    ],
)
def test_idle_slices_do_not_count(n: list[int], slices: float) -> None:
    """A burst cannot show while nothing is sent; few requests fall unevenly by chance."""
    assert busy_slices(np.asarray(n, dtype=float)) == pytest.approx(slices, abs=0.01)


def test_a_condition_on_bursts_bounds_the_sample_by_the_time_in_which_it_was_sent() -> None:
    """300 s hold 300 bursts of a second, whatever the rate, and 30 s of them hold 30."""
    asked = replace(at(0.01), nominal=0.05, bursts_s=1.0)
    whole = compare_proportion([1000] * 300, [0] * 300, 0.05, asked)
    part = compare_proportion([10_000] * 30 + [0] * 270, [0] * 300, 0.05, asked)
    scrapes = compare_proportion([15_000] * 20, [0] * 20, 0.05, asked, slice_s=15.0)
    assert (whole.effective_sample_size, whole.keeps) == (300, True)
    assert part.effective_sample_size == pytest.approx(30, abs=0.1)
    assert not part.keeps
    assert scrapes.effective_sample_size == 300


def test_a_breach_is_projected_at_the_error_rate_of_the_longer_window() -> None:
    """A minute with a little over 5 % bad: five decide at the nominal rate; a fifth of it takes longer."""
    n, bad = [100] * 60, [5, 5, 5, 6] * 15
    minute = criterion_for(Fraction(19, 20), (60.0,))
    found = compare_proportion(n, bad, 0.05, minute).needed_duration_factor
    calibrated = compare_proportion(n, bad, 0.05, replace(minute, long_from=inf)).needed_duration_factor
    assert found == pytest.approx(5)
    assert calibrated is not None
    assert calibrated > 6


def test_a_condition_that_bounds_nothing_loosens_nothing() -> None:
    """Bursts shorter than the time between two requests: the calibrated error rate stays."""
    sample = [1] * 80, [0] * 80
    asked = replace(at(0.01), nominal=0.05, bursts_s=0.001)
    assert not compare_proportion(*sample, 0.05, at(0.01)).keeps
    assert not compare_proportion(*sample, 0.05, asked).keeps
    assert compare_proportion(*sample, 0.05, at(0.05)).keeps


@pytest.mark.parametrize(
    ("phases", "stricter"),
    [
        pytest.param([30, 30], True, id="as long bad as good"),
        pytest.param([90, 10], False, id="bad for a short while, seldom"),
    ],
)
def test_a_share_that_swings_is_breached_at_the_calibrated_rate(phases: list[int], *, stricter: bool) -> None:
    """Good and bad stretches of half a minute: no few blocks are far worse than the rest."""
    good, bad = phases
    slow = ([0] * good + [20] * bad) * (300 // (good + bad))
    long, n = criterion_for(Fraction(19, 20), (300.0,)), [100] * len(slow)
    whole = compare_proportion(n, slow, 0.001, long)
    fifth = compare_proportion(n, slow, 0.001, replace(long, breached=long.met))
    assert (whole.low == fifth.low) is stricter
    assert whole.p_breach <= 1
