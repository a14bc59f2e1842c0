"""The plan before the run: what will be sent, and what that can prove."""

from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.plan.forecast import Forecast, forecast, obstacles, proof_needs
from slocheck.plan.load_plan import thresholds_ns
from slocheck.scenario.request_mix import requests_per_arrival
from slocheck.spec.loader import parse_spec
from slocheck.spec.model import Endpoint
from slocheck.spec.model.load_profile import Stage
from slocheck.statistics.sample_size import requests_needed
from tests.builders.load_plans import make_plan
from tests.builders.plans import SPEC, shop_scenario, shop_spec
from tests.builders.specs import make_spec


@pytest.mark.parametrize(
    ("users", "stages", "rate"),
    [
        pytest.param(100, (Stage(20, 20, 60),), 20, id="the plan's rate"),
        pytest.param(100, (Stage(0, 50, 60), Stage(50, 10, 60)), 50, id="the highest rate of a profile"),
        pytest.param(600, (Stage(1, 1, 60),), 5, id="two minutes at the most"),
    ],
)
def test_users_start_at_the_plans_rate(users: int, stages: tuple[Stage, ...], rate: float) -> None:
    """The target gets no burst of logins beyond the plan."""
    assert make_plan("http://h", "/a.py", users=users, rate=stages).start_rate == rate


def test_an_arrival_sends_its_flow_by_weight() -> None:
    """Three of four arrivals look around, with three requests each."""
    assert requests_per_arrival(shop_scenario()) == {
        Endpoint("GET", "/items"): 0.75,
        Endpoint("GET", "/items/{id}"): 1.5,
        Endpoint("POST", "/checkout"): 0.25,
    }


@pytest.mark.parametrize(
    ("load", "arrivals"),
    [
        pytest.param("rate: 200/s, duration: 2m", 24_000, id="constant"),
        pytest.param(
            "rate: [{to: 100/s, for: 20s}, {rate: 100/s, for: 10s}]", 1_750, id="a ramp, cut by the warm-up"
        ),
        pytest.param("users: 5, duration: 2m", None, id="closed: nobody knows"),
    ],
)
def test_the_window_is_forecast(load: str, arrivals: float | None) -> None:
    """Arrivals of the warm-up are sent, too, but not counted on."""
    planned = forecast(shop_spec(load), requests_per_arrival(shop_scenario()))
    assert planned.arrivals == arrivals
    assert planned.to(None) == (arrivals and 2.5 * arrivals)
    assert planned.to(Endpoint("POST", "/checkout")) == (arrivals and 0.25 * arrivals)


def test_a_locust_file_tells_no_endpoints() -> None:
    """A task counts as one request, to an unknown endpoint."""
    planned = Forecast(1000.0, None)
    assert planned.to(None) == 1000
    assert planned.to(Endpoint("GET", "/")) is None


def test_what_a_proof_needs_is_held_against_the_plan() -> None:
    """The textbook case: 0.01 % at 95 % takes 46,050 requests, 24,000 are planned in two minutes."""
    shop = shop_spec("rate: 80/s, duration: 2m")
    planned = forecast(shop, requests_per_arrival(shop_scenario()))
    needs = proof_needs(shop, lambda share: requests_needed(share, 0.01), planned)
    gold = next(need for need in needs if need.level == "gold")
    assert (gold.requests, gold.expected, gold.provable) == (46_050, 24_000, False)
    assert gold.window_s == pytest.approx(230.25)
    checkout = next(need for need in needs if need.objective == "checkout")
    assert (checkout.requests, checkout.expected, checkout.provable) == (90, 2400, True)


@pytest.mark.parametrize(
    ("requests", "expected", "provable"),
    [
        pytest.param(100, 100.0, True, id="just enough"),
        pytest.param(101, 100.0, False, id="one short"),
        pytest.param(100, None, True, id="nobody knows"),
    ],
)
def test_a_plan_may_be_enough(requests: int, expected: float | None, *, provable: bool) -> None:
    """Only what is known to be too little is called so."""
    spec = make_spec('  error_rate: {gold: "< 1%"}\n', gate="gold")
    (need,) = proof_needs(spec, lambda _: requests, Forecast(expected, None))
    assert need.provable is provable


@pytest.mark.parametrize(("bursts_s", "provable"), [(0.01, True), (1.0, False)])
def test_bursts_need_a_window_of_their_own(bursts_s: float, *, provable: bool) -> None:
    """Each counts once: 100 of them have to fit into the window, however many requests there are."""
    spec = make_spec('  error_rate: {gold: "< 1%"}\n', gate="gold")
    (need,) = proof_needs(spec, lambda _: 100, Forecast(1e6, None), bursts_s)
    assert (need.bursts_window_s, need.provable) == (100 * bursts_s, provable)


@pytest.mark.parametrize(
    ("limit", "requests", "obstacle"),
    [
        pytest.param("90/s", 29, "", id="a tenth may be missing"),
        pytest.param("100/s", None, "offers no more than the limit, so no request may fail", id="all of it"),
        pytest.param("200/s", None, "is out of reach", id="more than is offered"),
    ],
)
def test_a_rate_needs_room_above_its_limit(limit: str, requests: int | None, obstacle: str) -> None:
    """The served part of the offered rate is a share, and needs requests like any other."""
    spec = make_spec(f"  rps_per_instance: {{silver: '>= {limit}'}}\n", more="confidence: 95%\n")
    rate = (Stage(100.0, 100.0, 3600.0),)
    spec = replace(spec, workload=replace(spec.workload, rate=rate))
    planned = forecast(spec, {Endpoint("GET", "/"): 1.0})
    needs = proof_needs(spec, lambda share: requests_needed(share, 0.05), planned)
    assert [need.requests for need in needs] == [requests]
    assert obstacle in " ".join(text for _, text in obstacles(spec, planned))
    assert bool(obstacle) == bool(list(obstacles(spec, planned)))


def test_each_limit_is_counted_exactly() -> None:
    """A strict limit counts from itself on, a lax one from the next nanosecond."""
    strict = parse_spec(SPEC.format(load="users: 1, duration: 10s").encode(), "slo.yaml")
    assert 300_000_000 in thresholds_ns(strict)
    lax = SPEC.replace('"< 300ms"', '"<= 300ms"').format(load="users: 1, duration: 10s")
    assert 300_000_001 in thresholds_ns(parse_spec(lax.encode(), "slo.yaml"))
    assert Fraction(3, 10) in {limit.value for item in strict.objectives for limit in item.limits.values()}
