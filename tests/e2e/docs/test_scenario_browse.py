"""The shipped scenario, sent request by request to the reference API."""

import socket
from http.client import HTTPResponse
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from slocheck.reference_api.server import ReferenceApi
from slocheck.scenario.compile.compiled import compile_scenario
from slocheck.scenario.loader import load_scenario

ROOT = Path(__file__).parents[3]
ITERATIONS = 300


def exchange(connection: socket.socket, request: bytes) -> tuple[int, bytes, bytes]:
    """Send a request; return status, header block and body of the response."""
    connection.sendall(request)
    response = HTTPResponse(connection)
    response.begin()
    lines = [f"{name}: {value}\r\n" for name, value in response.getheaders()]
    head = f"HTTP/1.1 {response.status} {response.reason}\r\n{''.join(lines)}\r\n".encode("latin-1")
    return response.status, head, response.read()


def test_the_reference_api_responds_as_the_scenario_expects() -> None:
    """Every request is understood on a kept connection, and every expectation holds."""
    scenario = load_scenario(ROOT / "scenarios" / "browse.yaml", {})
    seen: dict[str, set[int]] = {}
    with ReferenceApi(port=0) as api:
        target = urlsplit(api.url)
        compiled = compile_scenario(scenario, authority=target.netloc, base_path="")
        with socket.create_connection((target.hostname, target.port), timeout=30) as connection:
            for flow, values in islice(compiled.iterations(seed=1, index=0, processes=1), ITERATIONS):
                for step in compiled.flows[flow].steps:
                    status, head, body = exchange(connection, step.render(values))
                    seen.setdefault(f"{step.method} {step.name}", set()).add(status)
                    assert step.check is None or step.check(status, head, body, values) is None
    assert seen == {"GET /items": {200}, "GET /items/{id}": {200}, "POST /checkout": {201}}
