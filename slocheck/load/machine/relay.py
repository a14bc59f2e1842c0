"""Passes messages between this machine's workers and the coordinator, and speaks for the machine itself."""

import platform
import secrets
import time
from collections import deque
from typing import Any

import gevent
import locust
import zmq.error
from locust.rpc.protocol import Message

from slocheck.documents.http import authority
from slocheck.load.machine.merger import ReportMerger
from slocheck.load.machine.uplink import WRONG_KEYS, Uplink
from slocheck.load.messaging import local_socket, locust_messages, protocol
from slocheck.load.messaging.curve_access import of_frames
from slocheck.load.messaging.machine_messages import (
    AskTime,
    Challenge,
    Join,
    JoinRun,
    Knock,
    Ping,
    Pong,
    TellTime,
    ToMachine,
)
from slocheck.load.messaging.messages import FromMachine, MachineReport, WorkerReport
from slocheck.load.messaging.signing import Signer

PING_S = 1.0
HEARTBEAT = "heartbeat"
"""Locust's sign of life."""
_POLL_S = 0.02
_FRAMES = 2


class MachineError(Exception):
    """This machine cannot take part, or no longer; the text says why.

    Attributes:
        exit_code: That of ``slocheck worker``.
    """

    def __init__(self, text: str, exit_code: int = 4) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class Relay:
    """The connection to the coordinator.

    Attributes:
        received: Messages of the coordinator to this machine, except those of joining.
        heard: When the coordinator was last heard, on the monotonic clock, seconds.
        coordinator: Where it is, for messages.
    """

    def __init__(self, join: JoinRun) -> None:
        """Begin to connect; there is no listening for workers before `listen`."""
        self.received: deque[ToMachine] = deque()
        self.heard = time.monotonic()
        self.coordinator = authority(join.host, join.port)
        self._join = join
        self._nonce, self._asked = "", float("-inf")
        self._signer = Signer(bytes.fromhex(join.shared_secret))
        self._local = local_socket.Listener("", 0)
        self._mismatch = ""
        self._merger = ReportMerger()
        self._workers: set[str] = set()
        identity = secrets.token_hex(16).encode()
        self._uplink = Uplink(
            join.host,
            join.port,
            server_key=join.server_key,
            shared_secret=join.shared_secret,
            identity=identity,
            on_connected=self._knock,
        )
        gevent.spawn(self._from_coordinator)

    def listen(self, processes: list[int], token: str) -> str:
        """Accept connections of this machine's workers, and forward their messages; returns the address.

        Their reports and heartbeats are passed on together, about once a second.

        Args:
            processes: Ids of the workers' processes.
            token: Key that signs the messages between the workers and the master, hexadecimal.
        """
        address = self._local.listen(processes)
        signer = Signer(bytes.fromhex(token))
        locust_messages.sign_messages(signer)
        gevent.spawn(self._from_workers, signer)
        gevent.spawn(self._pass_on_reports)
        return address

    @property
    def connected(self) -> bool:
        """Whether there is a connection now."""
        return self._uplink.connected

    @property
    def other_listens(self) -> bool:
        """Whether something that is not a coordinator accepts connections there."""
        return self._uplink.other_listens

    def check(self) -> None:
        """Raise MachineError if the coordinator does not have the token file's key, or another version."""
        if self._mismatch:
            raise MachineError(self._mismatch)
        if not self._uplink.was_connected and self._uplink.wrong_key >= WRONG_KEYS:
            raise MachineError(
                f"{self.coordinator} does not have the key of this token file: it is of another pair "
                "of files, or not a coordinator; take both files of one `slocheck token`"
            )

    def _knock(self) -> None:
        """Introduce this machine on each new connection; once joined, the coordinator ignores it."""
        self._nonce = secrets.token_hex(16)
        self.send(Knock(self._join.name, platform.python_version(), locust.__version__, self._nonce))

    def send(self, message: FromMachine) -> None:
        """Send a message of this machine."""
        if isinstance(message, MachineReport):
            body = protocol.encode_packed(message)
        else:
            body = protocol.encode_line(message)
        self._uplink.send(b"", self._signer.sign(body))

    def ping(self) -> None:
        """Ask the coordinator whether it is there, unless something that it responds to was just sent."""
        now = time.monotonic()
        if self.connected and now >= self._asked + PING_S:
            self._asked = now
            self.send(Ping())

    def _from_workers(self, signer: Signer) -> None:
        while True:
            frames = _received(self._local.socket)
            message = locust_messages.open_message(signer, frames) if len(frames) == _FRAMES else None
            if message is not None and not self._held(message):
                self._uplink.send(frames[0], frames[1])

    def _held(self, message: Message) -> bool:
        """Keep a worker's report or heartbeat to pass it on with the others; returns whether it was one."""
        worker = str(message.node_id)
        if message.type == HEARTBEAT:
            self._workers.add(worker)
            self._merger.beat(worker, str(message.data["state"]))
            return True
        if message.type != locust_messages.SLOCHECK:
            return False
        try:
            report = protocol.decode_worker_message(message.data, worker)
        except protocol.ProtocolError:
            return False  # the coordinator reports what is wrong with it
        if isinstance(report, WorkerReport):
            self._merger.add(worker, report, time.monotonic())
        return isinstance(report, WorkerReport)

    def _pass_on_reports(self) -> None:
        while True:
            gevent.sleep(_POLL_S)
            now = time.monotonic()
            if self._merger.due(now):
                self._asked = now
                self.send(self._merger.take(now))

    def _beat(self) -> None:
        """Tell the workers that the coordinator is there."""
        for worker in self._workers:
            body = Message(HEARTBEAT, None, worker).serialize()
            self._local.socket.send_multipart([worker.encode(), body])

    def _from_coordinator(self) -> None:
        while True:
            frames = _received(self._uplink.socket)
            body = of_frames(frames[1:])
            if len(frames) < _FRAMES or body is None:
                continue
            if worker := frames[0]:
                self._local.socket.send_multipart([worker, body])
            else:
                self._take(body)

    def _take(self, body: bytes) -> None:
        payload = self._signer.verify(body)
        if payload is None:
            return
        self.heard = time.monotonic()
        try:
            message = protocol.decode_to_machine(payload)
        except protocol.VersionMismatchError as error:
            self._mismatch = str(error)
            return
        except protocol.ProtocolError:
            return
        match message:
            case Challenge(nonce, challenge) if nonce == self._nonce:
                join = self._join
                self.send(Join(challenge, join.name, join.processes, bool(join.scenario)))
            case AskTime(asked_ns):
                self.send(TellTime(asked_ns, time.monotonic_ns()))
            case Pong():
                self._beat()
            case Challenge():
                pass
            case _:
                self.received.append(message)

    def finish(self) -> None:
        """Send what is left, and close the connection."""
        self._uplink.finish(1.0)


def _received(socket: Any) -> list[bytes]:
    """Return the next message's frames; none if the socket could not be read."""
    try:
        frames: list[bytes] = socket.recv_multipart()
    except zmq.error.ZMQError:
        gevent.sleep(0.1)
        return []
    return frames
