"""The recorder: exact counts by endpoint and second, and each request in flight counted once."""

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.histogram import bucket_index, merge
from slocheck.evidence.merge import MAX_ENDPOINTS, MAX_NAME, OTHER_ENDPOINT, RecordingBuilder
from slocheck.evidence.recording import BEFORE_LOAD, FailureClass, SliceCounts
from slocheck.load.recording.recorder import Recorder, Result
from slocheck.load.tracking import REQUEST_KEY, Tracker
from slocheck.plan.load_plan import LoadPlan
from slocheck.spec.model import CacheRule, Endpoint, FailureRule

S = 1_000_000_000
THRESHOLDS = (1000, 2000)


@given(st.lists(st.tuples(st.integers(0, 3 * S), st.integers(1, 3000)), max_size=40), st.integers(1, 40))
def test_flushes_add_up_to_the_exact_counts(requests: list[tuple[int, int]], every: int) -> None:
    """However often it is flushed, counts over limits, histogram, sum and maximum are exact."""
    recorder, builder = Recorder(THRESHOLDS), RecordingBuilder(THRESHOLDS)
    for number, (start, latency) in enumerate(requests):
        recorder.record("GET", "/", Result(start, latency, status=200, size=2))
        if number % every == 0:
            builder.add_delta(recorder.flush())
    builder.add_delta(recorder.flush())
    slices = [counts for e in builder.recording(0, 4).endpoints for counts in e.slices]
    assert {counts.second for counts in slices} == {start // S for start, _ in requests}
    for counts in slices:
        latencies = [latency for start, latency in requests if start // S == counts.second]
        assert counts.ok == counts.statuses[200] == len(latencies)
        assert counts.over == tuple(sum(ns >= limit for ns in latencies) for limit in THRESHOLDS)
        assert counts.latencies == merge({bucket_index(ns): 1} for ns in latencies)
        assert (counts.total_ns, counts.max_ns) == (sum(latencies), max(latencies))
        assert counts.bytes_received == 2 * len(latencies)


def test_failures_stay_out_of_the_latencies_that_are_graded() -> None:
    """A refused connection is not a fast response."""
    recorder = Recorder(THRESHOLDS)
    recorder.origin_ns = 5 * S
    recorder.record("GET", "/", Result(7 * S, 1500, FailureClass.REFUSED, 0, "no"))
    recorder.record("GET", "/", Result(4 * S, 1500, FailureClass.STATUS, 503, "HTTP 503", cache=-1))
    delta = recorder.flush()
    assert dict(delta.counts[0:1])[Endpoint("GET", "/")] == SliceCounts(
        second=2,
        failures={FailureClass.REFUSED: 1},
        statuses={0: 1},
        unserved=1,
        over=(0, 0),
        failed_latencies={bucket_index(1500): 1},
    )
    assert delta.counts[1][1].second == 0, "what was sent before the load began is of its first second"
    assert (delta.counts[1][1].cache_misses, delta.counts[1][1].unserved) == (1, 1)
    assert [(error.message, error.second) for error in delta.errors] == [("no", 2), ("HTTP 503", 0)]
    assert recorder.flush().counts == ()


@pytest.mark.parametrize("status", [None, 0, 200, 503])
def test_what_failed_on_this_machine_has_no_status(status: int | None) -> None:
    """No descriptor is left while a client reports a response: the target's counts lack the request."""
    recorder = Recorder(THRESHOLDS)
    recorder.record("GET", "/", Result(S, 1500, FailureClass.GENERATOR, status, "too many open files"))
    counts = recorder.flush().counts[0][1]
    assert (counts.statuses, counts.unserved) == ({0: 1}, 1)


def test_the_slowest_responses_are_kept_with_their_status() -> None:
    """Ten of each endpoint after the warm-up; only requests with a response, failed ones among them."""
    recorder, builder = Recorder((), warmup_s=1), RecordingBuilder(())
    for number in range(40):
        second = number // 10
        recorder.record("GET", "/", Result(second * S, 1000 + number, status=200))
        recorder.counter("GET", "/lean").ok(second * S, second * S, second * S + 10 + number, 204, 0, cache=0)
        if number == 12:
            recorder.record("GET", "/", Result(second * S, 9000, FailureClass.STATUS, 503, "HTTP 503"))
            recorder.record("GET", "/", Result(second * S, 9999, FailureClass.TIMEOUT, 0, "timeout"))
        if number % 7 == 0:
            builder.add_delta(recorder.flush())
    recorder.record("POST", "/odd", Result(2 * S, 5))
    recorder.record("POST", "/warm-up", Result(0, 500_000, status=200))
    builder.add_delta(recorder.flush())
    found = builder.recording(1, 3).slowest
    by_name = {name: [one for one in found if one.endpoint.name == name] for name in ("/", "/lean", "/odd")}
    assert [one.latency_ns for one in by_name["/"]] == [9000, *range(1039, 1030, -1)]
    assert [(one.second, one.status, one.failure) for one in by_name["/"][:2]] == [
        (1, 503, FailureClass.STATUS),
        (3, 200, None),
    ]
    assert [one.latency_ns for one in by_name["/lean"]] == list(range(49, 39, -1))
    assert [(one.latency_ns, one.status) for one in by_name["/odd"]] == [(5, 0)]
    assert len(found) == 21


def test_names_are_bounded() -> None:
    """An endless supply of names does not fill the memory, and no request is lost."""
    graded = Endpoint("GET", "/buy")
    recorder = Recorder((), [graded])
    for number in range(MAX_ENDPOINTS + 5):
        recorder.record("GET", f"/{number}", Result(0, 1))
    recorder.record("GET", "/buy", Result(0, 1))
    counts = dict(recorder.flush().counts)
    assert counts[OTHER_ENDPOINT].ok == 5
    assert counts[graded].ok == 1, "an endpoint that is reserved keeps its name"
    assert len(counts) == MAX_ENDPOINTS + 2
    recorder = Recorder(())
    for end in "ab":  # so long that a report of it would not arrive
        recorder.record("GET" * 50_000, f"{'/' * 100_000}{end}", Result(0, 1))
    ((endpoint, cut),) = recorder.flush().counts
    assert (len(endpoint.method), len(endpoint.name), cut.ok) == (MAX_NAME, MAX_NAME, 2)


@pytest.fixture
def tracker() -> Tracker:
    """Return a tracker whose load has just begun."""
    plan = LoadPlan(
        target_url="http://h",
        scenario="s.py",
        users=1,
        spawn_rate=1,
        warmup_s=0,
        duration_s=1,
        drain_s=1,
        thresholds_ns=(),
        failures=FailureRule(),
        cache=CacheRule(),
    )
    tracker = Tracker(plan, lambda *_: None)
    tracker.recorder.origin_ns = time.monotonic_ns()
    return tracker


def counted(tracker: Tracker) -> SliceCounts:
    """Return the only slice that was recorded."""
    ((_, counts),) = tracker.recorder.flush().counts
    return counts


class Response:
    """A stub of a client's response."""

    def __init__(self, status: int = 200, error: Exception | None = None) -> None:
        self.status_code = status
        self.error = error
        self.headers: dict[str, str] = {}


def test_an_event_closes_its_flight_once(tracker: Tracker) -> None:
    """The second event of a request, and one after it was given up, are not counted."""
    request = tracker.requests.begin("GET", "/")
    tracker.on_request("GET", "/", 3.0, response=Response(), context={REQUEST_KEY: request})
    tracker.on_request("GET", "/", 3.0, response=Response(), context={REQUEST_KEY: request})
    tracker.give_up(as_timeouts=True)
    counts = counted(tracker)
    assert (counts.sent, counts.ok, counts.total_ns) == (1, 1, 3_000_000)


def test_the_events_context_is_left_as_the_scenario_made_it(tracker: Tracker) -> None:
    """Listeners of the scenario do not see the request."""
    context = {REQUEST_KEY: tracker.requests.begin("GET", "/"), "own": 1}
    tracker.on_request("GET", "/", 3.0, response=Response(), context=context)
    assert context == {"own": 1}


def test_giving_up_records_or_confesses(tracker: Tracker) -> None:
    """At the drain's end a request in flight failed at its age; after an interrupt it is unrecorded."""
    tracker.requests.begin("GET", "/")
    tracker.give_up(as_timeouts=True)
    counts = counted(tracker)
    assert counts.failures == {FailureClass.TIMEOUT: 1}
    assert (tracker.in_flight, tracker.unrecorded, len(tracker.requests)) == (1, 0, 0)
    tracker.requests.begin("GET", "/")
    tracker.give_up(as_timeouts=False)
    assert (tracker.in_flight, tracker.unrecorded, len(tracker.requests)) == (1, 1, 0)
    assert tracker.recorder.flush().counts == ()


@pytest.mark.parametrize(
    ("leaving", "age_s", "counted_as", "unrecorded"),
    [
        pytest.param(True, 0, {}, 0, id="as its user leaves: left out, as in Locust"),
        pytest.param(True, 2, {FailureClass.UNEXPECTED: 1}, 0, id="the same, but slow: possibly bad"),
        pytest.param(False, 0, {}, 1, id="in the middle of the load: lost"),
    ],
)
def test_a_request_that_the_file_kills(
    tracker: Tracker, counted_as: dict[FailureClass, int], age_s: int, unrecorded: int, *, leaving: bool
) -> None:
    """It is not the target's failure, and what hangs is not left out."""
    tracker._plan = replace(tracker._plan, shortest_limit_ns=10**9)
    request = tracker.requests.begin("GET", "/")
    request.start_ns -= age_s * 10**9
    tracker.killed(request, leaving=leaving)
    counts = [part.failures for _, part in tracker.recorder.flush().counts]
    assert counts == ([counted_as] if counted_as else [])
    assert (tracker.unrecorded, len(tracker.requests)) == (unrecorded, 0)


class InterruptTaskSet(Exception):  # noqa: N818 - Locust's name
    """It has the name that Locust gives it."""


@pytest.mark.parametrize(
    ("error", "status", "expected"),
    [
        pytest.param(KeyError(), 200, {FailureClass.EXPECTATION: 1}, id="an exception is a failure"),
        pytest.param(InterruptTaskSet(), 200, {}, id="control flow is none"),
        pytest.param(KeyError(), 500, {FailureClass.STATUS: 1}, id="the status comes first"),
    ],
)
def test_a_block_that_is_left(
    tracker: Tracker, error: Exception, status: int, expected: dict[FailureClass, int]
) -> None:
    """A `catch_response` block that is left by an exception counts by its cause."""
    request, response = tracker.requests.begin("GET", "?"), Response(status)
    meta = {"exception": None, "response_time": 2.0, "name": "/", "response_length": 0}
    tracker.responded(request, response, meta)
    tracker.block_ended(request, error)
    tracker.block_ended(request, error)
    assert counted(tracker).failures == expected


def test_a_missing_response_is_not_made_good(tracker: Tracker) -> None:
    """`response.success()` after a refused connection is still a refused connection."""
    refused = Response(0, error=ConnectionRefusedError(111, "refused"))
    tracker.on_request("GET", "/", 1.0, response=refused, exception=None, context={})
    counts = counted(tracker)
    assert counts.failures == {FailureClass.REFUSED: 1}
    assert (counts.unserved, counts.statuses) == (1, {0: 1})


class Raises:
    """Raises the error that it was given."""

    def __float__(self) -> float:
        raise KeyError

    def __str__(self) -> str:
        raise KeyError

    __bool__ = __repr__ = __str__


@pytest.mark.parametrize(
    "reported",
    [
        *({"response_time": value} for value in (None, float("nan"), 1e300, 10**400, -(10**30), -0.001, "5")),
        {"response_time": Raises()},
        *({"response": Response(status)} for status in (10**30, -(10**30), -1, 1000)),
        {"exception": Raises()},
    ],
    ids=lambda reported: next(iter(reported)),
)
def test_a_request_that_cannot_be_counted_as_reported_is_lost(tracker: Tracker, reported: Any) -> None:
    """It was sent and its outcome is unknown: it is reported by name, not counted as a fast success."""
    told: list[str] = []
    tracker._on_unsent = lambda *_: told.append("told")
    arguments = {"request_type": "RPC", "name": "x", "response_time": 1.0, **reported}
    tracker.on_request(**arguments)
    assert (tracker.unrecorded, told) == (1, ["told"])
    assert tracker.recorder.flush().counts == ()


def test_what_is_odd_beside_the_time_costs_that_alone(tracker: Tracker) -> None:
    """An impossible size, start or name replaces nothing; a time of 0 is 1 ns."""
    for size in (-(10**30), 10**30, 1e300, "5", None):
        tracker.on_request("RPC", "x", 0.0, response_length=size, start_time=1e300)
    counts = counted(tracker)
    assert (counts.ok, counts.max_ns, counts.bytes_received, tracker.unrecorded) == (5, 1, 0, 0)
    tracker.on_request(Raises(), "\ud800" * 10_000, 1.0)  # type: ignore[arg-type]
    ((endpoint, _),) = tracker.recorder.flush().counts
    assert endpoint == Endpoint("(Raises)", "\ud800" * MAX_NAME)


@pytest.mark.parametrize(
    ("ago_s", "second"),
    [
        pytest.param(2.5, 3, id="an earlier start is believed"),
        pytest.param(-3, 5, id="none after the response"),
        pytest.param(9, 5, id="none before the load"),
        pytest.param(None, 5, id="absent"),
    ],
)
def test_the_start_of_an_unknown_clients_request(tracker: Tracker, ago_s: float | None, second: int) -> None:
    """An event is put into the second of its start, by its own clock if that is plausible."""
    tracker.recorder.origin_ns -= round(5.7 * S)
    start = None if ago_s is None else time.time() - ago_s
    tracker.on_request("RPC", "x", 100.0, start_time=start)
    assert counted(tracker).second == second


def test_a_response_that_nobody_looks_at_is_settled(tracker: Tracker) -> None:
    """A `catch_response` request without its block counts by its status, once its response is gone."""
    request, response = tracker.requests.begin("GET", "?"), Response()
    tracker.responded(
        request, response, {"exception": None, "response_time": 2.0, "name": "/", "response_length": 0}
    )
    tracker.settle_forgotten()
    assert len(tracker.requests) == 1, "its block may still come"
    del response
    tracker.settle_forgotten()
    assert len(tracker.requests) == 0
    assert counted(tracker).ok == 1


def test_what_was_sent_before_the_load_has_a_slice_of_its_own() -> None:
    """Logins of the open model's users are neither in a warm-up nor in a window, however they are counted."""
    recorder = Recorder((1,))
    recorder.begin(1000 * S, BEFORE_LOAD)
    counter = recorder.counter("GET", "login")
    counter.ok(5 * S, 5 * S, 5 * S + 1, 200, 0, cache=0)
    recorder.record("GET", "login", Result(6 * S, 1))
    recorder.begin(7 * S, BEFORE_LOAD)
    counter.ok(7 * S, 7 * S, 7 * S + 1, 200, 0, cache=0)
    recorder.record("GET", "login", Result(round(6.9 * S), 1))
    seconds = {part.second: part.ok for _, part in recorder.flush().counts}
    assert seconds == {BEFORE_LOAD: 3, 0: 1}
