"""The master process: sets the workers up, runs the plan by the clock, reports each second."""

import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import gevent
from locust.env import Environment

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.forbidden import ForbiddenConnection, later
from slocheck.evidence.model import Ending, LoadHealth
from slocheck.load.file_end import initialised, raised
from slocheck.load.listeners import LISTENER_S, Listeners
from slocheck.load.master.clock_watch import ClockWatch
from slocheck.load.master.collector import Collector
from slocheck.load.master.file_result import file_result
from slocheck.load.master.interim import Interim
from slocheck.load.master.load_model import MasterModel, master_model
from slocheck.load.master.runner import Master
from slocheck.load.master.workers import LostError, Workers
from slocheck.load.messaging import locust_messages, protocol
from slocheck.load.messaging.line_writer import LineWriter
from slocheck.load.messaging.messages import (
    Drain,
    FinishWindow,
    ListenerRuns,
    LoadBegan,
    LoadDone,
    SecondPassed,
    StillPreparing,
    StopLoad,
    WorkerReport,
)
from slocheck.load.messaging.reports import ArrivedReport
from slocheck.load.messaging.signing import Signer
from slocheck.load.network.connect_guard import ConnectGuard
from slocheck.load.phases import Phases
from slocheck.load.users.environment import ScenarioError
from slocheck.plan.load_plan import LoadPlan

CONNECT_S = 30.0
TEST_START_S = 60.0
SHORT_DRAIN_S = 1.0
FINAL_REPORT_S = 10.0
COMPARE_S, SHORT_COMPARE_S = 10.0, 0.3
"""Seconds in which the clocks of other machines are compared; the second if the run was interrupted."""
MIN_MEASURED_S = 10
"""Minimum seconds of the window in a run against a target that is down, to prove the breach."""
REFUSED_AFTER_S = 10.0
"""Seconds of load after which a run ends that can no longer become valid: every response had an unexpected
status, or it tried to connect to a host that is not allowed."""
_TICK_AFTER_S = 0.2
_TELL_S = 5.0
_POLL_S, _LOOK_S = 0.02, 0.1


class FileEndedError(Exception):
    """The Locust file ended the run; the text says how."""


