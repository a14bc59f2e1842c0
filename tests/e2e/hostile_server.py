"""A server that breaks HTTP in every way a client has to survive, and counts what it was asked."""

import gzip
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Self

Talk = Callable[["HostileServer", socket.socket], bool]
"""Answers one request; tells whether the connection stays open."""

OK = b"HTTP/1.1 200 OK\r\n"
BIG = 10 << 20
TEXT = b'{"found": true}'
PATIENCE_S = 30.0


def _send(data: bytes, *, stays: bool = True) -> Talk:
    def talk(_: "HostileServer", connection: socket.socket) -> bool:
        connection.sendall(data)
        return stays

    return talk


def _reset(_: "HostileServer", connection: socket.socket) -> bool:
    connection.sendall(OK + b"Content-Length: 100\r\n\r\nhalf")
    time.sleep(0.02)  # the client reads the half before the reset overtakes it
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


def _drip(server: "HostileServer", connection: socket.socket) -> bool:
    connection.sendall(OK + b"Content-Length: 100000\r\n\r\n")
    while not server.closing.wait(0.1):
        connection.sendall(b"x")
    return False


def _hang(server: "HostileServer", _: socket.socket) -> bool:
    server.closing.wait(PATIENCE_S)
    return False


def _early(server: "HostileServer", connection: socket.socket) -> bool:
    """Answer before the request's body is there, and read none of it."""
    connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    connection.shutdown(socket.SHUT_WR)
    server.closing.wait(0.3)
    return False


def _idle(server: "HostileServer", connection: socket.socket) -> bool:
    """Answer, promise to stay, and leave."""
    connection.sendall(OK + b"Content-Length: 2\r\n\r\nok")
    server.closing.wait(0.02)
    return False


TALKS: dict[str, Talk] = {
    "plain": _send(OK + b"Content-Length: 2\r\n\r\nok"),
    "close": _send(OK + b"Content-Length: 2\r\n\r\nok", stays=False),
    "reset": _reset,
    "big": _send(OK + b"Content-Length: %d\r\n\r\n" % BIG + bytes(BIG)),
    "drip": _drip,
    "hang": _hang,
    "early": _early,
    "idle": _idle,
    "http2": _send(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18), stays=False),
    "garbage": _send(b"what do you want?\r\n\r\n", stays=False),
    "silent": _send(b"", stays=False),
    "lengths": _send(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", stays=False),
    "extra": _send(OK + b"Content-Length: 2\r\n\r\nok" + OK),
    "open-ended": _send(OK + b"\r\nuntil the end", stays=False),
    "chunked": _send(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n"),
    "continue": _send(b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok"),
    "no-content": _send(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "unavailable": _send(b"HTTP/1.1 503 Not Now\r\nContent-Length: 0\r\n\r\n"),
    "gzip": _send(
        OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(gzip.compress(TEXT, mtime=0))
        + gzip.compress(TEXT, mtime=0)
    ),
    "wrong": _send(OK + b"Content-Length: 4\r\n\r\nnope"),
}  # fmt: skip


class HostileServer:
    """Serves ``/<talk>``, each connection in a thread of its own; a context manager.

    Args:
        host: Where to listen.
        connections: After so many it listens no more.

    Attributes:
        counts: Requests received, by talk.
        closing: Set when the server ends.
    """

    def __init__(self, host: str = "127.0.0.1", connections: int = 1 << 30) -> None:
        self.counts: Counter[str] = Counter()
        self.closing = threading.Event()
        self._left = connections
        self._lock = threading.Lock()
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=self._family, backlog=512)
        port = self._listener.getsockname()[1]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._listener.close()

    def _accept(self) -> None:
        self._listener.settimeout(0.1)
        while not self.closing.is_set() and self._left:
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self._left -= 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
        self._listener.close()

    def _serve(self, connection: socket.socket) -> None:
        """Answer request after request; bodies are read only where the talk wants them to be."""
        with connection:
            connection.settimeout(PATIENCE_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            rest = b""
            try:
                while True:
                    while b"\r\n\r\n" not in rest:
                        data = connection.recv(1 << 16)
                        if not data:
                            return
                        rest += data
                    head, _, rest = rest.partition(b"\r\n\r\n")
                    talk = head.split(b" ", 2)[1].decode().strip("/")
                    with self._lock:
                        self.counts[talk] += 1
                    if not TALKS[talk](self, connection):
                        return
            except OSError:
                return
