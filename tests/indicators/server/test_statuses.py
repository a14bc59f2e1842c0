"""Unexpected statuses are neither failures nor successes of the server."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.recording import EndpointRecording, FailureClass, Recording, SliceCounts
from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.grading.assessment import Side
from slocheck.grading.verdict import grade_sample
from slocheck.indicators.samples import NoData, Rate, Share
from slocheck.indicators.server.client_counts import ClientCounts, client_counts
from slocheck.indicators.server.growth.selections import Unexpected
from slocheck.spec.model import Endpoint, FailureRule, Spec
from slocheck.statistics.confidence import criterion_for
from tests.builders.server.histories import PRESET
from tests.builders.server.series import (
    BREACHED,
    ERRORS,
    P95,
    SOURCE,
    counts,
    raw_series,
    sample_of,
    server_series,
    up,
)
from tests.builders.specs import make_spec

TIMES = (95.0, 101.0, 129.0, 140.0)
RPS = make_spec('  rps_per_instance: {bronze: ">= 10/s"}\n', more=SOURCE, gate="bronze")
NOBODY: frozenset[int] = frozenset()


def _responses(*, fast: float = 0.05, **by_status: int) -> ServerSeries:
    """Return a counter and a histogram of responses by status, given as ``s404=7``."""
    series: list[RawSeries] = [up(*TIMES)]
    for name, count in by_status.items():
        grown = dict(zip(TIMES, (0.0, 0.0, float(count), float(count)), strict=True))
        labels = {"status_code": name[1:]}
        series.append(raw_series("http_requests_total", grown, **labels))
        for le in ("0.1", "0.2", "0.5", "+Inf"):
            below = grown if fast <= float(le) else dict.fromkeys(TIMES, 0.0)
            series.append(raw_series(f"{PRESET.histogram}_bucket", below, **labels, le=le))
    return server_series(*series)


def _client(sent: int, *, accepted: frozenset[int] = NOBODY, seen: frozenset[int] = NOBODY) -> ClientCounts:
    return replace(counts(sent), statuses=seen | accepted, accepted=accepted, maybe_accepted=accepted)


@pytest.mark.parametrize("spec", [ERRORS, P95, RPS], ids=["error rate", "latency", "rate"])
@pytest.mark.parametrize("status", ["404", "401", "301", "4xx", "3xx", "100"])
def test_a_server_that_counted_something_else_says_so(spec: Spec, status: str) -> None:
    """A wrong path gets a response fast and without failures: it is not graded, and the status is named."""
    sample = sample_of(spec, _responses(**{f"s{status}": 240}), _client(240))
    assert isinstance(sample, NoData)
    assert "240 of 240 responses" in sample.reason
    assert f"had the unexpected status {status}" in sample.reason


@pytest.mark.parametrize(
    ("by_status", "low", "high"),
    [
        pytest.param({"s200": 990, "s404": 10}, 0, 10, id="404"),
        pytest.param({"s200": 980, "s404": 10, "s500": 10}, 10, 20, id="404 and 500"),
        pytest.param({"s200": 990, "s304": 10}, 0, 0, id="304 is a success"),
        pytest.param({"s204": 1000}, 0, 0, id="204 is a success"),
        pytest.param({"s2xx": 990, "s4xx": 10}, 0, 10, id="4xx"),
        pytest.param({"s2xx": 990, "s3xx": 10}, 0, 10, id="3xx"),
        pytest.param({"s2xx": 990, "s5xx": 10}, 10, 10, id="5xx"),
    ],
)
@pytest.mark.parametrize("spec", [ERRORS, P95], ids=["error rate", "latency"])
def test_unexpected_responses_are_possibly_bad(
    spec: Spec, by_status: dict[str, int], low: int, high: int
) -> None:
    """They widen the upper bound alone, in error rate and latency alike, and a note names them."""
    sample = sample_of(spec, _responses(**by_status), _client(1000))
    assert isinstance(sample, Share)
    assert (sample.low, sample.high) == (Fraction(low, 1000), Fraction(high, 1000))
    assert any("had the unexpected status" in note for note in sample.notes) == (high > low)


@pytest.mark.parametrize(
    ("by_status", "low", "high"),
    [
        pytest.param({"s200": 900, "s404": 100}, 900, 900, id="404 is not served"),
        pytest.param({"s200": 900, "s500": 100}, 900, 900, id="500 is not served"),
        pytest.param({"s2xx": 900, "s4xx": 100}, 900, 1000, id="4xx may be one that is expected"),
        pytest.param({"s200": 1000}, 1000, 1000, id="200 is served"),
    ],
)
def test_unexpected_responses_are_not_served(by_status: dict[str, int], low: int, high: int) -> None:
    """A 404 a millisecond later is not throughput."""
    sample = sample_of(RPS, _responses(**by_status), _client(1000))
    assert isinstance(sample, Rate)
    assert [sample.low * 28, sample.high * 28] == [low, high]


def _without_label(server: ServerSeries) -> ServerSeries:
    return replace(server, preset=replace(PRESET, status_label=None, histogram_status_label=None))


def test_what_was_served_is_known_without_statuses_if_nothing_failed() -> None:
    """A label such as ``done``, or none: the client saw the status of each request that was counted."""
    text = _responses(sdone=1000)
    for server in (text, _without_label(text)):
        sample = sample_of(RPS, server, _client(1000))
        assert isinstance(sample, Rate)
        assert sample.low * 28 == sample.high * 28 == 1000
    assert isinstance(sample_of(RPS, _responses(sdone=900, s500=100), _client(1000)), Rate)


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(replace(_client(1000), failed_responses=1), id="a failure"),
        pytest.param(counts(1000, no_response=1), id="no response"),
        pytest.param(_client(1000, seen=frozenset({404})), id="an unexpected status"),
    ],
)
def test_what_was_served_is_not_known_without_statuses_if_something_failed(client: ClientCounts) -> None:
    """A longer run would not tell: the reason names the label and what it has instead."""
    text = _responses(sdone=1000)
    named = sample_of(RPS, text, client)
    missing = sample_of(RPS, _without_label(text), client)
    assert isinstance(named, NoData)
    assert isinstance(missing, NoData)
    what = "1,000 of 1,000 responses in http_requests_total have no HTTP status in the label status_code"
    assert f"{what}, but done; write status_label under preset" in named.reason
    assert "http_requests_total has no status label" in missing.reason


@pytest.mark.parametrize("spec", [ERRORS, P95], ids=["error rate", "latency"])
@pytest.mark.parametrize(
    ("by_status", "low", "high"),
    [
        pytest.param({"s200 OK": 990, "s500 Internal Server Error": 10}, 10, 10, id="Falcon"),
        pytest.param({"sOK": 990, "sINTERNAL_SERVER_ERROR": 10}, 10, 10, id="names"),
        pytest.param({"sSUCCESS": 990, "sSERVER_ERROR": 10}, 10, 10, id="outcomes"),
        pytest.param({"ssuccess": 990, "serror": 10}, 0, 10, id="errors of theirs or ours"),
    ],
)
def test_statuses_in_words_are_read(spec: Spec, by_status: dict[str, int], low: int, high: int) -> None:
    """Failed requests are bad, however the label says so."""
    sample = sample_of(spec, _responses(**by_status), replace(_client(1000), failed_responses=10))
    assert isinstance(sample, Share)
    assert (sample.low, sample.high) == (Fraction(low, 1000), Fraction(high, 1000))
    assert sample.notes == ()


def test_a_series_of_all_statuses_is_not_counted_again() -> None:
    """As nginx-module-vts has one beside those of each group."""
    sample = sample_of(ERRORS, _responses(s2xx=990, s5xx=10, stotal=1000), _client(1000))
    assert isinstance(sample, Share)
    assert (sample.total, sample.low, sample.high) == (1000, Fraction(1, 100), Fraction(1, 100))


def test_few_statuses_that_cannot_be_read_are_named() -> None:
    """They may be of failed requests: a note says which, as no longer run would tell."""
    client = replace(_client(1000), failed_responses=4)
    sample = sample_of(ERRORS, _responses(s200=990, s500=4, s0=6), client)
    assert isinstance(sample, Share)
    assert (sample.low, sample.high) == (Fraction(4, 1000), Fraction(10, 1000))
    what = "6 of 1,000 responses in http_requests_total have no HTTP status in the label status_code, but 0"
    assert sample.notes == (f"{what}: they count as possibly bad",)


@pytest.mark.parametrize(
    ("client", "high"),
    [
        pytest.param(replace(_client(1000, seen=frozenset({500})), failed_responses=10), 0, id="500 seen"),
        pytest.param(replace(_client(1000, seen=frozenset({503})), failed_responses=10), 10, id="503 seen"),
        pytest.param(replace(_client(1000), failed_responses=10), 10, id="nothing known"),
    ],
)
def test_what_the_client_saw_speaks_for_a_group_in_availability(client: ClientCounts, high: int) -> None:
    """A group has a status that availability counts only if the client saw one, or none of the group."""
    spec = make_spec('  availability: {bronze: ">= 99.9%"}\n', more=SOURCE, gate="bronze")
    sample = sample_of(spec, _responses(s2xx=990, s5xx=10), client)
    assert isinstance(sample, Share)
    assert [sample.low, sample.high] == [0, Fraction(high, 1000)]


def test_a_service_that_serves_nothing_breaks_its_rate() -> None:
    """No slice has a success, so that nothing varies."""
    times = tuple(float(time) for time in range(90, 145))
    grown = {time: min(max(0.0, time - 100), 30.0) * 40 for time in times}
    failing = raw_series("http_requests_total", grown, status_code="500")
    server = server_series(up(*times), failing, interval=1.0)
    client = replace(_client(1200), failed_responses=1200)
    objective = RPS.objectives[0]
    limit, sure = objective.limits["bronze"], criterion_for(Fraction(19, 20), (30.0,))
    sample = sample_of(RPS, server, client)
    assert isinstance(sample, Rate)
    assert grade_sample(Side.SERVER, sample, objective.indicator, limit, sure).verdict is BREACHED


@pytest.mark.parametrize("spec", [ERRORS, P95], ids=["error rate", "latency"])
@pytest.mark.parametrize(
    ("status", "seen"),
    [
        pytest.param("404", frozenset({404}), id="exact"),
        pytest.param("4xx", frozenset({404}), id="grouped"),
        pytest.param("3xx", frozenset({302}), id="a redirect"),
    ],
)
def test_what_the_scenario_expects_is_served(spec: Spec, status: str, seen: frozenset[int]) -> None:
    """The client accepted the same responses: ``expect: {status: 404}``."""
    responses = _responses(s200=500, **{f"s{status}": 500})
    sample = sample_of(spec, responses, _client(1000, accepted=seen))
    assert isinstance(sample, Share)
    assert [sample.low, sample.high] == [0, 0]
    assert sample.notes == ()


@pytest.mark.parametrize("listed", ["404", "4xx"])
def test_what_the_spec_calls_a_failure_is_not_unexpected(listed: str) -> None:
    """A status of the failure rule fails, most responses or not."""
    more = SOURCE + f"failures: {{statuses: [5xx, {listed}]}}\n"
    spec = make_spec('  error_rate: {bronze: "< 1%"}\n', more=more, gate="bronze")
    sample = sample_of(spec, _responses(s200=400, s404=600), _client(1000))
    assert isinstance(sample, Share)
    assert sample.low == sample.high == Fraction(600, 1000)


def test_a_spec_may_expect_a_status_everywhere() -> None:
    """``failures.expected`` makes it a success."""
    spec = replace(ERRORS, failures=FailureRule(("5xx",), ("404",)))
    sample = sample_of(spec, _responses(s200=400, s404=600), _client(1000))
    assert isinstance(sample, Share)
    assert [sample.low, sample.high] == [0, 0]
    assert sample.notes == ()


ITEM, OTHER = Endpoint("GET", "/a"), Endpoint("GET", "/b")


def _recording(*endpoints: tuple[Endpoint, Mapping[int, int], Mapping[FailureClass, int]]) -> Recording:
    parts = []
    for endpoint, statuses, failures in endpoints:
        ok = sum(statuses.values()) - sum(failures.values())
        slices = (SliceCounts(0, ok=ok, failures=failures, statuses=statuses),)
        parts.append(EndpointRecording.of(endpoint, slices))
    return Recording((), tuple(parts), (), 0, 1)


UNEXPECTED, STATUS, EXPECTATION = FailureClass.UNEXPECTED, FailureClass.STATUS, FailureClass.EXPECTATION


@pytest.mark.parametrize(
    ("recording", "accepted", "maybe"),
    [
        pytest.param(_recording((ITEM, {200: 5, 404: 5}, {})), {404}, {404}, id="accepted"),
        pytest.param(_recording((ITEM, {404: 5}, {UNEXPECTED: 5})), set(), set(), id="unexpected"),
        pytest.param(_recording((ITEM, {200: 5, 429: 5}, {STATUS: 5})), set(), set(), id="failed"),
        pytest.param(_recording((ITEM, {404: 5}, {EXPECTATION: 5})), set(), {404}, id="a broken expect"),
        pytest.param(
            _recording((ITEM, {404: 5, 301: 5}, {UNEXPECTED: 5})), set(), {301, 404}, id="one of the two"
        ),
        pytest.param(
            _recording((ITEM, {404: 5}, {}), (OTHER, {404: 5}, {UNEXPECTED: 5})), set(), {404}, id="elsewhere"
        ),
        pytest.param(_recording((ITEM, {200: 5, 304: 5, 0: 1}, {})), set(), set(), id="nothing odd"),
    ],
)
def test_what_the_client_accepted(recording: Recording, accepted: set[int], maybe: set[int]) -> None:
    """Only what was accepted wherever it was seen is surely expected."""
    found = client_counts(recording, None)
    assert [found.accepted, found.maybe_accepted] == [frozenset(accepted), frozenset(maybe)]
    assert found.statuses >= found.maybe_accepted >= found.accepted


STATUSES = st.integers(100, 599)


@given(STATUSES, st.frozensets(STATUSES), st.frozensets(STATUSES))
def test_a_sure_response_is_a_possible_one_and_a_group_holds_its_members(
    status: int, seen: frozenset[int], accepted: frozenset[int]
) -> None:
    """What is surely unexpected is possibly so; so is the group of any status that was seen and is."""
    rule = FailureRule()
    sure, possible = (Unexpected("s", rule, seen | {status}, accepted, surely=one) for one in (True, False))
    exact, group = {"s": str(status)}, {"s": f"{status // 100}xx"}
    assert sure(exact) == possible(exact) == (rule.unexpected(status) and status not in accepted)
    assert possible(group) >= possible(exact)
    assert sure(group) <= possible(group)
    assert sure(group) <= sure(exact)
