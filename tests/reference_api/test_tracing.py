"""Traces, received by a real receiver."""

import asyncio
import sys

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from slocheck.errors import UsageError
from slocheck.reference_api.faults import Faults
from slocheck.reference_api.observability.tracing import Tracing, open_tracing
from slocheck.reference_api.settings import Settings
from tests.reference_api.http.client import client_of
from tests.reference_api.otlp_receiver import OtlpReceiver
from tests.reference_api.shops import ITEMS, with_app
from tests.support.ports import free_port

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"


def _app(tracing: Tracing) -> ASGIApp:
    async def order(request: Request) -> Response:
        number = int(request.path_params["id"])
        with tracing.span("process order", order__id=number):
            if number == 0:
                raise ValueError("no such order")
        return JSONResponse({})

    async def health(_: Request) -> Response:
        return JSONResponse({})

    app = Starlette(routes=[Route("/orders/{id}", order, methods=["POST"]), Route("/health", health)])
    return tracing.traced(app)


def _statuses(tracing: Tracing) -> list[int]:
    """Send an order that works, one that does not, a path that is not there and a health check."""

    async def ask() -> list[int]:
        headers = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
        async with client_of(_app(tracing)) as client:
            return [
                (await client.request(method, path, headers=headers)).status_code
                for method, path in (
                    ("POST", "/orders/7"),
                    ("POST", "/orders/0"),
                    ("GET", "/nowhere/1"),
                    ("GET", "/health"),
                )
            ]

    return asyncio.run(ask())


STATUSES = [200, 500, 404, 200]


def _attributes(span: Span) -> dict[str, str | int]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_spans_are_sent_to_the_receiver() -> None:
    """Named by route, children of the caller's; a step that fails says so, and health checks send nothing."""
    with OtlpReceiver() as receiver:
        tracing = open_tracing(receiver.url)
        assert _statuses(tracing) == STATUSES
        tracing.close()
        spans = receiver.spans()
    assert receiver.services() == {"shop-api"}
    assert {span.trace_id.hex() for span in spans} == {TRACE}
    requests = [span for span in spans if span.kind == Span.SPAN_KIND_SERVER]
    assert [span.name for span in requests] == ["POST /orders/{id}", "POST /orders/{id}", "GET"]
    assert {span.parent_span_id.hex() for span in requests} == {CALLER}
    steps = [span for span in spans if span.name == "process order"]
    assert [step.parent_span_id for step in steps] == [span.span_id for span in requests[:2]]
    assert [_attributes(step) for step in steps] == [{"order.id": 7}, {"order.id": 0}]
    assert [step.status.code for step in steps] == [Status.STATUS_CODE_OK, Status.STATUS_CODE_ERROR]
    assert [event.name for event in steps[1].events] == ["exception"]
    assert len(spans) == 5


def test_the_shop_traces_its_steps() -> None:
    """An order and a read's database queries are spans within their request; a hit has none."""

    async def session(app: ASGIApp) -> None:
        async with client_of(app) as client:
            await client.post("/checkout", json={"item": 1, "quantity": 2, "user": 3})
            for _ in range(2):
                await client.get("/items/1")

    with OtlpReceiver() as receiver:
        with_app(session, Settings(items=ITEMS, otlp_url=receiver.url), Faults())
        spans = receiver.spans()
    requests = {span.span_id: span.name for span in spans if span.kind == Span.SPAN_KIND_SERVER}
    steps = {span.name: span for span in spans if span.kind != Span.SPAN_KIND_SERVER}
    assert sorted(requests.values()) == ["GET /items/{id}", "GET /items/{id}", "POST /checkout"]
    assert len(spans) == len(requests) + 2
    assert _attributes(steps["process order"]) == {"order.user": 3, "order.lines": 1}
    assert requests[steps["process order"].parent_span_id] == "POST /checkout"
    assert _attributes(steps["load"]) == {"cache.key": "item:1"}
    assert requests[steps["load"].parent_span_id] == "GET /items/{id}"


def test_without_a_receiver_the_api_serves_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switched off, OpenTelemetry is not even imported; a missing receiver costs only its spans."""
    gone = open_tracing(f"http://127.0.0.1:{free_port()}")
    assert _statuses(gone) == STATUSES
    gone.close()
    for name in [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]:
        monkeypatch.setitem(sys.modules, name, None)
    off = open_tracing("")
    assert _statuses(off) == STATUSES
    off.close()
    with pytest.raises(UsageError, match="opentelemetry is not installed"):
        open_tracing("http://127.0.0.1:1")
