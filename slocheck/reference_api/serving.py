"""One process that serves: a socket, uvicorn, and a graceful end."""

import asyncio
import errno
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

import uvicorn

from slocheck.errors import UsageError
from slocheck.reference_api.app import opened
from slocheck.reference_api.faults import Faults
from slocheck.reference_api.http.http2 import Certificate, serve_http2
from slocheck.reference_api.settings import Settings

ENDING = (signal.SIGINT, signal.SIGTERM)
GRACE_S = 2
"""Seconds that requests in progress may take after shutdown was requested."""

_KEEP_ALIVE_S = 75
"""Longer than any client idles, as closing an idle connection breaks a request that is being sent on it."""


class _Server(uvicorn.Server):
    """A server that reports when it is up, and keeps ignoring signals that were ignored."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ignored = [number for number in ENDING if signal.getsignal(number) is signal.SIG_IGN]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept, then print the address; uvicorn handles all signals by now."""
        for number in self._ignored:
            signal.signal(number, signal.SIG_IGN)
        await super().startup(sockets)
        assert sockets, "the socket is bound before"
        say(url=url_of(sockets[0]))


def say(**line: str) -> None:
    """Print one line of the protocol; if its reader is gone, the end of stdin ends this process."""
    try:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the exit


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """Return the address of a bound socket."""
    host, port = listener.getsockname()
    return f"{scheme}://{host}:{port}"


def bind(host: str, port: int) -> socket.socket:
    """Bind a socket, port 0 meaning any free one; raises UsageError."""
    # asyncio turns Nagle's algorithm off only if the protocol is named; with it on, responses in two
    # pieces wait 40 ms for the client's delayed acknowledgement
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # under SO_REUSEADDR, bind() succeeds for a port on which another process listens
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            why = f"port {port} of {host} is taken; use --port N with another"
            raise UsageError(why) from error
        raise UsageError(f"port {port} of {host} cannot be used: {error.strerror}") from error
    return listener


def inherited(descriptor: int) -> socket.socket:
    """Return the socket that the parent has bound for all its workers."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=descriptor)
    listener.settimeout(0)
    return listener


def serve(
    settings: Settings,
    faults: Faults,
    listener: socket.socket,
    *,
    with_stdin: bool,
    certificate: Certificate | None = None,
) -> None:
    """Serve until a signal, or the end of stdin if asked; raises UsageError if a part cannot be used."""
    end_quietly()
    if certificate is None:
        asyncio.run(_serve(settings, faults, listener, with_stdin=with_stdin))
    else:
        asyncio.run(_serve_tls(settings, faults, listener, certificate, with_stdin=with_stdin))


def end_quietly() -> None:
    """Let a signal end the server, and nothing else: uvicorn raises it again once it has stopped."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


async def _serve(settings: Settings, faults: Faults, listener: socket.socket, *, with_stdin: bool) -> None:
    async with opened(settings, faults) as app:
        config = uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="error",  # it would warn about the preflight, which tries TLS on a plain port
            timeout_graceful_shutdown=GRACE_S,
            timeout_keep_alive=_KEEP_ALIVE_S,
        )
        server = _Server(config)
        if with_stdin:
            _at_end_of_stdin(lambda: setattr(server, "should_exit", True))
        await server.serve(sockets=[listener])


async def _serve_tls(
    settings: Settings,
    faults: Faults,
    listener: socket.socket,
    certificate: Certificate,
    *,
    with_stdin: bool,
) -> None:
    url, (host, port) = url_of(listener, "https"), listener.getsockname()
    listener.close()  # that server binds the port itself
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, ended.set)
    if with_stdin:
        _at_end_of_stdin(lambda: loop.call_soon_threadsafe(ended.set))
    async with opened(settings, faults) as app:
        await serve_http2(
            app,
            at=(host, port),
            certificate=certificate,
            started=lambda: say(url=url),
            ended=ended,
            grace_s=GRACE_S,
        )


def _at_end_of_stdin(end: Callable[[], object]) -> None:
    """Call `end` once stdin is closed, in a thread; uses os.read, as a buffered read would block the exit."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        end()

    threading.Thread(target=wait, daemon=True).start()
