"""The master process: starts workers, runs the plan by the clock, and tells the CLI once a second."""

import json
import logging
import os
import secrets
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from math import floor
from typing import Any

import gevent
import locust
from locust.env import Environment
from pydantic import TypeAdapter

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.model import Ending, LoadHealth
from slocheck.load.locust_limits import warnings
from slocheck.load.master.collector import Collector
from slocheck.load.master.worker_processes import Master, WorkerProcesses
from slocheck.load.messaging import locust_messages
from slocheck.load.messaging.line_writer import LineWriter
from slocheck.load.messaging.parent_pipe import ParentPipe, take_stdout
from slocheck.load.messaging.signing import Signer
from slocheck.load.phases import Phases
from slocheck.load.users.environment import ScenarioError, load_environment
from slocheck.plan.load_plan import LoadPlan
from slocheck.spec.model.load_profile import rate_at

CONNECT_S = 30.0
TEST_START_S = 60.0
SHORT_DRAIN_S = 1.0
FINAL_REPORT_S = 10.0
JUDGED_S = 10
"""Seconds of the window that a run against a dead target lasts, so that the breach is proven."""
_TICK_AFTER_S = 0.2
_POLL_S = 0.02
_LEAD_NS = 50_000_000
"""The open model's schedule begins this much after the order to begin, so that no worker comes late."""
_NICENESS = 10
"""The master gives way to workers on its core: they have moments to keep, it has none."""
_HEALTH = TypeAdapter(LoadHealth)


class LostError(Exception):
    """A worker is gone or silent; the text says which and how."""


