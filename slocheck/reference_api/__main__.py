"""``python -m slocheck.reference_api``: serve the reference API until it is stopped.

The first line on stdout is one JSON object: ``{"url": "http://127.0.0.1:8000"}`` once requests are
served, or ``{"error": "why not"}``. It ends on INT or TERM, unless they were ignored when it was started,
and when its standard input ends, so it never outlives the process that started it.
"""

import argparse
import errno
import json
import os
import signal
import socket
import sys
import threading

import uvicorn

from slocheck.errors import UsageError
from slocheck.reference_api.api import create_app
from slocheck.reference_api.faults import Faults

HOST = "127.0.0.1"
_GRACE_S = 2
_KEEP_ALIVE_S = 75
"""Longer than any user waits, as closing an idle connection breaks a request that is being sent on it."""


class _Server(uvicorn.Server):
    """A server that says when it is up, and keeps ignoring signals that were ignored."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        ending = (signal.SIGINT, signal.SIGTERM)
        self._ignored = [number for number in ending if signal.getsignal(number) is signal.SIG_IGN]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept, then print the address; uvicorn has taken every signal by now."""
        for number in self._ignored:
            signal.signal(number, signal.SIG_IGN)
        await super().startup(sockets)
        assert sockets, "the socket is bound by main()"
        say(url=f"http://{HOST}:{sockets[0].getsockname()[1]}")


def say(**line: str) -> None:
    """Print one line of the protocol."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def bind(port: int) -> socket.socket:
    """Bind a loopback socket, port 0 meaning any free one; raises UsageError."""
    # asyncio turns Nagle's algorithm off only if the protocol is named; with it on, responses in two
    # pieces wait 40 ms for the client's delayed acknowledgement
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        # under SO_REUSEADDR, bind() succeeds for a port on which another process listens
        listener.listen(2048)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            why = f"port {port} of {HOST} is taken; use --port N with another"
            raise UsageError(why) from error
        raise UsageError(f"port {port} of {HOST} cannot be used: {error.strerror}") from error
    return listener


def _end_with_stdin(server: uvicorn.Server) -> None:
    """Ask the server to stop once stdin is closed; uses os.read, as a buffered read would block the exit."""
    while os.read(0, 4096):
        pass
    server.should_exit = True


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal or the end of stdin; returns the exit code, 2 when it cannot start."""
    parser = argparse.ArgumentParser(
        prog="python -m slocheck.reference_api", description="The reference API."
    )
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--delays-ms", type=float, nargs="*", default=[], help="latencies to inject")
    parser.add_argument("--error-rate", type=float, default=0.0, help="share of requests to fail, 0..1")
    parser.add_argument("--seed", type=int, default=0, help="of the injected faults")
    options = parser.parse_args(arguments)
    try:
        app = create_app(Faults(options.delays_ms, options.error_rate, options.seed))
        listener = bind(options.port)
    except UsageError as error:
        say(error=str(error))
        return 2
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="error",  # it would warn about the preflight, which tries TLS on a plain port
        timeout_graceful_shutdown=_GRACE_S,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
    server = _Server(config)
    threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
    server.run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
