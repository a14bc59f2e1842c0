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

TOGETHER = 10


class Probe:
    """An application that shows how requests reach it; used on one event loop."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.waiting = asyncio.Event()
        self._together = asyncio.Barrier(TOGETHER)
        routes = [Route("/met", self.met), Route("/late", self.late), Route("/peer", self.peer)]
        self.app = Starlette(routes=routes)

    async def met(self, _: Request) -> Response:
        """Serve only if ten are here at once."""
        await self._together.wait()
        return JSONResponse({})

    async def late(self, _: Request) -> Response:
        """Serve once the server has been told to end."""
        self.waiting.set()
        await self.ended.wait()
        return JSONResponse({})

    async def peer(self, request: Request) -> Response:
        """Tell the client's port."""
        assert request.client is not None
        return JSONResponse(request.client.port)


def test_many_requests_share_one_kept_connection(tmp_path: Path) -> None:
    """Concurrently over HTTP/2, in turn over HTTP/1.1; a request in flight survives shutdown."""
    certificate, trust = certified(tmp_path)
    at = (HOST, free_port())
    url = f"https://{at[0]}:{at[1]}"

    async def use() -> None:
        probe, started = Probe(), asyncio.Event()
        serving = asyncio.create_task(
            serve_http2(
                probe.app,
                at=at,
                certificate=certificate,
                started=started.set,
                ended=probe.ended,
                grace_s=60,
            )
        )
        await asyncio.wait_for(started.wait(), 60)
        for http2, version in ((True, "HTTP/2"), (False, "HTTP/1.1")):
            async with httpx.AsyncClient(http2=http2, verify=trust, base_url=url, timeout=60) as client:
                peers = [await client.get("/peer") for _ in range(3)]
                assert {response.http_version for response in peers} == {version}
                assert len({response.json() for response in peers}) == 1
                if http2:
                    met = await asyncio.gather(*[client.get("/met") for _ in range(TOGETHER)])
                    assert all(response.is_success for response in met)
                    continue
                in_flight = asyncio.create_task(client.get("/late"))
                await asyncio.wait_for(probe.waiting.wait(), 60)
                probe.ended.set()
                assert (await in_flight).is_success
        await asyncio.wait_for(serving, 60)

    asyncio.run(use())
