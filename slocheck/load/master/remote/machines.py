"""The workers on other machines: which may join, which have joined, and how they end."""

import logging
import platform
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count

import gevent
import locust
from locust.exception import RPCSendError
from locust.rpc import zmqrpc

from slocheck.documents.http import authority
from slocheck.documents.texts import shorten
from slocheck.documents.units import NS_PER_SECOND
from slocheck.documents.words import quantity
from slocheck.evidence.machines import MachineHealth
from slocheck.load.master.ended_worker import EndedWorker
from slocheck.load.master.remote.admission import MAX_NAME, version_refusal
from slocheck.load.master.remote.clock_offset import ClockOffset
from slocheck.load.master.remote.machine_clocks import MachineClocks
from slocheck.load.master.remote.remote_listener import RemoteListener
from slocheck.load.master.workers import LostError
from slocheck.load.messaging import bundle as bundles
from slocheck.load.messaging import protocol
from slocheck.load.messaging.machine_messages import (
    Admitted,
    Challenge,
    Goodbye,
    Join,
    Knock,
    Leaving,
    Listening,
    Ping,
    Pong,
    ProcessEnded,
    Refused,
    TellTime,
    ToMachine,
    Welcome,
)
from slocheck.load.messaging.reports import ArrivedReport
from slocheck.load.messaging.signing import Signer
from slocheck.load.network.loopback import loopback_id
from slocheck.load.users.environment import ScenarioError
from slocheck.plan.load_plan import LoadPlan

logger = logging.getLogger(__name__)

SILENT_S = 10.0
"""A machine that has joined and is silent for this long before the load counts as gone."""
MOST_PROCESSES = 1024
_TELL_S = 5.0
_POLL_S = 0.02
_LEAVE_S = 1.0


@dataclass(slots=True)
class Machine:
    """A machine that has joined.

    Attributes:
        name: What it calls itself.
        address: Where its connection comes from; empty if unknown.
        processes: Its worker processes.
        has_file: Whether it has its own Locust file.
        heard: When it was last heard, on the monotonic clock, seconds.
        first: Index of its first worker process, counted over all machines.
    """

    name: str
    address: str
    processes: int
    has_file: bool
    heard: float
    first: int = 0

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.address else self.name


