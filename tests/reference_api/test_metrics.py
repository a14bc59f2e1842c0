"""The measuring middleware: each request is counted once, whatever its outcome."""

import asyncio

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slocheck.reference_api.observability.metrics import Measured, Metrics

START: Message = {"type": "http.response.start", "status": 200, "headers": []}
PART: Message = {"type": "http.response.body", "body": b"one", "more_body": True}
LAST: Message = {"type": "http.response.body", "body": b"two"}


def counted(metrics: Metrics) -> dict[tuple[str, str, str], float]:
    """Return the requests counted by method, route and status."""
    return {
        (sample.labels["method"], sample.labels["route"], sample.labels["status_code"]): sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "http_requests_total"
    }


async def nothing() -> Message:
    """Receive an empty request."""
    return {"type": "http.request"}


async def raises(_: Scope, __: Receive, ___: Send) -> None:
    """Fail before any response."""
    raise ZeroDivisionError


async def breaks_off(_: Scope, __: Receive, send: Send) -> None:
    """Fail in the middle of a response."""
    await send(START)
    await send(PART)
    raise ZeroDivisionError


async def responses_in_parts(_: Scope, __: Receive, send: Send) -> None:
    """Respond in two parts."""
    for message in (START, PART, LAST):
        await send(message)


@pytest.mark.parametrize(
    ("app", "status"),
    [
        pytest.param(raises, "500", id="before a response: the 500 that the server sends"),
        pytest.param(breaks_off, "200", id="after the status: as it was sent"),
    ],
)
def test_an_exception_is_counted_and_goes_on(app: ASGIApp, status: str) -> None:
    """The server still sees the exception and logs it."""
    metrics = Metrics()

    async def send(_: Message) -> None:
        """Take a response."""

    async def serve() -> None:
        await Measured(app, metrics)({"type": "http", "method": "GET"}, nothing, send)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(serve())
    assert counted(metrics) == {("GET", "unmatched", status): 1}


def test_a_request_is_counted_before_its_last_byte_leaves() -> None:
    """Once a client has its response, it is counted; a response in parts is counted once."""
    metrics = Metrics()
    seen = []

    async def send(_: Message) -> None:
        seen.append(sum(counted(metrics).values()))

    async def serve() -> None:
        await Measured(responses_in_parts, metrics)({"type": "http", "method": "GET"}, nothing, send)

    asyncio.run(serve())
    assert seen == [0, 0, 1]


def test_invented_methods_share_one_label() -> None:
    """A client cannot grow the registry."""
    metrics = Metrics()
    for method in ("BREW", "WHEN", "GET"):
        metrics.observe(method=method, route="/items", status=405, seconds=0.001)
    assert counted(metrics) == {("OTHER", "/items", "405"): 2, ("GET", "/items", "405"): 1}
