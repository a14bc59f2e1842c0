"""Latency samples from buckets: limits between boundaries, boundaries that not all had, restarts."""

from dataclasses import replace
from fractions import Fraction
from math import inf

import pytest

from slocheck.evidence.series import RawSeries
from slocheck.grading.assessment import Verdict
from slocheck.indicators.samples import NoData, Share
from tests.builders.server.histories import PRESET
from tests.builders.server.series import (
    BREACHED,
    MET,
    P95,
    TIMES,
    UNDECIDED,
    counts,
    histogram,
    raw_series,
    sample_of,
    server_series,
    up,
    verdicts_of,
)


@pytest.mark.parametrize(
    ("latencies", "verdicts"),
    [
        pytest.param({0.11: 1000}, (MET, UNDECIDED, BREACHED), id="all inside the bucket of 200 ms"),
        pytest.param({0.09: 949, 0.249: 51}, (MET, UNDECIDED, BREACHED), id="one too many above 100 ms"),
        pytest.param({0.09: 950, 0.249: 50}, (MET, MET, MET), id="just enough below 100 ms"),
        pytest.param({6.0: 1000}, (BREACHED, BREACHED, BREACHED), id="all beyond the last edge"),
    ],
)
def test_buckets_decide_what_they_can(latencies: dict[float, int], verdicts: tuple[Verdict, ...]) -> None:
    """An interpolated percentile would pass or fail by where in the bucket it is drawn."""
    assert verdicts_of(P95, server_series(*histogram(latencies)), counts(1000)) == verdicts


def test_a_histogram_without_its_last_bucket_is_named() -> None:
    """Relabelling dropped it; how many requests there were is then not known."""
    kept = [one for one in histogram({0.05: 1000}) if one.labels.get("le") != "+Inf"]
    sample = sample_of(P95, server_series(*kept), counts(1000))
    assert isinstance(sample, NoData)
    assert 'http_request_duration_seconds_bucket has no bucket le="+Inf"' in sample.reason


@pytest.mark.parametrize(
    ("le", "unit"),
    [
        pytest.param("0.20000000000000004", 1, id="a computed float"),
        pytest.param("0.0033333333333333335", 60, id="minutes"),
        pytest.param("200.00000000000003", Fraction(1, 1000), id="milliseconds"),
    ],
)
def test_a_boundary_is_what_it_was_meant_to_be(le: str, unit: Fraction | int) -> None:
    """A float that was computed differs in its last digit; a limit there lies at the boundary."""
    grown, slower = ({95.0: 0.0, 110.0: 0.0, 125.0: count, 140.0: count} for count in (990.0, 1000.0))
    name = f"{PRESET.histogram}_bucket"
    buckets = [raw_series(name, grown, le=le, status_code="200")]
    buckets.append(raw_series(name, slower, le="+Inf", status_code="200"))
    counter = raw_series("http_requests_total", slower, status_code="200")
    found = server_series(*buckets, counter, up(*TIMES))
    preset = replace(PRESET, unit_seconds=Fraction(unit))
    sample = sample_of(P95, replace(found, preset=preset), counts(1000), "silver")
    assert isinstance(sample, Share)
    assert [sample.low, sample.high] == [Fraction(1, 100), Fraction(1, 100)]


def test_a_limit_inside_a_bucket_names_the_remedy() -> None:
    """The doubt is only the bucket's, and the edge to add is named."""
    sample = sample_of(P95, server_series(*histogram({0.11: 1000})), counts(1000), "silver")
    assert isinstance(sample, Share)
    assert sample.bucket_limited
    assert "the limit 0.2 s lies inside the server's bucket (0.1 s, 0.25 s]" in sample.notes[0]
    assert "add a bucket boundary at 0.2 s" in sample.notes[0]
    assert (sample.display.low, sample.display.high) == (0.1, 0.25)


@pytest.mark.parametrize(
    ("latencies", "sent"),
    [
        pytest.param({0.09: 1000}, 1000, id="the bucket is empty"),
        pytest.param({0.09: 990, 0.11: 10}, 1000, id="what is in it does not matter"),
        pytest.param({0.09: 990, 0.11: 10}, 1100, id="a hundred requests are missing, which no bucket shows"),
        pytest.param({0.09: 900, 0.6: 100}, 1000, id="breached as it is"),
    ],
)
def test_a_bucket_is_advised_only_where_it_is_the_obstacle(latencies: dict[float, int], sent: int) -> None:
    """Another boundary would change nothing."""
    sample = sample_of(P95, server_series(*histogram(latencies)), counts(sent), "silver")
    assert isinstance(sample, Share)
    assert not any("bucket boundary" in note for note in sample.notes)


