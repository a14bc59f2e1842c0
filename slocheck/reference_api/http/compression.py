"""Compressed responses: zstd, brotli or gzip, whatever the client accepts.

The idea: JSON shrinks to a fifth, so a response takes fewer packets and a slow network less time. Only
bodies over 1 kB are worth it, and a client may refuse with a header of its own.

What goes wrong with the naive form: compressing everything costs more time than it saves on small bodies, at
the highest level also on large ones; without ``Vary`` a shared cache hands gzip to a client that cannot read
it; and compressing a secret together with what an attacker may choose leaks it through the length (BREACH).

In production: let the proxy or the CDN compress, which also caches the result, and the application only what
they cannot see.
"""

import re
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

THRESHOLD = 1024
"""Bytes below which a body is sent as it is."""
REFUSAL = "x-no-compression"
"""A request header with which a client refuses, whatever its value."""
GZIP_LEVEL = 6
BROTLI_QUALITY = 4
ZSTD_LEVEL = 4
"""The usual balances between speed and size; brotli at 11 takes a hundred times as long as at 4."""
_ZERO = re.compile(r"q\s*=\s*0(?:\.0*)?")


class Compressed:
    """ASGI middleware that compresses what the application sends; with gzip alone if nothing is installed."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._compressing = _compressing(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._plain(scope, receive, send)
            return
        refused = REFUSAL in Headers(scope=scope)

        async def varying_send(message: Message) -> None:
            # a 304 has the 200's headers, and so has a response that a client wants uncompressed
            if message["type"] == "http.response.start" and (
                refused or message["status"] == HTTPStatus.NOT_MODIFIED
            ):
                MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
            await send(message)

        await (self._plain if refused else self._compressing)(scope, receive, varying_send)


class _GzipAlone:
    """Starlette's own middleware, which mistakes ``gzip;q=0`` for a request for gzip."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._compressing = GZipMiddleware(app, minimum_size=THRESHOLD, compresslevel=GZIP_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accepted = accepts(Headers(scope=scope).get("accept-encoding", ""), "gzip")
        await (self._compressing if accepted else self._plain)(scope, receive, send)


def accepts(header: str, coding: str) -> bool:
    """Say whether ``Accept-Encoding`` names a coding, and not with a weight of 0 (RFC 9110, 12.5.3)."""
    for member in header.lower().split(","):
        name, _, weight = member.partition(";")
        if name.strip() == coding:
            return not _ZERO.fullmatch(weight.strip())
    return False


def _compressing(app: ASGIApp) -> ASGIApp:
    try:
        from starlette_compress import CompressMiddleware  # noqa: PLC0415 - of an extra
    except ImportError:
        return _GzipAlone(app)
    return CompressMiddleware(
        app,
        minimum_size=THRESHOLD,
        gzip_level=GZIP_LEVEL,
        brotli_quality=BROTLI_QUALITY,
        zstd_level=ZSTD_LEVEL,
    )
