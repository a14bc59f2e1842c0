"""What the client saw failing, and the server counted as something else, or not at all."""

from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.evidence.recording import FailureClass
from slocheck.indicators.samples import Share
from slocheck.indicators.server.client_counts import ClientCounts, client_counts
from tests.builders.recordings import make_recording, make_slice
from tests.builders.server.histories import PRESET
from tests.builders.server.series import (
    BREACHED,
    ERRORS,
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

STATUS = FailureClass.STATUS


def _client(sent: int, failed: dict[int, int], *, no_response: int = 0) -> ClientCounts:
    """Return a client that saw that many failures in a second of its window of 30 s."""
    per_second = tuple(failed.get(second, 0) for second in range(30))
    return replace(
        counts(sent),
        no_response=no_response,
        failed_responses=sum(per_second) - no_response,
        failed=per_second,
        unserved=per_second,
    )


def test_others_traffic_does_not_fill_the_hole_of_requests_that_never_came() -> None:
    """A proxy responds 503 to 328 of 1,634; others send as many, and all that the server counts is fine."""
    server = server_series(*status_counters((0, 800, 1634, 1634), {}))
    client = _client(1634, {10: 328})
    sample = sample_of(ERRORS, server, client)
    assert isinstance(sample, Share)
    assert sample.low <= Fraction(328, 1634) <= sample.high
    assert set(verdicts_of(ERRORS, server, client)) == {BREACHED}


@pytest.mark.parametrize(
    ("failing", "exact"), [(20, True), (19, False)], ids=["as many failures", "others' failures, maybe"]
)
def test_a_probe_before_the_load_does_not_blur_counts_that_agree(failing: int, exact: bool) -> None:
    """Six requests came before the load; then both counted 1,000, of which the client saw 20 failing."""
    times = (80.0, 90.0, 95.0, 110.0, 125.0, 140.0)
    good = dict(zip(times, (0.0, 6.0, 6.0, 306.0, 706.0, 1006.0 - failing), strict=True))
    bad = dict(zip(times, (0.0, 0.0, 0.0, float(failing), failing, failing), strict=True))
    counters = [
        raw_series("http_requests_total", points, status_code=status)
        for status, points in (("200", good), ("500", bad))
    ]
    sample = sample_of(ERRORS, server_series(*counters, up(*times)), _client(1000, {5: 20}))
    assert isinstance(sample, Share)
    assert (sample.low == sample.high == Fraction(20, 1000)) is exact


def test_what_the_proxy_failed_and_the_server_served_is_bad_all_the_same() -> None:
    """Both counted 1,000 requests; the client saw 504 for 20 of them."""
    server = server_series(*status_counters((0, 300, 700, 1000), {}))
    sample = sample_of(ERRORS, server, _client(1000, {5: 20}))
    assert isinstance(sample, Share)
    assert sample.low == sample.high == Fraction(2, 100)


@pytest.mark.parametrize(("counted", "high"), [(10_000, 600), (9_700, 600)])
def test_what_the_client_gave_up_on_is_not_lost_twice(counted: int, high: int) -> None:
    """Of 10,000 sent, 300 failed by the server's count; the client had already given up on all of them."""
    server = server_series(
        *status_counters((0, 3000, 6000, counted - 300), {110.0: 0, 125.0: 300, 140.0: 300})
    )
    sample = sample_of(ERRORS, server, _client(10_000, {12: 300}, no_response=300))
    assert isinstance(sample, Share)
    assert (sample.low, sample.high) == (Fraction(300, 10_000), Fraction(high, 10_000))


def test_failures_before_the_servers_window_are_not_held_against_it() -> None:
    """After a warm-up the server's window begins with its first scrape inside, 10 s after the client's."""
    series = replace(server_series(*status_counters((0, 300, 700, 1000), {})), load_start=97.0)
    early, late = (sample_of(ERRORS, series, _client(1000, {second: 20})) for second in (5, 20))
    assert isinstance(early, Share)
    assert isinstance(late, Share)
    assert early.low == 0
    assert late.low > Fraction(2, 100)


def test_a_percentile_does_not_ask_how_many_were_counted() -> None:
    """100 sent, 90 counted, 5 of them slow: 5 to 15 % are bad, and 5 % are allowed."""
    server = server_series(*histogram({0.05: 85, 7.0: 5}))
    sample = sample_of(P95, server, counts(100))
    assert isinstance(sample, Share)
    assert (sample.low, sample.high) == (Fraction(5, 100), Fraction(15, 100))
    assert verdicts_of(P95, server, counts(100)) == (UNDECIDED,) * 3


def test_the_rounding_of_a_counter_is_not_a_request() -> None:
    """A counter is a sum of floats; a trillionth less than a thousand is a thousand."""
    short = (0.0, 300.0, 1000.0 - 1e-9, 1000.0 - 1e-9)
    sample = sample_of(ERRORS, server_series(*status_counters(short, {})), counts(1000))
    assert isinstance(sample, Share)
    assert sample.low == sample.high == 0


@pytest.mark.parametrize("failing", [1, 2])
def test_failures_lie_where_the_counter_by_status_shows_them(failing: int) -> None:
    """The histogram has no status: failed requests are possibly bad in the slice in which they failed."""
    preset = replace(PRESET, histogram_status_label=None)
    total = (0.0, 200.0, 400.0, 600.0)
    ok = [count - (50.0 if index >= failing else 0.0) for index, count in enumerate(total)]
    bad = dict(zip(TIMES, [0.0 if index < failing else 50.0 for index in range(4)], strict=True))
    buckets = [
        raw_series(f"{PRESET.histogram}_bucket", dict(zip(TIMES, total, strict=True)), le=le)
        for le in ("0.1", "0.2", "0.5", "+Inf")
    ]
    server = replace(server_series(*status_counters(tuple(ok), bad), *buckets), preset=preset)
    sample = sample_of(P95, server, _client(600, {15 * failing - 10: 50}))
    assert isinstance(sample, Share)
    assert sample.slices is not None
    assert sample.slices.bad_upper == tuple(50 if index == failing - 1 else 0 for index in range(3))


@pytest.mark.parametrize(
    ("slow", "share"),
    [(0, (20, 20)), (30, (30, 50)), (990, (990, 1000))],
    ids=["fast", "some slow", "most slow"],
)
def test_without_any_status_the_client_tells_what_failed(slow: int, share: tuple[int, int]) -> None:
    """Both counted 1,000 requests, of which 20 failed, slow or fast; none is taken for another client's."""
    preset = replace(
        PRESET, histogram_status_label=None, status_label=None, counter=f"{PRESET.histogram}_count"
    )
    server = replace(server_series(*histogram({0.05: 1000 - slow, 7.0: slow})), preset=preset)
    sample = sample_of(P95, server, _client(1000, {20: 20}))
    assert isinstance(sample, Share)
    assert (sample.low, sample.high) == (Fraction(share[0], 1000), Fraction(share[1], 1000))
    assert sample.notes == ()


def test_one_process_that_two_jobs_scrape_is_refused() -> None:
    """Counting twice hides that half of the requests never came."""
    points = dict(zip(TIMES, (0.0, 200.0, 400.0, 500.0), strict=True))
    one = raw_series("http_requests_total", points, status_code="200")
    started = raw_series("process_start_time_seconds", dict.fromkeys(TIMES, 5.0))
    own = (one, started, up(*TIMES))
    again = tuple(replace(series, labels={**series.labels, "job": "again"}) for series in own)
    sample = sample_of(ERRORS, server_series(*own, *again), _client(1000, {5: 500}))
    assert "are one process, scraped by two jobs" in getattr(sample, "reason", "")


def test_the_client_tells_what_no_server_can_have_counted() -> None:
    """Without a connection nothing arrived; a time-out or a reset may have been counted."""
    kinds = (FailureClass.REFUSED, FailureClass.TIMEOUT, STATUS, FailureClass.GENERATOR)
    parts = [
        make_slice(second, {1.0: 10}, failures={kind: 1}, statuses={200: 10, int(kind is STATUS) * 500: 1})
        for second, kind in enumerate(kinds)
    ]
    found = client_counts(make_recording(parts), None)
    assert (found.never_arrived, found.failed_responses) == (1, 1)
    assert found.window_never_arrived == (1, 0, 0, 0)
    assert found.failed == (1, 1, 1, 0)


@pytest.mark.parametrize("others", [False, True])
def test_what_a_restart_lost_is_the_clients_to_tell(*, others: bool) -> None:
    """100 of 1,000 requests are lost with the old process; with foreign traffic it is unknown how many."""
    before = {85.0: 0.0, 95.0: 5.0 if others else 0.0}
    values = {**before, 105.0: 400.0, 115.0: 100.0, 125.0: 500.0, 135.0: 500.0}
    starts = {at: 1.0 if at < 110 else 108.0 for at in values}
    server = server_series(
        raw_series("http_requests_total", values, status_code="200"),
        raw_series("process_start_time_seconds", starts),
        up(*values),
        interval=10.0,
    )
    sample = sample_of(ERRORS, server, counts(1000))
    if others:
        assert not isinstance(sample, Share)
        return
    assert isinstance(sample, Share)
    assert (sample.low, sample.high) == (Fraction(0), Fraction(1, 10))
    assert sample.counted is not None
    assert sample.counted.low == sample.counted.high == 0


@pytest.mark.parametrize(
    ("ahead", "surely"),
    [
        pytest.param(0, (50, 40, 0), id="in the same slices: failed or slow, whichever are more"),
        pytest.param(10, (30, 40, 0), id="scraped in between: ten of a slice's may lie in the next"),
        pytest.param(60, (0, 40, 0), id="who knows which"),
    ],
)
def test_failed_and_slow_requests_of_different_slices_are_bad_together(
    ahead: int, surely: tuple[int, ...]
) -> None:
    """50 fail in the first slice, 40 are slow in the second: none of them is both, as the counter shows."""
    preset = replace(PRESET, histogram_status_label=None)
    total = (0.0, 200.0, 400.0, 600.0)
    ok = (0.0, 150.0 - ahead, 350.0, 550.0)
    below = (0.0, 200.0, 360.0, 560.0)
    buckets = [
        raw_series(f"{PRESET.histogram}_bucket", dict(zip(TIMES, counted, strict=True)), le=le)
        for le, counted in (("0.1", below), ("0.5", below), ("+Inf", total))
    ]
    failed = dict(zip(TIMES, (0.0, 50.0, 50.0, 50.0), strict=True))
    server = replace(server_series(*status_counters(ok, failed), *buckets), preset=preset)
    sample = sample_of(P95, server, counts(600))
    assert isinstance(sample, Share)
    assert sample.slices is not None
    assert sample.slices.bad == surely
    assert sample.low == Fraction(sum(surely), 600)
