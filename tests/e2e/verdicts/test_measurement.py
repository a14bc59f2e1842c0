"""The numbers: client and server agree, and planted truth is found."""

from fractions import Fraction
from pathlib import Path

import httpx

from slocheck.evidence.histogram import merge, quantile_bounds
from slocheck.evidence.recording import Recording
from slocheck.pipeline.archive import load_evidence
from slocheck.reference_api.server import ReferenceApi
from tests.e2e.support.cli import only_run, result_of, slocheck, write_spec
from tests.e2e.support.servers.prometheus_server import start_prometheus
from tests.support.waiting import DEADLINE_S

OBJECTIVES = """\
  latency_p95: {bronze: "< 20s", silver: "< 10s"}
  error_rate: {bronze: "< 50%", silver: "< 20%"}
  availability: {bronze: "> 50%", silver: "> 80%"}
  cache_hit_rate: {bronze: "> 10%", silver: "> 20%"}
  rps_per_instance: {bronze: ">= 1/s", silver: ">= 2/s"}
"""
PROMQL = """\
  served: {indicator: {promql: "sum(http_requests_total)"}, silver: "> 10"}
  served_most: {indicator: {promql: "sum(http_requests_total)", over: max}, silver: "> 10"}
"""
SELECTOR = "preset: prom-client, selector: {job: shop-api}"


def _sent(recording: Recording) -> int:
    return sum(part.sent for item in recording.endpoints for part in item.slices)


def _server_total(result: dict[str, object], objective: str) -> int:
    """Return the count behind the server's side of an objective's first level."""
    found = next(item for item in result["objectives"] if item["name"] == objective)  # type: ignore[attr-defined]
    sides = found["levels"][0]["sides"]
    return int(next(side for side in sides if side["side"] == "server")["total"])


def test_client_and_prometheus_count_the_same_requests(tmp_path: Path) -> None:
    """Without a warm-up the server's delta over the run equals what the client sent, exactly."""
    with (
        ReferenceApi(port=0) as api,
        start_prometheus(tmp_path / "prometheus", {"shop-api": [f"{api.url}/metrics"]}) as prometheus,
    ):
        write_spec(
            tmp_path,
            api.url,
            objectives=OBJECTIVES + PROMQL,
            source=f'prometheus: {{url: "{prometheus.url}", {SELECTOR}}}\n',
            workload="users: 10, spawn_rate: 100/s, warmup: 0s, duration: 5s",
            more="confidence: none\n",
        )
        done = slocheck("run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    result = result_of(done)
    sent = _sent(load_evidence(only_run(tmp_path)).recording)
    assert sent > 10
    assert _server_total(result, "latency_p95") == sent
    assert _server_total(result, "error_rate") == sent


def test_client_and_scrape_count_the_same_requests(tmp_path: Path) -> None:
    """The same with no Prometheus server: the API's own page is read."""
    with ReferenceApi(port=0) as api:
        write_spec(
            tmp_path,
            api.url,
            objectives=OBJECTIVES,
            source=f'scrape: ["{api.url}/metrics"]\n',
            workload="users: 10, spawn_rate: 100/s, warmup: 0s, duration: 5s",
            more="confidence: none\n",
        )
        done = slocheck("run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    sent = _sent(load_evidence(only_run(tmp_path)).recording)
    assert _server_total(result_of(done), "error_rate") == sent


PLANTED_MS = (300, 600, 900, 1200, 1500, 1800, 2100, 2400, 2700, 3000)


def test_each_percentile_of_a_planted_latency_is_found(tmp_path: Path) -> None:
    """Ten latencies, evenly drawn: each percentile lies at the planted value or a little above it.

    Above, because the way there and back takes time; below it only by the histogram's width.
    """
    with ReferenceApi(port=0, delays_ms=PLANTED_MS, seed=3) as api:
        write_spec(
            tmp_path,
            api.url,
            objectives='  latency_p50: {silver: "< 10s"}\n',
            workload="users: 180, spawn_rate: 300/s, warmup: 1s, duration: 9s",
            more="confidence: none\n",
        )
        done = slocheck("run", "--json", cwd=tmp_path)
        counted = _server_latencies(api.url)
    assert done.returncode == 0, done.stdout + done.stderr
    recording = load_evidence(only_run(tmp_path)).recording
    histogram = merge(part.latencies for item in recording.endpoints for part in item.slices)
    assert sum(histogram.values()) == counted["+Inf"] > 300
    for percentile in (5, 15, 25, 35, 45, 55, 65, 75, 85, 95):
        planted_ns = PLANTED_MS[percentile // 10] * 1_000_000
        low, high = quantile_bounds(histogram, Fraction(percentile, 100))
        assert high - low <= high / 256
        assert high >= planted_ns
        # the next planted latency is 300 ms away: a busy machine may add some, not as much
        assert low < planted_ns + 300_000_000, f"p{percentile}"


def _server_latencies(url: str) -> dict[str, float]:
    """Return the API's own cumulative count by bucket edge, items only."""
    counts = {}
    for line in httpx.get(f"{url}/metrics", timeout=DEADLINE_S).text.splitlines():
        if line.startswith("http_request_duration_seconds_bucket") and 'route="/items/{id}"' in line:
            counts[line.split('le="')[1].split('"')[0]] = float(line.rpartition(" ")[2])
    return counts
