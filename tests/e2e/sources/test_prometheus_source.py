"""The Prometheus source against a real Prometheus: planted values come back, faults are noticed."""

import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from slocheck.errors import SourceError, UsageError
from slocheck.evidence.series import ServerSeries
from slocheck.promql.selectors import Matcher, SeriesQuery
from slocheck.sources.prometheus.source import PrometheusApi
from slocheck.spec.model import Indicator, IndicatorKind, Reduce
from tests.builders.server.prom_client import (
    FAILED,
    JOB,
    LIMITS,
    OK,
    bucket,
    pick,
    plan,
    prometheus_source,
    queries,
)
from tests.e2e.support.servers.metrics_app import MetricsApp
from tests.e2e.support.servers.native_page import CONTENT_TYPE as NATIVE
from tests.e2e.support.servers.native_page import native_page, upper_edge
from tests.e2e.support.servers.prometheus_server import PrometheusServer, start_prometheus
from tests.support.waiting import wait_until

ERRORS = f'http_requests_total{{job="{JOB}",status_code="500"}}'


def promql(text: str, over: Reduce | None = None) -> Indicator:
    """Return a custom indicator."""
    return Indicator(IndicatorKind.PROMQL, promql=text, over=over)


CUSTOM = {
    "one": promql("max(http_requests_total)"),
    "range": promql("sum(http_requests_total)", Reduce.MAX),
    "window": promql("sum(count_over_time(up[$window]))"),
    "many": promql("http_requests_total"),
    "none": promql("no_such_metric"),
    "nan": promql("vector(0) / vector(0)"),
    "infinite": promql("vector(1) / vector(0)"),
    "text": promql('"words"'),
    "matrix": promql("up[10s]"),
}


@pytest.fixture
def app() -> Iterator[MetricsApp]:
    """A service that has served 1,200 good requests."""
    with MetricsApp() as app:
        app.set({OK: 1200, bucket("0.1"): 1000, bucket("0.25"): 1200, bucket("+Inf"): 1200})
        yield app


@pytest.fixture
def server(app: MetricsApp, tmp_path: Path) -> Iterator[PrometheusServer]:
    """A Prometheus that scrapes the service every second."""
    with start_prometheus(tmp_path, {JOB: [app.url]}) as server:
        yield server


def source(server: PrometheusServer) -> PrometheusApi:
    """Return the source under test, with every custom query."""
    return PrometheusApi(prometheus_source(server.url), plan(promql=CUSTOM, latency_limits=LIMITS))


