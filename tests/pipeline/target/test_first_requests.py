"""The requests that are sent once, before the load, if a service has no series yet."""

from slocheck.pipeline.target.first_requests import send_get_steps
from slocheck.scenario.loader import parse_scenario
from slocheck.spec.model import Endpoint, Target
from tests.support.fault_server import FaultServer, http
from tests.support.ports import free_port

SCENARIO = b"""\
feeders: {item: {list: [7]}}
flows:
  - name: buy
    steps:
      - {get: "/items/{item}", name: "GET /items/{id}"}
      - {get: "/items/{item}?again=1", name: "GET /items/{id}"}
      - {post: /orders, json: {a: 1}, capture: {order: {json: $.id}}}
      - {get: "/orders/{order}", name: "GET /orders/{id}"}
"""


def _no_file(path: str, limit: int) -> bytes:
    raise AssertionError(f"{path} up to {limit}: this scenario names no file")


def test_each_get_step_is_sent_once() -> None:
    """With a feeder's value; neither a POST, nor a step that needs an earlier response, nor a second one."""
    scenario = parse_scenario(SCENARIO, "buy.yaml", environment={}, read=_no_file)
    with FaultServer([http("abc", "302 Found", "Location: ../login?next=/items/7\r\n")]) as server:
        (response,) = send_get_steps(scenario, Target(url=server.url.rstrip("/")))
        assert len(server.requests) == 1
        assert server.requests[0].startswith(b"GET /items/7 HTTP/1.1\r\n")
    assert (response.endpoint, response.status, response.size) == (Endpoint("GET", "/items/{id}"), 302, 3)
    assert (response.leads_to, response.error) == ("/login", "")


def test_a_service_that_does_not_respond_is_said() -> None:
    """The load will show it; here it is not an error."""
    scenario = parse_scenario(SCENARIO, "buy.yaml", environment={}, read=_no_file)
    (response,) = send_get_steps(scenario, Target(url=f"http://127.0.0.1:{free_port()}"))
    assert response.status == 0
    assert "refused" in response.error
