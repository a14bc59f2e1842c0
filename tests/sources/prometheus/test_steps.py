"""The steps of the Prometheus source on responses that a healthy server does not give."""

import json
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest

from slocheck.errors import SourceError, UsageError
from slocheck.evidence.series import PromqlResult
from slocheck.promql.selectors import SeriesQuery
from slocheck.sources.prometheus.fetch import Fetcher
from slocheck.sources.prometheus.http import PrometheusHttp
from slocheck.sources.prometheus.preflight import (
    Inspection,
    clock_skew,
    go_duration,
    scrape_interval,
    up_query,
)
from slocheck.sources.prometheus.queries.label_names import check_label_names
from slocheck.sources.prometheus.queries.objectives import QueryWindow, ask
from slocheck.spec.model import Indicator, IndicatorKind, Reduce
from tests.builders.server.prom_client import JOB, PRESET, prometheus_source, queries
from tests.support.fault_server import FaultServer, http, success

TOO_MUCH = http('{"status":"error","error":"query processing would load too many samples"}', "422 No")
UP = SeriesQuery("up")
T = TypeVar("T")


def matrix(*values: Sequence[object], **more: object) -> bytes:
    """Return a response with one series of these samples."""
    return success("matrix", [{"metric": {"__name__": "up"}, "values": list(values)}], **more)


def with_server(responses: list[bytes], work: Callable[[PrometheusHttp], T]) -> T:
    """Do something with a connection to a server that gives these responses."""
    with FaultServer(responses) as server:
        connection = PrometheusHttp(prometheus_source(server.url))
        try:
            return work(connection)
        finally:
            connection.close()


PARSE_ERROR = http(
    '{"status":"error","errorType":"bad_data","error":"invalid parameter: unexpected string"}', "400 Bad"
)


def test_a_server_shows_whether_it_takes_label_names_with_dots() -> None:
    """One that does is queried by them; for one that does not, the message has the name to write."""
    labels = ("job", "k8s.pod.name")
    with_server([success("vector", [])], lambda connection: check_label_names(connection, labels))
    with_server([], lambda connection: check_label_names(connection, ("job", "k8s_pod_name")))
    with pytest.raises(UsageError, match=r"write k8s_pod_name for k8s\.pod\.name, as it stores it"):
        with_server([PARSE_ERROR], lambda connection: check_label_names(connection, labels))


@pytest.mark.parametrize("value", ["NaN", "+Inf"])
def test_a_clock_that_tells_no_time_is_refused(value: str) -> None:
    """A skew that is not a number would put the load nowhere."""
    with pytest.raises(SourceError, match=r"time\(\) is not one number"):
        with_server([success("scalar", [1, value])], clock_skew)


@pytest.mark.parametrize("value", ["NaN", "+Inf"])
def test_a_count_of_edges_that_is_no_number_is_refused(value: str) -> None:
    """Such a response comes from a broken server."""
    targets = {"activeTargets": [{"labels": {"job": JOB}, "scrapeInterval": "5s"}]}
    responses = [
        *[success("scalar", [1, "1"])] * 3,
        success("vector", [{"metric": {"job": JOB}, "value": [1, "1"]}]),
        http(json.dumps({"status": "success", "data": targets})),
        success("vector", [{"metric": {"le": "0.1"}, "value": [1, value]}]),
    ]

    def inspect(connection: PrometheusHttp) -> object:
        return Inspection(connection, PRESET, queries(), up_query(queries(), {})).inspect(())

    with pytest.raises(SourceError, match="a count that is not a number"):
        with_server(responses, inspect)


def test_samples_of_another_time_are_refused() -> None:
    """A sample from the far future would be counted as the load's end."""
    with pytest.raises(SourceError, match="samples outside the requested time"):
        with_server([matrix([1e12, "1"])], lambda http: Fetcher(http).fetch("up", start=0, end=10))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("1s", 1.0, id="seconds"),
        pytest.param("1m30s", 90.0, id="parts"),
        pytest.param("500ms", 0.5, id="milliseconds"),
        pytest.param("1h0m0s", 3600.0, id="as Go writes an hour"),
        pytest.param("15", None, id="no unit"),
        pytest.param("", None, id="empty"),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    """Intervals are read as Prometheus writes them."""
    assert go_duration(text) == seconds


