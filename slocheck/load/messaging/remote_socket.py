"""ZeroMQ sockets between machines: CurveZMQ encrypts all, and only the holder of the secret key listens.

A message between machines has three frames on the coordinator's side and two on the other: the machine (a
random name, added by ZeroMQ), the worker, and the signed body. Without a worker it is one of
`machine_messages`.
"""

import os
import socket as sockets
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
import gevent.queue
import zmq.green as zmq
from locust.exception import RPCSendError
from locust.rpc import zmqrpc
from locust.rpc.protocol import Message
from zmq.error import ZMQError
from zmq.utils.monitor import parse_monitor_message

from slocheck.documents.http import authority
from slocheck.load.messaging.locust_messages import MAX_MESSAGE_BYTES

HANDSHAKE_MS = 5_000
"""Milliseconds that a connection may take to prove that it has the keys."""
MOST_WAITING = 100
"""Messages that wait for one machine, or of one connection to be read: what a stranger can make us keep."""
_RETRY_MS, _LONGEST_RETRY_MS = 100, 1_000
_FRAMES = 3
_NO_KEY = frozenset({
    zmq.PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC, zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH,
})  # fmt: skip
_FAILED = (
    zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)
Take = Callable[[bytes, bytes, bytes, str], object]
"""Takes a message: machine, worker, body, and the address that it came from."""


class ListenError(Exception):
    """The address cannot be listened on; the text says why."""


def _limit(socket: Any) -> None:
    """Limit what a peer can make this process keep; before the socket is bound or connected."""
    socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
    socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
    socket.setsockopt(zmq.RCVHWM, MOST_WAITING)


def _watch(socket: Any, on_event: Callable[[int, int], object]) -> None:
    """Pass the socket's events and their values on, in a greenlet."""
    monitor = socket.get_monitor_socket()

    def forever() -> None:
        while True:
            event = parse_monitor_message(monitor.recv_multipart())
            if event["event"] == zmq.EVENT_MONITOR_STOPPED:
                return
            on_event(event["event"], event["value"])

    gevent.spawn(forever)


class RemoteListener(zmqrpc.BaseSocket):
    """The coordinator's socket, in the place of the socket of Locust's master.

    Attributes:
        port: The port it listens on.
        machine_of: The machine of each worker that has said something.
    """

    def __init__(
        self,
        host: str,
        port: int,
        secret_key: str,
        *,
        take: Take,
        on_stranger: Callable[[str], object],
        is_member: Callable[[bytes], bool],
    ) -> None:
        """Listen.

        Args:
            host: Address to listen on.
            port: Port; 0: any free one.
            secret_key: CurveZMQ secret key, Z85.
            take: Called with each message that is not a worker's.
            on_stranger: Called with the address of a peer that does not have the right key; may be empty.
            is_member: Tells whether a machine has joined; what workers of others say is dropped.

        Raises:
            ListenError: It cannot listen there.
        """
        super().__init__(zmq.ROUTER, ipv4_only=":" not in host)  # type: ignore[no-untyped-call] # Locust's
        self._take, self._on_stranger, self._peer = take, on_stranger, ""
        self._is_member = is_member
        self.machine_of: dict[str, bytes] = {}
        self._waiting: Any = gevent.queue.Queue()
        _limit(self.socket)
        self.socket.setsockopt(zmq.CURVE_SERVER, 1)
        self.socket.setsockopt(zmq.CURVE_SECRETKEY, secret_key.encode())
        _watch(self.socket, self._on_event)
        try:
            self.socket.bind(f"tcp://{authority(_own_address(host), port)}")
        except (ZMQError, OSError, UnicodeError) as error:
            raise ListenError(getattr(error, "strerror", None) or str(error)) from error
        self.port = int(str(self.socket.getsockopt_string(zmq.LAST_ENDPOINT)).rpartition(":")[2])
        gevent.spawn(self._receive)

    def _on_event(self, event: int, value: int) -> None:
        if event == zmq.EVENT_ACCEPTED:
            self._peer = _address_of(value)
        elif event & _FAILED and value in _NO_KEY:
            self._on_stranger(self._peer)

    def _receive(self) -> None:
        while True:
            try:
                frames = self.socket.recv_multipart(copy=False)
            except ZMQError:
                gevent.sleep(0.1)
                continue
            if len(frames) == _FRAMES:
                machine, worker, body = (frame.bytes for frame in frames)
                if worker and self._is_member(machine):
                    self._waiting.put((machine, worker, body))
                elif not worker:
                    self._take(machine, worker, body, _peer_address(frames[-1]))

    def receive(self) -> list[bytes]:
        """Wait for the next message of a worker; returns worker and body."""
        while True:
            machine, worker, body = self._waiting.get()
            name = worker.decode("utf-8", "replace")
            if self.machine_of.setdefault(name, machine) == machine:
                return [worker, body]

    def send_to_client(self, msg: Message) -> None:
        """Send a message of Locust's master to its worker."""
        machine = self.machine_of.get(msg.node_id)
        if machine is not None:
            self.send_frames(machine, msg.node_id.encode(), msg.serialize())

    def send_frames(self, machine: bytes, worker: bytes, body: bytes) -> None:
        """Send a message to a machine; raises RPCSendError."""
        try:
            self.socket.send_multipart([machine, worker, body])
        except ZMQError as error:
            raise RPCSendError("ZMQ sent failure") from error

    def finish(self, within_s: float) -> None:
        """Close all once everything is sent, or the time is over; the last thing that a process does."""
        self.socket.context.destroy(linger=round(within_s * 1000))


