"""A loopback server that responds to each request with the next of the given bytes, however broken."""

import json
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self

from tests.support.waiting import DEADLINE_S

TLS_HANDSHAKE = b"\x16"


def http(
    body: str | bytes, status: str = "200 OK", headers: str = "", content_type: str = "application/json"
) -> bytes:
    """Return a whole response; `headers` are extra lines, each ended by CRLF."""
    raw = body.encode() if isinstance(body, str) else body
    kind = f"Content-Type: {content_type}\r\nContent-Length: {len(raw)}\r\nConnection: close\r\n"
    return f"HTTP/1.1 {status}\r\n{kind}{headers}\r\n".encode() + raw


def success(kind: str, result: Any, **more: Any) -> bytes:
    """Return a query API response."""
    return http(json.dumps({"status": "success", "data": {"resultType": kind, "result": result}, **more}))


class FaultServer:
    """Serves the responses in turn, the last one for ever; a context manager.

    Attributes:
        port: Where it listens.
        requests: What was received, headers and body.
    """

    def __init__(self, responses: Sequence[bytes], *, hang: bool = False) -> None:
        self.requests: list[bytes] = []
        self._responses = list(responses)
        self._hang = hang
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.port}"

    def _serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                if self._stop.is_set():
                    connection.close()
                    return
                with suppress(OSError), connection:  # a client may have given up
                    self._respond(connection)

    def _respond(self, connection: socket.socket) -> None:
        """Take a request and give it the next response."""
        self.requests.append(self._request(connection))
        response = self._responses.pop(0) if len(self._responses) > 1 else self._responses[0]
        connection.sendall(response)
        if self._hang:
            self._stop.wait(DEADLINE_S)

    @staticmethod
    def _request(connection: socket.socket) -> bytes:
        """Read one request: head, and as much body as it announces; of TLS just the greeting."""
        data = connection.recv(65536)
        if data.startswith(TLS_HANDSHAKE):
            return data
        while b"\r\n\r\n" not in data:
            data += _more(connection)
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [
            line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        ]
        while len(body) < int(lengths[0] if lengths else 0):
            body += _more(connection)
        return head + b"\r\n\r\n" + body

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(10)
        self._listener.close()


def _more(connection: socket.socket) -> bytes:
    """Return what comes next; raises ConnectionResetError at the end."""
    data = connection.recv(65536)
    if not data:
        raise ConnectionResetError
    return data
