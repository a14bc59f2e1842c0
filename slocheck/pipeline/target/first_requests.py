"""Sends each GET step of a scenario once before the load, as a service may have no series until then."""

import socket
import ssl
import time
from dataclasses import dataclass, replace
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

from slocheck.documents.http import host_and_port
from slocheck.scenario.compile.compiled import CompiledStep, compile_scenario
from slocheck.scenario.compile.value_slots import UnsendableError
from slocheck.scenario.model import Scenario, Step
from slocheck.spec.model import Endpoint, FailureRule, Target
from slocheck.spec.model.rules import redirect_path
from slocheck.tls import tls_context

TIMEOUT_S = 10.0
MOST_READ = 64 * 1024 * 1024
_REDIRECT = 3


@dataclass(frozen=True, slots=True)
class FirstResponse:
    """The response to one GET step.

    Attributes:
        endpoint: The step's endpoint.
        status: HTTP status; 0 if no response came.
        content_type: As the server names it; empty if it does not.
        size: Bytes of the body, as sent.
        seconds: From the send to the last byte.
        leads_to: The path on the target that a redirect leads to; empty if there is none.
        error: Why no response came; empty if one did.
        expected: Statuses that the step expects; None: it names none.
    """

    endpoint: Endpoint
    status: int = 0
    content_type: str = ""
    size: int = 0
    seconds: float = 0.0
    leads_to: str = ""
    error: str = ""
    expected: frozenset[int] | None = None

    def accepted(self, rule: FailureRule) -> bool:
        """Tell whether a run counts such a response as a success, as far as its status tells."""
        if self.error or rule.fails(self.status):
            return False
        if self.expected is not None:
            return self.status in self.expected
        return rule.succeeds(self.status) or self.leads_to in rule.redirects


def send_get_steps(scenario: Scenario, target: Target) -> tuple[FirstResponse, ...]:
    """Send each GET step once, one after the other, each over a new connection.

    A step that needs a value from an earlier response is left out. Redirects are not followed, and a failure
    counts as a response, too.
    """
    parts = urlsplit(target.url)
    secure = parts.scheme == "https"
    address = host_and_port(target.url)
    context = tls_context(target.tls, where="target.tls") if secure else None
    compiled = compile_scenario(scenario, authority=parts.netloc, base_path=parts.path)
    values = next(compiled.iterations(seed=0, index=0, processes=1))[1]
    found: dict[Endpoint, FirstResponse] = {}
    for flow, ready in zip(scenario.flows, compiled.flows, strict=True):
        for step, request in zip(flow.steps, ready.steps, strict=True):
            endpoint = Endpoint(step.method, step.name)
            if step.method == "GET" and endpoint not in found and _is_free(step, scenario):
                response = _sent(endpoint, request, values, address, context)
                found[endpoint] = replace(response, expected=step.expect.statuses)
    return tuple(found.values())


def _is_free(step: Step, scenario: Scenario) -> bool:
    """Tell whether a step's request needs nothing from an earlier response."""
    fields = (template for _, template in (*step.query, *step.headers, *scenario.headers))
    templates = (step.path, *fields)
    return all(part.name in scenario.feeders for template in templates for part in template.placeholders)


def _sent(
    endpoint: Endpoint,
    step: CompiledStep,
    values: list[object],
    address: tuple[str, int],
    context: ssl.SSLContext | None,
) -> FirstResponse:
    begun = time.monotonic()
    try:
        request = step.fixed or step.render(values)
        with (
            socket.create_connection(address, timeout=TIMEOUT_S) as plain,
            _wrapped(plain, address, context) as sock,
        ):
            sock.sendall(request)
            response = HTTPResponse(sock, method=endpoint.method)
            response.begin()
            size = len(response.read(MOST_READ))
    except (OSError, HTTPException, UnsendableError) as error:
        return FirstResponse(
            endpoint, seconds=time.monotonic() - begun, error=str(error) or type(error).__name__
        )
    took, kind = time.monotonic() - begun, response.getheader("Content-Type", "")
    leads_to = _leads_to(response, address[0], request)
    return FirstResponse(endpoint, response.status, kind, size, took, leads_to)


def _leads_to(response: HTTPResponse, host: str, request: bytes) -> str:
    """Return the path on the target that a response leads to; empty if it is not a redirect."""
    location = response.getheader("Location", "")
    if response.status // 100 != _REDIRECT or not location:
        return ""
    path = request.split(b" ", 2)[1].decode("latin-1")
    return redirect_path(f"//[{host}]{path}" if ":" in host else f"//{host}{path}", location)


def _wrapped(plain: socket.socket, address: tuple[str, int], context: ssl.SSLContext | None) -> socket.socket:
    return context.wrap_socket(plain, server_hostname=address[0]) if context else plain
