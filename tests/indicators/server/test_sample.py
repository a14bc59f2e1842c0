"""The server side's samples from counters against cases with known truth; `test_buckets` has latencies."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor, inf

import pytest

from slocheck.evidence.series import PromqlResult, RawSeries, ServerSeries
from slocheck.grading.assessment import Verdict
from slocheck.indicators.samples import NoData, Rate, Scalar, Share, Slices
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.plan.series_queries import PROCESS_START
from tests.builders.server.histories import FAILED, PRESET, History, make_history
from tests.builders.server.series import (
    BASE,
    BREACHED,
    ERRORS,
    MET,
    P95,
    SOURCE,
    TIMES,
    UNDECIDED,
    counts,
    raw_series,
    sample_of,
    server_series,
    status_counters,
    up,
    verdicts_of,
)
from tests.builders.specs import make_spec


def test_errors_of_a_newborn_series_are_counted_from_nought() -> None:
    """Seven errors in 1,207, which a dashboard shows as 0 %."""
    server = server_series(*status_counters((0, 400, 800, 1200), {110.0: 7, 125.0: 7, 140.0: 7}))
    assert verdicts_of(ERRORS, server, counts(1207)) == (MET, BREACHED, BREACHED)
    sample = sample_of(ERRORS, server, counts(1207))
    assert isinstance(sample, Share)
    assert sample.low == sample.high == Fraction(7, 1207)


RESET = {95.0: 10000.0, 110.0: 10500.0, 125.0: 300.0, 140.0: 900.0}


@pytest.mark.parametrize(
    ("sent", "verdicts"),
    [
        pytest.param(1400, (MET, MET, MET), id="the client's count reconciles"),
        pytest.param(1410, (MET, UNDECIDED, UNDECIDED), id="ten are missing"),
        pytest.param(0, (UNDECIDED,) * 3, id="no client count"),
    ],
)
def test_a_restart_is_a_lower_bound(sent: int, verdicts: tuple[Verdict, ...]) -> None:
    """What was served between the last scrape and the restart is in no sample."""
    starts = RawSeries(PROCESS_START, {"job": "api", "instance": "a"}, TIMES, (20.0, 20.0, 115.0, 115.0))
    server = server_series(raw_series("http_requests_total", RESET, status_code="200"), up(*TIMES), starts)
    assert verdicts_of(ERRORS, server, counts(sent)) == verdicts


def test_a_replica_that_arrives_counts_from_its_start() -> None:
    """If it started during the load, its whole counter is ours; otherwise only the observed increase."""
    counter = RawSeries(
        "http_requests_total",
        {**BASE, "instance": "b", "status_code": "200"},
        (125.0, 140.0),
        (400.0, 1000.0),
    )
    for born, total in ((116.0, 1000), (20.0, 600)):
        starts = RawSeries(PROCESS_START, {"job": "api", "instance": "b"}, (125.0, 140.0), (born, born))
        sample = sample_of(
            ERRORS, server_series(counter, up(125.0, 140.0, instance="b"), starts), counts(total)
        )
        assert isinstance(sample, Share)
        assert sample.total == total
        assert ("baseline unknown" in sample.notes) == (born == 20.0)


@pytest.mark.parametrize(
    ("blank", "total", "notes"),
    [
        pytest.param((110.0,), 1000, (), id="a page without the series"),
        pytest.param((), 600, ("baseline unknown",), id="no page before its first sample"),
        pytest.param((124.9,), 600, ("baseline unknown",), id="too near to be another page"),
    ],
)
def test_what_a_replica_found_late_had_not_counted_yet_is_counted_from_nought(
    blank: tuple[float, ...], total: int, notes: tuple[str, ...]
) -> None:
    """Older than the load, but its first page lacked the series: that was 0, and all of it is ours."""
    counter = RawSeries(
        "http_requests_total",
        {**BASE, "instance": "b", "status_code": "200"},
        (125.0, 140.0),
        (400.0, 1000.0),
    )
    starts = RawSeries(PROCESS_START, {"job": "api", "instance": "b"}, (125.0, 140.0), (20.0, 20.0))
    server = server_series(counter, up(*blank, 125.0, 140.0, instance="b"), starts)
    sample = sample_of(ERRORS, server, counts(total))
    assert isinstance(sample, Share)
    assert (sample.total, sample.notes) == (total, notes)


def test_a_replica_whose_clock_is_ahead_is_not_counted_as_nothing() -> None:
    """It seems to start after it was scraped: what it added since its first scrape is still known."""
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


@pytest.mark.parametrize(
    "series",
    [
        pytest.param((), id="empty"),
        pytest.param(status_counters((5, 5, 5, 5), {}), id="no growth"),
    ],
)
def test_nothing_is_no_data(series: tuple[RawSeries, ...]) -> None:
    """Never 0 % and gold."""
    assert isinstance(sample_of(ERRORS, server_series(*series), counts(10)), NoData)


def test_refused_requests_are_errors_that_the_server_never_saw() -> None:
    """9,990 fine by the server's count, ten refused by the client's: 0.1 % exactly."""
    server = server_series(*status_counters((0, 5000, 9000, 9990), {}))
    assert verdicts_of(ERRORS, server, counts(10000, no_response=10)) == (MET, BREACHED, BREACHED)


def test_the_sample_that_closes_the_window_may_come_late() -> None:
    """A missed scrape moves the last sample; without it the tail is unknown."""
    late = raw_series(
        "http_requests_total", {95.0: 500.0, 105.0: 505.0, 115.0: 505.0, 131.0: 1205.0}, status_code="200"
    )
    sample = sample_of(ERRORS, server_series(late, up(95.0, 105.0, 115.0, 131.0), interval=10.0), counts(705))
    assert isinstance(sample, Share)
    assert (sample.total, sample.high) == (705, Fraction(0))
    cut = raw_series("http_requests_total", {95.0: 500.0, 105.0: 505.0, 115.0: 505.0}, status_code="200")
    assert (
        verdicts_of(ERRORS, server_series(cut, up(95.0, 105.0, 115.0), interval=10.0), counts(705))
        == (UNDECIDED,) * 3
    )


def test_one_target_scraped_by_two_jobs_is_named() -> None:
    """Sums that are a multiple of what was sent are not a measurement."""
    server = server_series(*status_counters((0, 500, 1500, 2000), {}))
    sample = sample_of(ERRORS, server, counts(1000))
    assert isinstance(sample, NoData)
    assert sample.source_failed
    assert "2 times" in sample.reason


def test_a_load_balanced_page_is_refused() -> None:
    """Two processes behind one address look like resets."""
    jumps = {95.0: 100.0, 105.0: 20.0, 115.0: 140.0, 125.0: 60.0, 135.0: 180.0}
    starts = RawSeries(
        PROCESS_START, {"job": "api", "instance": "a"}, tuple(jumps), (1.0, 5.0, 1.0, 5.0, 1.0)
    )
    server = server_series(raw_series("http_requests_total", jumps, status_code="200"), up(*jumps), starts)
    sample = sample_of(ERRORS, server, counts(100))
    assert isinstance(sample, NoData)
    assert "each replica" in sample.reason


def test_grouped_status_labels_are_bounds_where_they_cannot_tell() -> None:
    """`4xx` may or may not be the 429 that the spec calls a failure."""
    spec = make_spec(
        '  error_rate: {bronze: "< 1%", silver: "< 0.1%", gold: "< 0.01%"}\n',
        more=SOURCE + "failures: {statuses: [5xx, 429]}\n",
    )
    ok = raw_series("http_requests_total", {95.0: 0.0, 140.0: 990.0}, status_code="2xx")
    bad = raw_series("http_requests_total", {95.0: 0.0, 140.0: 10.0}, status_code="4xx")
    sample = sample_of(spec, server_series(ok, bad, up(*TIMES)), counts(1000))
    assert isinstance(sample, Share)
    assert (sample.low, sample.high) == (Fraction(0), Fraction(1, 100))


def test_a_label_that_is_added_empty_splits_no_series() -> None:
    """The first 500 brings `error_type=""` to all others: 1,000 requests, seven of them errors."""
    server = server_series(
        raw_series("http_requests_total", {95.0: 5000, 110.0: 5400}, status_code="200"),
        raw_series("http_requests_total", {125.0: 5800, 140.0: 5993}, status_code="200", error_type=""),
        raw_series("http_requests_total", {125.0: 3, 140.0: 7}, status_code="500", error_type="500"),
        up(*TIMES),
    )
    sample = sample_of(ERRORS, server, counts(1000))
    assert isinstance(sample, Share)
    assert (sample.total, sample.low, sample.high, sample.notes) == (
        1000,
        Fraction(7, 1000),
        Fraction(7, 1000),
        (),
    )


def test_health_and_metrics_routes_are_left_out() -> None:
    """The scraper's own requests are not the workload's."""
    own = raw_series("http_requests_total", {95.0: 0.0, 140.0: 50.0}, status_code="200", route="/metrics")
    server = server_series(*status_counters((0, 400, 800, 1000), {}), own)
    sample = sample_of(ERRORS, server, counts(1000))
    assert isinstance(sample, Share)
    assert sample.total == 1000


def test_the_rate_is_that_between_two_scrapes_of_the_window() -> None:
    """Time before the first and after the last scrape is neither counted nor divided by."""
    spec = make_spec('  rps_per_instance: {bronze: ">= 10/s"}\n', more=SOURCE, gate="bronze")
    points = {95.0: 0.0, 105.0: 100.0, 115.0: 300.0, 125.0: 500.0, 135.0: 600.0}
    server = server_series(
        raw_series("http_requests_total", points, status_code="200"), up(*points), interval=10.0
    )
    sample = sample_of(spec, server, counts(600))
    assert isinstance(sample, Rate)
    assert (sample.low, sample.ceiling) == (Fraction(20), Fraction(20))
    assert sample.slices == Slices((200, 200), (0, 0), slice_s=10.0)


@pytest.mark.parametrize(
    ("result", "value"),
    [
        pytest.param(PromqlResult("q", (3.0,)), 3, id="a number"),
        pytest.param(PromqlResult("q", ()), None, id="nothing"),
        pytest.param(PromqlResult("q", (float("nan"),)), None, id="not a number"),
        pytest.param(PromqlResult("q", error="422"), None, id="an error"),
        pytest.param(None, None, id="never asked"),
    ],
)
def test_a_query_of_the_users_own(result: PromqlResult | None, value: int | None) -> None:
    """Only a finite number is a value."""
    source = 'prometheus: {url: "http://127.0.0.1:9090", preset: prom-client, selector: {job: api}}\n'
    spec = make_spec('  depth: {indicator: {promql: "max(x)"}, bronze: "< 5"}\n', more=source, gate="bronze")
    server = ServerSeries("prometheus", PRESET, 1, 1, 2, promql={"depth": result} if result else {})
    sample = sample_of(spec, server, counts(1))
    assert sample == Scalar(Fraction(value), (3.0,)) if value else isinstance(sample, NoData)


HISTORIES = 2000
OTHERS_AND_NEWCOMER = 100_104
"""Others use it before the load, a process dies within it, and a new one comes."""

UNLABELLED = replace(PRESET, histogram_status_label=None)


@pytest.mark.parametrize("odd", [float("nan"), inf])
def test_a_sample_that_is_no_number_is_left_out(odd: float) -> None:
    """An exporter may say NaN before the load; the other samples count."""
    counter = raw_series(
        "http_requests_total", {90.0: odd, 95.0: 5, 110.0: 505, 140.0: 1005}, status_code="200"
    )
    sample = sample_of(ERRORS, server_series(counter, up(*TIMES)), counts(1000))
    assert isinstance(sample, Share)
    assert (sample.total, float(sample.high)) == (1000, 0.0)


def test_a_restart_before_the_load_does_not_hide_other_traffic() -> None:
    """Foreign requests may replace those of ours that the second restart lost: nothing is decided."""
    times = (70.0, 85.0, 95.0, 110.0, 125.0, 140.0)
    values = (1000, 0, 50, 550, 300, 600)
    counter = raw_series("http_requests_total", dict(zip(times, values, strict=True)), status_code="200")
    starts = RawSeries(PROCESS_START, {"job": "api", "instance": "a"}, times, (20, 80, 80, 80, 112, 112))
    assert verdicts_of(ERRORS, server_series(counter, up(*times), starts), counts(1100)) == (UNDECIDED,) * 3


def test_what_was_scraped_before_was_not_born_since() -> None:
    """The service's clock is ahead: its process seems to start within the load, but was seen before it."""
    counters = status_counters((5000, 5400, 5800, 6000), {95.0: 600, 110.0: 600, 125.0: 600, 140.0: 600})
    starts = RawSeries(PROCESS_START, {"job": "api", "instance": "a"}, TIMES, (101.0,) * 4)
    sample = sample_of(ERRORS, server_series(*counters, starts), counts(1000))
    assert isinstance(sample, Share)
    assert (sample.total, float(sample.high)) == (1000, 0.0)


