"""Locust's sockets between master and workers, on a Unix socket that takes only the run's own processes.

The socket has no file: its name is in Linux's abstract namespace and random, so that nobody can have put
something there, and nothing is left behind. The kernel tells which process connects: one that is not a worker
of this run is turned away before a byte of it is read, also if it is the same user's.
"""

import secrets
from collections.abc import Iterable

import zmq.green as zmq
from locust.rpc import zmqrpc

from slocheck.load.messaging.locust_messages import MAX_MESSAGE_BYTES


class Listener(zmqrpc.BaseSocket):
    """The master's socket; it listens from `listen` on.

    Attributes:
        port: None is used; Locust shows it.
        address: Where it listens; empty before.
    """

    def __init__(self, _host: str, _port: int) -> None:
        super().__init__(zmq.ROUTER, ipv4_only=True)  # type: ignore[no-untyped-call] # Locust's
        self.port = 0
        self.address = ""

    def listen(self, processes: Iterable[int]) -> str:
        """Take connections of these processes, by their ids; returns the address for them."""
        self.socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)  # counts for what is bound later
        for process in processes:
            self.socket.setsockopt(zmq.IPC_FILTER_PID, process)
        self.address = f"ipc://@slocheck-{secrets.token_hex(16)}"
        self.socket.bind(self.address)
        return self.address


class Connection(zmqrpc.BaseSocket):
    """A worker's socket, connected to the master's."""

    def __init__(self, address: str, _port: int, identity: str) -> None:
        super().__init__(zmq.DEALER, ipv4_only=True)  # type: ignore[no-untyped-call] # Locust's
        self.socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        self.socket.setsockopt(zmq.IDENTITY, identity.encode())
        self.socket.connect(address)


def install() -> None:
    """Let Locust's runners use these sockets instead of TCP, for as long as this process lives."""
    zmqrpc.Server, zmqrpc.Client = Listener, Connection  # type: ignore[misc,assignment] # no other way in
