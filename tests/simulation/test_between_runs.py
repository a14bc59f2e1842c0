"""A fast part of the simulation of comparisons: false regressions stay below what is promised."""

from math import sqrt
from pathlib import Path

import pytest

from tests.simulation.between_runs import COUNTS, HEAD, NOISES, Draw, compared, failures, latencies

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"
RUNS = 400
AT_MARGIN = 0.1


def allowed(rate: float, replications: int) -> float:
    """Return a count that a rate exceeds in about one of a thousand simulations at most."""
    return rate * replications + 3.3 * sqrt(rate * replications) + 1


@pytest.mark.parametrize("old", COUNTS)
@pytest.mark.parametrize("noise", NOISES)
def test_no_change_is_hardly_ever_a_regression(noise: float, old: int) -> None:
    """The interval is at 99 %, two-sided, and has to clear the margin as well."""
    found = compared(latencies(noise), change=0.0, old=old, replications=RUNS)
    assert found.worse <= allowed(0.005, RUNS)


@pytest.mark.parametrize(
    "draw",
    [
        pytest.param(latencies(0.03), id="normal"),
        pytest.param(latencies(0.1, heavy=True), id="with outliers"),
        pytest.param(failures(0.01), id="failures"),
        pytest.param(failures(0.001), id="rare failures"),
    ],
)
def test_a_change_of_exactly_the_margin_is_no_regression(draw: Draw) -> None:
    """The hardest case: it is allowed, and more is not."""
    found = compared(draw, change=AT_MARGIN, old=10, replications=RUNS)
    assert found.worse <= allowed(0.01, RUNS)


@pytest.mark.parametrize("objectives", [1, 12])
def test_many_objectives_are_not_many_chances(objectives: int) -> None:
    """Holm's correction: twelve without a change fail a run no more often than one."""
    found = compared(latencies(0.05), change=0.0, old=5, objectives=objectives, replications=RUNS // 2)
    assert found.worse <= allowed(0.01, RUNS // 2)


def test_failures_in_bursts_do_not_fail_a_run_by_chance() -> None:
    """A hundred failures in one second say as much as one."""
    found = compared(failures(0.003, burst=100), change=0.0, old=20, replications=RUNS)
    assert found.worse <= allowed(0.01, RUNS)


def test_what_is_far_beyond_the_margin_is_found() -> None:
    """Half as slow again, with runs that differ by 3 %: nearly always from five runs on."""
    assert compared(latencies(0.03), change=0.5, old=5, replications=RUNS).worse > 0.9 * RUNS
    assert compared(latencies(0.03), change=0.5, old=20, replications=RUNS).worse == RUNS
    assert compared(latencies(0.03), change=0.3, old=5, new=5, replications=RUNS).worse > 0.9 * RUNS


def test_no_change_is_proven_where_runs_differ_little() -> None:
    """With a spread of 1 % most runs are shown to be within 10 %."""
    assert compared(latencies(0.01), change=0.0, old=10, replications=RUNS).within > 0.9 * RUNS


def test_the_page_has_the_table() -> None:
    """Of each spread and number of runs, with a column for each change."""
    page = PAGE.read_text()
    assert f"| {' | '.join(HEAD)} |" in page
    for noise in NOISES:
        for old in COUNTS:
            assert f"| {noise:.0%} | 1 against {old} |" in page
