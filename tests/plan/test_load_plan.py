"""The plan before the run: what will be sent, and what that can prove."""

from fractions import Fraction

import pytest

from slocheck.grading.plan_check import shortfall
from slocheck.plan.forecast import Forecast, ProofNeed, forecast, proof_needs
from slocheck.plan.load_plan import thresholds_ns
from slocheck.reporters.terminal.plan import plan_lines
from slocheck.reporters.terminal.workload import plot
from slocheck.scenario.loader import parse_scenario
from slocheck.scenario.model import Scenario
from slocheck.scenario.request_mix import requests_per_arrival
from slocheck.spec.loader import parse_spec
from slocheck.spec.model import Endpoint, Spec
from slocheck.spec.model.load_profile import Stage
from slocheck.statistics.sample_size import requests_needed

SCENARIO = b"""\
flows:
  - name: look
    weight: 3
    steps:
      - get: /items
      - {get: /items/1, name: "GET /items/{id}"}
      - {get: /items/2, name: "GET /items/{id}"}
  - name: buy
    steps: [{post: /checkout}]
"""
SPEC = """\
service: shop
target: {{url: "http://127.0.0.1:8000"}}
workload: {{scenario: browse.yaml, {load}, warmup: 10s}}
tiers: [silver, gold]
objectives:
  error_rate: {{silver: "< 1%", gold: "< 0.01%"}}
  checkout: {{indicator: latency_p95, endpoint: "POST /checkout", silver: "< 300ms"}}
gate: silver
"""


def _no_file(path: str, limit: int) -> bytes:
    raise AssertionError(f"{path} up to {limit}: this scenario names no file")


def scenario() -> Scenario:
    """Return a scenario of two flows, 3 to 1."""
    return parse_scenario(SCENARIO, "browse.yaml", environment={}, read=_no_file)


def spec(load: str) -> Spec:
    """Return a spec with a load."""
    return parse_spec(SPEC.format(load=load).encode(), "slo.yaml")