class RunController:
    """One run, from the loaded scenario to the last report."""

    def __init__(
        self,
        plan: LoadPlan,
        environment: Environment,
        workers: Workers,
        *,
        listeners: Listeners,
        output: LineWriter,
        commands: deque[bytes],
        guard: ConnectGuard,
    ) -> None:
        """Set the workers up; raises ScenarioError if a listener of `init` fails."""
        self._commands = commands
        self._guard = guard
        self._listeners = listeners
        self._plan = plan
        self._model: MasterModel = master_model(plan)
        self._output = output
        self._phases = Phases(plan)
        token = secrets.token_bytes(32)
        signer = Signer(token)
        locust_messages.sign_messages(signer)
        workers.use_sockets()
        self._runner = Master(environment, signer, self._on_report, self._on_damaged)
        environment.runner = self._runner
        self._refuse(initialised(environment, self._runner, listeners) or self._runner.ended)
        self._processes = workers
        self._processes.watch(self._on_machine_report)
        self._processes.set_up(plan, server=self._runner.server, token=token)
        self._workers: list[str] = []
        self._collector: Collector | None = None
        self._stopping = False
        self._origin_ns = 0
        self._wall_at_start = self._wall_at_origin = 0.0
        self._users = 0
        self._clocks = ClockWatch()
        self._ticked = 0
        self._interim = Interim()

    def _refuse(self, why: str, place: str = "") -> None:
        """Raise ScenarioError if there is a reason to, which is found at a place."""
        if why:
            raise ScenarioError(f"{self._plan.scenario}: cannot be used{place}: {why}")

    def connect(self) -> None:
        """Wait until every worker is connected; raises LostError and ScenarioError."""
        connected = self._runner.connected
        try:
            self._wait(
                lambda: self._stopping or len(connected) == self._plan.processes, CONNECT_S, "connected"
            )
        except FileEndedError:
            self._refuse(self._runner.ended)
        if self._stopping:
            raise LostError("interrupted before the load")
        self._workers = list(self._runner.clients)
        self._collector = Collector(
            self._workers,
            self._model,
            planned_users=self._plan.users,
            window=self._phases.window,
            thresholds=len(self._plan.thresholds_ns),
            max_exceptions=self._plan.max_exceptions,
            classes=() if self._plan.declarative else tuple(self._runner.user_classes_by_name),
            ahead_ns=self._processes.ahead_ns,
            machines={worker: each.machine for each in self._processes.health() for worker in each.workers},
        )

    def run(self) -> None:
        """Send the load and drain it; all reports go to the command line, the result last."""
        self._wall_at_start = time.time()
        self._runner.target_user_count, self._runner.spawn_rate = self._plan.users, self._plan.spawn_rate
        try:
            self._begin_test()
            prepared = self._runner.prepared
            self._wait(
                lambda: self._stopping or len(prepared) == len(self._workers), self._prepare_s, "prepared"
            )
            ending, error = (Ending.INTERRUPTED if self._stopping else self._send_load()), ""
        except LostError as lost:
            ending, error = Ending.GENERATOR_LOST, str(lost)
        except FileEndedError as ended:
            ending, error = Ending.SCENARIO, str(ended)
        end_of_load = self._elapsed
        ending, error = self._drain(ending, error)
        self._runner.over = True
        self._finish(ending, error, measured_s=self._phases.measured(end_of_load))

    @property
    def _prepare_s(self) -> float:
        """Seconds that the workers may take to prepare; in the open model they start their users."""
        return TEST_START_S + self._model.starting_s

    def _begin_test(self) -> None:
        """Fire `test_start` and prepare the workers; raises FileEndedError."""
        environment = self._runner.environment
        try:
            environment.events.test_start.fire(environment=environment)
        except BaseException as error:  # noqa: BLE001 - whatever the file raises
            self._runner.end_by_file(raised(error))
        for text in self._listeners.result.listener_errors:
            self._runner.end_by_file(text)
        self._check_file()
        self._runner.prepare(self._workers)

    def _check_file(self) -> None:
        """Raise FileEndedError if the Locust file ended the run, or only raises exceptions."""
        if self._runner.ended:
            when = f"after {self._elapsed:.0f} s" if self._origin_ns else "before the load"
            raise FileEndedError(f"the Locust file ended the run {when}: {self._runner.ended}")
        if self._collector is not None and (failing := self._collector.failing(time.monotonic())):
            raise FileEndedError(f"the run was ended after {self._elapsed:.0f} s: {failing}")

    def _send_load(self) -> Ending:
        """Let the users run until the window ends, or the run ends earlier; raises LostError."""
        if self._guard.forbidden:  # by a listener of `test_start`
            return Ending.FORBIDDEN_CONNECTION
        self._processes.compare_clocks(COMPARE_S)
        lead_ns = self._model.lead_ns + self._processes.lead_ns
        self._origin_ns = time.monotonic_ns() + lead_ns
        self._wall_at_origin = time.time() + lead_ns / NS_PER_SECOND
        self._clocks.begin(wall=self._wall_at_origin, monotonic=self._origin_ns / NS_PER_SECOND)
        ahead_ns = self._processes.ahead_ns
        self._runner.begin({worker: self._origin_ns + ahead_ns(worker) for worker in self._workers})
        self._set_users()
        if self._model.announced_users:
            self._runner.announce(self._model.announced_users)
        if not self._model.may_send_early:
            self._wall_at_start = self._wall_at_origin
        self._output.send(LoadBegan(load_start=self._wall_at_start, origin=self._wall_at_origin))
        assert self._collector is not None
        while self._elapsed < self._phases.end_s:
            self._step(self._phases.name(self._elapsed))
            self._check_workers()
            self._check_file()
            self._set_users()
            if self._stopping:
                return Ending.INTERRUPTED
            if self._collector.down and self._phases.measured(self._elapsed) >= MIN_MEASURED_S:
                return Ending.TARGET_DOWN
            if self._collector.refused and self._elapsed >= REFUSED_AFTER_S:
                return Ending.UNEXPECTED_RESPONSES
            if (self._guard.forbidden or self._collector.forbidden) and self._elapsed >= REFUSED_AFTER_S:
                return Ending.FORBIDDEN_CONNECTION
            gevent.sleep(min(_LOOK_S, self._phases.until_next(self._elapsed)))
        return Ending.COMPLETE

    def _set_users(self) -> None:
        """Set the number of users that the plan has for this second."""
        planned = self._model.users_at(self._elapsed)
        if planned is not None and planned[0] != self._users:
            self._users, spawn_rate = planned
            self._runner.set_users(self._users, spawn_rate)

    def _drain(self, ending: Ending, error: str) -> tuple[Ending, str]:
        """Wait for every worker's final report; an interrupt or a loss shortens it."""
        if self._collector is None or self._origin_ns == 0:
            return ending, error
        whole = ending not in (Ending.INTERRUPTED, Ending.GENERATOR_LOST, Ending.SCENARIO)
        by_file = ending is Ending.SCENARIO
        within_s = self._plan.drain_s if whole or by_file else SHORT_DRAIN_S
        until = self._send_drain(within_s, as_timeouts=whole)
        while not self._collector.all_final and time.monotonic() < until:
            self._step("drain")
            if (whole or by_file) and self._stopping:
                whole, by_file, ending = False, False, Ending.INTERRUPTED
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
            ending, error = Ending.GENERATOR_LOST, f"no final report from {self._named(silent)}"
        return ending, error

    def _send_drain(self, within_s: float, *, as_timeouts: bool) -> float:
        """Tell the workers to drain; returns until when to wait for their final reports."""
        self._runner.drain(self._workers, Drain(within_s, as_timeouts=as_timeouts))
        in_time = as_timeouts or within_s > SHORT_DRAIN_S
        return time.monotonic() + within_s + (FINAL_REPORT_S if in_time else SHORT_DRAIN_S / 2)

    def _finish(self, ending: Ending, error: str, *, measured_s: int) -> None:
        """Send the result, then end the workers."""
        if self._origin_ns:
            self._tick("drain")
            self._processes.compare_clocks(SHORT_COMPARE_S if self._stopping or error else COMPARE_S)
        reported = self._guard.forbidden
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
        self._tear_down(reported, error)

    def _tear_down(self, reported: tuple[ForbiddenConnection, ...], error: str) -> None:
        """Let the Locust file's last listeners run, here and in the workers; then end the workers."""
        runner, events = self._runner, self._runner.environment.events
        lost = frozenset(runner.lost)
        runner.dismiss(self._workers)
        for event, reverse in ((events.test_stop, False), (events.quitting, True)):
            self._listeners.finish(
                event, observer=self._tell, reverse=reverse, environment=runner.environment
            )
        until = time.monotonic() + (2 * LISTENER_S if self._origin_ns else 0.0)
        while not self._all_have_ended(lost) and time.monotonic() < until:
            gevent.sleep(_POLL_S)
        forbidden = later(self._guard.forbidden, reported)
        self._output.send(file_result(self._listeners, list(runner.end_reports.values()), forbidden))
        self._output.flush(1.0)
        self._processes.stop(1.0, error)

    def _all_have_ended(self, lost: frozenset[str]) -> bool:
        """Tell whether each worker has reported its end or was lost, or all processes have ended."""
        if len(self._processes.ended()) == len(self._workers):
            return True
        return lost.union(self._runner.end_reports).issuperset(self._workers)

    def _tell(self, listener: str) -> None:
        """Tell the command line which listener runs next, in case it never returns."""
        self._output.send(ListenerRuns(listener))
        self._output.flush(0.2)

    def end_by_file(self, how: str) -> None:
        """End the run, because the Locust file asks for it."""
        self._runner.end_by_file(how)

    def _health(self, measured_s: int) -> LoadHealth:
        if self._collector is None:
            return LoadHealth(planned_users=self._plan.users, users=0, workers=())
        health = self._collector.health(
            clocks=self._clocks, measured_s=measured_s, forbidden=self._guard.forbidden
        )
        machines = (self._collector.machine(each, measured_s) for each in self._processes.health())
        return replace(health, machines=tuple(machines))

    @property
    def _elapsed(self) -> float:
        """Seconds since the load began; 0 before."""
        return (time.monotonic_ns() - self._origin_ns) / NS_PER_SECOND if self._origin_ns else 0.0

    def _wait(self, holds: Callable[[], bool], within_s: float, what: str) -> None:
        asked = time.monotonic()
        until = asked + within_s
        while not holds():
            self._take_commands()
            self._check_workers()
            if self._runner.ended:
                self._check_file()
            if self._workers and time.monotonic() > asked + _TELL_S:
                asked = time.monotonic()
                self._output.send(StillPreparing())
            if time.monotonic() > until:
                late = [worker for worker in self._workers if worker not in self._runner.prepared]
                whose = f": {self._named(late)} was not" if late else ""
                raise LostError(f"not every worker was {what} within {within_s:g} s{whose}")
            gevent.sleep(_POLL_S)

    def _named(self, workers: Iterable[str]) -> str:
        return ", ".join(f"worker {worker}{self._processes.place(worker)}" for worker in workers)

    def _take_commands(self) -> None:
        while self._commands:
            match protocol.decode_command(self._commands.popleft()):
                case StopLoad():
                    self._stopping = True
                case FinishWindow():
                    self._phases.finish(self._elapsed)

    def _check_workers(self) -> None:
        """Raise LostError if a worker without a final report has ended or is silent."""
        if self._runner.refusal:
            raise LostError(self._runner.refusal)
        self._refuse(self._runner.unusable, self._processes.place(self._runner.refuser))
        self._processes.check()
        final = self._collector.has_final if self._collector else lambda _worker: False
        for ended in self._processes.ended():
            if not self._workers or not all(final(worker) for worker in self._workers):
                raise LostError(f"{ended.name} {ended.how(declarative=self._plan.declarative)}")
        silent = [worker for worker in self._runner.lost if not final(worker)]
        if silent:
            cut_off = ", cut off" if self._processes.place(silent[0]) else ""
            how = f"it was stopped{cut_off}, or is overloaded"
            raise LostError(f"{self._named(silent[:1])} stopped responding: {how}")

    def _on_report(self, worker: str, report: WorkerReport) -> None:
        if self._collector is not None:
            self._collector.add(worker, report, now=time.monotonic())

    def _on_machine_report(self, report: ArrivedReport) -> None:
        for worker, state in report.alive.items():
            self._runner.hear(worker, state)
        if self._collector is not None:
            self._collector.add_together(report, now=time.monotonic())

    def _on_damaged(self, worker: str, error: str) -> None:
        if self._collector is not None:
            self._collector.lose(worker, error)

    def _step(self, phase: str) -> None:
        """Take commands, watch the clocks, and tick once a second, after the reports have come in."""
        self._take_commands()
        self._clocks.look()
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
                health=self._interim.made(partial(self._health, self._phases.measured(self._ticked))),
            )
        )
