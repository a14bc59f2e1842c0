"""``slocheck validate --probe`` against a real Prometheus: what can be measured, before anything is sent."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from slocheck.reference_api.server import ReferenceApi
from slocheck.spec.blocks.metric_source.sources import block_names
from tests.e2e.support.cli import slocheck, write_spec
from tests.e2e.support.servers.prometheus_server import PrometheusServer, start_prometheus
from tests.support.ports import free_port
from tests.support.waiting import DEADLINE_S

OBJECTIVES = """\
  latency_p95: {bronze: "< 500ms", silver: "< 123ms"}
  error_rate: {bronze: "< 50%", silver: "< 20%"}
  ours: {indicator: latency_p50, source: client, silver: "< 1s"}
"""
NO_HISTOGRAM = (
    "preset: {histogram: nobody_counts_this, counter: http_requests_total, status_label: status_code}"
)


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """A reference API that has served a request, so that its series are there."""
    with ReferenceApi(port=0) as running:
        httpx.get(f"{running.url}/items/1", timeout=DEADLINE_S).raise_for_status()
        yield running.url


@pytest.fixture(scope="module")
def prometheus(api: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """A Prometheus that scrapes it."""
    with start_prometheus(tmp_path_factory.mktemp("prometheus"), {"shop-api": [f"{api}/metrics"]}) as server:
        yield server


def _source(url: str, preset: str = "preset: prom-client") -> str:
    return f'prometheus: {{url: "{url}", {preset}, selector: {{job: shop-api}}}}\n'


def test_it_says_of_each_objective_whether_it_can_be_measured(
    api: str, prometheus: PrometheusServer, tmp_path: Path
) -> None:
    """123 ms is not a bucket boundary of the API: the missing bucket is named; the rest is measurable."""
    write_spec(tmp_path, api, objectives=OBJECTIVES, source=_source(prometheus.url))
    done = slocheck("validate", "--probe", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = {line.split(" ")[0]: line for line in done.stdout.splitlines() if line}
    assert "1 target up, scraped every 1s" in done.stdout
    assert "no bucket boundary at 123ms: add 0.123" in lines["latency_p95"]
    assert "500ms" not in lines["latency_p95"].rpartition("edge")[0]
    assert lines["error_rate"].endswith("measurable")
    assert lines["ours"].endswith("client side only")


LABELS = "histogram: http_request_duration_seconds, counter: http_requests_total, method_label: method"


@pytest.mark.parametrize(
    ("endpoint", "labels", "reason"),
    [
        pytest.param(
            "GET /ordres", "route_label: route, status_label: status_code", "route seen: ", id="a typo"
        ),
        pytest.param(
            "GET /items/{id}",
            "route_label: path, status_label: status_code",
            "have no label path",
            id="no such label",
        ),
        pytest.param("GET /items/{id}", "route_label: route", "has no counter by status", id="no status"),
    ],
)
def test_what_a_run_could_not_grade_is_found_before_the_load(
    api: str, tmp_path: Path, endpoint: str, labels: str, reason: str
) -> None:
    """The code that grades a run grades the series as they are: exit 4, and why."""
    write_spec(
        tmp_path,
        api,
        objectives=f'  errors: {{indicator: error_rate, endpoint: "{endpoint}", silver: "< 20%"}}\n',
        source=f'scrape: {{urls: ["{api}/metrics"], preset: {{{LABELS}, {labels}}}}}\n',
    )
    done = slocheck("validate", "--probe", cwd=tmp_path)
    assert done.returncode == 4, done.stdout + done.stderr
    line = next(line for line in reversed(done.stdout.splitlines()) if line.startswith("errors"))
    assert reason in line


def test_what_is_there_is_measurable_while_another_metric_is_missing(
    api: str, prometheus: PrometheusServer, tmp_path: Path
) -> None:
    """No such histogram: exit 4 and its name; errors, instances and the rest are still reported."""
    objectives = OBJECTIVES + '  rps_per_instance: {silver: "> 1/s"}\n'
    spec = write_spec(tmp_path, api, objectives=objectives, source=_source(prometheus.url, NO_HISTOGRAM))
    spec.write_text(spec.read_text().replace("instances: 1", "instances: prometheus"))
    done = slocheck("validate", "--probe", cwd=tmp_path)
    assert done.returncode == 4, done.stdout + done.stderr
    lines = {line.split(" ")[0]: line for line in done.stdout.splitlines() if line}
    assert "no series nobody_counts_this_bucket yet" in lines["latency_p95"]
    assert lines["error_rate"].endswith("measurable")
    assert lines["rps_per_instance"].endswith("measurable")
    assert lines["instances:"] == "instances: 1 counted, 1 target up"


def test_a_prometheus_that_does_not_respond_is_named(api: str, tmp_path: Path) -> None:
    """Exit 4 with the address; the spec itself is valid."""
    port = free_port()
    write_spec(tmp_path, api, objectives=OBJECTIVES, source=_source(f"http://127.0.0.1:{port}"))
    done = slocheck("validate", "--probe", cwd=tmp_path)
    assert done.returncode == 4, done.stdout + done.stderr
    assert f"127.0.0.1:{port}" in done.stderr
    assert slocheck("validate", cwd=tmp_path).returncode == 0


def test_without_a_source_there_is_nothing_to_probe(api: str, tmp_path: Path) -> None:
    """Exit 2: the user is told what to write."""
    write_spec(tmp_path, api)
    done = slocheck("validate", "--probe", cwd=tmp_path)
    assert done.returncode == 2
    assert f"write a {block_names()} block" in done.stderr


SUMMARY = """\
# TYPE http_request_duration_seconds summary
http_request_duration_seconds{method="GET",route="/",status_code="200",quantile="0.95"} 0.05
http_request_duration_seconds_sum{method="GET",route="/",status_code="200"} 1
http_request_duration_seconds_count{method="GET",route="/",status_code="200"} 20
# TYPE http_requests_total counter
http_requests_total{method="GET",route="/",status_code="200"} 20
"""


class _SummaryPage(BaseHTTPRequestHandler):
    """Serves a page whose latency is a summary."""

    def do_GET(self) -> None:
        """Respond with the page."""
        page = SUMMARY.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


def test_a_summary_under_the_histograms_name_is_named(tmp_path: Path) -> None:
    """Percentiles cannot be added up: exit 4 before any load, with what it is and what to do."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _SummaryPage)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        source = f'scrape: {{urls: ["{url}/metrics"], preset: prom-client}}\n'
        write_spec(
            tmp_path, url, objectives='  latency_p95: {bronze: "< 1s", silver: "< 1s"}\n', source=source
        )
        done = slocheck("validate", "--probe", cwd=tmp_path)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert done.returncode == 4, done.stdout + done.stderr
    assert "http_request_duration_seconds is a summary (it has quantile labels)" in done.stdout