def test_an_arrival_sends_its_flow_by_weight() -> None:
    """Three of four arrivals look, with three requests each."""
    assert requests_per_arrival(scenario()) == {
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
    planned = forecast(spec(load), requests_per_arrival(scenario()))
    assert planned.arrivals == arrivals
    assert planned.to(None) == (arrivals and 2.5 * arrivals)
    assert planned.to(Endpoint("POST", "/checkout")) == (arrivals and 0.25 * arrivals)


def test_a_locust_file_tells_no_endpoints() -> None:
    """A task is taken for one request, of an endpoint that nobody knows."""
    planned = Forecast(1000.0, None)
    assert planned.to(None) == 1000
    assert planned.to(Endpoint("GET", "/")) is None


def test_what_a_proof_needs_is_held_against_the_plan() -> None:
    """The textbook case: 0.01 % at 95 % takes 46,050 requests, 24,000 are planned in two minutes."""
    shop = spec("rate: 80/s, duration: 2m")
    planned = forecast(shop, requests_per_arrival(scenario()))
    needs = proof_needs(shop, lambda share: requests_needed(share, 0.01), planned)
    gold = next(need for need in needs if need.level == "gold")
    assert (gold.requests, gold.expected, gold.provable) == (46_050, 24_000, False)
    assert gold.window_s == pytest.approx(230.25)
    assert shortfall(gold, shop) == (
        "gold error_rate needs about 46,050 requests even if none is bad; "
        "this plan sends about 24,000; a window of 3m51s at 200/s would do"
    )
    checkout = next(need for need in needs if need.objective == "checkout")
    assert (checkout.requests, checkout.expected, checkout.provable) == (90, 2400, True)


@pytest.mark.parametrize(
    ("requests", "expected", "provable"),
    [
        pytest.param(100, 100.0, True, id="just enough"),
        pytest.param(101, 100.0, False, id="one short"),
        pytest.param(100, None, True, id="nobody knows"),
        pytest.param(None, 0.0, True, id="no share of requests"),
    ],
)
def test_a_plan_may_be_enough(requests: int | None, expected: float | None, *, provable: bool) -> None:
    """Only what is known to be too little is called so."""
    assert ProofNeed("a", "gold", "< 1%", requests, expected, None, None).provable is provable


def test_the_head_of_a_run_is_short() -> None:
    """The load, its size, and which tiers it cannot prove; the gate's in full."""
    lines = list(plan_lines(spec("rate: 80/s, duration: 2m"), scenario()))
    assert lines == [
        "load      open model: 80/s, uniform arrivals, at most 160 users at once",
        "phases    10s warm-up (not graded), 2m window, at most 30s drain",
        "requests  about 24,000 in the window",
        "not enough to prove gold; `slocheck run --dry-run` says what is needed",
    ]
    short = list(plan_lines(spec("rate: 1/s, duration: 10s"), scenario()))
    needed = "silver error_rate needs about 459 requests even if none is bad; this plan sends about 25"
    assert f"{needed}; a window of 3m4s at 2.5/s would do" in short


@pytest.mark.parametrize(
    ("objective", "more", "words"),
    [
        pytest.param('error_rate: {silver: "<= 0%"}', "", "cannot be proven", id="no error at all"),
        pytest.param('availability: {critical: ">= 100%"}', "", "cannot be proven", id="never down"),
        pytest.param('error_rate: {silver: "<= 0%"}', "confidence: none", "", id="as observed"),
        pytest.param(
            'rps_per_instance: {silver: ">= 300/s"}',
            "",
            "offers 100/s per instance; it takes about 3 times",
            id="rate",
        ),
        pytest.param('rps_per_instance: {silver: ">= 100/s"}', "", "", id="a rate that is offered"),
    ],
)
def test_what_no_number_of_requests_proves_is_said_before_the_run(
    objective: str, more: str, words: str
) -> None:
    """80 arrivals/s of 2.5 requests on two instances are 100 requests/s each."""
    text = spec("rate: 80/s, duration: 2m").text.replace('8000"}', '8000", instances: 2}')
    text = text.replace("gate:", f"  one_more: {{indicator: {objective.replace(': {', ', ', 1)}\ngate:")
    lines = plan_lines(parse_spec(f"{text}{more}\n".encode(), "slo.yaml"), scenario())
    found = [line for line in lines if "one_more" in line]
    assert len(found) == bool(words)
    assert words in "".join(found)


def test_a_window_too_short_for_any_verdict_is_said_before_the_run() -> None:
    """Under ten slices nothing is decided, however many requests there are."""
    lines = list(plan_lines(spec("rate: 500/s, duration: 9s"), scenario()))
    assert "a window of 9s is too short for any verdict; it needs 10s" in lines
    assert "too short" not in " ".join(plan_lines(spec("rate: 500/s, duration: 10s"), scenario()))


def test_several_analyses_need_more_requests() -> None:
    """The last analysis has 36 % of alpha left: 560 good requests where a single one needs 459."""
    head = [
        " ".join(plan_lines(spec("rate: 20/s, duration: 10s"), scenario(), until_decided=several))
        for several in (False, True)
    ]
    assert "silver error_rate" not in head[0]
    assert "silver error_rate needs about 560 requests" in head[1]
    assert "interim   analyses after 2s, 4s, 6s, 8s; each may end the run" in head[1]


def test_the_course_is_plotted() -> None:
    """A ramp rises, a level is flat, the highest is a full bar."""
    drawn = plot((Stage(0, 100, 30), Stage(100, 100, 15), Stage(50, 50, 15)))
    assert len(drawn) == 60
    assert list(drawn[:30]) == sorted(drawn[:30])
    assert set(drawn[30:45]) == {"█"}
    assert len(set(drawn[45:])) == 1
    assert drawn[0] < drawn[50] < drawn[44]


def test_each_limit_is_counted_exactly() -> None:
    """A strict limit counts from itself on, a lax one from the next nanosecond."""
    strict = parse_spec(SPEC.format(load="users: 1, duration: 10s").encode(), "slo.yaml")
    assert 300_000_000 in thresholds_ns(strict)
    lax = SPEC.replace('"< 300ms"', '"<= 300ms"').format(load="users: 1, duration: 10s")
    assert 300_000_001 in thresholds_ns(parse_spec(lax.encode(), "slo.yaml"))
    assert Fraction(3, 10) in {limit.value for item in strict.objectives for limit in item.limits.values()}