def test_a_rate_counts_the_seconds_from_a_birth_as_it_counts_the_requests() -> None:
    """Two replicas with 100 requests a second each, one of them born in the window."""
    old, new = tuple(range(70, 161, 15)), tuple(range(120, 166, 15))
    spec = make_spec('  rps_per_instance: {silver: ">= 110/s"}\n', more=SOURCE)
    spec = replace(spec, target=replace(spec.target, instances=None))
    labels = {"job": "api", "instance": "b"}
    server = server_series(
        raw_series("http_requests_total", {t: 100.0 * max(0, t - 100) for t in old}, status_code="200"),
        RawSeries(
            "http_requests_total",
            {**BASE, "instance": "b", "status_code": "200"},
            new,
            tuple(100.0 * (min(t, 160) - 106) for t in new),
        ),
        up(*old),
        up(*new, instance="b"),
        RawSeries(PROCESS_START, labels, new, (106.0,) * len(new)),
        end=160.0,
    )
    sample = sample_of(spec, server, counts(11400), "silver")
    assert isinstance(sample, Rate)
    assert sample.low == sample.high == 100


def client_of(history: History) -> ClientCounts:
    """Return what the client of a history counted, failures by the second of its window."""
    unanswered = (*history.refused, *(one.time for one in history.given_up))
    wrong = (*history.blocked, *history.failed)
    window = ceil(history.series.end - history.series.start)

    def per_second(times: Iterable[float]) -> tuple[int, ...]:
        found = Counter(min(window - 1, floor(time - history.start)) for time in times)
        return tuple(found[second] for second in range(window))

    return ClientCounts(
        sent=len(history.sent),
        no_response=len(unanswered),
        window_sent=sum(time >= history.start for time in history.sent),
        window_s=float(window),
        never_arrived=len(history.refused),
        failed_responses=len(wrong),
        window_never_arrived=per_second(history.refused),
        failed=per_second((*unanswered, *wrong)),
        unserved=per_second((*unanswered, *wrong)),
    )


def test_the_truth_lies_within_the_bounds_of_every_history() -> None:
    """Restarts, replicas, gaps, late scrapes, duplicates, skew, refusals, other traffic: the bounds hold."""
    decided = 0
    for seed in (*range(HISTORIES), OTHERS_AND_NEWCOMER):
        history = make_history(seed)
        client = client_of(history)
        not_counted = sum(time >= history.start for time in (*history.refused, *history.blocked))
        asked = [(ERRORS, inf, PRESET), (P95, 0.5, PRESET if seed % 4 else UNLABELLED)]
        for spec, slow, preset in asked:
            sample = sample_of(spec, replace(history.series, preset=preset), client)
            if isinstance(sample, NoData):
                continue
            assert isinstance(sample, Share)
            bad = sum(
                one.seconds > slow or one.status == FAILED or one in history.given_up
                for one in history.requests
            )
            truth = Fraction(bad + not_counted, len(history.requests) + not_counted)
            assert sample.low <= truth <= sample.high, f"history {seed}: {spec.objectives[0].name}"
            decided += sample.high - sample.low < Fraction(1, 100)
    assert decided > HISTORIES / 4, "the bounds are so wide that they say nothing"
