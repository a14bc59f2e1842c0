"""A server's latencies that cannot be beside the client's for the same requests, or only in another unit."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.histogram import bucket_index
from slocheck.evidence.series import ServerSeries
from slocheck.indicators.samples import NoData, Share
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.spec.model import Preset
from tests.builders.server.histories import PRESET
from tests.builders.server.series import (
    BREACHED,
    MET,
    P95,
    SOURCE,
    UNDECIDED,
    counts,
    histogram,
    raw_series,
    sample_of,
    server_series,
    up,
    verdicts_of,
)
from tests.builders.specs import make_spec


def _client(seconds: dict[float, int], no_response: int = 0) -> ClientCounts:
    """Return a client that got responses after these times."""
    sent = sum(seconds.values()) + no_response
    indices = {bucket_index(int(time * 1e9)): count for time, count in seconds.items()}
    return replace(counts(sent, no_response), latencies=indices)


@pytest.mark.parametrize(
    ("server", "client"),
    [
        pytest.param({6.0: 1000}, {0.026: 1000}, id="another unit"),
        pytest.param({0.3: 1000}, {0.05: 1000}, id="work after the response"),
        pytest.param({0.05: 900, 0.3: 100}, {0.06: 1000}, id="after one response in ten"),
        pytest.param(
            {0.05: 900, 0.3: 100}, {0.06: 960, 0.4: 40}, id="after more than the client's slow ones"
        ),
    ],
)
def test_a_percentile_above_the_clients_decides_nothing(
    server: dict[float, int], client: dict[float, int]
) -> None:
    """Neither a breach nor a pass, with both figures in one unit and the likely causes."""
    series, counted = server_series(*histogram(server)), _client(client)
    assert verdicts_of(P95, series, counted) == (UNDECIDED,) * 3
    sample = sample_of(P95, series, counted)
    assert isinstance(sample, NoData)
    for part in (" ms to ", " ms, but a server", "may not be in seconds", "work after the response"):
        assert part in sample.reason
    assert " s " not in sample.reason


@pytest.mark.parametrize(
    ("server", "client", "verdicts"),
    [
        pytest.param({0.3: 1000}, {0.31: 1000}, (MET, BREACHED, BREACHED), id="a little faster"),
        pytest.param({0.05: 1000}, {0.6: 1000}, (MET, MET, MET), id="much faster"),
        pytest.param({0.101: 1000}, {0.0999: 1000}, (MET, UNDECIDED, BREACHED), id="a timer that stops late"),
        pytest.param(
            {0.05: 940, 0.3: 60}, {0.06: 940, 0.4: 60}, (MET, BREACHED, BREACHED), id="the same tail"
        ),
        pytest.param({0.005: 1000}, {0.001: 1000}, (MET, MET, MET), id="in the first bucket"),
    ],
)
def test_a_server_that_is_not_slower_is_graded(
    server: dict[float, int], client: dict[float, int], verdicts: tuple[object, ...]
) -> None:
    """The client's latencies change nothing about a server that agrees with them."""
    assert verdicts_of(P95, server_series(*histogram(server)), _client(client)) == verdicts


def test_requests_without_a_response_may_have_been_slow() -> None:
    """The server served them in 6 s, after the client had given up."""
    series = server_series(*histogram({0.05: 900, 6.0: 100}))
    sample = sample_of(P95, series, _client({0.06: 900}, no_response=100))
    assert isinstance(sample, Share)
    assert sample.low >= Fraction(1, 20)


def test_requests_of_others_may_be_slow() -> None:
    """100 requests that were not ours took 6 s: nothing contradicts the client."""
    series = server_series(*histogram({0.05: 900, 6.0: 100}))
    assert isinstance(sample_of(P95, series, _client({0.06: 900})), Share)


@given(st.lists(st.tuples(st.floats(0.0001, 20), st.floats(0, 5)), min_size=1, max_size=60))
def test_no_true_measurement_is_refused(requests: list[tuple[float, float]]) -> None:
    """Whatever the network adds to each response, the server's histogram does not contradict it."""
    server: dict[float, int] = {}
    client: dict[float, int] = {}
    for took, network in requests:
        server[took] = server.get(took, 0) + 1
        client[took + network] = client.get(took + network, 0) + 1
    sample = sample_of(P95, server_series(*histogram(server)), _merged(client))
    assert isinstance(sample, Share)


