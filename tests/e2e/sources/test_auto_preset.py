"""``preset: auto`` and named presets on real services: what is found and archived, and each count exact."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from slocheck.evidence.model import Evidence
from slocheck.pipeline.archive import load_evidence
from slocheck.spec.model import Endpoint
from tests.e2e.support.cli import only_run, result_of, slocheck, words, write_spec
from tests.e2e.support.servers.counted_api import Handler, Server
from tests.e2e.support.servers.library_apps import express_shop, starlette_shop
from tests.e2e.support.servers.prometheus_server import start_prometheus

OBJECTIVES = """\
  latency_p95: {bronze: "< 20s", silver: "< 10s"}
  error_rate: {bronze: "< 50%", silver: "< 20%"}
"""
BY_ENDPOINT = """\
  items: {indicator: error_rate, endpoint: GET /items, silver: "< 20%"}
"""
BROWSE = """\
flows: [{name: look, steps: [{get: /items, think: 20ms}]}]
"""
ORDERS = """\
feeders: {id: {random: {from: 1, to: 9}}}
think: 10ms
flows: [{name: look, steps: [{get: /orders}, {get: "/orders/{id}", name: "GET /orders/{id}"}]}]
"""
OF_ORDERS = """\
  order: {indicator: error_rate, endpoint: "GET /orders/{id}", silver: "< 20%"}
"""
WORKLOAD = "users: 3, spawn_rate: 100/s, warmup: 0s, duration: 4s"


class Stranger(Handler):
    """A service that exports its own metric names, labels and values."""

    registry = CollectorRegistry()
    latency = Histogram("shop_web_request_latency_ms", "-", ["verb", "endpoint"], registry=registry)
    served = Counter("shop_web_requests", "-", ["verb", "endpoint", "http_status"], registry=registry)
    success = "200"

    def do_GET(self) -> None:  # noqa: N802 - the library names it
        """Serve an item, or the page."""
        if self.path == "/metrics":
            self._send(200, generate_latest(self.registry), "text/plain; version=0.0.4")
            return
        self.latency.labels("get", "items/").observe(1)
        self.served.labels("get", "items/", self.success).inc()
        self._send(200, b"{}")


class Watched(Stranger):
    """The same with statuses in words; it also counts reads of its page, under another route than its own."""

    registry = CollectorRegistry()
    latency = Histogram("shop_web_request_latency_ms", "-", ["verb", "endpoint"], registry=registry)
    served = Counter("shop_web_requests", "-", ["verb", "endpoint", "http_status"], registry=registry)
    success = "200 OK"

    def do_GET(self) -> None:  # noqa: N802 - the library names it
        """Serve, then count the page as well."""
        super().do_GET()
        if self.path == "/metrics":
            self.latency.labels("get", "other").observe(1)
            self.served.labels("get", "other", self.success).inc()


class Fresh(Stranger):
    """The same, before its first request."""

    registry = CollectorRegistry()
    latency = Histogram("fresh_http_request_ms", "-", ["verb", "endpoint"], registry=registry)
    served = Counter("fresh_http_requests", "-", ["verb", "endpoint", "http_status"], registry=registry)


class Alien(Stranger):
    """The same with a histogram whose labels say nothing about routes."""

    registry = CollectorRegistry()
    latency = Histogram("shop_web_request_latency_ms", "-", ["verb", "tenant"], registry=registry)
    served = Counter("shop_web_things", "-", ["verb", "endpoint", "http_status"], registry=registry)

    @classmethod
    def seen(cls) -> float:
        """Return how many items were served, without making a series."""
        return sum(
            sample.value for one in cls.served.collect() for sample in one.samples if "total" in sample.name
        )


class Layered(Handler):
    """A service that times each request in seconds, once for each layer that it goes through."""

    registry = CollectorRegistry()
    latency = Histogram("layered_http_time", "-", ["route", "code", "layer"], registry=registry)
    layers: tuple[str, ...] = ("cors", "router")

    def do_GET(self) -> None:  # noqa: N802 - the library names it
        """Serve an item in 30 ms, or the page."""
        if self.path == "/metrics":
            self._send(200, generate_latest(self.registry), "text/plain; version=0.0.4")
            return
        begun = time.perf_counter()
        time.sleep(0.03)
        for layer in self.layers:
            self.latency.labels("/items", "200", layer).observe(time.perf_counter() - begun)
        self._send(200, b"{}")


class Seconds(Layered):
    """The same with one layer."""

    registry = CollectorRegistry()
    latency = Histogram("seconds_http_time", "-", ["route", "code", "layer"], registry=registry)
    layers = ("router",)


@contextmanager
def serving(handler: type[Handler]) -> Iterator[str]:
    """Serve on a free port; gives the base URL."""
    with Server(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def sent(evidence: Evidence, endpoint: Endpoint | None = None) -> int:
    """Return the requests of the load, or those to an endpoint."""
    return sum(part.sent for part in evidence.recording.slices(endpoint))


def sides(result: dict[str, Any], objective: str) -> list[dict[str, Any]]:
    """Return both sides of an objective's first level."""
    found = next(item for item in result["objectives"] if item["name"] == objective)
    return list(found["levels"][0]["sides"])


