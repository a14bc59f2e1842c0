"""Compression: what is compressed, and how."""

import asyncio
import sys

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slocheck.reference_api.http.compression import THRESHOLD, Compressed
from tests.reference_api.http.client import client_of

LARGE = THRESHOLD


async def _sized(request: Request) -> Response:
    return Response(b"a" * int(request.path_params["size"]), media_type="application/json")


def _get(size: int, headers: dict[str, str]) -> httpx.Response:
    async def get() -> httpx.Response:
        async with client_of(Compressed(Starlette(routes=[Route("/{size}", _sized)]))) as client:
            return await client.get(f"/{size}", headers=headers)

    return asyncio.run(get())


@pytest.mark.parametrize(
    ("size", "headers", "encoding"),
    [
        pytest.param(LARGE, {"accept-encoding": "gzip"}, "gzip", id="gzip"),
        pytest.param(LARGE, {"accept-encoding": "gzip, br"}, "br", id="brotli before gzip"),
        pytest.param(LARGE, {"accept-encoding": "gzip, br, zstd"}, "zstd", id="zstd before brotli"),
        pytest.param(LARGE, {"accept-encoding": "zstd;q=0, gzip"}, "gzip", id="zstd is refused"),
        pytest.param(LARGE, {"accept-encoding": "gzip;q=0"}, None, id="gzip is refused"),
        pytest.param(LARGE, {"accept-encoding": "*;q=0"}, None, id="everything is refused"),
        pytest.param(LARGE, {"accept-encoding": "br; q=0.0, GZIP;q=0.1"}, "gzip", id="weights"),
        pytest.param(LARGE, {"accept-encoding": "identity"}, None, id="none is accepted"),
        pytest.param(LARGE - 1, {"accept-encoding": "gzip"}, None, id="just under the threshold"),
        pytest.param(LARGE, {"accept-encoding": "gzip", "x-no-compression": "1"}, None, id="refused"),
        pytest.param(LARGE, {"accept-encoding": "gzip", "X-No-Compression": ""}, None, id="by any value"),
    ],
)
def test_what_is_compressed(size: int, headers: dict[str, str], encoding: str | None) -> None:
    """From 1 kB on, with the best method that the client accepts; the client reads the same bytes."""
    response = _get(size, headers)
    assert response.headers.get("content-encoding") == encoding
    assert response.content == b"a" * size
    if size == LARGE:
        assert response.headers["vary"] == "Accept-Encoding", "also of what one client wants as it is"
    if encoding:
        assert int(response.headers["content-length"]) < size / 5


def test_without_the_library_there_is_gzip(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded API compresses as well, with what Starlette brings."""
    monkeypatch.setitem(sys.modules, "starlette_compress", None)
    assert _get(LARGE, {"accept-encoding": "gzip, br, zstd"}).headers["content-encoding"] == "gzip"
    for header in ("gzip;q=0", "br, gzip; q=0.000", "br", "x-gzip"):
        assert "content-encoding" not in _get(LARGE, {"accept-encoding": header}).headers, header
    assert _get(LARGE, {"accept-encoding": "br, gzip;q=0.5"}).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in _get(LARGE - 1, {"accept-encoding": "gzip"}).headers
    refused = {"accept-encoding": "gzip", "x-no-compression": "1"}
    assert "content-encoding" not in _get(LARGE, refused).headers
