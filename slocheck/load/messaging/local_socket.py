"""Locust's sockets between master and workers, on a Unix socket that accepts only the run's own processes.

The socket has no file. Its name is random and in Linux's abstract namespace, so nobody can occupy it in
advance, and nothing is left behind. The kernel tells which process connects: any that is not a worker of
this run, even one of the same user, is refused before a byte of it is read.
"""

import secrets
from collections.abc import Iterable

import zmq.green as zmq
from locust.rpc import zmqrpc

from slocheck.load.messaging.signing import MAX_MESSAGE_BYTES


class Listener(zmqrpc.BaseSocket):
    """The master's socket; it listens after `listen`.

    Attributes:
        port: 0, as no port is used; Locust shows it.
        address: Where it listens; empty before that.
    """

    def __init__(self, _host: str, _port: int) -> None:
        super().__init__(zmq.ROUTER, ipv4_only=True)  # type: ignore[no-untyped-call] # Locust's
        self.port = 0
        self.address = ""

    def receive(self) -> list[bytes]:
        """Wait for the next message; returns identity and body, or whatever else was sent."""
        frames: list[bytes] = self.socket.recv_multipart()
        return frames

    def listen(self, processes: Iterable[int]) -> str:
        """Accept connections of the processes with these ids; returns their address to connect to."""
        self.socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)  # applies to sockets that are bound later
        for process in processes:
            self.socket.setsockopt(zmq.IPC_FILTER_PID, process)
        self.address = f"ipc://@slocheck-{secrets.token_hex(16)}"
        self.socket.bind(self.address)
        return self.address


class WorkerSocket(zmqrpc.BaseSocket):
    """A worker's socket, connected to the master's."""

    def __init__(self, address: str, _port: int, identity: str) -> None:
        super().__init__(zmq.DEALER, ipv4_only=True)  # type: ignore[no-untyped-call] # Locust's
        self.socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        self.socket.setsockopt(zmq.IDENTITY, identity.encode())
        self.socket.connect(address)


def install() -> None:
    """Make Locust's runners use these sockets instead of TCP, for the life of this process."""
    zmqrpc.Server, zmqrpc.Client = Listener, WorkerSocket  # type: ignore[misc,assignment] # no other way in
