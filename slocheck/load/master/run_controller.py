"""The master process: starts workers, runs the plan by the clock, reports each second."""

import logging
import os
import secrets
import signal
import time
from collections import deque
from collections.abc import Callable

import gevent
import locust
from locust.env import Environment

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.model import Ending, LoadHealth
from slocheck.load.locust_limits import warnings
from slocheck.load.master.collector import Collector
from slocheck.load.master.load_model import MasterModel, master_model
from slocheck.load.master.worker_processes import Master, WorkerProcesses
from slocheck.load.messaging import locust_messages, protocol
from slocheck.load.messaging.line_writer import LineWriter
from slocheck.load.messaging.messages import (
    Drain,
    FinishWindow,
    LoadBegan,
    LoadDone,
    PrepareLoad,
    ScenarioLoaded,
    ScenarioRefused,
    SecondPassed,
    StopLoad,
    WorkerReport,
    WorkerSettings,
    WorkersFailed,
    WorkersReady,
)
from slocheck.load.messaging.parent_pipe import ParentPipe, take_stdout
from slocheck.load.messaging.signing import Signer
from slocheck.load.network.connect_guard import ConnectGuard, guard_process
from slocheck.load.phases import Phases
from slocheck.load.users.environment import ScenarioError, load_environment, nothing_forbidden
from slocheck.plan.load_plan import LoadPlan

CONNECT_S = 30.0
TEST_START_S = 60.0
SHORT_DRAIN_S = 1.0
FINAL_REPORT_S = 10.0
MIN_MEASURED_S = 10
"""Seconds of the window that a run against a target that is down lasts at least, to prove the breach."""
REFUSED_AFTER_S = 10.0
"""Seconds after the load's begin at which a run ends that cannot become valid any more: it was answered with
unexpected statuses alone, or tried to connect to a host that is not allowed."""
_TICK_AFTER_S = 0.2
_POLL_S = 0.02
_NICENESS = 10
"""The master yields to workers on its core: they have moments to keep, it has none."""


class LostError(Exception):
    """A worker is gone or silent; the text says which and how."""


