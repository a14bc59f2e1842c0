"""The systems are what they say, and their windows are graded as runs are."""

from dataclasses import replace

import numpy as np
import pytest

from slocheck.grading.assessment import Outcome
from tests.simulation.many import many_rates
from tests.simulation.models import Model
from tests.simulation.rates import Rates, edges_of, our_rates, windows
from tests.simulation.untuned.failures import FAILING, Failing
from tests.simulation.untuned.latencies import LATENCIES
from tests.simulation.untuned.product import product_outcome, product_rates

RUNS = 100


@pytest.mark.parametrize("system", FAILING, ids=lambda system: system.name)
def test_the_true_share_of_failures_is_what_it_should_be(system: Failing) -> None:
    """As far as 100 windows can tell."""
    window = system.windows(np.random.default_rng(1), RUNS, 60)
    observed = window.bad.sum(axis=1) / window.counts.n.sum(axis=1)
    assert abs(observed.mean() - system.share) < 4 * observed.std(ddof=1) / 10


@pytest.mark.parametrize("model", [model for model, _ in LATENCIES], ids=lambda model: model.name)
def test_the_true_share_over_a_limit_is_what_it_should_be(model: Model) -> None:
    """As far as 100 windows can tell: limit and server agree."""
    rng = np.random.default_rng(2)
    (window,) = windows(model, rng, runs=RUNS, seconds=60, share=0.05, chunk=RUNS)
    observed = window.bad.sum(axis=1) / window.counts.n.sum(axis=1)
    assert abs(observed.mean() - 0.05) < 4 * observed.std(ddof=1) / 10


def test_modes_of_equal_length_are_seldom_called_breached_at_their_limit() -> None:
    """Twenty seconds good, twenty bad, on average; one window at a time is judged as all at once are."""
    (system,) = (one for one in FAILING if one.name == "in phases of 20 s, 20 s apart")
    window = system.windows(np.random.default_rng(5), RUNS, 300)
    found = many_rates(window)
    assert found == our_rates(window)
    assert found.breached <= 8
    assert many_rates(replace(window, share=window.share / 3)).breached >= 75


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_what_no_statistics_decide_the_product_does_not_decide(factor: float) -> None:
    """So a window is graded as a run only where they do: here each is, for comparison."""
    (storms,) = (one for one in FAILING if one.name.startswith("storms"))
    window = storms.windows(np.random.default_rng(3), 20, 60)
    window = replace(window, share=window.share * factor)
    outcomes = [product_outcome(window, row, ()) for row in range(20)]
    found = product_rates(window, ())
    assert found == Rates(20, outcomes.count(Outcome.PASS), outcomes.count(Outcome.FAIL))


@pytest.mark.parametrize("truth", [0.02, 0.15])
def test_latencies_are_graded_as_a_run_of_them_is(truth: float) -> None:
    """A heavy tail far from the limit, either way."""
    model, rng = LATENCIES[0][0], np.random.default_rng(4)
    (window,) = windows(model, rng, runs=10, seconds=60, share=0.05, truth=truth)
    edges = edges_of(model.limit(truth))
    outcomes = [product_outcome(window, row, edges) for row in range(10)]
    assert outcomes == [Outcome.PASS if truth < window.share else Outcome.FAIL] * 10
    assert product_rates(window, edges) == Rates(
        10, outcomes.count(Outcome.PASS), outcomes.count(Outcome.FAIL)
    )