class Machines:
    """The workers of a run that are on other machines; fulfils `Workers`.

    Attributes:
        joined: The machines that have joined, by the name of their connection, in that order.
        port: Where the coordinator listens.
    """

    def __init__(self, listening: Listening, tell: Callable[[str], object]) -> None:
        """Listen from now on; raises ListenError."""
        self.joined: dict[bytes, Machine] = {}
        self._listening, self._tell = listening, tell
        self._signer = Signer(bytes.fromhex(listening.shared_secret))
        self._challenge = secrets.token_hex(16)
        self._refusal = self._left = self._unusable = ""
        self._closed = self._over = False
        self._ended: dict[int, int] = {}
        self._bundle = ""
        self._strangers: set[str] = set()
        self._clocks = MachineClocks(self._send)
        self._on_report: Callable[[ArrivedReport], object] = lambda _report: None
        self._listener = RemoteListener(
            listening.host,
            listening.port,
            listening.secret_key,
            listening.shared_secret,
            take=self._take,
            on_stranger=self._stranger,
            is_member=self.joined.__contains__,
        )
        self.port = self._listener.port

    @property
    def processes(self) -> int:
        """Worker processes of all machines."""
        return sum(machine.processes for machine in self.joined.values())

    # -- joining -----------------------------------------------------------------------------------

    def gather(
        self, plan: LoadPlan, stopped: Callable[[], object], still_waiting: Callable[[], object]
    ) -> None:
        """Wait until all machines have joined.

        Args:
            plan: The plan, of which only the scenario's kind is used.
            stopped: Tells whether the run was interrupted.
            still_waiting: Called every few seconds.

        Raises:
            LostError: A machine cannot take part, or not all joined in time; says which have joined.
        """
        wanted, until, told = self._listening.workers, time.monotonic() + self._listening.within_s, 0.0
        where = authority(self._listening.host, self.port)
        self._tell(f"waiting for {quantity(wanted, 'worker')}: slocheck worker --join {where}")
        while len(self.joined) < wanted:
            if self._refusal:
                raise LostError(self._refusal)
            if stopped():
                raise LostError("interrupted while it waited for its workers")
            now = time.monotonic()
            if now > until:
                raise LostError(self._who_has_come())
            if now > told + _TELL_S:
                told = now
                still_waiting()
            self._forget_silent(now)
            gevent.sleep(_POLL_S)
        self._closed = True
        if not plan.declarative:
            self._refuse_without_file(plan)

    def _who_has_come(self) -> str:
        wanted, within_s = self._listening.workers, self._listening.within_s
        come = f": {', '.join(map(str, self.joined.values()))}" if self.joined else ""
        return (
            f"{len(self.joined)} of {quantity(wanted, 'worker')} joined within {within_s:g} s{come}; start "
            f"`slocheck worker --join` on the others, or raise --join-timeout"
        )

    def _refuse_without_file(self, plan: LoadPlan) -> None:
        without = [str(machine) for machine in self.joined.values() if not machine.has_file]
        if without:
            raise ScenarioError(
                f"{plan.scenario}: a Locust file is code and is never sent to other machines; name each "
                f"machine's own with `slocheck worker --scenario FILE`, on {', '.join(without)}"
            )

    def _forget_silent(self, now: float) -> None:
        for identity, machine in list(self.joined.items()):
            if now - machine.heard > SILENT_S:
                del self.joined[identity]
                self._tell(f"{machine} is gone and no longer expected")

    def _stranger(self, address: str) -> None:
        """Say that a peer without the right key tried to connect, once for each address."""
        if address not in self._strangers and len(self._strangers) < MOST_PROCESSES:
            self._strangers.add(address)
            whence = f"from {address} " if address else ""
            self._tell(
                f"a connection {whence}was refused: it does not have this run's key (a token file of another "
                "`slocheck token`, or not slocheck)"
            )

    def _take(self, identity: bytes, _worker: bytes, body: bytes, address: str) -> None:
        """Act on a message of a machine; one that is not signed with the secret is not answered."""
        payload = self._signer.verify(body)
        if payload is None:
            self._stranger(address)
            return
        name = str(self.joined.get(identity) or address or "a machine")
        try:
            message = protocol.decode_to_coordinator(payload, f"the worker on {name}")
        except protocol.VersionMismatchError as error:
            self._refuse(identity, str(error))
            return
        except protocol.ProtocolError as error:
            logger.warning("a message is dropped: %s", error)
            return
        match message:
            case Knock():
                self._answer(identity, message, address)
            case Join():
                self._add(identity, message, address)
            case _ if identity in self.joined:
                self._hear(identity, self.joined[identity], message)

    def _answer(self, identity: bytes, knock: Knock, address: str) -> None:
        python = platform.python_version()
        refusal = version_refusal(knock, address, python=python, locust=locust.__version__)
        if refusal:
            self._refuse(identity, refusal)
        else:
            self._send(identity, Challenge(knock.nonce, self._challenge))

    def _refuse(self, identity: bytes, text: str) -> None:
        """Refuse a machine that can never take part: the run ends, unless it has all of its workers."""
        self._send(identity, Refused(text))
        if not self._closed:
            self._refusal = self._refusal or text

    def _add(self, identity: bytes, join: Join, address: str) -> None:
        if not secrets.compare_digest(join.challenge.encode(), self._challenge.encode()):
            return
        if identity in self.joined:
            self._send(identity, Admitted())
            return
        wanted = self._listening.workers
        if self._closed or len(self.joined) >= wanted:
            self._send(identity, Refused(f"the run already has its {quantity(wanted, 'worker')}"))
            return
        if not 1 <= join.processes <= MOST_PROCESSES:
            return
        machine = Machine(
            self._free_name(join.machine), address, join.processes, join.scenario, time.monotonic()
        )
        self.joined[identity] = machine
        self._send(identity, Admitted())
        self._tell(
            f"worker {len(self.joined)} of {wanted} has joined: {machine}, "
            f"{quantity(machine.processes, 'process', 'processes')}"
        )

    def _free_name(self, name: str) -> str:
        """Return a machine's name; a second one of that name gets a number."""
        short, taken = shorten(name, MAX_NAME), {machine.name for machine in self.joined.values()}
        possible = chain((short,), (f"{short}#{number}" for number in count(2)))
        return next(each for each in possible if each not in taken)

    # -- the run -----------------------------------------------------------------------------------

    def _hear(self, identity: bytes, machine: Machine, message: object) -> None:
        machine.heard = time.monotonic()
        match message:
            case Ping():
                self._send(identity, Pong())
            case TellTime():
                self._clocks.take(identity, message)
            case ArrivedReport():
                self._send(identity, Pong())
                self._pass_on(identity, message)
            case ProcessEnded(index, code) if index in range(
                machine.first, machine.first + machine.processes
            ):
                self._ended[index] = code
            case Leaving(text, unusable=True):
                self._unusable = self._unusable or f"{machine}: {text}"
            case Leaving(text):
                self._left = self._left or f"{machine} left the run: {text}"
                if not self._closed:
                    del self.joined[identity]
                    self._tell(self._left)
                    self._left = ""

    def _pass_on(self, identity: bytes, report: ArrivedReport) -> None:
        """Pass a machine's report on, if it speaks for its own workers only."""
        named = (*(worker for worker, _ in report.reports), *report.alive)
        if all(self._listener.machine_of.get(worker) == identity for worker in named):
            self._on_report(report)

    def watch(self, on_report: Callable[[ArrivedReport], object]) -> None:
        """Pass the machines' reports on from now on."""
        self._on_report = on_report

    def _send(self, identity: bytes, message: ToMachine) -> None:
        try:
            self._listener.send_frames(identity, b"", self._signer.sign(protocol.encode_line(message)))
        except RPCSendError:
            logger.warning("a message to a machine could not be sent")

    def pack(self, plan: LoadPlan, variables: Mapping[str, str], manifest: Mapping[str, str]) -> None:
        """Collect what is sent to the machines; raises UsageError."""
        self._bundle = bundles.packed(bundles.collect(plan, variables, manifest))

    def use_sockets(self) -> None:
        """Have Locust's master use the socket to these machines."""
        zmqrpc.Server = partial(_given, self._listener)  # type: ignore[misc,assignment] # no other way in

    def set_up(self, plan: LoadPlan, *, server: object, token: bytes) -> None:
        """Send each machine what its workers need."""
        del server
        first = 0
        for identity, machine in self.joined.items():
            machine.first = first
            first += machine.processes
            digest = bundles.digest(self._bundle)
            self._send(
                identity, Welcome(plan, token.hex(), machine.first, digest, self._bundle, loopback_id())
            )

    def ended(self) -> list[EndedWorker]:
        """Return the worker processes that have ended."""
        found = []
        for machine in self.joined.values():
            for number in range(machine.processes):
                code = self._ended.get(machine.first + number)
                if code is not None:
                    name = f"worker process {number + 1} of {machine.processes} on {machine}"
                    found.append(EndedWorker(name, code))
        return found

    def check(self) -> None:
        """Raise LostError if a machine has left the run, and ScenarioError if one cannot make it."""
        if self._unusable:
            raise ScenarioError(self._unusable)
        if self._left:
            raise LostError(self._left)

    def machine_of(self, worker: str) -> Machine | None:
        """Return the machine of a worker that has said something."""
        return self.joined.get(self._listener.machine_of.get(worker, b""))

    def place(self, worker: str) -> str:
        """Return a worker's machine, after its name in a message."""
        machine = self.machine_of(worker)
        return f" on {machine}" if machine else ""

    def compare_clocks(self, within_s: float) -> None:
        """Compare all machines' clocks with this one's."""
        self._clocks.compare(self.joined, within_s)

    def ahead_ns(self, worker: str) -> int:
        """Return how far the clock of a worker's machine is ahead of this one."""
        return self._clocks.ahead_ns(self._listener.machine_of.get(worker, b""))

    @property
    def lead_ns(self) -> int:
        """How long an order may take to arrive, with some margin."""
        return 2 * self._clocks.longest_ns

    def health(self) -> tuple[MachineHealth, ...]:
        """Return what is known of each machine."""
        workers = self._listener.machine_of.items()
        return tuple(
            machine_health(
                machine,
                tuple(worker for worker, of in workers if of == identity),
                self._clocks.before.get(identity),
                self._clocks.after.get(identity),
            )
            for identity, machine in self.joined.items()
        )

    def stop(self, within_s: float, error: str = "") -> None:
        """Tell all machines that the run is over, once."""
        if self._over:
            return
        self._over = self._closed = True
        for identity in self.joined:
            self._send(identity, Goodbye(error))
        self._listener.finish(max(within_s, _LEAVE_S))


def machine_health(
    machine: Machine, workers: tuple[str, ...], before: ClockOffset | None, after: ClockOffset | None
) -> MachineHealth:
    """Return what is known of a machine, by its clock's offset before the load and after it."""
    known = MachineHealth(machine.name, machine.address, workers)
    if before is None:
        return known
    bound = max(before.bound, after.bound if after else 0)
    return replace(
        known,
        clock_offset=before.ahead / NS_PER_SECOND,
        clock_bound=bound / NS_PER_SECOND,
        clock_moved=(after.ahead - before.ahead) / NS_PER_SECOND if after else None,
    )


def _given(listener: RemoteListener, *_: object) -> RemoteListener:
    """Return the socket that is listening already, whatever address Locust has."""
    return listener
