"""HTTP/2 by the server itself, granian, with HTTP/1.1 for older clients on the same port.

The idea: one connection carries many requests at once, so a client opens one instead of six, and no request
waits for the response of another; TLS is negotiated once, and the connection is kept.

What goes wrong with the naive form: HTTP/2 without TLS, which no browser speaks; only HTTP/2, which shuts out
older clients, health checks and most load generators; and a server that drops connections when it is idle,
so that every pause of a user costs a new handshake.

In production: mostly the proxy speaks HTTP/2 to the clients and HTTP/1.1 to the replicas, where connections
are few and kept (``deploy/nginx.conf``); a server that speaks it itself is for services that call each other.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from slocheck.reference_api.parts import needs

HOST = "127.0.0.1"
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files of a TLS server.

    Attributes:
        chain: Certificate chain, PEM.
        key: Private key, PEM.
    """

    chain: Path
    key: Path


async def serve_http2(
    app: ASGIApp,
    *,
    at: tuple[str, int],
    certificate: Certificate,
    started: Callable[[], None],
    ended: asyncio.Event,
    grace_s: float = 2.0,
) -> None:
    """Serve an application over TLS.

    Args:
        app: Served on this event loop.
        at: Address and a free port.
        certificate: Read before the start.
        started: Called once connections are accepted.
        ended: Ends it when it is set.
        grace_s: How long requests that are being served then may take, seconds.

    Raises:
        UsageError: granian is not installed.
    """
    with needs("granian"):
        # of an extra
        from granian.constants import HTTPModes, Interfaces, SSLProtocols  # noqa: PLC0415
        from granian.server.embed import Server  # noqa: PLC0415
    server = Server(
        app,
        address=at[0],
        port=at[1],
        interface=Interfaces.ASGINL,
        http=HTTPModes.auto,
        websockets=False,
        log_enabled=False,
        ssl_cert=certificate.chain,
        ssl_key=certificate.key,
        ssl_protocol_min=SSLProtocols.tls12,
    )
    serving = asyncio.create_task(server.serve())
    announcing = asyncio.create_task(_announce(at, started))
    ending = asyncio.create_task(ended.wait())
    try:
        await asyncio.wait({serving, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        announcing.cancel()
        ending.cancel()
        server.stop()  # type: ignore[no-untyped-call] # granian ships types in part
        await asyncio.wait({serving}, timeout=grace_s)
        serving.cancel()
        await asyncio.gather(serving)


async def _announce(at: tuple[str, int], started: Callable[[], None]) -> None:
    """Call `started` as soon as a connection is accepted."""
    while True:
        try:
            _, writer = await asyncio.open_connection(*at)
        except OSError:
            await asyncio.sleep(_POLL_S)
            continue
        writer.close()
        started()
        return
