"""Who may connect to the coordinator: peers that prove in the handshake that they have the workers' key.

The token files hold a shared secret. The workers' CURVE key pair follows from it on both sides, so a peer
that only knows the coordinator's public key is refused before ZeroMQ reads a message from it (ZAP,
ZeroMQ RFC 27). Until then a peer can make this process keep one frame, for the time of a handshake: so frames
are small, and a large message has many.
"""

import hashlib
import hmac
import os
import socket as sockets
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import zmq
from gevent.threadpool import ThreadPool
from zmq.utils import z85
from zmq.utils.monitor import parse_monitor_message

from slocheck.allowed_targets import address_of
from slocheck.load.messaging.signing import MAX_MESSAGE_BYTES

HANDSHAKE_MS = 5_000
"""Milliseconds that a connection may take to prove that it has the keys."""
MOST_WAITING = 100
"""Messages that wait for one machine, or of one connection to be read."""
FRAME_BYTES = 1 << 20
"""Largest part of a body in one frame."""
_CURVE_BYTES = 1024
"""More than CurveZMQ adds to a frame."""
_DOOR = "inproc://zeromq.zap.01"
_DOMAIN = b"slocheck"
_PURPOSE = b"slocheck: the workers' CURVE key"
_ADDRESS, _MECHANISM, _KEY = 3, 5, 6
"""Places of a ZAP request: where the peer is, how it proves itself, and its public key."""
_NO_KEY = frozenset({
    zmq.PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC, zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH,
})  # fmt: skip
_MOST_REFUSED = 1000


def workers_keys(shared_secret: str) -> tuple[bytes, bytes]:
    """Return the workers' CURVE keys, public and secret, Z85: what follows from the token files' secret.

    Args:
        shared_secret: Of both token files, hexadecimal.
    """
    secret = z85.encode(hmac.digest(bytes.fromhex(shared_secret), _PURPOSE, hashlib.sha256))
    return zmq.curve_public(secret), secret


def limit(socket: Any) -> None:
    """Limit what a peer can make this process keep; before the socket is bound or connected."""
    socket.setsockopt(zmq.MAXMSGSIZE, FRAME_BYTES + _CURVE_BYTES)
    socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
    socket.setsockopt(zmq.RCVHWM, MOST_WAITING)


def in_frames(body: bytes) -> list[memoryview]:
    """Return a body as frames that the other side takes; at least one."""
    view = memoryview(body)
    return [view[start : start + FRAME_BYTES] for start in range(0, max(1, len(body)), FRAME_BYTES)]


def of_frames(frames: Sequence[bytes]) -> bytes | None:
    """Return the body that came in frames; None if it is larger than any message."""
    return None if sum(map(len, frames)) > MAX_MESSAGE_BYTES else b"".join(frames)


@dataclass(slots=True)
class RefusedConnections:
    """Which connection was refused, by the events of a ZeroMQ socket.

    A failed handshake says why, but not whose it was: the connection that ends next is the one.
    """

    _open: dict[int, str] = field(default_factory=dict)
    _failed: bool = False

    def refused(self, event: int, value: int) -> str | None:
        """Take an event and its value; returns the address of a peer without the key, None if it is not one.

        The address is empty if it is not known.
        """
        match event:
            case zmq.EVENT_ACCEPTED:
                self._open[value] = peer_of(value)
            case zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
                self._failed = value in _NO_KEY
            case zmq.EVENT_DISCONNECTED:
                address, failed, self._failed = self._open.pop(value, ""), self._failed, False
                return address if failed else None
        return None


class Doorkeeper:
    """Admits peers with the workers' key, in its own thread, so a busy master does not delay them.

    Attributes:
        refused: Addresses of peers that were refused; empty if ZeroMQ does not know it.
    """

    def __init__(self, socket: Any, secret_key: str, shared_secret: str) -> None:
        """Guard a socket that is not bound yet.

        Args:
            socket: A ZeroMQ socket.
            secret_key: The coordinator's CURVE secret key, Z85.
            shared_secret: Of both token files, hexadecimal.
        """
        self.refused: deque[str] = deque(maxlen=_MOST_REFUSED)
        self._key = z85.decode(workers_keys(shared_secret)[0])
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.shadow(socket.context)
        self._door = context.socket(zmq.REP)
        self._door.bind(_DOOR)
        for option, value in (
            (zmq.CURVE_SERVER, 1), (zmq.CURVE_SECRETKEY, secret_key.encode()), (zmq.ZAP_DOMAIN, _DOMAIN),
        ):  # fmt: skip
            socket.setsockopt(option, value)
        events = "inproc://slocheck.events"
        socket.monitor(
            events, zmq.EVENT_ACCEPTED | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_DISCONNECTED
        )
        self._events = context.socket(zmq.PAIR)
        self._events.connect(events)
        ThreadPool(1).spawn(self._keep)

    def _keep(self) -> None:
        """Answer ZeroMQ's questions and hear its events until its context is closed."""
        connections, poller = RefusedConnections(), zmq.Poller()
        for socket in (self._door, self._events):
            poller.register(socket, zmq.POLLIN)
        with suppress(zmq.ContextTerminated), self._door, self._events:
            while True:
                ready = dict(poller.poll())
                if self._door in ready:
                    self._answer(self._door.recv_multipart())
                if self._events in ready:
                    event = parse_monitor_message(self._events.recv_multipart())
                    address = connections.refused(int(event["event"]), event["value"])
                    if address is not None:
                        self.refused.append(address)

    def _answer(self, asked: list[bytes]) -> None:
        allowed = asked[_MECHANISM:] == [b"CURVE", self._key]
        if not allowed:
            self.refused.append(plain_address(asked[_ADDRESS].decode("ascii", "replace")))
        status, text = (b"200", b"") if allowed else (b"400", b"not this run's key")
        self._door.send_multipart([b"1.0", asked[1], status, text, b"", b""])


def peer_of(descriptor: int) -> str:
    """Return the peer's address of a connection of this process; empty if it is closed already."""
    with suppress(OSError), sockets.socket(fileno=os.dup(descriptor)) as peer:
        return plain_address(str(peer.getpeername()[0]))
    return ""


def plain_address(text: str) -> str:
    """Return an address as people write it: one of IPv4 without the prefix that it has on an IPv6 socket."""
    address = address_of(text)
    return text if address is None or address.is_unspecified else str(address)
