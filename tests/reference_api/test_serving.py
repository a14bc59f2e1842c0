"""How the API serves: over TLS with HTTP/2, and through all of its middleware."""

import json
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from slocheck.reference_api.__main__ import main
from slocheck.reference_api.stack.processes import Servers
from slocheck.reference_api.stack.replicas import launch_replica
from tests.reference_api.otlp_receiver import OtlpReceiver
from tests.support.certificates import certified


def _counted(page: str) -> dict[tuple[str, str], float]:
    """Return the requests by route and status."""
    return {
        (sample.labels["route"], sample.labels["status_code"]): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "http_requests_total"
    }


def test_http2_through_all_that_wraps_a_route(tmp_path: Path) -> None:
    """Compressed, with validators, in batches, traced; each request is counted once under its own route."""
    certificate, trust = certified(tmp_path)
    with OtlpReceiver() as receiver, Servers() as servers:
        options = ["--certificate", str(certificate.chain), "--key", str(certificate.key)]
        api = launch_replica(servers, "api", [*options, "--otlp", receiver.url], trust=trust).wait()
        with httpx.Client(
            http2=True, verify=trust, base_url=f"https://127.0.0.1:{api.port}", timeout=60
        ) as client:
            page = client.get("/items")
            assert (page.http_version, page.headers["content-encoding"]) == ("HTTP/2", "zstd")
            item = client.get("/items/1")
            again = client.get("/items/1", headers={"if-none-match": item.headers["etag"]})
            assert (again.status_code, again.headers["x-cache"]) == (304, "hit")
            parts = [{"path": "/items/1?fields=name"}, {"path": "/items/0"}]
            results = client.post("/batch", json={"requests": parts}).json()["results"]
            assert [result["status"] for result in results] == [200, 404]
            assert results[0]["data"] == {"name": item.json()["name"]}
            assert client.get("/users/1").headers["cache-control"] == "private, no-cache"
            assert client.post("/checkout", json={"item": 1, "quantity": 1}).status_code == 201
            counted = _counted(client.get("/metrics").text)
        assert counted["/items", "200"] == 1
        assert counted["/items/{id}", "200"] == counted["/items/{id}", "304"] == 1
        assert counted["/batch", "200"] == 1
        api.stop()
        assert api.code() == 0
        names = sorted(span.name for span in receiver.spans() if span.kind == Span.SPAN_KIND_SERVER)
    reads = ["GET /items", "GET /items/{id}", "GET /items/{id}", "GET /users/{id}"]
    assert names == [*reads, "POST /batch", "POST /checkout"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        pytest.param("--certificate a.pem", "--certificate and --key: write both", id="no key"),
        pytest.param("--certificate no.pem --key no.pem", "cannot be used: No such file", id="no file"),
        pytest.param("--certificate /dev/null --key /dev/null", "cannot be used", id="not a certificate"),
        pytest.param("--certificate CHAIN --key KEY --workers 2", "--workers: with a", id="two workers"),
        pytest.param("--host 192.0.2.1", "of 192.0.2.1 cannot be used", id="not an address of here"),
    ],
)
def test_what_cannot_be_served_is_told(
    options: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the first line, with exit code 2."""
    files, _ = certified(tmp_path)
    written = options.replace("CHAIN", str(files.chain)).replace("KEY", str(files.key))
    assert main(written.split()) == 2
    assert why in json.loads(capsys.readouterr().out)["error"]
