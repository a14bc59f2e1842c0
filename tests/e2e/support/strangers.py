"""Peers that must not get in: they connect to a coordinator's port with some of its keys."""

import json
import os
import socket
from contextlib import suppress
from typing import Any

import zmq

from slocheck.load.messaging import protocol
from slocheck.load.messaging.curve_access import workers_keys
from slocheck.load.messaging.machine_messages import ToCoordinator
from slocheck.load.messaging.signing import Signer
from slocheck.load.messaging.token_files import Token

WAIT_MS = 400


class Peer:
    """A ZeroMQ client with a server key and a shared secret, right or wrong."""

    def __init__(self, address: tuple[str, int], server_key: str, shared_secret: str) -> None:
        """Connect; create it in the namespace that it should run in."""
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.curve_publickey, self._socket.curve_secretkey = workers_keys(shared_secret)
        self._socket.curve_serverkey = server_key.encode()
        self._socket.connect(f"tcp://{address[0]}:{address[1]}")
        self._signer = Signer(bytes.fromhex(shared_secret))

    @classmethod
    def of(cls, address: tuple[str, int], token: Token) -> "Peer":
        """Return a peer with all of a worker's keys."""
        return cls(address, token.key, token.shared_secret)

    def sealed(self, message: ToCoordinator) -> bytes:
        """Return a message as this peer would send it."""
        return self._signer.sign(protocol.encode_line(message))

    def send(self, body: bytes, worker: bytes = b"") -> None:
        """Send a body as it is."""
        self._socket.send_multipart([worker, body])

    def answer(self, within_ms: int = 20_000) -> Any:
        """Return the kind and the fields of the coordinator's next message; None without one."""
        if not self._socket.poll(within_ms):
            return None
        payload = self._signer.verify(self._socket.recv_multipart()[-1])
        return None if payload is None else json.loads(payload)[2:]

    def close(self) -> None:
        """Disconnect silently."""
        self._context.destroy(linger=0)


def send_junk(address: tuple[str, int]) -> None:
    """Send what is not ZeroMQ's protocol, and half of what is, each on its own connection."""
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x00CURVE".ljust(63, b"\x00")
    for junk in (b"GET / HTTP/1.1\r\n\r\n", os.urandom(100_000), greeting, b"\xff" * 12, b""):
        with socket.create_connection(address, timeout=10) as peer, suppress(OSError):
            peer.sendall(junk)
