"""Several requests in one: ``POST /batch``.

The idea: a screen of a mobile client needs five resources. One request for all of them costs one round trip
instead of five, and one part that fails does not affect the others.

What goes wrong with the naive form: without a bound one request is an attack; a batch inside a batch is one
without end; parts sent to addresses that the client chooses make the server fetch anything (SSRF); and one
status for all hides which part failed.

In production: HTTP/2 makes most batches unnecessary, as requests share one connection; keep a batch for
clients with slow round trips, count its parts in the rate limit, and give it its own deadline.
"""

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Scope

MOST_PARTS = 20
DEADLINE_S = 10.0
"""Seconds for all parts together; those that are not done by then have failed."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

_INHERITED = ("authorization", "cookie", "x-request-id", "traceparent")
"""Headers that a part inherits from its batch: identity and trace."""
_OWN = ("accept", "idempotency-key", "if-match")
"""Headers that a part may have itself."""
_IS_PART = "slocheck.batch.part"
_PATH = re.compile(r"/(?!/)[!-~]*")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BatchPart:
    """One request of a batch.

    Attributes:
        method: One of `METHODS`.
        path: Path without the query, decoded, on this application.
        query: Without the ``?``.
        headers: Lower-case names.
        body: JSON; empty: none.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def read_batch(body: bytes) -> list[BatchPart]:
    """Read ``{"requests": [{"method": "GET", "path": "/items/1"}, …]}``.

    Raises:
        ValueError: It is not a batch; the message says which part, and what it may be instead.
    """
    try:
        requests = json.loads(body)["requests"]
    except (ValueError, KeyError, TypeError, RecursionError):
        requests = None
    if not isinstance(requests, list) or not 1 <= len(requests) <= MOST_PARTS:
        raise ValueError(
            f"write {{requests: [{{method, path, headers, body}}]}} with 1..{MOST_PARTS} of them"
        )
    return [_read_part(f"requests[{number}]", request) for number, request in enumerate(requests)]


def _read_part(where: str, request: object) -> BatchPart:
    if not isinstance(request, dict) or set(request) - {"method", "path", "headers", "body"}:
        raise ValueError(f"{where}: write method, path, headers and body, of which only path is needed")
    method, target = request.get("method", "GET"), request.get("path")
    if method not in METHODS:
        raise ValueError(f"{where}.method: write one of {', '.join(METHODS)}")
    if not isinstance(target, str) or not _PATH.fullmatch(target):
        raise ValueError(f"{where}.path: write a path of this API, such as /items/1, percent-encoded")
    headers = request.get("headers", {})
    if not isinstance(headers, dict) or not all(
        str(name).lower() in _OWN and isinstance(value, str) and value.isascii() and value.isprintable()
        for name, value in headers.items()
    ):
        raise ValueError(f"{where}.headers: of these a part may have {', '.join(_OWN)}, each as text")
    path, _, query = target.partition("?")
    return BatchPart(
        method=method,
        path=unquote(path),
        query=query,
        headers={name.lower(): value for name, value in headers.items()},
        body=json.dumps(request["body"]).encode() if "body" in request else b"",
    )


class BatchEndpoint:
    """``POST /batch``; `app` serves the parts, at the same time, each as if it came alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def serve(self, request: Request) -> Response:
        """Serve a batch: 200 with one result a part, in their order, each with its own status."""
        if request.scope.get(_IS_PART):
            return _refusal("a batch cannot hold a batch")
        try:
            parts = read_batch(await request.body())
        except ValueError as error:
            return _refusal(str(error))
        tasks = [asyncio.create_task(self._result(request.scope, part)) for part in parts]
        try:
            await asyncio.wait(tasks, timeout=DEADLINE_S)
            return JSONResponse({"results": [_outcome(task) for task in tasks]})
        finally:
            for task in tasks:
                task.cancel()

    async def _result(self, batch: Scope, part: BatchPart) -> dict[str, Any]:
        """Serve one part, and return its response as a result."""
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value
        content_type, body = "", b""
        unread = True
        never = asyncio.Event()

        async def receive() -> Message:
            nonlocal unread
            if unread:
                unread = False
                return {"type": "http.request", "body": part.body, "more_body": False}
            await never.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            nonlocal status, content_type, body
            if message["type"] == "http.response.start":
                status = message["status"]
                content_type = Headers(raw=message["headers"]).get("content-type", "")
            elif message["type"] == "http.response.body":
                body += message.get("body", b"")

        await self._app(_scope_of(batch, part), receive, send)
        return _result(status, content_type, body)


def _scope_of(batch: Scope, part: BatchPart) -> Scope:
    """Return the part as an ASGI scope."""
    inherited = Headers(scope=batch)
    headers = {name: inherited[name] for name in _INHERITED if name in inherited} | dict(part.headers)
    headers |= {"content-length": str(len(part.body)), "host": inherited.get("host", "")}
    if part.body:
        headers["content-type"] = "application/json"
    kept = ("type", "asgi", "http_version", "scheme", "server", "client", "root_path", "state")
    return {
        **{key: batch[key] for key in kept if key in batch},
        _IS_PART: True,
        "method": part.method,
        "path": part.path,
        "raw_path": part.path.encode(),
        "query_string": part.query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
    }


def _result(status: int, content_type: str, body: bytes) -> dict[str, Any]:
    """Return a part's result: ``{success, status, data}`` or ``{success, status, error}``."""
    data: object = body.decode(errors="replace")
    if content_type.partition(";")[0] == "application/json":
        data = json.loads(body)
    if status < HTTPStatus.BAD_REQUEST:
        return {"success": True, "status": status, "data": data}
    error = data["error"] if isinstance(data, dict) and "error" in data else data
    return {"success": False, "status": status, "error": error}


def _outcome(task: asyncio.Task[dict[str, Any]]) -> dict[str, Any]:
    """Return a part's result, or that it failed or is late; why it failed is for the log, not the client."""
    if not task.done():
        return _failure(HTTPStatus.GATEWAY_TIMEOUT)
    if (error := task.exception()) is not None:
        _log.error("a part of a batch failed", exc_info=error)
        return _failure(HTTPStatus.INTERNAL_SERVER_ERROR)
    return task.result()


def _failure(status: HTTPStatus) -> dict[str, Any]:
    return {"success": False, "status": status.value, "error": status.phrase}


def _refusal(why: str) -> Response:
    return JSONResponse({"error": why}, status_code=HTTPStatus.UNPROCESSABLE_ENTITY.value)
