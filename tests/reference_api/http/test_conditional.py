"""Cache headers, entity tags and 304."""

import asyncio
import string
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from slocheck.reference_api.http.compression import Compressed
from slocheck.reference_api.http.conditional import PRIVATE, Conditional, entity_tag, matches, public
from tests.reference_api.http.client import client_of

BODY = {"id": 1, "about": "a" * 2_000}


async def _item(request: Request) -> Response:
    if request.path_params["id"] == "none":
        return JSONResponse({"error": "no such item"}, status_code=404)
    return JSONResponse(BODY, headers={"x-cache": "hit"})


async def _stream(_: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"

    return StreamingResponse(parts())


APP = Compressed(
    Conditional(
        Starlette(
            routes=[
                Route("/items/{id}", _item, methods=["GET", "POST"]),
                Route("/users/{id}", _item),
                Route("/health", _item),
                Route("/stream", _stream),
            ]
        ),
        {"/items/{id}": public(60), "/users/{id}": PRIVATE, "/stream": public(60)},
    )
)


def _ask(method: str, path: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with client_of(APP) as client:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            return await client.request(method, path, headers=sent)

    return asyncio.run(ask())


def test_a_client_that_has_the_body_gets_none() -> None:
    """The tag depends on the content, not its encoding; a 304 keeps what a cache needs, and no more."""
    first = _ask("GET", "/items/1", accept_encoding="gzip")
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=60"
    assert first.json() == BODY
    assert _ask("GET", "/users/1", accept_encoding="identity").headers["etag"] == tag
    again = _ask("GET", "/items/1", accept_encoding="gzip", if_none_match=tag)
    assert (again.status_code, again.content) == (304, b"")
    kept = {"cache-control": "public, max-age=60", "etag": tag, "vary": "Accept-Encoding"}
    assert dict(again.headers) == {**kept, "x-cache": "hit"}
    assert _ask("HEAD", "/items/1", if_none_match=tag).status_code == 304
    assert _ask("GET", "/items/1", if_none_match='"another"').json() == BODY


@pytest.mark.parametrize(
    ("method", "path", "policy"),
    [
        pytest.param("GET", "/users/1", "private, no-cache", id="of one person"),
        pytest.param("GET", "/health", "no-store", id="not named"),
        pytest.param("GET", "/items/none", "no-store", id="an error is not kept"),
        pytest.param("GET", "/nowhere", "no-store", id="no route"),
        pytest.param("GET", "/stream", "public, max-age=60", id="streamed"),
        pytest.param("POST", "/items/1", None, id="a write"),
    ],
)
def test_each_response_says_who_may_keep_it(method: str, path: str, policy: str | None) -> None:
    """By its route; what must not be kept and what is streamed has no entity tag and is never a 304."""
    response = _ask(method, path, if_none_match="*")
    assert response.headers.get("cache-control") == policy
    assert ("etag" in response.headers) is (policy == PRIVATE)
    assert (response.status_code == 304) is (policy == PRIVATE)


@pytest.mark.parametrize(
    ("header", "same"),
    [
        pytest.param('W/"a"', True, id="weak"),
        pytest.param('"a"', True, id="strong, compared weakly"),
        pytest.param('"b", W/"a" ,"c"', True, id="in a list"),
        pytest.param('"b,"a", "c"', False, id="a comma inside of a tag"),
        pytest.param(" * ", True, id="anything"),
        pytest.param('"*"', False, id="a tag that is an asterisk"),
        pytest.param("a", False, id="without quotes"),
        pytest.param('W/"a"x', False, id="something after the tag"),
        pytest.param('"b" "a"', False, id="no comma"),
        pytest.param(', ,"a",', True, id="empty members"),
        pytest.param('"A"', False, id="the other case"),
        pytest.param("", False, id="empty"),
    ],
)
def test_if_none_match_is_a_list_of_tags(header: str, same: bool) -> None:
    """Compared weakly, as RFC 9110 demands of this header."""
    assert matches(header, 'W/"a"') is same


@given(
    body=st.binary(max_size=50),
    others=st.lists(st.text(string.ascii_letters + ",*/ W", max_size=5), max_size=4),
    place=st.integers(0, 4),
)
def test_the_own_tag_is_found_wherever_it_stands(body: bytes, others: list[str], place: int) -> None:
    """Among any other tags; none of the others is mistaken for it."""
    tag = entity_tag(body)
    tags = [f'"{other}"' for other in others]
    assert not matches(", ".join(tags), tag)
    assert matches(", ".join([*tags[:place], tag, *tags[place:]]), tag)