class RunController:
    """One run, from the loaded scenario to the last report."""

    def __init__(
        self,
        plan: LoadPlan,
        environment: Environment,
        output: LineWriter,
        commands: deque[bytes],
        *,
        guard: ConnectGuard,
    ) -> None:
        self._commands = commands
        self._guard = guard
        self._plan = plan
        self._model: MasterModel = master_model(plan)
        self._output = output
        self._phases = Phases(plan)
        token = secrets.token_bytes(32)
        signer = Signer(token)
        locust_messages.sign_messages(signer)
        self._runner = Master(environment, signer, self._on_report)
        environment.runner = self._runner
        environment.events.init.fire(environment=environment, runner=self._runner, web_ui=None)
        self._processes = WorkerProcesses(
            WorkerSettings(plan, port=self._runner.server.port, token=token.hex(), index=index)
            for index in range(plan.processes)
        )
        self._workers: list[str] = []
        self._collector: Collector | None = None
        self._stopping = False
        self._origin_ns = 0
        self._wall_at_start = self._wall_at_origin = 0.0
        self._users = 0
        self._clock_jump = 0.0
        self._ticked = 0

    def connect(self) -> None:
        """Wait until every worker is connected; raises LostError."""
        connected = self._runner.connected
        self._wait(lambda: len(connected) == self._plan.processes, CONNECT_S, "connected")
        self._workers = list(self._runner.clients)
        self._collector = Collector(
            self._workers, self._model, planned_users=self._plan.users, window=self._phases.window
        )

    def run(self) -> None:
        """Send the load and drain it; everything goes to the command line, the result last."""
        self._wall_at_start = time.time()
        try:
            self._runner.environment.events.test_start.fire(environment=self._runner.environment)
            self._runner.prepare(self._workers)
            prepared = self._runner.prepared
            self._wait(
                lambda: self._stopping or len(prepared) == len(self._workers), TEST_START_S, "prepared"
            )
            ending, error = (Ending.INTERRUPTED if self._stopping else self._send_load()), ""
        except LostError as lost:
            ending, error = Ending.GENERATOR_LOST, str(lost)
        end_of_load = self._elapsed
        ending, error = self._drain(ending, error)
        self._finish(ending, error, measured_s=self._phases.measured(end_of_load))

    def _send_load(self) -> Ending:
        """Let the users run until the window ends, or something else does; raises LostError."""
        if self._guard.forbidden:  # by a listener of `test_start`
            return Ending.FORBIDDEN_CONNECTION
        self._origin_ns = time.monotonic_ns() + self._model.lead_ns
        self._wall_at_origin = time.time() + self._model.lead_ns / NS_PER_SECOND
        self._runner.begin(self._workers, self._origin_ns)
        self._set_users()
        if not self._model.may_send_early:
            self._wall_at_start = self._wall_at_origin
        self._output.send(LoadBegan(load_start=self._wall_at_start, origin=self._wall_at_origin))
        assert self._collector is not None
        while self._elapsed < self._phases.end_s:
            self._step(self._phases.name(self._elapsed))
            self._check_workers()
            self._set_users()
            if self._stopping:
                return Ending.INTERRUPTED
            if self._collector.down and self._phases.measured(self._elapsed) >= MIN_MEASURED_S:
                return Ending.TARGET_DOWN
            if self._collector.refused and self._elapsed >= REFUSED_AFTER_S:
                return Ending.UNEXPECTED_ANSWERS
            if (self._guard.forbidden or self._collector.forbidden) and self._elapsed >= REFUSED_AFTER_S:
                return Ending.FORBIDDEN_CONNECTION
            gevent.sleep(min(_POLL_S, max(0.0, self._phases.end_s - self._elapsed)))
        return Ending.COMPLETE

    def _set_users(self) -> None:
        """Let as many users run as the plan has for this second."""
        planned = self._model.users_at(self._elapsed)
        if planned is not None and planned[0] != self._users:
            self._users, spawn_rate = planned
            self._runner.set_users(self._users, spawn_rate)

    def _drain(self, ending: Ending, error: str) -> tuple[Ending, str]:
        """Wait for every worker's final report; an interrupt or a loss shortens it."""
        if self._collector is None or self._origin_ns == 0:
            return ending, error
        whole = ending not in (Ending.INTERRUPTED, Ending.GENERATOR_LOST)
        until = self._send_drain(self._plan.drain_s if whole else SHORT_DRAIN_S, as_timeouts=whole)
        while not self._collector.all_final and time.monotonic() < until:
            self._step("drain")
            if whole and self._stopping:
                whole, ending = False, Ending.INTERRUPTED
                until = self._send_drain(SHORT_DRAIN_S, as_timeouts=False)
            try:
                self._check_workers()
            except LostError as lost:
                if not error:
                    ending, error = Ending.GENERATOR_LOST, str(lost)
                    until = min(until, time.monotonic() + SHORT_DRAIN_S)
                    self._send_drain(SHORT_DRAIN_S, as_timeouts=False)
            gevent.sleep(_POLL_S)
        if not self._collector.all_final and not error:
            silent = [worker for worker in self._workers if not self._collector.has_final(worker)]
            ending, error = Ending.GENERATOR_LOST, f"no final report from worker {', '.join(silent)}"
        return ending, error

    def _send_drain(self, within_s: float, *, as_timeouts: bool) -> float:
        """Tell the workers to drain; returns until when to wait for their final reports."""
        self._runner.drain(self._workers, Drain(within_s, as_timeouts=as_timeouts))
        return time.monotonic() + within_s + (FINAL_REPORT_S if as_timeouts else SHORT_DRAIN_S / 2)

    def _finish(self, ending: Ending, error: str, *, measured_s: int) -> None:
        """Send the result, then end the workers."""
        if self._origin_ns:
            self._tick("drain")
        end_ns = max(self._collector.last_end_ns if self._collector else 0, self._origin_ns)
        self._output.send(
            LoadDone(
                ending=ending,
                error=error,
                measured_s=measured_s,
                health=self._health(measured_s),
                load_start=self._wall_at_start,
                origin=self._wall_at_origin or self._wall_at_start,
                end_after=(end_ns - self._origin_ns) / NS_PER_SECOND,
            )
        )
        self._output.flush(1.0)
        self._runner.dismiss(self._workers)
        self._runner.environment.events.test_stop.fire(environment=self._runner.environment)
        self._runner.environment.events.quitting.fire(environment=self._runner.environment, reverse=True)
        self._processes.stop(1.0)

    def _health(self, measured_s: int) -> LoadHealth:
        if self._collector is None:
            return LoadHealth(planned_users=self._plan.users, users=0, workers=())
        return self._collector.health(
            clock_jump=self._clock_jump, measured_s=measured_s, forbidden=self._guard.forbidden
        )

    @property
    def _elapsed(self) -> float:
        """Seconds since the load began; 0 before."""
        return (time.monotonic_ns() - self._origin_ns) / NS_PER_SECOND if self._origin_ns else 0.0

    def _wait(self, holds: Callable[[], bool], within_s: float, what: str) -> None:
        until = time.monotonic() + within_s
        while not holds():
            self._take_commands()
            self._check_workers()
            if time.monotonic() > until:
                raise LostError(f"not every worker was {what} within {within_s:g} s")
            gevent.sleep(_POLL_S)

    def _take_commands(self) -> None:
        while self._commands:
            match protocol.decode_command(self._commands.popleft()):
                case StopLoad():
                    self._stopping = True
                case FinishWindow():
                    self._phases.finish(self._elapsed)

    def _check_workers(self) -> None:
        """Raise LostError when a worker is gone or silent that has not sent its final report."""
        if self._runner.refusal:
            raise LostError(self._runner.refusal)
        final = self._collector.has_final if self._collector else lambda _worker: False
        for index, code in self._processes.ended():
            if not self._workers or not all(final(worker) for worker in self._workers):
                how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
                raise LostError(f"worker process {index + 1} of {self._plan.processes} {how}")
        silent = [worker for worker in self._runner.lost if not final(worker)]
        if silent:
            raise LostError(f"worker {silent[0]} fell silent: stopped, or too busy to answer")

    def _on_report(self, worker: str, report: WorkerReport) -> None:
        if self._collector is not None:
            self._collector.add(worker, report, now=time.monotonic())

    def _step(self, phase: str) -> None:
        """Take commands, watch the clocks, and tick once a second, when the reports have come in."""
        self._take_commands()
        drift = time.time() - self._wall_at_origin - self._elapsed
        self._clock_jump = max(self._clock_jump, abs(drift))
        if self._elapsed >= self._ticked + 1 + _TICK_AFTER_S:
            self._tick(phase)

    def _tick(self, phase: str) -> None:
        assert self._collector is not None
        self._ticked = int(self._elapsed)
        self._output.send(
            SecondPassed(
                second=self._ticked,
                phase=phase,
                users=self._collector.running,
                deltas=self._collector.take(),
                health=self._health(self._phases.measured(self._ticked)),
            )
        )


