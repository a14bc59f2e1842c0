"""The master's side of Locust: its runner, and the worker processes that it starts and watches."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import gevent
import zmq
import zmq.error
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import STATE_SPAWNING, STATE_STOPPING, MasterRunner

from slocheck.load.messaging import locust_messages
from slocheck.load.messaging.signing import Signer


class Master(MasterRunner):
    """Locust's master on a random port of the loopback interface, deaf to strangers.

    Attributes:
        prepared: Workers that are ready to begin.
        lost: Workers whose heartbeat stopped.
        unprepared: Why a worker cannot begin; empty where none said so.
    """

    def __init__(
        self, environment: Environment, seal: Signer, on_report: Callable[[str, dict[str, Any]], None]
    ) -> None:
        self.prepared: set[str] = set()
        self.lost: set[str] = set()
        self.unprepared = ""
        self._seal = seal
        self._on_report = on_report
        super().__init__(environment, "127.0.0.1", 0)
        self.server.socket.setsockopt(zmq.MAXMSGSIZE, locust_messages.MAX_MESSAGE_BYTES)

    def client_listener(self) -> Any:  # Locust says NoReturn; so is this
        """Receive from workers; whatever is not sealed changes nothing."""
        while True:
            try:
                frames = self.server.socket.recv_multipart()
            except zmq.error.ZMQError:
                gevent.sleep(0.1)
                continue
            message = locust_messages.open_message(self._seal, frames) if len(frames) > 1 else None
            if message is not None:
                self.handle_message(message.node_id, message)

    def handle_message(self, client_id: str, msg: Message) -> None:
        """Act on one worker's message."""
        if msg.type == locust_messages.REPORT:
            self._on_report(client_id, msg.data)
        elif msg.type == locust_messages.PREPARED:
            self.prepared.add(client_id)
        elif msg.type == locust_messages.UNPREPARED:
            self.unprepared = str(msg.data["why"])
        else:
            super().handle_message(client_id, msg)

    def heartbeat_worker(self) -> Any:
        """Count heartbeats; a worker that misses them is lost for good, its users are not moved."""
        while True:
            gevent.sleep(1)
            for client in self.clients.all:
                client.heartbeat -= 1
                if client.heartbeat < 0:
                    self.lost.add(client.id)

    def begin(self, origin_ns: int) -> None:
        """Tell the workers when the load begins; test_start was fired before."""
        self.send_message(locust_messages.BEGIN, {"origin_ns": origin_ns})
        self.update_state(STATE_SPAWNING)

    def set_users(self, users: int, spawn_rate: float) -> None:
        """Go to a number of users, so many a second; returns at once."""
        if self.spawning_greenlet is not None:
            self.spawning_greenlet.kill(block=False)
        self.spawning_greenlet = gevent.spawn(self.start, users, spawn_rate)

    def drain(self, workers: list[str], within_s: float, *, as_timeouts: bool) -> None:
        """Tell the workers to drain."""
        if self.spawning_greenlet is not None:
            self.spawning_greenlet.kill(block=False)
        self._users_dispatcher = None
        self.update_state(STATE_STOPPING)
        for worker in workers:
            order = {"within_s": within_s, "as_timeouts": as_timeouts}
            self.server.send_to_client(Message("stop", order, worker))

    def dismiss(self, workers: list[str]) -> None:
        """Tell the workers that they may go."""
        for worker in workers:
            self.server.send_to_client(Message("quit", None, worker))


class WorkerProcesses:
    """The worker processes; they end with the pipe that is their standard input."""

    def __init__(self, settings: list[bytes]) -> None:
        self._processes = [_start(line) for line in settings]

    def ended(self) -> list[tuple[int, int]]:
        """Return index and exit code of each process that has ended; a signal's number is negative."""
        codes = [(index, process.poll()) for index, process in enumerate(self._processes)]
        return [(index, code) for index, code in codes if code is not None]

    def stop(self, within_s: float) -> None:
        """Wait for the processes to end; then cut their lifelines, and kill who is left."""
        with gevent.Timeout(within_s, False):  # noqa: FBT003 - gevent's way to say: do not raise
            while len(self.ended()) < len(self._processes):
                gevent.sleep(0.02)
        for process in self._processes:
            process.kill()
            process.wait()


def _start(line: bytes) -> "subprocess.Popen[bytes]":
    """Start a worker and tell it what it is."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "slocheck.load.worker"], stdin=subprocess.PIPE, stdout=2
    )
    assert process.stdin is not None
    process.stdin.write(line + b"\n")
    process.stdin.flush()
    return process