class RunController:
    """One run, from the loaded scenario to the last report."""

    def __init__(self, plan: LoadPlan, environment: Environment, outlet: LineWriter) -> None:
        self.commands: deque[dict[str, Any]] = deque()
        self._plan = plan
        self._outlet = outlet
        self._phases = Phases(plan)
        token = secrets.token_bytes(32)
        seal = Signer(token)
        locust_messages.sign_messages(seal)
        self._runner = Master(environment, seal, self._on_report)
        environment.runner = self._runner
        environment.events.init.fire(environment=environment, runner=self._runner, web_ui=None)
        settings = {"plan": asdict(plan), "port": self._runner.server.port, "token": token.hex()}
        self._crew = WorkerProcesses(
            [json.dumps({**settings, "index": i}).encode() for i in range(plan.processes)]
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
        self._wait(lambda: len(self._runner.clients) == self._plan.processes, CONNECT_S, "connected")
        self._workers = list(self._runner.clients)
        self._collector = Collector(self._workers, self._plan, window=self._phases.window)

    def run(self) -> None:
        """Send the load and drain it; everything goes to the CLI, the outcome last."""
        self._wall_at_start = time.time()
        try:
            self._runner.environment.events.test_start.fire(environment=self._runner.environment)
            self._runner.send_message(locust_messages.PREPARE)
            prepared = self._runner.prepared
            self._wait(
                lambda: self._stopping or len(prepared) == len(self._workers), TEST_START_S, "prepared"
            )
            ending, error = (Ending.INTERRUPTED if self._stopping else self._drive()), ""
        except LostError as lost:
            ending, error = Ending.GENERATOR_LOST, str(lost)
        end_of_load = self._elapsed
        ending, error = self._drain(ending, error)
        self._finish(ending, error, driven_s=self._phases.driven(end_of_load))

    def _drive(self) -> Ending:
        """Let the users run until the window ends, or something else does; raises LostError."""
        lead_ns = _LEAD_NS if self._plan.rate else 0
        self._origin_ns = time.monotonic_ns() + lead_ns
        self._wall_at_origin = time.time() + lead_ns / NS_PER_SECOND
        self._runner.begin(self._origin_ns)
        if not self._plan.rate:
            self._set_users()
        if self._plan.declarative or not self._plan.rate:
            self._wall_at_start = self._wall_at_origin  # no user has sent anything yet
        self._outlet.send("began", start=self._wall_at_start, origin=self._wall_at_origin)
        assert self._collector is not None
        while self._elapsed < self._phases.end_s:
            self._step(self._phases.name(self._elapsed))
            self._check_crew()
            if self._plan.stages:
                self._set_users()
            if self._stopping:
                return Ending.INTERRUPTED
            if self._collector.down and self._phases.driven(self._elapsed) >= JUDGED_S:
                return Ending.TARGET_DOWN
            gevent.sleep(min(_POLL_S, max(0.0, self._phases.end_s - self._elapsed)))
        return Ending.COMPLETE

    def _set_users(self) -> None:
        """Let as many users run as the plan has for this second."""
        users, rate = self._plan.users, self._plan.spawn_rate
        if self._plan.stages:
            users, rate = round(rate_at(self._plan.stages, floor(self._elapsed))), float(self._plan.users)
        if users != self._users:
            self._users = users
            self._runner.set_users(users, rate)

    def _drain(self, ending: Ending, error: str) -> tuple[Ending, str]:
        """Wait for every worker's final report; an interrupt or a loss shortens it."""
        if self._collector is None or self._origin_ns == 0:
            return ending, error
        whole = ending in (Ending.COMPLETE, Ending.TARGET_DOWN)
        until = self._send_drain(self._plan.drain_s if whole else SHORT_DRAIN_S, as_timeouts=whole)
        while not self._collector.all_final and time.monotonic() < until:
            self._step("drain")
            if whole and self._stopping:
                whole, ending = False, Ending.INTERRUPTED
                until = self._send_drain(SHORT_DRAIN_S, as_timeouts=False)
            try:
                self._check_crew()
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
        """Tell the workers to drain; returns until when their final reports are waited for."""
        self._runner.drain(self._workers, within_s, as_timeouts=as_timeouts)
        return time.monotonic() + within_s + (FINAL_REPORT_S if as_timeouts else SHORT_DRAIN_S / 2)

    def _finish(self, ending: Ending, error: str, *, driven_s: int) -> None:
        """Send the outcome, then let everybody go."""
        if self._origin_ns:
            self._tick("drain")
        health = self._health(driven_s)
        end_ns = max(self._collector.last_end_ns if self._collector else 0, self._origin_ns)
        self._outlet.send(
            "done",
            ending=ending,
            error=error,
            driven_s=driven_s,
            health=_HEALTH.dump_python(health, mode="json"),
            load_start=self._wall_at_start,
            origin=self._wall_at_origin or self._wall_at_start,
            end_after=(end_ns - self._origin_ns) / NS_PER_SECOND,
        )
        self._outlet.flush(1.0)
        self._runner.dismiss(self._workers)
        self._runner.environment.events.test_stop.fire(environment=self._runner.environment)
        self._runner.environment.events.quitting.fire(environment=self._runner.environment, reverse=True)
        self._crew.stop(1.0)

    def _health(self, driven_s: int) -> LoadHealth:
        if self._collector is None:
            return LoadHealth(planned_users=self._plan.users, users=0, workers=())
        return self._collector.health(clock_jump=self._clock_jump, driven_s=driven_s)

    @property
    def _elapsed(self) -> float:
        """Seconds since the load began; 0 before."""
        return (time.monotonic_ns() - self._origin_ns) / NS_PER_SECOND if self._origin_ns else 0.0

    def _wait(self, holds: Callable[[], bool], within_s: float, what: str) -> None:
        until = time.monotonic() + within_s
        while not holds():
            self._take_commands()
            self._check_crew()
            if time.monotonic() > until:
                raise LostError(f"not every worker was {what} within {within_s:g} s")
            gevent.sleep(_POLL_S)

    def _take_commands(self) -> None:
        while self.commands:
            kind = self.commands.popleft()["kind"]
            self._stopping |= kind == "stop"
            if kind == "finish":
                self._phases.finish(self._elapsed)

    def _check_crew(self) -> None:
        """Raise LostError when a worker is gone or silent that has not sent its final report."""
        if self._runner.unprepared:
            raise LostError(self._runner.unprepared)
        final = self._collector.has_final if self._collector else lambda _worker: False
        for index, code in self._crew.ended():
            if not self._workers or not all(final(worker) for worker in self._workers):
                how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
                raise LostError(f"worker process {index + 1} of {self._plan.processes} {how}")
        silent = [worker for worker in self._runner.lost if not final(worker)]
        if silent:
            raise LostError(f"worker {silent[0]} fell silent: stopped, or too busy to answer")

    def _on_report(self, worker: str, report: dict[str, Any]) -> None:
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
        self._outlet.send(
            "second",
            second=self._ticked,
            phase=phase,
            users=self._collector.running,
            deltas=self._collector.take(),
            health=_HEALTH.dump_python(self._health(self._phases.driven(self._ticked)), mode="json"),
        )


def main() -> int:
    """Run the master as the lifeline's first line says; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    outlet = LineWriter(take_stdout())
    lifeline = ParentPipe()
    plan = TypeAdapter(LoadPlan).validate_python(lifeline.line()["plan"])
    commands: deque[dict[str, Any]] = deque()
    lifeline.watch(commands.append)
    try:
        environment = load_environment(plan)
        outlet.send("loaded", user_classes=[user.__name__ for user in environment.user_classes])
        conductor = RunController(plan, environment, outlet)
        conductor.commands = commands
        conductor.connect()
        os.nice(_NICENESS)
    except ScenarioError as error:
        outlet.send("refused", text=str(error))
        outlet.flush(5.0)
        return 2
    except LostError as error:
        outlet.send("failed", text=str(error))
        outlet.flush(5.0)
        return 4
    warned = warnings(plan, environment.user_classes)
    outlet.send("ready", versions={"locust": locust.__version__}, warnings=warned)
    while not commands:
        gevent.sleep(_POLL_S)
    conductor.run()
    outlet.flush(1.0)
    return 0
