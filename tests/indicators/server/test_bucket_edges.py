"""What bucket edges tell where not all requests were held against the same ones, and across restarts."""

from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.evidence.series import RawSeries
from slocheck.indicators.samples import NoData, Share
from slocheck.plan.series_queries import PROCESS_START
from tests.builders.server.histories import PRESET
from tests.builders.server.series import (
    ERRORS,
    MET,
    P95,
    TIMES,
    UNDECIDED,
    counts,
    histogram,
    raw_series,
    sample_of,
    server_series,
    status_counters,
    up,
    verdicts_of,
)


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
    """All requests took less than 100 ms, and most were never held against 200 ms."""
    assert verdicts_of(P95, server_series(*series, up(*TIMES)), counts(1000)) == (MET, MET, MET)


def test_a_restart_that_one_counter_shows_is_one_of_all() -> None:
    """The whole count fell, that of the fast requests had already caught up; no process start is told."""
    series = [
        *_layout("200", {95.0: 10, 110.0: 8, 140.0: 8}, "+Inf"),
        *_layout("200", {95.0: 5, 110.0: 6, 140.0: 6}, "0.1", "0.2", "0.5"),
    ]
    sample = sample_of(P95, server_series(*series, up(*TIMES)), counts(8), "gold")
    assert isinstance(sample, Share)
    assert sample.low == sample.high == Fraction(2, 8)


def test_buckets_that_contradict_the_count_are_no_data() -> None:
    """Fewer requests up to 500 ms than up to 200 ms: nothing can be told."""
    series = [
        *_layout("200", EVEN, "0.1", "+Inf"),
        *_layout("200", {95.0: 0, 110.0: 9, 125.0: 9, 140.0: 9}, "0.5"),
    ]
    assert isinstance(sample_of(P95, server_series(*series, up(*TIMES)), counts(500), "silver"), NoData)


def test_a_replica_whose_clock_is_ahead_is_not_counted_as_nothing() -> None:
    """It seems to start after it was scraped: what it added to its first scrape is known to be there."""
    starts = RawSeries(PROCESS_START, {"job": "api", "instance": "a"}, (125.0, 140.0), (190.0, 190.0))
    counter = raw_series("http_requests_total", {125.0: 500, 140.0: 900}, status_code="200")
    sample = sample_of(ERRORS, server_series(counter, up(125.0, 140.0), starts), counts(900))
    assert isinstance(sample, Share)
    assert sample.total == 400
    assert "baseline unknown" in sample.notes


def test_a_restart_is_dated_by_the_first_scrape_that_shows_it() -> None:
    """A counter that the new process shows later only does not restart the others a second time."""
    counters = status_counters((5000, 300, 600, 1000), {95.0: 9, 125.0: 4, 140.0: 4})
    sample = sample_of(ERRORS, server_series(*counters), counts(1004))
    assert isinstance(sample, Share)
    assert sample.low == sample.high == Fraction(4, 1004)


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
    """What is not a number is not a boundary, and a huge exponent costs no time."""
    series = _layout("200", EVEN, "0.1", "0.5", "+Inf", le)
    assert verdicts_of(P95, server_series(*series, up(*TIMES)), counts(500)) == (MET, MET, MET)


def test_what_no_counter_by_status_has_may_have_failed() -> None:
    """The histogram tells no status and the counter is named wrongly: fast requests may all be errors."""
    preset = replace(PRESET, histogram_status_label=None, counter="misnamed_total")
    server = replace(server_series(*histogram({0.05: 1000})), preset=preset)
    assert verdicts_of(P95, server, counts(1000)) == (UNDECIDED,) * 3
