"""The reference API, over a real socket."""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from slocheck.assets import asset
from slocheck.errors import UsageError
from slocheck.grading.plan_check import check_plan
from slocheck.pipeline.scenario_file import scenario_of
from slocheck.reference_api.faults import Faults
from slocheck.reference_api.observability.metrics import BUCKETS_S
from slocheck.reference_api.server import ReferenceApi
from slocheck.spec.indicators import traits_of
from slocheck.spec.loader import load_spec
from tests.support.waiting import DEADLINE_S


@pytest.fixture
def api() -> Iterator[httpx.Client]:
    """A client of a fresh reference API."""
    with ReferenceApi() as running, client_of(running) as client:
        yield client


@pytest.fixture(scope="module")
def shared() -> Iterator[httpx.Client]:
    """A client of one reference API for all tests that do not depend on what was asked before."""
    with ReferenceApi() as running, client_of(running) as client:
        yield client


def client_of(api: ReferenceApi) -> httpx.Client:
    """Return a client that waits, also on a busy machine."""
    return httpx.Client(base_url=api.url, timeout=DEADLINE_S)


def _metrics(client: httpx.Client) -> Counter[tuple[str, str, str, str]]:
    """Return request counts by (name, method, route, status)."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            labels = sample.labels
            key = (
                sample.name,
                labels.get("method", ""),
                labels.get("route", ""),
                labels.get("status_code", ""),
            )
            if "le" not in labels:
                counts[key] += int(sample.value)
    return counts


def test_every_request_is_counted_once_under_bounded_labels(api: httpx.Client) -> None:
    """Paths with ids share a route, unknown paths share one, and the histogram agrees."""
    for path in ("/items/1", "/items/2", "/items/9999", "/items", "/nowhere/1", "/nowhere/2"):
        api.get(path)
    api.post("/checkout", json={"item": 1, "quantity": 1})
    counts = _metrics(api)
    for name in ("http_requests_total", "http_request_duration_seconds_count"):
        assert counts[name, "GET", "/items/{id}", "200"] == 2
        assert counts[name, "GET", "/items/{id}", "404"] == 1
        assert counts[name, "GET", "/items", "200"] == 1
        assert counts[name, "GET", "unmatched", "404"] == 2
        assert counts[name, "POST", "/checkout", "201"] == 1


def test_the_histogram_has_the_documented_buckets(shared: httpx.Client) -> None:
    """The ones that the shipped preset's users know, and one at each limit of the shipped spec."""
    shared.get("/items")
    page = shared.get("/metrics").text
    edges = [
        line.split('le="')[1].split('"')[0]
        for line in page.splitlines()
        if 'route="/items",status_code="200"' in line and "le=" in line
    ]
    assert edges == ["0.01", "0.05", "0.1", "0.2", "0.25", "0.3", "0.5", "1.0", "2.5", "5.0", "+Inf"]


def test_each_latency_limit_of_the_shipped_spec_is_a_boundary() -> None:
    """The first run must not end with the advice to add one."""
    spec = load_spec(asset("slo.yaml"))
    of_latency = [item for item in spec.objectives if traits_of(item.indicator.kind).is_percentile]
    limits = {float(limit.value) for item in of_latency for limit in item.limits.values()}
    assert limits >= {0.05, 0.1, 0.2, 0.3, 0.5}
    assert limits <= set(BUCKETS_S)


def test_the_shipped_load_can_prove_what_its_gate_needs() -> None:
    """Even if only one request in fifteen were independent."""
    spec = load_spec(asset("slo.yaml"))
    check = check_plan(spec, scenario_of(spec))
    assert [item.level for item in check.unproven if item.counts] == []
    for objective in spec.objectives:
        if traits_of(objective.indicator.kind).is_percentile:
            needs = [need for need in check.needs if need.objective == objective.name and need.requests]
            assert needs
            assert all((need.expected or 0) > 15 * (need.requests or 0) for need in needs)


def test_the_cache_is_told_by_header_and_by_counter(api: httpx.Client) -> None:
    """First a miss, then hits."""
    responses = [api.get("/items/7").headers["x-cache"] for _ in range(3)]
    assert responses == ["miss", "hit", "hit"]
    page = api.get("/metrics").text.splitlines()
    assert {'cache_hits_total{level="l1"} 2.0', 'cache_misses_total{level="database"} 1.0'} <= set(page)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param('{"item": 1, "quantity": 2}', 201, id="an order"),
        pytest.param('{"item": 1}', 422, id="no quantity"),
        pytest.param('{"item": 1, "quantity": 101}', 422, id="too many"),
        pytest.param('{"item": 1, "quantity": true}', 422, id="a boolean is not a quantity"),
        pytest.param('{"item": 99999, "quantity": 1}', 404, id="an unknown item"),
        pytest.param("[]", 422, id="a list"),
        pytest.param("not JSON", 422, id="not JSON"),
    ],
)
def test_orders_are_checked(shared: httpx.Client, body: str, status: int) -> None:
    """A malformed order is the client's error and never a 500."""
    assert shared.post("/checkout", content=body).status_code == status


@pytest.mark.parametrize("page", ["-1", "x", "1" * 5000])
def test_a_page_that_is_no_number_is_refused(shared: httpx.Client, page: str) -> None:
    """Query strings are foreign input."""
    assert shared.get("/items", params={"page": page}).status_code == 422


def test_planted_errors_are_counted_as_500() -> None:
    """With an error rate of 1 each request fails, and health and metrics still respond."""
    with ReferenceApi(error_rate=1.0) as running, client_of(running) as client:
        assert client.get("/items/1").status_code == 500
        assert client.get("/health").status_code == 200
        assert _metrics(client)["http_requests_total", "GET", "/items/{id}", "500"] == 1


def test_planted_faults_are_reproducible() -> None:
    """The same seed plants the same series; the shares are those asked for."""
    first, second = Faults([1, 2], 0.25, seed=7), Faults([1, 2], 0.25, seed=7)
    series = [first.next() for _ in range(4000)]
    assert series == [second.next() for _ in range(4000)]
    assert 800 < sum(fault.fail for fault in series) < 1200
    assert {fault.delay for fault in series} == {0.001, 0.002}


def test_a_taken_port_is_a_usage_error() -> None:
    """The message names the port and the flag."""
    with (
        ReferenceApi() as first,
        pytest.raises(UsageError, match="--port"),
        ReferenceApi(port=int(first.url.rpartition(":")[2])),
    ):
        pass


OWNER = """
import os, signal
from slocheck.reference_api import server
{first}
with server.ReferenceApi():
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    "first",
    [
        pytest.param("", id="while it serves"),
        pytest.param(
            "server.ReferenceApi._read_url = lambda *_: os.kill(os.getpid(), signal.SIGKILL)",
            id="before it serves",
        ),
    ],
)
def test_the_api_leaves_nothing_when_its_owner_is_killed(tmp_path: Path, first: str) -> None:
    """It ends with its owner's end of the pipe, removes its folder, and says nothing on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", OWNER.format(first=first)],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,  # whose end is reached when the API, too, has ended
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stderr == b""
    assert list(tmp_path.iterdir()) == []
