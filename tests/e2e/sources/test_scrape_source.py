"""The scrape source against real pages: samples, gaps, restarts, and what it refuses."""

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from slocheck.errors import SourceError, UsageError
from slocheck.evidence.series import ServerSeries
from slocheck.indicators.samples import Share
from slocheck.indicators.server.server_side import ServerSide
from slocheck.plan.metric_plan import MetricPlan
from slocheck.promql.selectors import SeriesQuery
from slocheck.sources.scrape.source import ScrapePages
from slocheck.spec.model import AUTO, Tls
from tests.builders.server.prom_client import FAILED, LIMITS, OK, bucket, pick, plan, queries, scrape_source
from tests.builders.server.series import ERRORS, counts, sample_of
from tests.e2e.support.servers.metrics_app import OPENMETRICS, MetricsApp
from tests.e2e.support.servers.nginx_server import NginxServer
from tests.support.ports import free_port
from tests.support.waiting import wait_until

START = {OK: 100.0, bucket("0.1"): 90.0, bucket("0.25"): 100.0, bucket("+Inf"): 100.0}


@pytest.fixture
def app() -> Iterator[MetricsApp]:
    """A service that has served 100 requests."""
    with MetricsApp() as app:
        app.set(START)
        yield app


def pages(*urls: str, interval: float = 0.2) -> ScrapePages:
    """Return the source under test; it scrapes fast, to keep the tests short."""
    return ScrapePages(
        scrape_source(*urls, interval=interval), plan(queries(job=None), latency_limits=LIMITS)
    )


def collected(source: ScrapePages, begun: float, sent: int = 0) -> ServerSeries:
    """Return what the source delivers for a load that began at `begun` and has just ended."""
    try:
        return source.collect(load_start=begun, window_start=begun, end=time.time(), sent=sent)
    finally:
        source.close()


def scraped(source: ScrapePages, number: int) -> None:
    """Wait until the first replica was scraped `number` times more."""
    replica = source._replicas[0]
    begun = len(replica.scrapes())
    wait_until(lambda: len(replica.scrapes()) >= begun + number, f"{number} scrapes")


def test_values_set_in_the_service_come_back(app: MetricsApp) -> None:
    """There is a sample before the load and one after it, new series, ``up`` and the instance."""
    source = pages(app.url)
    found = source.preflight()
    assert (found.targets, found.clock_skew, found.scrape_interval) == (1, 0.0, 0.2)
    assert found.bucket_boundaries == (0.1, 0.25)
    assert found.missing == ()
    assert [item.text for item in found.warnings if "no bucket boundary at 0.2 s" in item.text]
    source.start()
    begun = time.time()
    app.set({OK: 1300, FAILED: 7, bucket("0.1"): 1290})
    result = collected(source, begun, sent=1207)
    assert result.incomplete == ()
    assert result.warnings == ()
    assert result.kind == "scrape"
    good = pick(result.series, "http_requests_total", status_code="200")
    assert (good.values[0], good.values[-1]) == (100.0, 1300.0)
    assert good.times[0] < begun
    assert good.times[-1] > result.end
    assert good.labels["instance"] == app.address
    assert pick(result.series, "http_requests_total", status_code="500").values[-1] == 7.0
    up = pick(result.series, "up")
    assert set(up.values) == {1.0}
    assert up.times == good.times
    assert pick(result.series, "process_start_time_seconds").times == up.times
    assert result.queries[0] == f"GET {app.url}"


def test_several_replicas_are_told_apart(app: MetricsApp) -> None:
    """Each replica's series carry its own ``instance``."""
    with MetricsApp() as other:
        other.set({OK: 5})
        source = pages(app.url, other.url)
        assert source.preflight().targets == 2
        source.start()
        result = collected(source, time.time())
    values = [
        pick(result.series, "http_requests_total", instance=one.address).values[-1] for one in (app, other)
    ]
    assert values == [100.0, 5.0]


def test_openmetrics_reads_the_same(app: MetricsApp) -> None:
    """A page in the other format gives the same series."""
    app.respond(content_type=OPENMETRICS)
    source = pages(app.url)
    assert source.preflight().bucket_boundaries == (0.1, 0.25)
    source.start()
    result = collected(source, time.time())
    assert result.incomplete == ()
    assert pick(result.series, "http_requests_total").values[-1] == 100.0


