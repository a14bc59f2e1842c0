"""The Prometheus source through a proxy that asks for credentials, and against a VictoriaMetrics."""

import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from slocheck.errors import SourceError, UsageError
from slocheck.sources.prometheus.source import PrometheusApi
from slocheck.spec.model import Auth, Indicator, IndicatorKind, Tls
from tests.builders.server.prom_client import FAILED, JOB, OK, bucket, pick, plan, prometheus_source
from tests.e2e.support.servers.metrics_app import MetricsApp
from tests.e2e.support.servers.nginx_server import NginxServer
from tests.e2e.support.servers.prometheus_server import PrometheusServer, scrape_configs, start_prometheus
from tests.support.ports import free_port
from tests.support.waiting import wait_until

LOGIN = ("me", "pass:wörd")


@pytest.fixture(scope="module")
def app() -> Iterator[MetricsApp]:
    """A service that has already served some requests."""
    with MetricsApp() as app:
        app.set({OK: 1200, bucket("0.1"): 1200, bucket("+Inf"): 1200})
        yield app


@pytest.fixture(scope="module")
def server(app: MetricsApp, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """A Prometheus that scrapes the service every second."""
    folder = tmp_path_factory.mktemp("backend")
    with start_prometheus(folder, {JOB: [app.url]}) as server:
        yield server


@pytest.fixture
def proxy(server: PrometheusServer, tmp_path: Path) -> Iterator[NginxServer]:
    """TLS, a client certificate and basic authentication before Prometheus."""
    address = f"127.0.0.1:{server.port}"
    with NginxServer(tmp_path, balance=[address], tls=True, client_certificate=True, login=LOGIN) as proxy:
        yield proxy


def api(url: str, *, auth: Auth | None = None, tls: Tls | None = None) -> PrometheusApi:
    """Return the source under test."""
    source = prometheus_source(url, auth=auth or Auth(), tls=tls or Tls())
    return PrometheusApi(source, plan())


def test_credentials_open_the_way_through_a_real_proxy(proxy: NginxServer, tmp_path: Path) -> None:
    """TLS with its authority, a client certificate and a password from a file: all are really checked."""
    password = tmp_path / "password"
    password.write_text(f"{LOGIN[1]}\n", encoding="utf-8")
    auth = Auth(username=LOGIN[0], password_file=str(password))
    for ca in (Tls(ca=str(proxy.ca), cert=str(proxy.client)), Tls(insecure=True, cert=str(proxy.client))):
        source = api(proxy.url, auth=auth, tls=ca)
        found = source.preflight()
        assert (found.targets, found.scrape_interval) == (1, 1.0)
        begun = time.time()
        result = source.collect(load_start=begun, window_start=begun, end=time.time(), sent=1207)
        source.close()
        assert result.incomplete == ()
        assert pick(result.series, "http_requests_total").values[-1] == 1200


def test_what_is_missing_on_the_way_is_named(
    proxy: NginxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown authority, no client certificate, no password, a wrong password, and http against TLS."""
    trusted = Tls(ca=str(proxy.ca), cert=str(proxy.client))
    with pytest.raises(SourceError, match=r"TLS fails .*certificate verify failed.*set prometheus\.tls\.ca"):
        api(proxy.url).preflight()
    with pytest.raises(SourceError, match=r"HTTP 400 refuses the query"):
        api(proxy.url, tls=Tls(ca=str(proxy.ca))).preflight()
    with pytest.raises(SourceError, match=r"HTTP 401 asks for credentials; set prometheus\.auth"):
        api(proxy.url, tls=trusted).preflight()
    monkeypatch.setenv("WRONG", "guess-4711")
    with pytest.raises(SourceError, match=r"HTTP 401") as caught:
        api(proxy.url, tls=trusted, auth=Auth(username="me", password_env="WRONG")).preflight()
    assert "guess-4711" not in str(caught.value)
    with pytest.raises(SourceError, match=r"HTTP 400 .*http against https"):
        api(proxy.url.replace("https", "http")).preflight()
    with pytest.raises(UsageError, match=r"prometheus\.auth\.password_file: .*No such file"):
        api(
            proxy.url, tls=trusted, auth=Auth(username="me", password_file=str(tmp_path / "none"))
        ).preflight()


def test_a_wrong_path_prefix_is_named(server: PrometheusServer) -> None:
    """A prefix that Prometheus does not serve is a 404 with the remedy."""
    with pytest.raises(SourceError, match=r"HTTP 404 .*check the URL's path prefix"):
        api(f"{server.url}/prometheus").preflight()


@pytest.fixture
def victoria(app: MetricsApp, tmp_path: Path) -> Iterator[str]:
    """A VictoriaMetrics that scrapes the service every second; its URL."""
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": scrape_configs({JOB: [app.url]})}
    (tmp_path / "scrape.json").write_text(json.dumps(config), encoding="utf-8")
    url = f"http://127.0.0.1:{free_port()}"
    with (tmp_path / "victoria.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "victoria-metrics",
                f"-promscrape.config={tmp_path / 'scrape.json'}",
                f"-storageDataPath={tmp_path / 'data'}",
                f"-httpListenAddr={url.removeprefix('http://')}",
                "-memory.allowedBytes=64MiB",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: scraped_by(url), "VictoriaMetrics has scraped")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def scraped_by(url: str) -> bool:
    """Tell whether two samples of the target are visible."""
    query = f"{url}/api/v1/query?latency_offset=0s&nocache=1&query=count_over_time(up[1m])"
    try:
        with urllib.request.urlopen(query, timeout=5) as response:
            found = json.load(response)["data"]["result"]
    except OSError:
        return False
    return bool(found) and float(found[0]["value"][1]) >= 2


def test_victoriametrics_gives_the_same_raw_samples(victoria: str, app: MetricsApp) -> None:
    """Another store with the same API: errors of a new series are all counted, and the tail is awaited."""
    custom = {"one": Indicator(IndicatorKind.PROMQL, promql="max(http_requests_total)")}
    source = PrometheusApi(prometheus_source(victoria), plan(promql=custom))
    found = source.preflight()
    assert found.scrape_interval == pytest.approx(1.0, abs=0.2)
    assert abs(found.clock_skew) < 1.5
    begun = time.time()
    app.set({OK: 1300, FAILED: 7, bucket("+Inf"): 1307})
    result = source.collect(load_start=begun, window_start=begun, end=time.time(), sent=1207)
    source.close()
    assert result.incomplete == ()
    assert set(pick(result.series, "http_requests_total", status_code="500").values) == {7.0}
    good = pick(result.series, "http_requests_total", status_code="200")
    assert (good.values[0], good.values[-1]) == (1200.0, 1300.0)
    assert good.times[-1] >= result.end
    assert result.promql["one"].values
