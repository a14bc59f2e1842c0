"""A fast part of the simulation: the models are what they say, and the method keeps its promise on them."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from slocheck.indicators.measured_run import measured
from slocheck.spec.model.load_profile import ArrivalProcess
from tests.builders.evidence import make_evidence
from tests.builders.recordings import make_recording, make_slice
from tests.builders.specs import make_spec
from tests.simulation.__main__ import main
from tests.simulation.drifts import DRIFTS, Change
from tests.simulation.many import many_rates
from tests.simulation.models import MODELS, Model, independent, one_server, rhythmic, stalling
from tests.simulation.rates import (
    NOMINAL,
    Rates,
    Windows,
    differing,
    early_stopping_rates,
    family_rates,
    independent_rates,
    joined,
    our_rates,
    pooled_rates,
    unsteady,
    windows,
)
from tests.simulation.scrapes import SERVICES, scraped_rates
from tests.simulation.tables import exceeds
from tests.simulation.throughput import CLOSED_LOOPS, sample
from tests.simulation.window_tables import BURSTS

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"
RUNS = 200
NUMBER = re.compile(r"[\d.]+!?")


def draw(model: Model, seconds: int, *, share: float = 0.05, runs: int = RUNS) -> Windows:
    """Draw windows at the exact boundary, always the same ones."""
    (window,) = windows(model, np.random.default_rng(3), runs=runs, seconds=seconds, share=share, chunk=runs)
    return window


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("share", [0.05, 0.01])
def test_the_true_share_over_the_limit_is_what_it_should_be(model: Model, share: float) -> None:
    """As far as 100 windows can tell: the limit and the server agree, and each second has its requests."""
    window = draw(model, 60, share=share, runs=100)
    observed = window.bad.sum(axis=1) / window.counts.n.sum(axis=1)
    error = observed.std(ddof=1) / 10
    assert abs(observed.mean() - share) < 4 * error
    assert (window.counts.n == 100).all()


@pytest.mark.parametrize("period_s", [0.1, 0.07])
def test_even_arrivals_make_a_verdict_on_a_rhythm_a_matter_of_chance(period_s: float) -> None:
    """At the exact limit they decide most runs, one way or the other; jittered ones hardly any."""
    even = our_rates(draw(rhythmic(period_s, ArrivalProcess.EVEN), 60))
    assert (even.met + even.breached) / RUNS > 0.5
    jittered = our_rates(draw(rhythmic(period_s), 60))
    assert max(jittered.met, jittered.breached) / RUNS < 0.03


def test_clopper_and_pearson_keep_their_promise_where_requests_are_independent() -> None:
    """There the plain interval is right, and ours is not far more often undecided."""
    window = draw(independent(), 60, runs=400)
    plain = independent_rates(window, NOMINAL)
    assert 0.01 < plain.met / plain.runs < 0.09
    assert 0.01 < plain.breached / plain.runs < 0.09
    ours = our_rates(window)
    assert max(ours.met, ours.breached) / ours.runs < 0.03


@pytest.mark.parametrize(
    ("model", "seconds", "most"),
    [
        pytest.param(one_server(0.5), 60, 0.04, id="half busy, a minute"),
        pytest.param(one_server(0.8), 60, 0.04, id="busy, a minute"),
        pytest.param(one_server(0.8), 300, 0.04, id="busy, five minutes"),
        pytest.param(one_server(0.95), 60, 0.09, id="overloaded, a minute"),
        pytest.param(one_server(0.95), 300, 0.07, id="overloaded, five minutes"),
        pytest.param(stalling(), 300, 0.08, id="stalls, five minutes"),
    ],
)
def test_queues_fool_the_plain_interval_and_not_ours(model: Model, seconds: int, most: float) -> None:
    """At the exact limit; the bounds are the published rates with room for 200 runs."""
    window = draw(model, seconds)
    ours, plain = our_rates(window), independent_rates(window, NOMINAL)
    assert max(ours.met, ours.breached) / RUNS <= most
    assert (plain.met + plain.breached) / RUNS > 0.3


def test_alpha_spending_keeps_interim_analyses_from_being_wrong_more_often() -> None:
    """Five analyses at full alpha are wrong more often than one; with alpha spending they are not."""
    window = draw(one_server(0.95), 300, runs=100)
    naive, spent = early_stopping_rates(window, naive=True), early_stopping_rates(window)
    assert naive.met + naive.breached > spent.met + spent.breached
    assert max(spent.met, spent.breached) / 100 <= 0.05


def test_pooled_runs_are_no_more_often_wrong_than_one() -> None:
    """Three runs end to end."""
    window = draw(one_server(0.95), 60, runs=150)
    pooled = pooled_rates(joined(window, 3), 3)
    assert pooled.runs == 50
    assert max(pooled.met, pooled.breached) <= 2


def test_runs_that_differ_fool_one_sample_and_not_a_pool() -> None:
    """Each run has its own true share: its requests say little about the next one's."""
    window = differing(np.random.default_rng(7), runs=RUNS, seconds=60, pooled=3)
    pooled, as_one = pooled_rates(window, 3), our_rates(window)
    assert max(pooled.met, pooled.breached) / RUNS <= 0.05
    assert as_one.met / RUNS > 0.15


def test_a_pool_of_long_runs_that_differ_is_not_called_breached_by_chance() -> None:
    """Each is long enough for the nominal rate by itself; three do not show how much runs differ."""
    rng = np.random.default_rng(8)
    window = differing(rng, runs=100, seconds=300, pooled=3, uniform=True)
    found = pooled_rates(window, 3)
    assert max(found.met, found.breached) <= 5