def test_the_clock_is_read_against_the_requests_midpoint() -> None:
    """A server two minutes ahead is found to be so, to within the round trip."""
    ahead = success("scalar", [0, str(time.time() + 120)])
    assert with_server([ahead], clock_skew) == pytest.approx(120, abs=5)
    with pytest.raises(SourceError, match=r"time\(\) is not one number"):
        with_server([success("vector", [])], clock_skew)


def test_without_a_targets_endpoint_the_interval_is_the_median_gap() -> None:
    """A late scrape does not change it; the backend is remembered as one that takes in data later."""

    def interval(connection: PrometheusHttp) -> tuple[float, bool]:
        return scrape_interval(connection, UP), connection.distributed

    samples = matrix(*[[second, "1"] for second in (0, 15, 30, 52, 60)])
    assert with_server([http("", "404 Not Found"), samples], interval) == (15.0, True)
    with pytest.raises(SourceError, match="fewer than two samples"):
        with_server([http("{}"), matrix([0, "1"])], interval)


def test_an_up_on_the_page_itself_does_not_make_the_interval_0() -> None:
    """A store that keeps both samples of a moment has each scrape twice."""

    def interval(connection: PrometheusHttp) -> float:
        return scrape_interval(connection, UP)

    twice = matrix(*[[second, "1"] for second in (0, 0, 15, 15, 30, 30)])
    assert with_server([http("{}"), twice], interval) == 15.0


def test_a_warning_or_a_partial_response_makes_raw_samples_incomplete() -> None:
    """The server's warning is a reason, reported once."""

    def reasons(connection: PrometheusHttp) -> list[str]:
        fetcher = Fetcher(connection)
        fetcher.fetch("up", start=0, end=10)
        fetcher.fetch("up", start=0, end=10)
        return fetcher.incomplete

    warned, partial = with_server([matrix([1, "1"], warnings=["store gone"], isPartial=True)], reasons)
    assert warned == "Prometheus warned: store gone"
    assert "isPartial" in partial


def test_a_server_that_finds_everything_too_much_is_given_up() -> None:
    """Halving ends at one second, with the remedy."""

    def fetch(connection: PrometheusHttp) -> object:
        return Fetcher(connection).fetch("up", start=0, end=10)

    with pytest.raises(SourceError, match=r"422 .*too many samples.*; pin the selector to fewer series"):
        with_server([TOO_MUCH], fetch)


def test_halves_are_asked_for_without_a_gap() -> None:
    """The two halves meet, and the sample at the cut is there once."""

    def fetch(connection: PrometheusHttp) -> tuple[tuple[float, ...], list[str]]:
        fetcher = Fetcher(connection)
        (one,) = fetcher.fetch("up", start=0, end=10)
        return one.times, fetcher.queries

    responses = [TOO_MUCH, matrix([0, "1"], [5, "1"]), matrix([5, "1"], [10, "1"])]
    times, asked = with_server(responses, fetch)
    assert times == (0.0, 5.0, 10.0)
    assert asked == ["up[10000ms] @ 10.000", "up[5000ms] @ 5.000", "up[5000ms] @ 10.000"]


@pytest.mark.parametrize(
    ("responses", "message"),
    [
        pytest.param(
            [success("vector", [], isPartial=True)], "isPartial.*; ?.*bring them back", id="partial"
        ),
        pytest.param([success("vector", [])], "has not scraped anything yet", id="no up at all"),
    ],
)
def test_the_preflight_refuses(responses: list[bytes], message: str) -> None:
    """Half of the data, or none, is not a start for a load."""
    clock = [success("scalar", [0, "1"])] * 3

    def inspect(connection: PrometheusHttp) -> object:
        up = up_query(queries(), {})
        return Inspection(connection, PRESET, queries(), up).inspect(())

    with pytest.raises(SourceError, match=message):
        with_server([*clock, *responses], inspect)