def _peer_address(frame: Any) -> str:
    with suppress(Exception):  # ZeroMQ does not always know it
        return str(frame.get("Peer-Address"))
    return ""


def _address_of(descriptor: int) -> str:
    """Return the peer's address of a connection of this process; empty if it is closed already."""
    with suppress(OSError), sockets.socket(fileno=os.dup(descriptor)) as peer:
        return str(peer.getpeername()[0])
    return ""


def _own_address(host: str) -> str:
    """Return the address of a name, which ZeroMQ asks for; raises OSError for an unknown name."""
    found = sockets.getaddrinfo(host, None, type=sockets.SOCK_STREAM, flags=sockets.AI_PASSIVE)
    return str(found[0][4][0])


def _has_only_ipv6(host: str) -> bool:
    """Tell whether a host has an IPv6 address and none of IPv4; False if it is not known yet."""
    try:
        found = sockets.getaddrinfo(host, None, type=sockets.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return all(entry[0] == sockets.AF_INET6 for entry in found)


class Uplink:
    """A machine's socket, connected to the coordinator, which has to prove that it has the secret key.

    Attributes:
        connected: Whether it is, now.
        was_connected: Whether it ever was.
        wrong_key: How often the peer did not have the key.
    """

    def __init__(
        self, host: str, port: int, *, server_key: str, identity: bytes, on_connected: Callable[[], object]
    ) -> None:
        """Connect; it is tried again until `finish`."""
        self.connected = self.was_connected = False
        self.wrong_key = 0
        self._on_connected = on_connected
        self._context = zmq.Context()
        self.socket: Any = self._context.socket(zmq.DEALER)
        _limit(self.socket)
        public, secret = zmq.curve_keypair()
        for option, value in (
            (zmq.CURVE_PUBLICKEY, public), (zmq.CURVE_SECRETKEY, secret),
            (zmq.CURVE_SERVERKEY, server_key.encode()), (zmq.IDENTITY, identity),
            (zmq.RECONNECT_IVL, _RETRY_MS), (zmq.RECONNECT_IVL_MAX, _LONGEST_RETRY_MS),
            (zmq.IPV6, int(_has_only_ipv6(host))), (zmq.TCP_KEEPALIVE, 1),
        ):  # fmt: skip
            self.socket.setsockopt(option, value)
        _watch(self.socket, self._on_event)
        self.socket.connect(f"tcp://{authority(host, port)}")

    def _on_event(self, event: int, _value: int) -> None:
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self.connected = self.was_connected = True
            self._on_connected()
        elif event == zmq.EVENT_DISCONNECTED:
            self.connected = False
        elif event & _FAILED:
            self.wrong_key += 1

    def finish(self, within_s: float) -> None:
        """Close all once everything is sent, or the time is over; the last thing that a process does."""
        self._context.destroy(linger=round(within_s * 1000))
