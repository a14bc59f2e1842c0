"""Batches: bounded, each part by itself, only this application."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from slocheck.reference_api.http import batch
from slocheck.reference_api.http.batch import MOST_PARTS, BatchEndpoint
from tests.reference_api.http.client import client_of


async def _echo(request: Request) -> Response:
    names = ("authorization", "accept", "idempotency-key", "content-type", "x-other")
    seen = {name: request.headers[name] for name in names if name in request.headers}
    body = (await request.body()).decode()
    return JSONResponse({"path": request.url.path, "query": request.url.query, "body": body, **seen})


async def _missing(_: Request) -> Response:
    return JSONResponse({"error": "no such item"}, status_code=404)


async def _broken(_: Request) -> Response:
    raise RuntimeError("a secret of the server")


async def _slow(_: Request) -> Response:
    await asyncio.Event().wait()
    raise AssertionError


async def _text(_: Request) -> Response:
    return PlainTextResponse("ok")


def _app() -> Starlette:
    app = Starlette(
        routes=[
            Route("/echo/{rest:path}", _echo, methods=["GET", "PUT"]),
            Route("/missing", _missing),
            Route("/broken", _broken),
            Route("/slow", _slow),
            Route("/text", _text),
        ]
    )
    app.router.routes.append(Route("/batch", BatchEndpoint(app).serve, methods=["POST"]))
    return app


def _post(body: object) -> httpx.Response:
    async def post() -> httpx.Response:
        async with client_of(_app()) as client:
            content = body if isinstance(body, str) else json.dumps(body)
            headers = {"authorization": "Bearer of-the-batch", "x-other": "stays", "accept": "text/html"}
            return await client.post("/batch", content=content, headers=headers)

    return asyncio.run(post())


def test_each_part_is_served_as_if_it_came_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """In order, with its own method, query, headers and body; a failure stays in its part."""
    monkeypatch.setattr(batch, "DEADLINE_S", 0.5)
    parts: list[dict[str, Any]] = [
        {"path": "/echo/a%20b?c=%64"},
        {"method": "PUT", "path": "/echo/", "body": {"n": 1}, "headers": {"Idempotency-Key": "k"}},
        {"path": "/missing"},
        {"path": "/broken"},
        {"path": "/slow"},
        {"path": "/text"},
        {"path": "/nowhere"},
        {"path": "/%62atch", "method": "POST", "body": {"requests": [{"path": "/text"}]}},
    ]
    response = _post({"requests": parts})
    assert response.status_code == 200
    results = response.json()["results"]
    auth = {"authorization": "Bearer of-the-batch"}
    first = {"path": "/echo/a b", "query": "c=%64", "body": "", **auth}
    second = {"path": "/echo/", "query": "", "body": '{"n": 1}', "idempotency-key": "k"}
    second |= {"content-type": "application/json", **auth}
    assert results == [
        {"success": True, "status": 200, "data": first},
        {"success": True, "status": 200, "data": second},
        {"success": False, "status": 404, "error": "no such item"},
        {"success": False, "status": 500, "error": "Internal Server Error"},
        {"success": False, "status": 504, "error": "Gateway Timeout"},
        {"success": True, "status": 200, "data": "ok"},
        {"success": False, "status": 404, "error": "Not Found"},
        {"success": False, "status": 422, "error": "a batch cannot hold a batch"},
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        pytest.param("not JSON", "write {requests:", id="not JSON"),
        pytest.param([], "write {requests:", id="a list"),
        pytest.param({"requests": []}, f"1..{MOST_PARTS}", id="none"),
        pytest.param({"requests": [{"path": "/text"}] * (MOST_PARTS + 1)}, f"1..{MOST_PARTS}", id="too many"),
        pytest.param({"requests": [{"path": "/text"}, 1]}, "requests[1]: write", id="not a part"),
        pytest.param({"requests": [{}]}, "requests[0].path", id="no path"),
        pytest.param({"requests": [{"path": "http://127.0.0.1/"}]}, "requests[0].path", id="an address"),
        pytest.param({"requests": [{"path": "//127.0.0.1/"}]}, "requests[0].path", id="another host"),
        pytest.param({"requests": [{"path": "/a b"}]}, "requests[0].path", id="not encoded"),
        pytest.param({"requests": [{"path": "/", "method": "TRACE"}]}, "requests[0].method", id="method"),
        pytest.param({"requests": [{"path": "/", "url": "x"}]}, "requests[0]: write", id="unknown key"),
        pytest.param(
            {"requests": [{"path": "/", "headers": {"Host": "x"}}]}, "requests[0].headers", id="header"
        ),
        pytest.param(
            {"requests": [{"path": "/", "headers": {"accept": "a\r\nb: c"}}]}, "headers", id="line break"
        ),
    ],
)
def test_what_is_not_a_batch_is_refused_whole(body: object, why: str) -> None:
    """The message says which part is wrong, and what to write."""
    response = _post(body)
    assert response.status_code == 422
    assert why in response.json()["error"]


def test_as_many_parts_as_allowed_are_served() -> None:
    """The bound itself is inside."""
    results = _post({"requests": [{"path": "/text"}] * MOST_PARTS}).json()["results"]
    assert [result["success"] for result in results] == [True] * MOST_PARTS