def main() -> int:
    """Run the master by the commands on standard input; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    output = LineWriter(take_stdout())
    parent = ParentPipe()
    first = protocol.decode_command(parent.line())
    assert isinstance(first, PrepareLoad)
    commands: deque[bytes] = deque()
    parent.watch(commands.append)
    try:
        controller = _prepared(first.plan, output, commands)
    except ScenarioError as error:
        output.send(ScenarioRefused(str(error)))
        output.flush(5.0)
        return 2
    except LostError as error:
        output.send(WorkersFailed(str(error)))
        output.flush(5.0)
        return 4
    while not commands:
        gevent.sleep(_POLL_S)
    controller.run()
    output.flush(1.0)
    return 0


def _prepared(plan: LoadPlan, output: LineWriter, commands: deque[bytes]) -> RunController:
    """Load the scenario and connect the workers; raises ScenarioError and LostError."""
    guard = guard_process(plan.allowed_targets)
    with nothing_forbidden(plan, guard):
        environment = load_environment(plan)
    output.send(ScenarioLoaded(tuple(user.__name__ for user in environment.user_classes)))
    with nothing_forbidden(plan, guard):  # a listener of `init` may connect, too
        controller = RunController(plan, environment, output, commands, guard=guard)
    controller.connect()
    os.nice(_NICENESS)
    warned = warnings(plan, environment.user_classes)
    output.send(WorkersReady(versions={"locust": locust.__version__}, warnings=warned))
    return controller
