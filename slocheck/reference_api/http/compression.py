"""Compressed responses: zstd, brotli or gzip, whatever the client accepts.

The idea: JSON shrinks to a fifth, so a response takes fewer packets and a slow network less time. Only
bodies over 1 kB are worth it, and a client may refuse with a header of its own.

What goes wrong with the naive form: compressing everything costs more time than it saves on small bodies, at
the highest level also on large ones; without ``Vary`` a shared cache hands gzip to a client that cannot read
it; and compressing a secret together with what an attacker may choose tells it by the length (BREACH).

In production: let the proxy or the CDN compress, which also caches the result, and the application only what
they cannot see.
"""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

THRESHOLD = 1024
"""Bytes below which a body is sent as it is."""
REFUSAL = b"x-no-compression"
"""A request header of any value with which a client refuses."""
GZIP_LEVEL = 6
BROTLI_QUALITY = 4
ZSTD_LEVEL = 4
"""The usual balances between speed and size; brotli at 11 takes a hundred times as long as at 4."""


class Compressed:
    """ASGI middleware that compresses what the application sends; with gzip alone if nothing is installed."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._compressing = _compressing(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        refused = any(name.lower() == REFUSAL for name, _ in scope.get("headers", ()))
        await (self._plain if refused else self._compressing)(scope, receive, send)


def _compressing(app: ASGIApp) -> ASGIApp:
    try:
        from starlette_compress import CompressMiddleware  # noqa: PLC0415 - of an extra
    except ImportError:
        return GZipMiddleware(app, minimum_size=THRESHOLD, compresslevel=GZIP_LEVEL)
    return CompressMiddleware(
        app,
        minimum_size=THRESHOLD,
        gzip_level=GZIP_LEVEL,
        brotli_quality=BROTLI_QUALITY,
        zstd_level=ZSTD_LEVEL,
    )
