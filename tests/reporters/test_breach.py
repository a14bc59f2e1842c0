"""The breakdown of an objective that is not met: where the bad requests were, in words."""

from collections.abc import Mapping

import pytest

from slocheck.evidence.recording import EndpointRecording, FailureClass, Recording
from slocheck.reporters.breach import Breakdown, breakdown, lead_text
from slocheck.reporters.html.charts.clock import clock_of
from slocheck.spec.model import Endpoint, FailureRule
from tests.builders.recordings import THRESHOLDS, make_slice
from tests.builders.reports import parsed

SPEC = """\
service: shop-api
target: {url: "http://127.0.0.1:8000"}
workload: {scenario: browse.py, users: 10, spawn_rate: 10/s, warmup: 10s, duration: 100s}
tiers: [silver]
objectives:
  latency_p95: {silver: "< 200ms"}
  error_rate: {silver: "< 0.1%"}
  availability: {silver: ">= 99.9%"}
  cache_hit_rate: {silver: "> 90%"}
gate: silver
"""
LATENCY, ERRORS, AVAILABILITY, CACHE = parsed(SPEC).objectives
SEARCH, ITEMS = Endpoint("GET", "/search"), Endpoint("GET", "/items")
CLOCK = clock_of("2026-01-02T14:02:40Z")


def recorded(slow: Mapping[Endpoint, range]) -> Recording:
    """Return two minutes of two endpoints, each with ten slow requests a second in these seconds."""
    items = tuple(
        EndpointRecording.of(
            endpoint,
            tuple(
                make_slice(second, {20: 90, 300: 10 if second in slow.get(endpoint, ()) else 0})
                for second in range(110)
            ),
        )
        for endpoint in (SEARCH, ITEMS)
    )
    return Recording(THRESHOLDS, items, (), 10, 100)


def of_latency(found: Recording) -> Breakdown:
    """Break down the breach of the latency objective."""
    parts = breakdown(LATENCY, LATENCY.limits["silver"], found, FailureRule())
    assert parts is not None
    return parts


@pytest.mark.parametrize(
    ("slow", "lead"),
    [
        pytest.param(
            {SEARCH: range(30, 60)},
            "90% of the 300 requests that failed or took 200ms or longer went to GET /search between "
            "14:03:10 and 14:03:37",
            id="one endpoint, one stretch",
        ),
        pytest.param(
            {SEARCH: range(30, 60), ITEMS: range(40, 42)},
            "84% of the 320 requests that failed or took 200ms or longer went to GET /search between "
            "14:03:10 and 14:03:37",
            id="most of it one endpoint",
        ),
        pytest.param(
            {SEARCH: range(10, 110)},
            "100% of the 1,000 requests that failed or took 200ms or longer went to GET /search, spread over "
            "the window",
            id="one endpoint, all the time",
        ),
        pytest.param(
            {SEARCH: range(50, 55), ITEMS: range(50, 55)},
            "100% of the 100 requests that failed or took 200ms or longer were sent between 14:03:30 and "
            "14:03:35",
            id="all endpoints, one stretch",
        ),
        pytest.param(
            {SEARCH: range(10, 110), ITEMS: range(10, 110)},
            "the 2,000 requests that failed or took 200ms or longer are spread over the window and over 2 "
            "endpoints",
            id="everywhere",
        ),
    ],
)
def test_the_sentence_says_where_most_of_them_were(slow: Mapping[Endpoint, range], lead: str) -> None:
    """The endpoint with more than half of them, and the shortest time that holds nine tenths of those."""
    assert lead_text(of_latency(recorded(slow)), 100, CLOCK.moment) == lead


def test_a_limit_that_may_be_reached_is_broken_by_what_took_longer() -> None:
    """With `<=`, a request that takes exactly the limit is good."""
    (objective, *_) = parsed(SPEC.replace("< 200ms", "<= 200ms")).objectives
    parts = breakdown(objective, objective.limits["silver"], recorded({SEARCH: range(30, 60)}), FailureRule())
    assert parts is not None
    assert parts.what == (
        "request that failed or took longer than 200ms",
        "requests that failed or took longer than 200ms",
    )


def test_the_statuses_are_named_and_add_up() -> None:
    """Slow responses, each failing status and each other class; availability counts what was not served."""
    failures = {FailureClass.STATUS: 5, FailureClass.TIMEOUT: 2, FailureClass.UNEXPECTED: 3}
    statuses = {200: 10, 503: 4, 429: 1, 404: 3, 0: 2}
    part = make_slice(12, {20: 6, 300: 4}, failures=failures, statuses=statuses, cache=(7, 3))
    found = Recording(THRESHOLDS, (EndpointRecording.of(SEARCH, (part,)),), (), 10, 100)
    kinds = {
        objective.name: dict(parts.kinds)
        for objective in (LATENCY, ERRORS, AVAILABILITY, CACHE)
        if (parts := breakdown(objective, objective.limits["silver"], found, FailureRule())) is not None
    }
    failed = {"status 503": 4, "status 429": 1, "failed: timeout": 2}
    assert kinds == {
        "latency_p95": {"answered, but too slow": 4, **failed},
        "error_rate": failed,
        "availability": {"status 503": 4, "no response": 2},
        "cache_hit_rate": {},
    }


def test_nothing_bad_is_not_taken_apart() -> None:
    """Without a bad request there is nothing to say."""
    assert breakdown(LATENCY, LATENCY.limits["silver"], recorded({}), FailureRule()) is None
