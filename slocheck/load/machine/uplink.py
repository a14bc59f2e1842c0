"""A machine's connection to the coordinator: finds the address that it answers at, and stays connected."""

import socket as sockets
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
import gevent.socket
import zmq.green as zmq
from zmq.error import ZMQError
from zmq.utils.monitor import parse_monitor_message

from slocheck.documents.http import authority
from slocheck.load.messaging.curve_access import HANDSHAKE_MS, in_frames, limit, workers_keys

RETRY_MS, LONGEST_RETRY_MS = 100, 1_000
WRONG_KEYS = 3
"""After this many connections in a row without the right key, the key counts as wrong."""
_LOOK_AGAIN_S = 0.3
_GREETING_S = HANDSHAKE_MS / 1000
_GREETING = b"\xff"
"""What ZeroMQ sends first on a connection, without being asked (ZMTP 3.1)."""
_MOST_ADDRESSES = 16
_FAILED = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


class Uplink:
    """A machine's socket, connected to the coordinator, which has to prove that it has the secret key.

    Attributes:
        connected: Whether it is, now.
        was_connected: Whether it ever was.
        wrong_key: How often either side did not have the key.
        other_listens: Whether something else accepts connections there.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        server_key: str,
        shared_secret: str,
        identity: bytes,
        on_connected: Callable[[], object],
    ) -> None:
        """Look for the coordinator, and connect to it; retries until `finish`."""
        self.connected = self.was_connected = self.other_listens = self._found = False
        self.wrong_key = 0
        self._on_connected = on_connected
        self._context = zmq.Context()
        self.socket: Any = self._context.socket(zmq.DEALER)
        limit(self.socket)
        public, secret = workers_keys(shared_secret)
        for option, value in (
            (zmq.CURVE_PUBLICKEY, public), (zmq.CURVE_SECRETKEY, secret),
            (zmq.CURVE_SERVERKEY, server_key.encode()), (zmq.IDENTITY, identity),
            (zmq.RECONNECT_IVL, RETRY_MS), (zmq.RECONNECT_IVL_MAX, LONGEST_RETRY_MS), (zmq.TCP_KEEPALIVE, 1),
        ):  # fmt: skip
            self.socket.setsockopt(option, value)
        gevent.spawn(self._watch)
        gevent.spawn(self._find, host, port)

    def _find(self, host: str, port: int) -> None:
        """Connect to the first of a host's addresses at which a coordinator answers, once there is one."""
        while True:
            address, self.other_listens = answering(host, port)
            if address:
                break
            gevent.sleep(_LOOK_AGAIN_S)
        self.socket.setsockopt(zmq.IPV6, int(":" in address))
        self.socket.connect(f"tcp://{authority(address, port)}")
        self._found = True

    def _watch(self) -> None:
        """Follow the connection."""
        monitor = self.socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED | _FAILED
        )
        while True:
            try:
                event = int(parse_monitor_message(monitor.recv_multipart())["event"])
            except ZMQError:  # all is closed: see `finish`
                return
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self.connected = self.was_connected = True
                self._on_connected()
            elif event == zmq.EVENT_DISCONNECTED:
                self.connected = False
            else:
                self.wrong_key += 1

    def send(self, worker: bytes, body: bytes) -> None:
        """Send a worker's message, or without one the machine's; nothing before there is a coordinator."""
        if self._found:
            self.socket.send_multipart([worker, *in_frames(body)])

    def finish(self, within_s: float) -> None:
        """Close all once everything is sent, or the time is over; a process calls it last."""
        self._context.destroy(linger=round(within_s * 1000))


def answering(host: str, port: int) -> tuple[str, bool]:
    """Return the address of a host at which ZeroMQ answers first, and whether something else answered.

    All addresses are tried at once, so one that leads nowhere does not delay the others. The address is empty
    if none answers.
    """
    try:
        entries = gevent.socket.getaddrinfo(host, port, type=sockets.SOCK_STREAM)[:_MOST_ADDRESSES]
    except (OSError, UnicodeError):
        return "", False
    asked = [gevent.spawn(_greeting, entry) for entry in entries]
    other = False
    try:
        for answered in gevent.iwait(asked, timeout=2 * _GREETING_S):
            address, greeting = answered.value
            if greeting == _GREETING:
                return address, False
            other = other or greeting is not None
    finally:
        gevent.killall(asked, block=False)
    return "", other


def _greeting(entry: Any) -> tuple[str, bytes | None]:
    """Return an address, and the first byte from there: empty, if nothing comes; None: it is unreachable."""
    family, kind, protocol, _, place = entry
    address = sockets.getnameinfo(place, sockets.NI_NUMERICHOST | sockets.NI_NUMERICSERV)[0]
    with suppress(OSError), gevent.socket.socket(family, kind, protocol) as peer:
        peer.settimeout(_GREETING_S)
        peer.connect(place)
        with suppress(OSError):
            return address, peer.recv(1)
        return address, b""
    return address, None