def test_failed_scrapes_are_gaps(app: MetricsApp) -> None:
    """A page that fails for a while leaves ``up`` = 0 and a warning; the run goes on."""
    source = pages(app.url)
    source.preflight()
    source.start()
    begun = time.time()
    app.respond(status=500)
    scraped(source, 3)
    app.respond(status=200)
    result = collected(source, begun)
    up = pick(result.series, "up")
    assert 0.0 in up.values
    assert up.values[-1] == 1.0
    assert result.incomplete == ()
    assert "failed (the first: HTTP 500: the service failed" in result.warnings[0].text


def test_scrapes_that_all_fail_during_the_load_are_one_gap(app: MetricsApp) -> None:
    """The page was there before and after; no sample shows what happened in between: a warning says so."""
    source = pages(app.url)
    source.preflight()
    source.start()
    app.respond(status=503)
    begun = time.time()
    scraped(source, 5)
    app.respond(status=200)
    result = collected(source, begun)
    gap = ServerSide(result).scrape_gap
    assert gap.failed >= 4
    assert gap.seconds > 0.9 * (result.end - result.load_start)
    assert gap.target.endswith(app.address)


def test_empty_labels_and_unexpected_statuses_come_out_right(app: MetricsApp) -> None:
    """Series that gain an empty label go on, and 60 responses with 404 are possibly bad: 1,260 requests."""
    source = pages(app.url)
    source.preflight()
    source.start()
    begun = time.time()
    app.set({OK: None})
    app.set({OK.replace("}", ',error_type=""}'): 1300, OK.replace('"200"', '"404"'): 60})
    result = collected(source, begun)
    sample = sample_of(ERRORS, result, counts(1260))
    assert isinstance(sample, Share)
    assert [sample.total, sample.low, sample.high] == [1260, 0, Fraction(60, 1260)]
    assert "60 of 1,260 responses in http_requests_total had the unexpected status 404" in sample.notes[0]


def test_a_wanted_series_that_a_page_has_twice_makes_the_result_incomplete(app: MetricsApp) -> None:
    """While no metric is known, all are kept; which of them are wanted shows only after the load."""
    source = ScrapePages(scrape_source(app.url, interval=0.2), MetricPlan(AUTO, (SeriesQuery("up"),)))
    source.start()
    begun = time.time()
    app.serve_raw(f"{OK} 100\n{OK} 100\nother 1\nother 2\n".encode())
    scraped(source, 2)
    source.use(plan(queries(job=None)))
    result = collected(source, begun)
    found = [reason for reason in result.incomplete if "twice" in reason]
    assert len(found) == 1
    assert found[0].startswith(f"{app.url}: the page has a series twice, http_requests_total: ")


def test_the_pages_own_route_is_not_the_workloads(app: MetricsApp) -> None:
    """Whatever path it is served under, with and without a slash at the end."""
    source = pages(f"{app.url}/internal/")
    source.start()
    ignored = collected(source, time.time()).preset.ignore_routes
    assert {"/metrics/internal", "/metrics/internal/"} <= set(ignored)


def test_a_restart_is_no_load_balancer(app: MetricsApp) -> None:
    """One new start time and counters from 0 are a restart: the samples are kept as they are."""
    source = pages(app.url)
    source.preflight()
    source.start()
    begun = time.time()
    app.set({OK: 500})
    scraped(source, 2)
    port = app.port
    app.stop()
    with MetricsApp(port) as again:
        again.set({OK: 20})
        scraped(source, 2)
        result = collected(source, begun)
    assert result.incomplete == ()
    assert pick(result.series, "http_requests_total").values[-1] == 20.0
    starts = pick(result.series, "process_start_time_seconds")
    assert len(set(starts.values)) == 2