def counted(result: dict[str, Any], objective: str) -> int:
    """Return the server's count behind an objective."""
    return int(next(side for side in sides(result, objective) if side["side"] == "server")["total"])


def run(folder: Path, url: str, source: str, **spec: str) -> tuple[Evidence, dict[str, Any], str]:
    """Make a run; returns its evidence, its result, and what was said on stderr."""
    write_spec(folder, url, source=source, workload=WORKLOAD, more="confidence: none\n", **spec)
    done = slocheck("run", "--json", cwd=folder, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return load_evidence(only_run(folder)), result_of(done), done.stderr


def test_a_scraped_page_of_a_fresh_service(tmp_path: Path) -> None:
    """starlette_exporter: each step is sent once first; the counts are exact, of one endpoint as well."""
    with starlette_shop() as url:
        evidence, result, said = run(
            tmp_path,
            url,
            f'scrape: ["{url}/metrics"]\n',
            objectives=OBJECTIVES + OF_ORDERS,
            scenario=ORDERS,
            scenario_name="orders.yaml",
        )
    assert evidence.server
    assert evidence.server.preset.name == "starlette_exporter"
    assert evidence.server.preset.routes == {"/orders/{id}": "/orders/{order:int}"}
    taken = "preset starlette_exporter: histogram starlette_request_duration_seconds in seconds"
    assert said.count(taken) == 1
    assert sent(evidence) == counted(result, "error_rate") == counted(result, "latency_p95") > 100
    assert counted(result, "order") == sent(evidence, Endpoint("GET", "/orders/{id}")) > 50


def test_a_locust_file_on_a_fresh_service(tmp_path: Path) -> None:
    """No request can be sent first: the mapping is found after the load, and no count is missing."""
    with serving(Fresh) as url:
        evidence, result, said = run(tmp_path, url, f'scrape: ["{url}/metrics"]\n', objectives=OBJECTIVES)
    assert "searched for again after the load" in said
    assert evidence.server
    assert evidence.server.mapping.startswith("found histogram fresh_http_request_ms in milliseconds")
    assert sent(evidence) == counted(result, "error_rate") > 100


def test_prometheus_with_a_fresh_service(tmp_path: Path) -> None:
    """express-prom-bundle: what was counted before the load is not mistaken for other traffic."""
    with (
        express_shop() as url,
        start_prometheus(tmp_path / "prometheus", {"shop-api": [f"{url}/metrics"]}) as prometheus,
    ):
        evidence, result, said = run(
            tmp_path,
            url,
            f'prometheus: {{url: "{prometheus.url}", selector: {{job: shop-api}}}}\n',
            objectives=OBJECTIVES + OF_ORDERS,
            scenario=ORDERS,
            scenario_name="orders.yaml",
        )
    assert evidence.server
    taken = "preset express-prom-bundle: histogram http_request_duration_seconds in seconds"
    assert said.count(taken) == 1
    assert result["provenance"]["server_mapping"] == evidence.server.mapping
    assert evidence.server.mapping.endswith("; /orders/{id} is /orders/#val")
    assert sent(evidence) == counted(result, "error_rate") > 100
    assert counted(result, "order") == sent(evidence, Endpoint("GET", "/orders/{id}")) > 50


def test_a_named_mapping_on_a_fresh_service(tmp_path: Path) -> None:
    """As with `auto`, each GET step is sent once first, and none of it is in the counts."""

    class New(Stranger):
        registry = CollectorRegistry()
        latency = Histogram("new_request_ms", "-", ["verb", "route"], registry=registry)
        served = Counter("new_requests", "-", ["verb", "route", "status"], registry=registry)

    named = (
        "{histogram: new_request_ms, counter: new_requests_total, method_label: verb, "
        "route_label: route, status_label: status}"
    )
    with serving(New) as url:
        evidence, result, said = run(
            tmp_path,
            url,
            f'scrape: {{urls: ["{url}/metrics"], preset: {named}}}\n',
            objectives=OBJECTIVES + BY_ENDPOINT,
            scenario=BROWSE,
            scenario_name="browse.yaml",
        )
    assert said.count("sending each GET step once") == 1
    assert evidence.server
    assert evidence.server.preset.routes == {"/items": "items/"}
    assert sent(evidence) == counted(result, "items") == counted(result, "error_rate") > 100


def test_a_stranger_with_its_own_names_and_values(tmp_path: Path) -> None:
    """Found by the pattern of its names; method, route and status are read although written differently.

    It counts the scrapes of its page as requests: they are not mistaken for foreign ones.
    """
    Watched.latency.labels("get", "items/").observe(1)
    Watched.served.labels("get", "items/", Watched.success).inc()
    with serving(Watched) as url:
        evidence, result, said = run(
            tmp_path,
            url,
            f'scrape: ["{url}/metrics"]\n',
            objectives=OBJECTIVES + BY_ENDPOINT,
            scenario=BROWSE,
            scenario_name="browse.yaml",
        )
    assert (
        "found histogram shop_web_request_latency_ms in milliseconds, counter shop_web_requests_total" in said
    )
    assert evidence.server
    assert "shop_web_request_latency_ms_sum" in {one.metric for one in evidence.server.series}
    assert evidence.server.preset.methods == {"GET": "get"}
    assert evidence.server.preset.routes == {"/items": "items/"}
    assert sent(evidence) == counted(result, "items") > 100
    for name in ("error_rate", "latency_p95"):
        (notes,) = [side["notes"] for side in sides(result, name) if side["side"] == "server"]
        assert "scrapes of the metrics page" in str(notes)
        assert "elsewhere" not in str(notes)


NAMED = (
    "{histogram: shop_web_request_latency_ms, counter: shop_web_things_total, route_label: route, "
    "status_label: status}"
)


@pytest.mark.parametrize("preset", [pytest.param("auto", id="auto"), pytest.param(NAMED, id="named")])
def test_alien_metrics_are_refused_with_the_mapping_to_write(tmp_path: Path, preset: str) -> None:
    """Exit 2 before any load, by `run` and by `validate --probe`; nothing but the GET step was sent."""
    with serving(Alien) as url:
        source = f'scrape: {{urls: ["{url}/metrics"], preset: {preset}}}\n'
        write_spec(tmp_path, url, source=source, scenario=BROWSE, scenario_name="browse.yaml")
        before = Alien.seen()
        runs = [slocheck("run", cwd=tmp_path), slocheck("validate", "--probe", cwd=tmp_path)]
        after = Alien.seen()
    for done in runs:
        assert done.returncode == 2, done.stdout + done.stderr
        assert "preset:\n  histogram: shop_web_request_latency_ms" in done.stderr
        assert "route_label: endpoint" in done.stderr
    assert after - before <= len(runs)


def test_a_service_that_never_shows_metrics_is_undecided(tmp_path: Path) -> None:
    """Exit 3: the client's side is whole, the server's says what to do."""

    class Silent(Stranger):
        registry = CollectorRegistry()

    with serving(Silent) as url:
        write_spec(
            tmp_path,
            url,
            source=f'scrape: ["{url}/metrics"]\n',
            scenario=BROWSE,
            scenario_name="browse.yaml",
            workload=WORKLOAD,
            more="confidence: none\n",
        )
        done = slocheck("run", cwd=tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "no metrics of requests with labels for route or status were found" in words(done.stdout)


@pytest.mark.parametrize("warm", [pytest.param(True, id="warm"), pytest.param(False, id="fresh")])
def test_the_probe_says_what_is_taken(tmp_path: Path, warm: bool) -> None:
    """`validate --probe` prints the same line; a fresh service has nothing to measure yet."""

    class Untouched(Stranger):
        registry = CollectorRegistry()

    with serving(Stranger if warm else Untouched) as url:
        if warm:
            Stranger.served.labels("get", "items/", "200").inc()
            Stranger.latency.labels("get", "items/").observe(1)
        source = f'scrape: ["{url}/metrics"]\n'
        write_spec(tmp_path, url, source=source, scenario=BROWSE, scenario_name="browse.yaml")
        done = slocheck("validate", "--probe", cwd=tmp_path)
    if warm:
        assert "found histogram shop_web_request_latency_ms in milliseconds" in done.stdout
        assert done.returncode == 0
    else:
        assert "send the service some requests" in done.stdout
        assert done.returncode == 4


def observed(latency: Histogram) -> float:
    """Return how many requests a histogram has counted."""
    return float(sum(bucket.get() for bucket in latency._buckets))


TIMED = "{{histogram: {}, route_label: route, status_label: code, unit: {}}}"


@pytest.mark.parametrize("command", [("run",), ("validate", "--probe")], ids=["run", "probe"])
def test_a_unit_that_the_service_contradicts_is_refused_before_the_load(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Seconds named milliseconds: the boundaries do not suit, and one request of 30 ms shows it; exit 2."""
    latency = Seconds.latency.labels("/items", "200", "router")
    latency.observe(0.03)
    with serving(Seconds) as url:
        preset = TIMED.format("seconds_http_time", "milliseconds")
        source = f'scrape: {{urls: ["{url}/metrics"], preset: {preset}}}\n'
        write_spec(tmp_path, url, source=source, scenario=BROWSE, scenario_name="browse.yaml")
        before = observed(latency)
        done = slocheck(*command, cwd=tmp_path)
        requests = observed(latency) - before
    assert done.returncode == 2, done.stdout + done.stderr
    said = words(done.stderr)
    assert "slo.yaml:3:" in said
    assert re.search(r"preset: the unit of the histogram is wrong, write unit: seconds: its mean is \d", said)
    assert requests <= 2


def test_a_label_that_counts_each_request_twice_is_named_by_the_probe(tmp_path: Path) -> None:
    """Its values are what each request is counted for; the steps are sent again to be sure; exit 4."""
    with serving(Layered) as url:
        preset = TIMED.format("layered_http_time", "seconds")
        source = f'scrape: {{urls: ["{url}/metrics"], preset: {preset}}}\n'
        write_spec(tmp_path, url, source=source, scenario=BROWSE, scenario_name="browse.yaml")
        done = slocheck("validate", "--probe", cwd=tmp_path)
    assert done.returncode == 4, done.stdout + done.stderr
    for name in ("latency_p95", "error_rate"):
        line = next(line for line in reversed(done.stdout.splitlines()) if line.startswith(name))
        assert "counted 2 times what was sent: once for each layer (cors, router)" in line
