"""A session's last write travels with the client."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slocheck.reference_api.caching import copies_are_passed
from slocheck.reference_api.database.sessions import (
    Sessions,
    current_session,
    position_of,
    primary_is_asked,
    reads_on_primary,
)


async def show(_: Request) -> Response:
    """Say what the session expects."""
    assert copies_are_passed() is (current_session().position > 0)
    return Response(str(current_session().position))


async def write(request: Request) -> Response:
    """Reach a position, as a repository does in a task of its own."""

    async def change() -> None:
        current_session().wrote(int(request.path_params["position"]))

    await asyncio.create_task(change())
    return Response()


def client() -> httpx.AsyncClient:
    """Return a client with its own cookies, of an application without state."""
    routes = [Route("/", show), Route("/{position:int}", write, methods=["POST"])]
    transport = httpx.ASGITransport(Sessions(Starlette(routes=routes)))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


def test_a_write_is_remembered_by_the_client() -> None:
    """The cookie takes the highest position to any worker; another client expects nothing."""

    async def use() -> None:
        async with client() as mine, client() as other:
            told = (await mine.post("/4096")).headers
            assert told["x-read-after"] == "0/1000"
            assert told["set-cookie"] == "read-after=0/1000; Max-Age=60; Path=/; HttpOnly; SameSite=Lax"
            shown = await mine.get("/")
            assert (shown.text, "set-cookie" in shown.headers) == ("4096", False)
            assert "set-cookie" not in (await mine.post("/17")).headers, (
                "an older position takes nothing back"
            )
            assert (await other.get("/")).text == "0"
            assert (await other.get("/", headers={"x-read-after": "0/1000"})).text == "4096"

    asyncio.run(use())


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"cookie": "read-after=nonsense"}, id="not a position"),
        pytest.param({"cookie": "a=b; read-after"}, id="no value"),
        pytest.param({"cookie": "\x00;=;;[]"}, id="not a cookie"),
        pytest.param({"x-read-after": "0/0/0"}, id="header that is not a position"),
    ],
)
def test_what_cannot_be_read_expects_nothing(headers: dict[str, str]) -> None:
    """A request with a broken cookie is served like one without."""
    assert position_of(Headers(headers)) == 0


def test_reads_for_a_cache_go_to_the_primary_only_inside_of_their_block() -> None:
    """The block applies to what runs in it, and not to what runs after it."""
    with reads_on_primary():
        assert primary_is_asked()
    assert not primary_is_asked()