def custom(response: bytes, over: Reduce | None = None) -> tuple[PromqlResult, str]:
    """Ask a custom objective over a window of 10 s."""
    indicator = Indicator(IndicatorKind.PROMQL, promql="vector($window)", over=over)
    return with_server([response], lambda api: ask(Fetcher(api), indicator, QueryWindow(0, 10, 1), until=11))


def test_points_that_are_no_numbers_are_left_out_and_told() -> None:
    """NaN points are dropped, with a warning of how many there should have been."""
    found, note = custom(matrix(*[[at, "NaN" if at < 4 else "2"] for at in range(11)]), Reduce.MEAN)
    assert found.query == "vector(10s)"
    assert found.values == (2.0,) * 7
    assert note == "4 of 11 points are missing or NaN"
    assert found.gap is not None
    assert found.gap.text == "the query returned no point for 4.0 s"
    assert found.gap.intervals == 4


@pytest.mark.parametrize(
    ("response", "over", "error"),
    [
        pytest.param(matrix([1, "NaN"]), Reduce.MAX, "NaN", id="nothing but NaN"),
        pytest.param(matrix([1, "1"], [2, "+Inf"]), Reduce.MIN, "infinite", id="an infinite point"),
        pytest.param(success("matrix", []), Reduce.MAX, "no data", id="no series"),
        pytest.param(success("scalar", [1, "1"], warnings=["w"]), None, "with a warning: w", id="a warning"),
        pytest.param(success("scalar", [1, "1"], isPartial=True), None, "isPartial", id="partial"),
        pytest.param(http("", "401 No"), None, "HTTP 401", id="an error of the server"),
    ],
)
def test_a_response_that_cannot_be_graded_says_why(response: bytes, over: Reduce | None, error: str) -> None:
    """There is a reason, and never a value."""
    found, _ = custom(response, over)
    assert error in found.error
    assert found.values == ()


@pytest.mark.parametrize(
    ("ups", "samples", "intervals"),
    [
        pytest.param([[1009, "1"]], [], 9, id="empty after a restart: scraped once, at its end"),
        pytest.param([], [[930 + at, str(930 + at // 2 * 2)] for at in range(20)], 5, id="no longer pushed"),
        pytest.param([], [[950, "949"]], 10, id="pushed once, long before"),
    ],
)
def test_a_value_that_looks_back_over_the_window_has_a_gap(
    ups: list[list[object]], samples: list[list[object]], intervals: float
) -> None:
    """In intervals of its target, or of the others where its own is unknown."""
    labels = {"job": "batch", "instance": "one"}
    responses = [
        success("vector", [{"metric": {}, "value": [1010, "7"]}]),
        success("vector", [{"metric": labels, "value": [1010, "1"]}]),
        success("matrix", [{"metric": {"__name__": "up", **labels}, "values": ups}] if ups else []),
        success("matrix", [{"metric": labels, "values": samples}]),
    ]
    indicator, window = Indicator(IndicatorKind.PROMQL, promql="sum(queue)"), QueryWindow(1000, 1010, 1)
    with FaultServer(responses) as server:
        api = PrometheusHttp(prometheus_source(server.url))
        found, _ = ask(Fetcher(api), indicator, window, until=1011)
        api.close()
        assert b"last_over_time%28queue%5B10000ms%5D%29+or+queue" in server.requests[1]
    assert found.gap is not None
    assert found.gap.intervals == intervals


@pytest.mark.parametrize(
    ("length", "step"),
    [
        pytest.param(60, 1.0, id="the scrape interval"),
        pytest.param(10_999, 1.0, id="just 11,000 points"),
        pytest.param(11_000, 1.001, id="one more"),
        pytest.param(86_400, 7.856, id="a day"),
    ],
)
def test_a_range_has_at_most_11000_points(length: float, step: float) -> None:
    """A long window is sampled more coarsely, in whole milliseconds."""
    window = QueryWindow(0, length, 1.0)
    assert window.step == step
    assert length / window.step + 1 <= 11_000
