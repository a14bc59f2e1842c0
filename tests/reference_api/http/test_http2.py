"""HTTP/2 by the server itself, over TLS with a certificate of the tests."""

import asyncio
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from slocheck.reference_api.http.http2 import HOST, serve_http2
from slocheck.reference_api.stack.programs import free_port
from tests.support.certificates import certified


def test_many_requests_share_one_kept_connection(tmp_path: Path) -> None:
    """At the same time by HTTP/2, one after the other by HTTP/1.1; a request in flight survives the end."""
    certificate, trust = certified(tmp_path)
    port = free_port()
    url = f"https://127.0.0.1:{port}"

    async def use() -> None:
        together = asyncio.Barrier(10)
        started, ended, waiting = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def met(_: Request) -> Response:
            await together.wait()  # served only if all ten are here at once
            return JSONResponse({})

        async def late(_: Request) -> Response:
            waiting.set()
            await ended.wait()
            return JSONResponse({})

        async def peer(request: Request) -> Response:
            assert request.client is not None
            return JSONResponse(request.client.port)

        app = Starlette(routes=[Route("/met", met), Route("/late", late), Route("/peer", peer)])
        serving = asyncio.create_task(
            serve_http2(
                app,
                at=(HOST, port),
                certificate=certificate,
                started=started.set,
                ended=ended,
                grace_s=60,
            )
        )
        await asyncio.wait_for(started.wait(), 60)
        for http2, version in ((True, "HTTP/2"), (False, "HTTP/1.1")):
            async with httpx.AsyncClient(http2=http2, verify=trust, base_url=url, timeout=60) as client:
                peers = [await client.get("/peer") for _ in range(3)]
                assert {response.http_version for response in peers} == {version}
                if http2:
                    peers += await asyncio.gather(*[client.get("/met") for _ in range(10)])
                    assert all(response.is_success for response in peers)
                assert len({response.json() for response in peers[:3]}) == 1
                if not http2:
                    in_flight = asyncio.create_task(client.get("/late"))
                    await asyncio.wait_for(waiting.wait(), 60)
                    ended.set()
                    assert (await in_flight).is_success
        await asyncio.wait_for(serving, 60)

    asyncio.run(use())