def _merged(seconds: dict[float, int]) -> ClientCounts:
    indices: dict[int, int] = {}
    for time, count in seconds.items():
        index = bucket_index(int(time * 1e9))
        indices[index] = indices.get(index, 0) + count
    return replace(counts(sum(indices.values())), latencies=indices)


def test_the_unit_that_is_doubted_is_named() -> None:
    """A histogram in microseconds that was read in milliseconds."""
    series = server_series(*histogram({5.0: 1000}))
    series = replace(series, preset=replace(PRESET, unit_seconds=Fraction(1, 1000)))
    assert verdicts_of(P95, series, _client({0.026: 1000})) == (MET, MET, MET)
    sample = sample_of(P95, series, _client({0.000005: 1000}))
    assert isinstance(sample, NoData)
    assert "its p95 is 2,500 us to 5,000 us" in sample.reason
    assert "is 5.01 us" in sample.reason
    assert "may not be in milliseconds" in sample.reason


MILLISECONDS = Fraction(1, 1000)
CUSTOM = replace(PRESET, name="custom", unit_seconds=MILLISECONDS)
ALONE = make_spec('  latency_p95: {source: prometheus, bronze: "< 400ms", silver: "< 400ms"}\n', more=SOURCE)
BOTH = make_spec('  latency_p95: {bronze: "< 400ms", silver: "< 400ms"}\n', more=SOURCE)


def _in_milliseconds(
    times: dict[float, int],
    *,
    summed: float | None = None,
    sums: tuple[float, float] | None = None,
    preset: Preset = CUSTOM,
) -> ServerSeries:
    """Return a histogram of these times in its own unit, which a mapping reads in milliseconds.

    `sums` are the two samples of its sum before the last, which is `summed`.
    """
    series = histogram(times)
    if summed is not None:
        first, second = sums or (0.0, summed)
        points = {95.0: 0.0, 110.0: first, 125.0: second, 140.0: summed}
        series = (*series, raw_series(f"{PRESET.histogram}_sum", points, status_code="200"))
    return replace(server_series(*series), preset=preset)


@pytest.mark.parametrize(
    ("times", "summed", "figures"),
    [
        pytest.param(
            {0.7: 1000}, 700.3, ("mean is 0.7 ms", "requests 720 ms", "may be in seconds"), id="by the mean"
        ),
        pytest.param({0.7: 1000}, None, ("p95 is at most 1 ms", "may be in seconds"), id="by the percentile"),
        pytest.param({0.7: 990, 40.0: 10}, 1090.5, ("mean is 1.09 ms",), id="with a few of another client"),
    ],
)
def test_seconds_read_as_milliseconds_decide_nothing(
    times: dict[float, int], summed: float | None, figures: tuple[str, ...]
) -> None:
    """700 ms do not meet 400 ms: undecided with both figures, or left to the client where it is graded."""
    series, client = _in_milliseconds(times, summed=summed), _client({0.72: 1000})
    sample = sample_of(ALONE, series, client)
    assert isinstance(sample, NoData)
    assert not sample.left_to_client
    for part in (*figures, "not in milliseconds (correct the preset's unit)", "write source: both"):
        assert part in sample.reason
    both = sample_of(BOTH, series, client)
    assert isinstance(both, NoData)
    assert both.left_to_client


@pytest.mark.parametrize(
    ("times", "summed", "preset", "client"),
    [
        pytest.param({0.7: 1000}, 700.3, CUSTOM, 0.1, id="a hundred times faster"),
        pytest.param({0.01: 1000}, 10.2, CUSTOM, 0.002, id="fast, and its bucket says little"),
        pytest.param({0.01: 1000}, 0.0, CUSTOM, 0.8, id="never a whole millisecond"),
        pytest.param({0.7: 1000}, 700.3, replace(CUSTOM, name="otel-old"), 0.72, id="a shipped preset"),
        pytest.param({9.0: 1000}, 9000.5, CUSTOM, 0.0095, id="a little faster"),
    ],
)
def test_a_server_that_may_be_so_fast_is_graded(
    times: dict[float, int], summed: float, preset: Preset, client: float
) -> None:
    """What the next larger unit would make slower than the client, or what no unit explains."""
    series = _in_milliseconds(times, summed=summed, preset=preset)
    assert isinstance(sample_of(ALONE, series, _client({client: 1000})), Share)