def test_holm_fails_fewer_gates_than_each_objective_by_itself() -> None:
    """Twelve objectives at their limits over a minute, forty times."""
    plain, corrected = Rates(0), Rates(0)
    for window in windows(
        one_server(0.95), np.random.default_rng(5), runs=480, seconds=60, share=0.05, chunk=240
    ):
        one, two = family_rates(window, 12)
        plain, corrected = plain + one, corrected + two
    assert plain.runs == 40
    assert plain.breached > corrected.breached
    assert corrected.breached <= 2
    assert plain.met == 0


def test_a_busy_queue_that_is_steady_seldom_seems_unsteady() -> None:
    """Three tests that share 2 %."""
    assert unsteady(draw(one_server(0.8), 120).counts) / RUNS <= 0.03


@pytest.mark.parametrize(("wrong", "over"), [(0, False), (30, False), (43, False), (44, True), (600, True)])
def test_a_rate_that_is_more_than_chance_makes_of_the_nominal_one_is_marked(wrong: int, over: bool) -> None:
    """5 % of 600 are 30; by the lower 99 % bound 44 are too many."""
    assert exceeds(wrong, 600, 0.05) is over


def test_a_closed_loop_with_rare_stops_is_met_where_it_is_clear_and_only_there() -> None:
    """At the true mean hardly ever, though most minutes show no stop; at half of it, mostly."""
    loop = CLOSED_LOOPS[1]
    for limit, least, most in ((1.0, 0, 10), (0.5, 160, 200)):
        assert least <= loop.rates(np.random.default_rng(1), RUNS, 60, limit).met <= most


def test_the_simulated_sample_of_a_closed_loop_is_the_products() -> None:
    """What is graded in the simulation is what a run with users gives."""
    served = CLOSED_LOOPS[0].draw(np.random.default_rng(2), 1, 20)[0].tolist()
    run = make_evidence(make_recording([make_slice(t, {5: count}) for t, count in enumerate(served)]))
    spec = make_spec('  rps_per_instance: {silver: ">= 90/s"}\n')
    objective = spec.objectives[0]
    assert measured(run).client_sample(objective, objective.limits["silver"], spec) == sample(served)


def test_a_scraper_sees_failures_where_they_were() -> None:
    """Outages at the limit, and twice as many: hardly ever met, and the clear case is decided mostly."""
    service = SERVICES[3]
    at_limit = scraped_rates(service, np.random.default_rng(1), runs=60, interval=5.0)
    twice = scraped_rates(service, np.random.default_rng(2), runs=20, interval=5.0, truth=0.1)
    assert max(at_limit["server"].met, at_limit["both"].met, at_limit["gate"].breached) <= 8
    assert twice["server"].breached >= 15


def test_a_server_that_counts_alone_does_not_meet_a_rate_that_seldom_stops() -> None:
    """On a schedule of arrivals, too, its best scrape alone says what could have been served."""
    loop = CLOSED_LOOPS[1]
    for limit, least, most in ((1.0, 0, 6), (0.5, 90, 100)):
        assert least <= loop.rates(np.random.default_rng(1), 100, 300, limit, scrape_s=5).met <= most


@pytest.mark.parametrize(("model", "bursts_s"), BURSTS[3:], ids=["stalls", "slow phases"])
@pytest.mark.parametrize("truth", [0.025, 0.1])
def test_many_windows_are_judged_at_once_as_each_by_itself(
    model: Model, bursts_s: float, truth: float
) -> None:
    """At two levels, where some are decided and some are not; with and without a condition on bursts."""
    (drawn,) = windows(model, np.random.default_rng(4), runs=40, seconds=300, share=0.05, truth=truth)
    for level, stated_s in (
        (Fraction(95, 100), 0.0),
        (Fraction(95, 100), bursts_s),
        (Fraction(999, 1000), bursts_s),
    ):
        window = replace(drawn, level=level, bursts_s=stated_s)
        assert many_rates(window) == our_rates(window)


@pytest.mark.parametrize("change", DRIFTS[:4:3], ids=lambda change: change.name)
def test_what_breaks_within_five_minutes_raises_an_alarm(change: Change) -> None:
    """Failures that rise from none, and latencies that triple at the end."""
    assert change.alarms(np.random.default_rng(1), 50, 300) >= 45


def test_what_became_worse_is_met_where_its_end_is_far_from_the_limit_and_only_there() -> None:
    """Latencies that triple in the last tenth, of five minutes."""
    change = DRIFTS[3]
    assert change.met(np.random.default_rng(2), 20, 300, 1) <= 2
    assert change.met(np.random.default_rng(2), 20, 300, 4) >= 18


def labels(text: str) -> list[tuple[str, ...]]:
    """Return the head cells of each table row: those before the first number."""
    rows = re.findall(r"^\| (.+) \|$", text, re.MULTILINE)
    cells = [tuple(row.split(" | ")) for row in rows]
    return [
        tuple(cell for cell in row if not NUMBER.fullmatch(cell))
        for row in cells
        if NUMBER.fullmatch(row[-1])
    ]


def test_the_page_shows_the_output_of_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row that the command prints stands on the page, in the same order, and no other.

    Only the rows' names are compared: limits need not be exact, so that they are taken from short runs.
    """
    short = np.random.default_rng(1).exponential(0.01, 10_000)
    monkeypatch.setattr("tests.simulation.models._long_run", lambda _model: short)
    main(["--runs", "2"])
    printed = capsys.readouterr().out
    assert "`python -m tests.simulation --runs 2`: 2 runs a row, seed" in printed
    page = PAGE.read_text().partition("## Measured")[2].partition("\n## ")[0]
    assert labels(page) == labels(printed) != []
