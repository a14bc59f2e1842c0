"""A server of raw sockets and threads that responds as badly as a test wants, and counts its requests."""

import contextlib
import re
import socket
import ssl
import struct
import threading
from collections import Counter
from collections.abc import Callable
from typing import Self

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class Peer:
    """One accepted connection.

    Attributes:
        sock: The socket, under TLS where the server is.
        server: Who accepted it.
    """

    def __init__(self, sock: socket.socket, server: "HostileServer") -> None:
        self.sock = sock
        self.server = server
        self._rest = b""

    def head(self) -> bytes:
        """Read a request's head; empty at the connection's end."""
        while b"\r\n\r\n" not in self._rest:
            data = self.sock.recv(1 << 16)
            if not data:
                return b""
            self._rest += data
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        return head

    def body(self, head: bytes) -> bytes:
        """Read the body that a head announces."""
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        while len(self._rest) < length:
            data = self.sock.recv(1 << 16)
            if not data:
                raise ConnectionResetError
            self._rest += data
        body, self._rest = self._rest[:length], self._rest[length:]
        return body

    def send(self, data: bytes) -> None:
        """Send everything."""
        self.sock.sendall(data)

    def reset(self) -> None:
        """Close with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def pause(self, seconds: float) -> bool:
        """Wait, at most until the server ends; tells whether it goes on."""
        return not self.server.closing.wait(seconds)


Behaviour = Callable[[Peer, bytes], bool]
"""Respond to one request whose head was read; tells whether the connection stays open."""


def respond_with(data: bytes, *, keep: bool = True) -> Behaviour:
    """Return a behaviour that reads the whole request and sends fixed bytes."""

    def behave(peer: Peer, head: bytes) -> bool:
        peer.body(head)
        peer.send(data)
        return keep

    return behave


def reset_in_body(peer: Peer, head: bytes) -> bool:
    """Send a part of a body, wait until it has left, and reset."""
    peer.body(head)
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")
    peer.pause(0.02)
    peer.reset()
    return False


def drip(peer: Peer, head: bytes) -> bool:
    """Send a byte a second."""
    peer.body(head)
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    while peer.pause(1):
        peer.send(b"x")
    return False


def hang(peer: Peer, _head: bytes) -> bool:
    """Never respond."""
    peer.server.closing.wait()
    return False


def close_when_idle(peer: Peer, head: bytes) -> bool:
    """Respond, and silently close a moment later."""
    peer.body(head)
    peer.send(OK)
    peer.pause(0.01)
    return False


def refuse_early(peer: Peer, _head: bytes) -> bool:
    """Respond before the body was read, read none of it, and keep the connection open."""
    peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
    peer.server.closing.wait()
    return False


def refuse_early_and_close(peer: Peer, _head: bytes) -> bool:
    """Respond before the body was read, shut down this half, and wait for the client to end the other."""
    peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
    peer.sock.shutdown(socket.SHUT_WR)
    while peer.sock.recv(1 << 16):
        pass
    return False


def refuse_early_and_reset(peer: Peer, _head: bytes) -> bool:
    """Respond before the body was read, and close at once: the reset may take the response with it."""
    peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
    return False


class HostileServer:
    """Serves by path: the first part names the behaviour; other paths get a response properly.

    Attributes:
        requests: Whole heads received, by path.
        heads: All of them, in order of arrival.
        connections: Accepted.
        resumed: Those of them whose TLS session was resumed.
        closing: Set when the server ends.
        behaviours: By the first part of the path.

    It may be given the number of connections that it `accepts` before it refuses, and a `greeting` that it
    sends before it is asked.
    """

    def __init__(
        self,
        behaviours: dict[str, Behaviour] | None = None,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        accepts: int | None = None,
        greeting: bytes = b"",
    ) -> None:
        self.requests: Counter[str] = Counter()
        self.heads: list[bytes] = []
        self.connections = self.resumed = 0
        self.closing = threading.Event()
        self.behaviours = behaviours or {}
        self._tls = tls
        self._accepts = accepts
        self._greeting = greeting
        self._lock = threading.Lock()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, 0))
        self._listener.listen(1024)
        self.port = int(self._listener.getsockname()[1])
        self.host = f"[{host}]" if ":" in host else host
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def url(self) -> str:
        """Base URL."""
        return f"{'https' if self._tls else 'http'}://{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(10)
        self._listener.close()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join(10)

    def _accept(self) -> None:
        while not self.closing.is_set() and self.connections != self._accepts:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()
        self._listener.close()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            sock.sendall(self._greeting)
            if self._tls is None:
                self._talk(Peer(sock, self))
                return
            with self._tls.wrap_socket(sock, server_side=True) as secured:
                self._open.append(secured)
                self.resumed += bool(secured.session_reused)
                self._talk(Peer(secured, self))

    def _talk(self, peer: Peer) -> None:
        while head := peer.head():
            if not head.partition(b" ")[0].isalpha():
                return  # not a request: a TLS handshake that asks what this port speaks
            path = head.split(b" ", 2)[1].decode("latin-1").partition("?")[0]
            with self._lock:
                self.requests[path] += 1
                self.heads.append(head)
            behave = self.behaviours.get(path.split("/")[1], respond_with(OK))
            if not behave(peer, head):
                return
