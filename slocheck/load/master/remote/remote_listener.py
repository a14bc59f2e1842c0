"""The coordinator's ZeroMQ socket: CurveZMQ encrypts all, and only the holder of the secret key listens.

A message between machines has a machine (a random name, added by ZeroMQ on the coordinator's side), a worker,
and the signed body in one or more frames. Without a worker it is one of `machine_messages`.
"""

import errno
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

from slocheck.documents.http import authority
from slocheck.errors import reason_of
from slocheck.load.messaging.curve_access import Doorkeeper, in_frames, limit, of_frames, plain_address

_FRAMES = 3
_LOOK_S = 0.1
_NOT_HERE = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.ENODEV})
"""Errors for an address of a name that this machine does not have, such as one of IPv6 without it."""
Take = Callable[[bytes, bytes, bytes, str], object]
"""Takes a message: machine, worker, body, and the address that it came from."""


class ListenError(Exception):
    """The address cannot be listened on; the text says why."""


class RemoteListener(zmqrpc.BaseSocket):
    """The coordinator's socket, used instead of the one of Locust's master.

    Attributes:
        port: The port it listens on.
        machine_of: The machine of each worker that has said something.
    """

    def __init__(
        self,
        host: str,
        port: int,
        secret_key: str,
        shared_secret: str,
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
            shared_secret: Of both token files, hexadecimal; the workers' CurveZMQ keys follow from it.
            take: Called with each message that is not a worker's.
            on_stranger: Called with the address of a peer that does not have the right key; may be empty.
            is_member: Tells whether a machine has joined; messages from other machines' workers are dropped.

        Raises:
            ListenError: It cannot listen there.
        """
        super().__init__(zmq.ROUTER, ipv4_only=":" not in host)  # type: ignore[no-untyped-call] # Locust's
        self._take, self._on_stranger, self._is_member = take, on_stranger, is_member
        self.machine_of: dict[str, bytes] = {}
        self._waiting: Any = gevent.queue.Queue()
        limit(self.socket)
        self._doorkeeper = Doorkeeper(self.socket, secret_key, shared_secret)
        self.port = self._bind(host, port)
        gevent.spawn(self._receive)
        gevent.spawn(self._tell_of_strangers)

    def _bind(self, host: str, port: int) -> int:
        """Listen on all addresses of a host that this machine has, on one port; raises ListenError."""
        error, bound = ZMQError(errno.EADDRNOTAVAIL), 0
        for address in _own_addresses(host):
            self.socket.setsockopt(zmq.IPV6, int(":" in address))
            try:
                self.socket.bind(f"tcp://{authority(address, bound or port)}")
            except ZMQError as failed:
                if failed.errno not in _NOT_HERE:
                    raise ListenError(reason_of(failed)) from failed
                error = failed
                continue
            bound = int(str(self.socket.getsockopt_string(zmq.LAST_ENDPOINT)).rpartition(":")[2])
        if not bound:
            raise ListenError(error.strerror or "it has no address") from error
        return bound

    def _tell_of_strangers(self) -> None:
        while True:
            gevent.sleep(_LOOK_S)
            while self._doorkeeper.refused:
                self._on_stranger(self._doorkeeper.refused.popleft())

    def _receive(self) -> None:
        while True:
            try:
                frames = self.socket.recv_multipart(copy=False)
            except ZMQError:
                gevent.sleep(0.1)
                continue
            machine, worker, *parts = (frame.bytes for frame in frames)
            body = of_frames(parts)
            if len(frames) >= _FRAMES and body is not None:
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
            self.socket.send_multipart([machine, worker, *in_frames(body)])
        except ZMQError as error:
            raise RPCSendError("ZMQ sent failure") from error

    def finish(self, within_s: float) -> None:
        """Close all once everything is sent, or the time is over; the last thing that a process does."""
        self.socket.context.destroy(linger=round(within_s * 1000))


def _peer_address(frame: Any) -> str:
    with suppress(Exception):  # ZeroMQ does not always know it
        return plain_address(str(frame.get("Peer-Address")))
    return ""


def _own_addresses(host: str) -> list[str]:
    """Return the addresses of a name; raises ListenError for an unknown one."""
    try:
        found = sockets.getaddrinfo(host, None, type=sockets.SOCK_STREAM, flags=sockets.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ListenError(reason_of(error)) from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