def test_a_service_that_is_gone_after_the_load(app: MetricsApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a page after the load the result is incomplete, and says why."""
    monkeypatch.setattr("slocheck.sources.scrape.replica.LAST_PAGE_LIMIT", 0.5)
    source = pages(app.url)
    source.preflight()
    source.start()
    begun = time.time()
    app.stop()
    result = collected(source, begun)
    assert "no page of" in result.incomplete[0]
    assert "connection refused" in result.incomplete[0]


def test_a_load_balanced_url_is_refused_before_the_load(app: MetricsApp, tmp_path: Path) -> None:
    """Two replicas behind one URL show in their start times."""
    with MetricsApp() as other:
        other.set({OK: 7})
        with (
            NginxServer(tmp_path, balance=[app.address, other.address]) as nginx,
            pytest.raises(SourceError, match=r"served by several processes; name every replica"),
        ):
            pages(f"{nginx.url}/metrics").preflight()


def test_a_balancer_without_start_times_is_found_by_its_counters(app: MetricsApp, tmp_path: Path) -> None:
    """Counters that fall repeatedly without a restart come from several processes."""
    app.set({"process_start_time_seconds": None})
    with MetricsApp() as other:
        other.set({OK: 7, "process_start_time_seconds": None})
        with (
            NginxServer(tmp_path, balance=[app.address, other.address]) as nginx,
            pytest.raises(SourceError, match=r"counters fell (twice|\d+ times) with 0 restarts"),
        ):
            pages(f"{nginx.url}/metrics").preflight()


def test_a_balancer_that_shows_only_under_load_makes_the_result_incomplete(
    app: MetricsApp, tmp_path: Path
) -> None:
    """What the preflight could not see is found from the run's scrapes."""
    with MetricsApp() as other, NginxServer(tmp_path, balance=[app.address]) as nginx:
        other.set({OK: 7})
        source = pages(f"{nginx.url}/metrics")
        source.preflight()
        source.start()
        begun = time.time()
        nginx.reload(balance=[app.address, other.address])
        scraped(source, 8)
        result = collected(source, begun)
    assert any("goes back and forth between 2 values" in reason for reason in result.incomplete)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"status": 404}, "HTTP 404; check the path of the metrics page", id="404"),
        pytest.param({"status": 401}, "HTTP 401: the page asks for credentials", id="401"),
        pytest.param({"status": 302}, "HTTP 302", id="a redirect"),
        pytest.param({"content_type": OPENMETRICS, "raw": None}, "", id="fine"),
    ],
)
def test_the_preflight_needs_every_page(app: MetricsApp, settings: dict[str, object], message: str) -> None:
    """The first failure is final, with the page's URL; a good page passes."""
    app.respond(**settings)
    if not message:
        assert pages(app.url).preflight().targets == 1
        return
    with pytest.raises(SourceError, match=rf"scrape {app.url}: {message}"):
        pages(app.url).preflight()


def test_urls_that_lead_nowhere_or_twice_to_the_same_page(app: MetricsApp) -> None:
    """Refused, unknown and duplicate URLs are told apart; two names of one process give a warning."""
    with pytest.raises(SourceError, match="connection refused; start the service"):
        pages(f"http://127.0.0.1:{free_port()}/metrics").preflight()
    with pytest.raises(SourceError, match="unknown host"):
        pages("http://no-such-host.invalid/metrics").preflight()
    with pytest.raises(UsageError, match="is named twice"):
        pages(app.url, app.url).preflight()
    again = app.url.replace("127.0.0.1", "localhost")
    assert any(
        "same process_start_time_seconds" in item.text for item in pages(app.url, again).preflight().warnings
    )


def test_missing_metrics_are_told_from_newborn_ones(app: MetricsApp) -> None:
    """A declared metric without samples is not created yet; an undeclared one may be misnamed."""
    app.set(dict.fromkeys(START))
    names = (*queries(job=None), SeriesQuery("cache_hits_total"))
    source = ScrapePages(scrape_source(app.url), plan(names))
    found = source.preflight()
    assert found.missing == (
        "http_requests_total",
        "http_request_duration_seconds_bucket",
        "cache_hits_total",
    )
    assert [item.text.split()[0] for item in found.warnings] == ["cache_hits_total"]


def test_tls_is_verified(app: MetricsApp, tmp_path: Path) -> None:
    """A certificate of an unknown authority is refused; a known one and `insecure` are accepted."""
    with NginxServer(tmp_path, balance=[app.address], tls=True) as nginx:
        url = f"{nginx.url}/metrics"
        with pytest.raises(SourceError, match=r"TLS failed .*CERTIFICATE_VERIFY_FAILED"):
            pages(url).preflight()
        for tls in (Tls(ca=str(nginx.ca)), Tls(insecure=True)):
            spec = scrape_source(url, interval=1.0, tls=tls)
            assert ScrapePages(spec, plan(queries(job=None))).preflight().targets == 1
        with pytest.raises(UsageError, match=r"scrape\.tls\.ca: none\.pem: No such file"):
            ScrapePages(scrape_source(url, tls=Tls(ca="none.pem")), plan(())).preflight()
