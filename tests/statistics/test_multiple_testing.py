"""Breaches of several objectives at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.recording import FailureClass
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome
from slocheck.statistics.multiple_testing import holm
from slocheck.statistics.proportion import SMALLEST_P, compare_proportion
from tests.builders.criteria import at
from tests.builders.evidence import make_evidence
from tests.builders.recordings import make_recording, make_slice
from tests.builders.specs import make_spec


@pytest.mark.parametrize(
    ("p_values", "rejected"),
    [
        pytest.param([0.01, 0.04, 0.03, 0.005], [True, False, False, True], id="the textbook's four"),
        pytest.param([0.05], [True], id="one alone is not corrected"),
        pytest.param([0.026, 0.026], [False, False], id="two need half of it each"),
        pytest.param([], [], id="none"),
        pytest.param([0.0, 0.05], [True, True], id="once one is sure the other is alone"),
    ],
)
def test_holm(p_values: list[float], rejected: list[bool]) -> None:
    """Step by step, the smallest first."""
    assert holm(p_values, 0.05) == rejected


def test_the_chance_of_any_false_breach_stays_that_of_one() -> None:
    """Twelve true nulls, 20,000 times: at most 5 % show anything, where uncorrected 46 % do."""
    draws = np.random.default_rng(7).uniform(size=(20_000, 12))
    assert np.mean([any(holm(list(row), 0.05)) for row in draws]) < 0.055
    assert np.mean((draws < 0.05).any(axis=1)) > 0.4


@given(st.lists(st.integers(0, 20), min_size=12, max_size=40), st.floats(0.01, 0.5), st.floats(0.001, 0.2))
def test_the_p_value_agrees_with_the_verdict(bad: list[int], limit: float, alpha: float) -> None:
    """A breach at alpha is a p-value below alpha."""
    share = compare_proportion([20] * len(bad), bad, limit, at(alpha))
    same_size = compare_proportion([20] * len(bad), bad, limit, at(alpha), bad_upper=bad)
    assert share == same_size
    assert share.breaks == (share.p_breach < alpha)


@given(st.lists(st.integers(0, 20), min_size=12, max_size=40), st.floats(0.01, 0.5))
def test_a_breach_holds_at_its_p_value_and_not_below(bad: list[int], limit: float) -> None:
    """The fewer the batches, the more a smaller alpha widens the interval; the p-value knows it."""
    n = [20] * len(bad)
    compared = compare_proportion(n, bad, limit, at(0.01))
    if not compared.breaks:
        return
    assert compare_proportion(n, bad, limit, at(compared.p_breach * 1.0001)).breaks
    if compared.p_breach > SMALLEST_P:
        assert not compare_proportion(n, bad, limit, at(compared.p_breach * 0.9999)).breaks


def test_one_marginal_breach_among_many_objectives_is_undecided() -> None:
    """Alone it fails the gate; among twelve it may be chance, and the headline says so."""
    marginal = '  error_rate: {bronze: "< 1%"}\n'
    others = "".join(f'  x{n}: {{indicator: latency_p50, bronze: "< {n + 5}s"}}\n' for n in range(11))
    slices = [
        make_slice(t, {20: 100 - b}, failures={FailureClass.STATUS: b}, statuses={200: 100 - b, 500: b})
        for t, b in enumerate([2, 1, 1] * 20)
    ]
    evidence = make_evidence(make_recording(slices))
    confident = "confidence: 95%\n"
    alone = assess(make_spec(marginal, more=confident, gate="bronze"), evidence)
    among = assess(make_spec(marginal + others, more=confident, gate="bronze"), evidence)
    assert alone.outcome is Outcome.FAIL
    assert among.outcome is Outcome.UNDECIDED
    assert "not significant after correcting for 12 tests" in among.headline
