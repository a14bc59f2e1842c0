"""One machine's part in a run: join, check the request, run the workers, end with the coordinator."""

import tempfile
import time
from collections import deque
from pathlib import Path
from typing import NoReturn

import gevent

from slocheck.documents.words import quantity
from slocheck.load.machine.admission import refusal, with_local_files
from slocheck.load.machine.relay import MachineError, Relay
from slocheck.load.messaging import protocol
from slocheck.load.messaging.bundle import BundleError, unpacked
from slocheck.load.messaging.line_writer import LineWriter
from slocheck.load.messaging.machine_messages import (
    Admitted,
    Bundle,
    Goodbye,
    JoinRun,
    LeaveRun,
    Leaving,
    MachineDone,
    ProcessEnded,
    ProgressLine,
    Refused,
    Welcome,
)
from slocheck.load.messaging.messages import WorkerSettings
from slocheck.load.messaging.parent_pipe import PARENT_GONE, ParentPipe, take_stdout
from slocheck.load.worker.master_watch import SILENCE_S
from slocheck.load.worker.processes import WorkerProcesses
from slocheck.plan.load_plan import LoadPlan

GONE_S = 2.0
"""A connection that ended and is not back after this many seconds: the coordinator is gone."""
SILENT_S = 30.0
"""Outside of the load, in which each worker watches by itself, the coordinator may be busy for this long."""
LEAVE_S = 5.0
_UNUSABLE = 2
_POLL_S = 0.02


def main(join: JoinRun, parent: ParentPipe) -> int:
    """Take part in one run; returns the exit code."""
    workers = WorkerProcesses()
    if not workers.fork(join.processes):
        from slocheck.load.worker import startup as worker  # noqa: PLC0415 - what this process does not need

        return worker.main()
    output = LineWriter(take_stdout())
    commands: deque[bytes] = deque()
    parent.watch(commands.append)
    relay = Relay(join)
    with tempfile.TemporaryDirectory(prefix="slocheck-worker-") as folder:
        machine = _Machine(join, workers, relay, output=output, commands=commands, folder=Path(folder))
        try:
            done = machine.take_part()
        except MachineError as error:
            done = MachineDone(str(error), error.exit_code)
        workers.stop(1.0 if done.exit_code == 0 else 0.0)
    relay.finish()
    output.send(done)
    output.flush(1.0)
    return done.exit_code


class _Machine:
    """This machine in one run."""

    def __init__(
        self,
        join: JoinRun,
        workers: WorkerProcesses,
        relay: Relay,
        *,
        output: LineWriter,
        commands: deque[bytes],
        folder: Path,
    ) -> None:
        self._join, self._workers, self._relay = join, workers, relay
        self._output, self._commands, self._folder = output, commands, folder
        self._told: set[int] = set()
        self._first, self._taking_part = 0, False
        self._connected_at = time.monotonic()
        self._leave_until = 0.0

    def take_part(self) -> MachineDone:
        """Take part from joining to the end; raises MachineError."""
        self._output.send(ProgressLine(f"connecting to the coordinator at {self._relay.coordinator}"))
        welcome = self._joined()
        self._set_up(welcome)
        self._output.send(ProgressLine(f"taking part in the run with {_processes(self._join.processes)}"))
        while True:
            self._step()
            while self._relay.received:
                match self._relay.received.popleft():
                    case Goodbye(""):
                        return MachineDone("the coordinator ended the run", 0)
                    case Goodbye(error):
                        raise MachineError(f"the coordinator ended the run: {error}")
            self._check_workers()

    def _joined(self) -> Welcome:
        """Wait until the coordinator has all of its workers; raises MachineError."""
        until = time.monotonic() + self._join.within_s
        joined = False
        while True:
            self._step(joined=joined)
            while self._relay.received:
                match self._relay.received.popleft():
                    case Admitted() if not joined:
                        joined = True
                        self._output.send(ProgressLine("joined; waiting for the run's other workers"))
                    case Refused(text, code):
                        raise MachineError(f"the coordinator refused this machine: {text}", code)
                    case Goodbye(error):
                        raise MachineError(f"the coordinator ended the run: {error or 'before the load'}")
                    case Welcome() as welcome:
                        return welcome
            if not joined and time.monotonic() > until:
                other = " (something else accepts connections there)" if self._relay.other_listens else ""
                raise MachineError(
                    f"no coordinator at {self._relay.coordinator} within {self._join.within_s:g} s{other}; "
                    "start `slocheck run --listen` there, or correct the address"
                )

    def _set_up(self, welcome: Welcome) -> None:
        """Check what the coordinator asks for, and give the workers their settings; raises MachineError."""
        try:
            bundle = unpacked(welcome.bundle, welcome.digest)
        except BundleError as error:
            self._decline(str(error))
        if why := refusal(welcome, bundle, self._join):
            self._decline(why)
        self._first, self._taking_part = welcome.first, True
        plan = self._local_plan(welcome.plan, bundle)
        address = self._relay.listen(self._workers.ids, welcome.token)
        self._workers.set_up(WorkerSettings(plan, address, welcome.token, welcome.first, welcome.bundle))

    def _local_plan(self, plan: LoadPlan, bundle: Bundle) -> LoadPlan:
        """Return the plan with this machine's files; raises MachineError."""
        try:
            return with_local_files(plan, bundle, self._join, self._folder)
        except OSError as error:
            self._decline(f"the target's certificates cannot be kept in {self._folder}: {error.strerror}")

    def _decline(self, why: str) -> NoReturn:
        """Tell the coordinator why this machine refuses the run, and raise MachineError."""
        self._relay.send(Leaving(why, unusable=True))
        raise MachineError(why, _UNUSABLE)

    def _step(self, *, joined: bool = True) -> None:
        """Wait a moment; raises MachineError if the coordinator is gone or this machine has to leave."""
        gevent.sleep(_POLL_S)
        now = time.monotonic()
        self._relay.check()
        self._relay.ping()
        while self._commands:
            match protocol.decode_command(self._commands.popleft()):
                case LeaveRun(why):
                    self._relay.send(Leaving(why))
                    self._leave_until = now + (LEAVE_S if self._taking_part else 0.0)
        if self._leave_until and now >= self._leave_until:
            raise MachineError("left the run")
        if not joined:
            self._connected_at = self._relay.heard = now
            return
        if self._relay.connected:
            self._connected_at = now
        elif now > self._connected_at + GONE_S:
            raise MachineError(f"the coordinator at {self._relay.coordinator} is gone: its connection ended")
        if now > self._relay.heard + SILENT_S:
            raise MachineError(f"the coordinator at {self._relay.coordinator} was silent for {SILENT_S:g} s")

    def _check_workers(self) -> None:
        """Tell the coordinator which workers have ended; raises MachineError if it is silent."""
        for index, code in self._workers.ended():
            if index in self._told:
                continue
            self._told.add(index)
            if code == PARENT_GONE:
                raise MachineError(
                    f"the coordinator at {self._relay.coordinator} was silent for {SILENCE_S:g} s; "
                    "this machine has stopped its load"
                )
            self._relay.send(ProcessEnded(self._first + index, code))


def _processes(count: int) -> str:
    return quantity(count, "process", "processes")
