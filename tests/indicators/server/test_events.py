"""Load balancers, redeploys and lost label sets are told apart, and named by what was seen."""

from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.samples import NoData, Share
from slocheck.indicators.server.server_side import ServerSide
from slocheck.plan.series_queries import PROCESS_START
from tests.builders.server.histories import PRESET
from tests.builders.server.series import BASE, ERRORS, counts, sample_of, server_series, up

NAMES = ["http_requests_total", "envoy_cluster_upstream_rq"]
TIMES = (85.0, 95.0, 105.0, 115.0, 125.0, 135.0)


def _series(metric: str, points: dict[float, float], **labels: str) -> RawSeries:
    merged = {**BASE, "status_code": "200", **labels}
    return RawSeries(metric, merged, tuple(points), tuple(points.values()))


def _starts(values: dict[float, float], instance: str = "a") -> RawSeries:
    labels = {"job": "api", "instance": instance}
    return RawSeries(PROCESS_START, labels, tuple(values), tuple(values.values()))


def _server(metric: str, *series: RawSeries) -> ServerSeries:
    found = server_series(*series, interval=10.0)
    return replace(found, preset=replace(PRESET, counter=metric, histogram=None))


def _points(*values: float) -> dict[float, float]:
    return dict(zip(TIMES, values, strict=True))


@pytest.mark.parametrize("metric", NAMES)
def test_a_load_balancer_is_known_by_falls(metric: str) -> None:
    """A counter that falls and rises again, with one process start and with none on the page."""
    jumps = _series(metric, _points(500, 100, 510, 110, 520, 120), route="/items")
    for start, seen in (
        ((_starts(dict.fromkeys(TIMES, 1.0)),), "fell 3 times while the process started 0 times"),
        ((), "fell 3 times with no start known"),
    ):
        sample = sample_of(ERRORS, _server(metric, jumps, up(*TIMES), *start), counts(100))
        assert isinstance(sample, NoData)
        assert sample.source_failed
        assert f"api/a: a counter {seen} ({metric}{{" in sample.reason
        assert 'route="/items"' in sample.reason
        assert "load balancer" in sample.reason


def test_a_start_that_goes_back_and_forth_is_several_processes() -> None:
    """The message says how many were seen."""
    server = _server(NAMES[0], up(*TIMES), _starts(_points(1, 50, 1, 50, 90, 1)))
    assert "back and forth between 3 values" in ServerSide(server).load_balanced


@pytest.mark.parametrize("metric", NAMES)
def test_a_restart_is_named(metric: str) -> None:
    """The message also says what was lost with the old process."""
    counter = _series(metric, _points(500, 500, 600, 20, 120, 220))
    starts = _starts(_points(1, 1, 1, 108, 108, 108))
    sample = sample_of(ERRORS, _server(metric, counter, up(*TIMES), starts), counts(400))
    assert isinstance(sample, Share)
    assert sample.high == Fraction(80, 400)
    assert sample.notes[0] == (
        "the server's counters miss up to 80 requests of this run: "
        "the process of api/a started once during the load"
    )
    silent = sample_of(ERRORS, _server(metric, counter, up(*TIMES)), counts(400))
    assert isinstance(silent, Share)
    assert silent.notes[0].endswith("the counters of api/a fell once during the load")


@pytest.mark.parametrize("metric", NAMES)
def test_a_restart_that_the_scrape_after_the_end_shows_is_named(metric: str) -> None:
    """It came some time after the last scrape of the load, and may have cost counts of the load."""
    counter = _series(metric, _points(500, 500, 600, 700, 780, 20))
    starts = _starts(_points(1, 1, 1, 1, 1, 128))
    sample = sample_of(ERRORS, _server(metric, counter, up(*TIMES), starts), counts(400))
    assert isinstance(sample, Share)
    assert sample.notes[0].endswith("the process of api/a started once during the load")


@pytest.mark.parametrize("metric", NAMES)
def test_a_redeploy_is_named_by_its_instances(metric: str) -> None:
    """The old pod's last requests are in no sample, and both names are said."""
    old = _series(metric, {85.0: 0, 95.0: 0, 105.0: 100}, instance="old")
    new = _series(metric, {115.0: 50, 125.0: 150, 135.0: 200}, instance="new")
    server = _server(
        metric,
        old,
        new,
        up(85.0, 95.0, 105.0, instance="old"),
        up(115.0, 125.0, 135.0, instance="new"),
        _starts(dict.fromkeys((115.0, 125.0, 135.0), 108.0), "new"),
    )
    sample = sample_of(ERRORS, server, counts(330))
    assert isinstance(sample, Share)
    assert (
        "the server's counters miss up to 30 requests of this run: api/old was last scraped 25 s "
        "before its end, api/new was first scraped 15 s into the load: a redeploy, or one process with a new "
        "name"
    ) in sample.notes


@pytest.mark.parametrize("metric", NAMES)
def test_a_lost_label_set_is_not_a_restart(metric: str) -> None:
    """It began again at 0; the others continued, and none of their counts is counted twice."""
    stays = _series(metric, _points(1000, 1000, 1100, 1200, 1300, 1300), route="/a")
    lost = _series(metric, {85.0: 500, 95.0: 500, 105.0: 550, 125.0: 30, 135.0: 50}, route="/b")
    starts = _starts(dict.fromkeys(TIMES, 1.0))
    server = _server(metric, stays, lost, up(*TIMES), starts)
    assert ServerSide(server).load_balanced == ""
    sample = sample_of(ERRORS, server, counts(410))
    assert isinstance(sample, Share)
    assert (sample.total, sample.high) == (400, Fraction(10, 410))
    assert "1 of 2 label sets of" in sample.notes[0]
    assert f"{metric} vanished from the page of api/a while it was scraped" in sample.notes[0]
    assert 'route="/b"' in sample.notes[0]


@pytest.mark.parametrize("metric", NAMES)
def test_a_label_set_that_never_comes_back_is_named(metric: str) -> None:
    """Its last requests are missing; with foreign traffic it is unknown how many."""
    stays = _series(metric, _points(1000, 1000, 1100, 1200, 1300, 1300), route="/a")
    lost = _series(metric, {85.0: 500, 95.0: 500, 105.0: 550}, route="/b")
    server = _server(metric, stays, lost, up(*TIMES))
    sample = sample_of(ERRORS, server, counts(300))
    assert isinstance(sample, NoData)
    assert "the counters are incomplete (1 of 2 label sets of" in sample.reason
    assert 'route="/b"' in sample.reason


def test_a_quiet_run_has_no_events() -> None:
    """Counters that only rise, and new label sets, are not worth a message."""
    server = _server(
        NAMES[0],
        _series(NAMES[0], _points(1000, 1000, 1100, 1200, 1300, 1300), route="/a"),
        _series(NAMES[0], {115.0: 5, 125.0: 6, 135.0: 6}, route="/b"),
        up(*TIMES),
        _starts(dict.fromkeys(TIMES, 1.0)),
    )
    side = ServerSide(server)
    assert (side.events, side.load_balanced) == ((), "")


def test_samples_with_times_of_their_own_are_not_lost() -> None:
    """A page whose own timestamps change every 10 s, between two scrapes, lacks nothing."""
    own = _series(NAMES[0], {84.0: 0, 94.0: 0, 104.0: 100, 134.0: 300}, route="/a")
    other = _series(NAMES[0], {85.0: 0, 95.0: 0, 105.0: 10, 115.0: 20, 125.0: 30, 135.0: 30}, route="/b")
    assert ServerSide(_server(NAMES[0], own, other, up(*TIMES))).events == ()