@pytest.mark.parametrize(
    ("latencies", "sent", "low", "high"),
    [
        pytest.param({0.09: 95, 0.249: 5}, 100, 0.05, 0.1, id="all were counted"),
        pytest.param({0.09: 95, 0.249: 5}, 110, 0.05, inf, id="ten are missing, and all may have been slow"),
        pytest.param({0.09: 86, 0.249: 4}, 91, 0.05, 0.25, id="one is missing"),
        pytest.param({0.09: 95, 0.249: 5}, 90, 0.05, 0.25, id="ten are others', and may be the fast ones"),
        pytest.param({0.09: 90, 0.249: 10}, 90, 0.05, 0.25, id="or the slow ones"),
    ],
)
def test_the_percentile_shown_allows_for_what_was_not_counted_or_is_others(
    latencies: dict[float, int], sent: int, low: float, high: float
) -> None:
    """Its rank is among our own requests, wherever they lie in the histogram."""
    sample = sample_of(P95, server_series(*histogram(latencies)), counts(sent), "silver")
    assert isinstance(sample, Share)
    assert (sample.display.low, sample.display.high) == (low, high)


def _layout(status: str, points: dict[float, float], *edges: str) -> list[RawSeries]:
    return [raw_series(f"{PRESET.histogram}_bucket", points, le=le, status_code=status) for le in edges]


EVEN = {95.0: 0.0, 110.0: 250.0, 125.0: 500.0, 140.0: 500.0}


@pytest.mark.parametrize(
    "series",
    [
        pytest.param(
            [*_layout("200", EVEN, "0.1", "0.2", "0.5", "+Inf"), *_layout("201", EVEN, "0.1", "0.5", "+Inf")],
            id="two histograms of one process",
        ),
        pytest.param(
            [
                *_layout("200", {95.0: 0, 110.0: 800, 125.0: 200, 140.0: 200}, "0.1", "0.5", "+Inf"),
                *_layout("200", {125.0: 200, 140.0: 200}, "0.2"),
            ],
            id="a new version with one edge more",
        ),
    ],
)
def test_an_edge_that_not_all_requests_had_is_none(series: list[RawSeries]) -> None:
    """All requests took less than 100 ms, and most were never compared with 200 ms."""
    assert verdicts_of(P95, server_series(*series, up(*TIMES)), counts(1000)) == (MET, MET, MET)


def test_a_restart_that_one_counter_shows_is_one_of_all() -> None:
    """The total count fell, that of the fast requests had already caught up; no process start is exported."""
    series = [
        *_layout("200", {95.0: 10, 110.0: 8, 140.0: 8}, "+Inf"),
        *_layout("200", {95.0: 5, 110.0: 6, 140.0: 6}, "0.1", "0.2", "0.5"),
    ]
    sample = sample_of(P95, server_series(*series, up(*TIMES)), counts(8), "gold")
    assert isinstance(sample, Share)
    assert sample.low == sample.high == Fraction(2, 8)


def test_buckets_that_contradict_the_count_are_no_data() -> None:
    """Fewer requests up to 500 ms than up to 200 ms: nothing can be decided."""
    series = [
        *_layout("200", EVEN, "0.1", "+Inf"),
        *_layout("200", {95.0: 0, 110.0: 9, 125.0: 9, 140.0: 9}, "0.5"),
    ]
    assert isinstance(sample_of(P95, server_series(*series, up(*TIMES)), counts(500), "silver"), NoData)


def test_an_edge_may_be_written_in_two_ways() -> None:
    """A restart, or an upgrade of Prometheus, may turn 0.10 into 0.1: it stays the same edge."""
    series = [
        *_layout("200", {95.0: 0, 110.0: 800}, "0.10"),
        *_layout("200", {125.0: 150, 140.0: 150}, "0.1"),
        *_layout("200", {95.0: 0, 110.0: 800, 125.0: 200, 140.0: 200}, "+inf"),
    ]
    sample = sample_of(P95, server_series(*series, up(*TIMES)), counts(1000), "gold")
    assert isinstance(sample, Share)
    assert sample.low == sample.high == Fraction(5, 100)


@pytest.mark.parametrize("le", ["1/0", "1e999999999", "1e-999999999", "nan", "-Inf", "", "x"])
def test_an_odd_edge_decides_nothing(le: str) -> None:
    """Text that is not a number is not a boundary, and a huge exponent costs no time."""
    series = _layout("200", EVEN, "0.1", "0.5", "+Inf", le)
    assert verdicts_of(P95, server_series(*series, up(*TIMES)), counts(500)) == (MET, MET, MET)


def test_what_no_counter_by_status_has_may_have_failed() -> None:
    """The histogram has no status and the counter's name is wrong: fast requests may all be errors."""
    preset = replace(PRESET, histogram_status_label=None, counter="misnamed_total")
    server = replace(server_series(*histogram({0.05: 1000})), preset=preset)
    assert verdicts_of(P95, server, counts(1000)) == (UNDECIDED,) * 3