def wait_no_longer(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Set how long the source waits for the last samples of a load."""
    monkeypatch.setattr("slocheck.sources.prometheus.source.longest_wait", lambda *_: seconds)


def collected(api: PrometheusApi, begun: float, sent: int = 0) -> ServerSeries:
    """Return what the source delivers for a load that began at `begun` and has just ended."""
    return api.collect(load_start=begun, window_start=begun, end=time.time(), sent=sent)


def test_values_set_in_the_service_come_back_raw(app: MetricsApp, server: PrometheusServer) -> None:
    """All seven errors of a new series are there, with the samples before and after the load."""
    server.wait_value(f'http_requests_total{{job="{JOB}"}}', 1200)
    api = source(server)
    found = api.preflight()
    assert found.scrape_interval == 1.0
    assert abs(found.clock_skew) < 1.0
    assert found.targets == 1
    assert found.bucket_boundaries == (0.1, 0.25)
    assert found.missing == ()
    assert [
        item
        for item in found.warnings
        if "no bucket boundary at 0.2 s" in item.text and "bucket 0.2" in item.text
    ]
    assert not [item for item in found.warnings if "boundary at 0.25 s" in item.text]

    dotted = PrometheusApi(prometheus_source(server.url), replace(plan(), labels=("job", "k8s.pod")))
    with pytest.raises(UsageError, match=r"not accept label names with dots.*write k8s_pod for k8s\.pod"):
        dotted.preflight()  # this version itself shows that it has none
    dotted.close()

    begun = time.time()
    app.set({OK: 2400, FAILED: 7, bucket("+Inf"): 2407})
    result = collected(api, begun)
    api.close()

    assert result.incomplete == ()
    assert result.kind == "prometheus"
    errors = pick(result.series, "http_requests_total", status_code="500")
    assert set(errors.values) == {7.0}
    good = pick(result.series, "http_requests_total", status_code="200")
    assert good.values[0] == 1200
    assert good.values[-1] == 2400
    assert good.times[0] < result.load_start
    assert good.times[-1] >= result.end
    assert list(good.times) == sorted(good.times)
    up = pick(result.series, "up")
    assert up.times[-1] >= result.end
    assert "__name__" not in up.labels
    assert pick(result.series, "http_request_duration_seconds_bucket", le="+Inf").values[-1] == 2407
    assert any(query.startswith('http_requests_total{job="shop"}[') for query in result.queries)
    check_custom(result)


def check_custom(result: ServerSeries) -> None:
    """Each custom query has a result, or says why not."""
    results = result.promql
    assert results["one"].values in ((1200.0,), (2400.0,))
    assert set(results["range"].values) <= {1200.0, 2400.0, 2407.0}
    assert "[1s]" in results["window"].query
    assert "2 series; aggregate it" in results["many"].error or results["many"].values == (1200.0,)
    assert "no data" in results["none"].error
    assert "NaN" in results["nan"].error
    assert "infinite" in results["infinite"].error
    assert "returns text" in results["text"].error
    assert "range vector" in results["matrix"].error
    assert all(not results[name].values for name in ("none", "nan", "infinite", "text", "matrix"))


def test_a_restart_of_prometheus_in_the_middle_loses_nothing(
    app: MetricsApp, server: PrometheusServer
) -> None:
    """The samples before and after the restart belong to one series; the gap shows in ``up``."""
    api = source(server)
    api.preflight()
    begun = time.time()
    app.set({FAILED: 3})
    server.wait_value(ERRORS, 3)
    server.stop()
    app.set({FAILED: 9})
    server.start()
    result = collected(api, begun)
    api.close()
    assert result.incomplete == ()
    errors = pick(result.series, "http_requests_total", status_code="500")
    assert (errors.values[0], errors.values[-1]) == (3.0, 9.0)
    up = pick(result.series, "up")
    assert up.times[0] < result.load_start < result.end <= up.times[-1]
    away = max(later - earlier for earlier, later in pairwise(up.times))
    for name in ("one", "range", "window"):
        gap = result.promql[name].gap
        assert gap is not None
        assert gap.seconds >= away - 0.01, name


def test_a_prometheus_that_is_gone_after_the_load_ends_in_an_error(
    server: PrometheusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retries are bounded, and the error says who refused."""
    monkeypatch.setattr("slocheck.sources.prometheus.source.RETRY_FOR", 0.5)
    api = source(server)
    api.preflight()
    server.stop()
    with pytest.raises(SourceError, match="connection refused; start Prometheus"):
        collected(api, time.time())


def test_a_dead_target_is_not_waited_for(app: MetricsApp, server: PrometheusServer) -> None:
    """After some failed scrapes a target counts as dead; the missing tail is in ``up``."""
    api = source(server)
    api.preflight()
    begun = time.time()
    app.stop()
    result = collected(api, begun)
    api.close()
    assert result.incomplete == ()
    assert pick(result.series, "up").values[-1] == 0.0


def test_a_scrape_that_does_not_come_makes_the_result_incomplete(
    server: PrometheusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait has a deadline, and missing it is reported as the reason."""
    wait_no_longer(monkeypatch, 0.0)
    api = source(server)
    api.preflight()
    result = collected(api, time.time())
    api.close()
    assert any("no scrape after the load of shop/127.0.0.1" in reason for reason in result.incomplete)


def test_samples_that_begin_after_the_load_make_the_result_incomplete(
    server: PrometheusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server without samples from before the load cannot tell what the load added."""
    wait_no_longer(monkeypatch, 3.0)
    api = source(server)
    result = collected(api, time.time() - 3600)
    api.close()
    assert any("nothing from before the load" in reason for reason in result.incomplete)


def test_a_replica_added_and_one_removed_are_both_there(app: MetricsApp, server: PrometheusServer) -> None:
    """The source fetches every series that lived during the run, and waits only for live targets."""
    api = source(server)
    api.preflight()
    begun = time.time()
    app.set({FAILED: 2})
    server.wait_value(ERRORS, 2)
    with MetricsApp() as other:
        other.set({FAILED: 5})
        server.reload({JOB: [other.url]})
        result = collected(api, begun)
    api.close()
    assert result.incomplete == ()
    removed = pick(result.series, "http_requests_total", status_code="500", instance=app.address)
    added = pick(result.series, "http_requests_total", status_code="500", instance=other.address)
    assert (removed.values[-1], added.values[-1]) == (2.0, 5.0)


def test_too_many_samples_are_fetched_in_pieces(app: MetricsApp, tmp_path: Path) -> None:
    """A server that refuses large responses is asked again for shorter spans; the parts fit together."""
    app.set({bucket(str(edge)): edge for edge in range(10, 40)})
    extra = ["--query.max-samples=120"]
    with start_prometheus(tmp_path, {JOB: [app.url]}, extra_args=extra) as server:
        wait_until(lambda: (server.value("count_over_time(up[1m])") or 0) >= 7, "seven scrapes")
        api = PrometheusApi(prometheus_source(server.url), plan())
        api.preflight()
        result = collected(api, time.time() - 4)
        api.close()
    one = pick(result.series, "http_request_duration_seconds_bucket", le="12")
    up = pick(result.series, "up")
    assert len(result.queries) > len(queries())
    assert len(one.times) == len(set(one.times))
    assert one.times[-len(up.times) :] == up.times[-len(one.times) :]


def test_the_preflight_refuses_what_cannot_be_measured(server: PrometheusServer) -> None:
    """No target, several jobs and none of them pinned, a query that Prometheus cannot parse."""
    pinned = tuple(SeriesQuery(query.metric, (Matcher("job", "=", 'a"b'),)) for query in queries())
    with pytest.raises(SourceError, match=r'up\{job="a\\"b"\} finds no target.*jobs there: shop'):
        PrometheusApi(prometheus_source(server.url), plan(pinned)).preflight()
    wrong = {"depth": promql("max(queue_depth")}
    with pytest.raises(UsageError, match=r"objectives\.depth: .*parse error"):
        PrometheusApi(prometheus_source(server.url), plan(promql=wrong)).preflight()


def test_jobs_that_are_not_told_apart_are_refused(app: MetricsApp, tmp_path: Path) -> None:
    """One target scraped by two jobs counts twice, so a selector without a job is refused."""
    with start_prometheus(tmp_path, {JOB: [app.url], "copy": [app.url]}) as server:
        loose = PrometheusApi(prometheus_source(server.url), plan(queries(job=None)))
        with pytest.raises(SourceError, match=r"matches 2 jobs.*job: copy"):
            loose.preflight()
        loose.close()
        assert source(server).preflight().targets == 1


def test_missing_metrics_and_dead_targets_are_told_before_the_load(
    app: MetricsApp, server: PrometheusServer
) -> None:
    """A metric without a series is listed as newborn or misnamed; all targets down is an error."""
    names = (*queries(), SeriesQuery("cache_hits_total", (Matcher("job", "=", JOB),)))
    found = PrometheusApi(prometheus_source(server.url), plan(names)).preflight()
    assert found.missing == ("cache_hits_total",)
    assert any("cache_hits_total has no series yet" in item.text for item in found.warnings)
    app.stop()
    server.wait_value(f'up{{job="{JOB}"}}', 0)
    with pytest.raises(SourceError, match="every one is down"):
        source(server).preflight()


def test_native_histograms_are_read_as_buckets(app: MetricsApp, tmp_path: Path) -> None:
    """A native-only histogram counts in every bucket, with real boundaries."""
    labels = {"method": "GET", "route": "/items", "status_code": "200"}
    name = "http_request_duration_seconds"
    app.serve_raw(native_page(name, labels, {-26: 3}), NATIVE)
    with start_prometheus(
        tmp_path, {JOB: [app.url]}, extra_args=["--enable-feature=native-histograms"]
    ) as server:
        server.wait_value(f"histogram_count({name})", 3)
        api = PrometheusApi(prometheus_source(server.url), plan())
        assert f"{name}_bucket" not in api.preflight().missing
        begun = time.time()
        app.serve_raw(native_page(name, labels, {-26: 9, -10: 2}), NATIVE)
        result = collected(api, begun)
        api.close()
    assert result.incomplete == ()
    buckets = [one for one in result.series if one.metric == f"{name}_bucket"]
    grown = sorted((float(one.labels["le"]), one.values[0], one.values[-1]) for one in buckets)
    assert [counts for _, *counts in grown] == [[3.0, 9.0], [3.0, 11.0], [3.0, 11.0]]
    edges = [upper_edge(-26), upper_edge(-10), float("inf")]
    assert [edge for edge, *_ in grown] == pytest.approx(edges)


def test_a_clock_that_moves_during_the_run_makes_the_result_incomplete(
    server: PrometheusServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Samples cannot be matched to the load when the clocks move against each other."""
    wait_no_longer(monkeypatch, 0.0)
    api = source(server)
    found = api.preflight()
    api._known = (found.clock_skew - 100, found.scrape_interval)
    result = collected(api, time.time())
    api.close()
    assert any("clock drifted by 100" in reason for reason in result.incomplete)
    assert result.promql.keys() == CUSTOM.keys()
    assert all("clock drifted by 100" in one.error and not one.values for one in result.promql.values())
