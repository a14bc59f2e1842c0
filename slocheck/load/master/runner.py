"""The master's side of Locust: its runner."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import gevent
import zmq.error
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import HEARTBEAT_LIVENESS, STATE_SPAWNING, STATE_STOPPING, MasterRunner

from slocheck.load.file_calls.planned_runner import PlannedRunner
from slocheck.load.messaging import locust_messages, protocol
from slocheck.load.messaging.messages import (
    Begin,
    Drain,
    EndReport,
    FileEnded,
    Hello,
    Order,
    Prepare,
    Prepared,
    WorkerMessage,
    WorkerReport,
)
from slocheck.load.messaging.signing import Signer

logger = logging.getLogger(__name__)

_MORE_BEATS = 3
"""Heartbeats that may be missing beyond Locust's three: a worker that a busy machine holds up for seconds is
not lost, and its stall is judged as what it is (`validity.max_stall`)."""


class Master(PlannedRunner, MasterRunner):
    """Locust's master, which listens only to the run's own workers and ignores unsigned messages.

    Attributes:
        connected: Connected workers of this version.
        prepared: Workers that are ready to begin.
        lost: Workers whose heartbeat stopped.
        refusal: Why a worker cannot be used; empty if all can.
        ended: How the Locust file ended the run; empty if it did not.
        unusable: Why the Locust file cannot be used; empty if it can.
        refuser: The worker that said so.
        end_reports: What workers reported at their end, by their names.
        over: The load is over: the Locust file can no longer end the run.
    """

    def __init__(
        self,
        environment: Environment,
        signer: Signer,
        on_report: Callable[[str, WorkerReport], None],
        on_damaged: Callable[[str, str], None],
    ) -> None:
        self.connected: set[str] = set()
        self.prepared: set[str] = set()
        self.lost: set[str] = set()
        self.refusal = self.ended = self.unusable = self.refuser = ""
        self.end_reports: dict[str, EndReport] = {}
        self.over = False
        self._signer = signer
        self._on_report, self._on_damaged = on_report, on_damaged
        super().__init__(environment, "", 0)
        self.watch_parts()

    def client_listener(self) -> Any:  # Locust says NoReturn; so is this
        """Receive from workers; messages that are not signed are dropped."""
        while True:
            try:
                frames = self.server.receive()  # type: ignore[attr-defined] # both of slocheck's own have it
            except zmq.error.ZMQError:
                gevent.sleep(0.1)
                continue
            message = locust_messages.open_message(self._signer, frames) if len(frames) > 1 else None
            if message is not None:
                self.handle_message(message.node_id, message)

    def handle_message(self, client_id: str, msg: Message) -> None:
        """Act on one worker's message; one that cannot be read is dropped, and noted of its worker."""
        if msg.type != locust_messages.SLOCHECK:
            try:
                super().handle_message(client_id, msg)
            except Exception:  # the file may send any data under Locust's message names
                logger.exception("a message of type %r is dropped", msg.type)
            return
        try:
            self._take(client_id, protocol.decode_worker_message(msg.data, client_id))
        except protocol.VersionMismatchError as error:
            self.refusal = str(error)
        except protocol.ProtocolError as error:
            logger.warning("a message is dropped: %s", error)
            self._damaged(client_id, str(error))

    def _damaged(self, client_id: str, error: str) -> None:
        """Note a message that could not be read, since what it would have changed is unknown."""
        if self.over:
            text = f"what worker {client_id} reported at its end could not be read: {error}"
            self.end_reports.setdefault(client_id, EndReport(listener_errors={text: 1}))
        else:
            self._on_damaged(client_id, error)

    def _take(self, client_id: str, message: WorkerMessage) -> None:
        match message:
            case Hello():
                self.connected.add(client_id)
            case Prepared():
                self.prepared.add(client_id)
            case FileEnded(how, loading=True):
                self.unusable, self.refuser = self.unusable or how, self.refuser or client_id
            case FileEnded(how):
                self.end_by_file(how)
            case WorkerReport():
                self._on_report(client_id, message)
            case EndReport():
                self.end_reports[client_id] = message

    def end_by_file(self, how: str) -> None:
        """End the run, because the Locust file asks for it; the first request counts."""
        if not self.over:
            self.ended = self.ended or how
            self._users_dispatcher = None  # the users of a worker that stops first are not moved to others

    def heartbeat_worker(self) -> Any:
        """Count heartbeats; a worker that misses them is lost for good, and its users are not moved."""
        while True:
            gevent.sleep(1)
            for client in self.clients.all:
                client.heartbeat -= 1
                if client.heartbeat < -_MORE_BEATS:
                    self.lost.add(client.id)

    def hear(self, worker: str, state: str) -> None:
        """Note that a worker is alive, in which of Locust's states, as its machine says."""
        if worker in self.clients:
            self.clients[worker].heartbeat = HEARTBEAT_LIVENESS
            self.clients[worker].state = state

    def _order(self, order: Order, worker: str) -> None:
        self.server.send_to_client(Message(locust_messages.SLOCHECK, protocol.encode(order), worker))

    def prepare(self, workers: list[str]) -> None:
        """Tell the workers to prepare."""
        for worker in workers:
            self._order(Prepare(), worker)

    def begin(self, origins_ns: Mapping[str, int]) -> None:
        """Tell each worker when the load begins, on its own clock; `test_start` was fired before."""
        for worker, origin_ns in origins_ns.items():
            self._order(Begin(origin_ns), worker)
        self.update_state(STATE_SPAWNING)

    def set_users(self, users: int, spawn_rate: float) -> None:
        """Change to a number of users, this many a second; returns at once."""
        if self.spawning_greenlet is not None:
            self.spawning_greenlet.kill(block=False)
        self.spawning_greenlet = gevent.spawn(MasterRunner.start, self, users, spawn_rate)

    def announce(self, users: int) -> None:
        """Announce here and in the workers that all users are running, if none are started later."""
        self.environment.events.spawning_complete.fire(user_count=users)
        self.send_message("spawning_complete", data={"user_count": users})
        self.spawning_completed = True

    def drain(self, workers: list[str], order: Drain) -> None:
        """Tell the workers to drain."""
        if self.spawning_greenlet is not None:
            self.spawning_greenlet.kill(block=False)
        self._users_dispatcher = None
        self.update_state(STATE_STOPPING)
        for worker in workers:
            self._order(order, worker)

    def dismiss(self, workers: list[str]) -> None:
        """Tell the workers to end."""
        for worker in workers:
            self.server.send_to_client(Message("quit", None, worker))