def test_whole_milliseconds_that_are_mostly_0_are_graded() -> None:
    """Each of several sums is whole, so the times were rounded down."""
    series = _in_milliseconds({0.01: 990, 1.0: 10}, summed=10.0, sums=(3.0, 7.0))
    assert isinstance(sample_of(ALONE, series, _client({0.8: 1000})), Share)


@pytest.mark.parametrize(
    "sums", [pytest.param(None, id="a single sum"), pytest.param((175.5, 350.0), id="some sums")]
)
def test_a_sum_that_is_whole_by_chance_is_not_rounded(sums: tuple[float, float] | None) -> None:
    """700 times 0.5 s: in seconds, they do not meet 400 ms."""
    series = _in_milliseconds({0.5: 700}, summed=350.0, sums=sums)
    sample = sample_of(ALONE, series, _client({0.52: 700}))
    assert isinstance(sample, NoData)
    assert "may be in seconds" in sample.reason


WIDE = ("5", "100", "+Inf")
NAMELESS = replace(CUSTOM, histogram="http_request_duration", counter="http_requests_total")


def _wide(under: dict[str, int], preset: Preset = NAMELESS) -> ServerSeries:
    """Return a histogram without a sum that has these counts in wide buckets."""
    metric = f"{preset.histogram}_bucket"
    series = [
        raw_series(metric, {95.0: 0.0, 110.0: 0.0, 125.0: count, 140.0: count}, le=le, status_code="200")
        for le, count in under.items()
    ]
    return replace(server_series(*series, up(95.0, 110.0, 125.0, 140.0)), preset=preset)


def test_a_wide_bucket_without_a_sum_does_not_tell_the_unit() -> None:
    """300 ms in seconds lie below 5, as 3 ms in milliseconds do; neither the name nor a mean tells which."""
    series = _wide(dict.fromkeys(WIDE, 1000))
    sample = sample_of(ALONE, series, _client({0.3: 1000}))
    assert isinstance(sample, NoData)
    assert not sample.left_to_client
    for part in (
        "its p95 is at most 5 ms, the client's for the same requests 301 ms",
        "may be in milliseconds or in seconds, as its name has no unit",
        "http_request_duration_sum is missing; keep that series, or write source: both",
    ):
        assert part in sample.reason
    both = sample_of(BOTH, series, _client({0.3: 1000}))
    assert isinstance(both, NoData)
    assert both.left_to_client


@pytest.mark.parametrize(
    "series",
    [
        pytest.param(
            _wide(
                dict.fromkeys(WIDE, 1000),
                replace(NAMELESS, histogram="http_request_duration_ms"),
            ),
            id="the name has the unit",
        ),
        pytest.param(_wide({"5": 0, "100": 1000, "+Inf": 1000}), id="seconds would be slower than it"),
    ],
)
def test_a_wide_bucket_is_graded_where_the_unit_is_known(series: ServerSeries) -> None:
    """By the name, or because in seconds the server would be slower than its client."""
    assert isinstance(sample_of(ALONE, series, _client({0.3: 1000})), Share)


@given(st.lists(st.tuples(st.floats(0.002, 20), st.floats(0, 30)), min_size=1, max_size=60))
def test_the_next_larger_unit_is_never_graded(requests: list[tuple[float, float]]) -> None:
    """Whatever the network adds, seconds that are read as milliseconds decide nothing."""
    server: dict[float, int] = {}
    client: dict[float, int] = {}
    for took, network in requests:
        server[took] = server.get(took, 0) + 1
        client[took + network] = client.get(took + network, 0) + 1
    total = math.fsum(took for took, _ in requests)
    series = _in_milliseconds(server, summed=total * 1.0001 if total.is_integer() else total)
    assert isinstance(sample_of(ALONE, series, _merged(client)), NoData)
