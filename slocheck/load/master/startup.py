"""Starting the master process: the plan, the workers, the scenario, and the order to begin."""

import os
import signal
from collections import deque
from dataclasses import dataclass

import gevent
import locust
from locust.env import Environment

from slocheck.load.arrivals.starts import starts_text
from slocheck.load.file_calls.process_exits import ProcessExits
from slocheck.load.file_end import raised
from slocheck.load.listeners import Listeners
from slocheck.load.locust_limits import warnings
from slocheck.load.logs import show_logs
from slocheck.load.master.run_controller import LostError, RunController
from slocheck.load.master.worker_processes import WorkerProcesses
from slocheck.load.messaging import protocol
from slocheck.load.messaging.line_writer import LineWriter
from slocheck.load.messaging.messages import (
    PrepareLoad,
    ScenarioLoaded,
    ScenarioRefused,
    WorkersFailed,
    WorkersReady,
)
from slocheck.load.messaging.parent_pipe import ParentPipe, take_stdout
from slocheck.load.network.connect_guard import ConnectGuard, guard_process
from slocheck.load.users.environment import ScenarioError, load_environment, nothing_forbidden
from slocheck.plan.load_plan import LoadPlan

_POLL_S = 0.02
_NICENESS = 10
"""The master yields to workers on its core: they have to keep a schedule, it does not."""


def main() -> int:
    """Run the master, or one of its workers, as standard input says; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    show_logs()
    parent = ParentPipe()
    first = protocol.decode_command(parent.line())
    assert isinstance(first, PrepareLoad)
    workers = WorkerProcesses()
    if not workers.fork(first.plan.processes):
        from slocheck.load.worker import startup as worker  # noqa: PLC0415 - what the master does not need

        return worker.main()
    output = LineWriter(take_stdout())
    commands: deque[bytes] = deque()
    parent.watch(commands.append)
    try:
        scenario = _load(first.plan, output)
        controller = _prepared(first.plan, scenario, workers, output=output, commands=commands)
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
    _run(controller)
    output.flush(1.0)
    return 0


def _run(controller: RunController) -> None:
    """Make the run in its own greenlet: when a greenlet of the Locust file exits, it ends the main one."""
    running = gevent.spawn(controller.run)
    while not running.ready():
        try:
            running.join()
        except (SystemExit, KeyboardInterrupt) as leaving:
            controller.end_by_file(raised(leaving))
    running.get()


@dataclass(frozen=True, slots=True)
class _Scenario:
    """A loaded scenario, and what watches it."""

    environment: Environment
    listeners: Listeners
    guard: ConnectGuard
    exits: ProcessExits


def _load(plan: LoadPlan, output: LineWriter) -> _Scenario:
    """Load the scenario and report what it is; raises ScenarioError."""
    listeners = Listeners()
    listeners.install()
    exits = ProcessExits()
    exits.install()
    guard = guard_process(plan.allowed_targets)
    with nothing_forbidden(plan, guard):
        environment = load_environment(plan)
    output.send(ScenarioLoaded(tuple(user.__name__ for user in environment.user_classes)))
    return _Scenario(environment, listeners, guard, exits)


def _prepared(
    plan: LoadPlan,
    scenario: _Scenario,
    workers: WorkerProcesses,
    *,
    output: LineWriter,
    commands: deque[bytes],
) -> RunController:
    """Connect the workers; raises ScenarioError and LostError."""
    with nothing_forbidden(plan, scenario.guard):  # a listener of `init` may connect, too
        controller = RunController(
            plan,
            scenario.environment,
            workers,
            listeners=scenario.listeners,
            output=output,
            commands=commands,
            guard=scenario.guard,
        )
    scenario.exits.on_exit = controller.end_by_file
    controller.connect()
    os.nice(_NICENESS)
    classes = scenario.environment.user_classes
    starts = starts_text(plan, classes)
    warned = warnings(plan, classes)
    output.send(WorkersReady(versions={"locust": locust.__version__}, warnings=warned, starts=starts))
    return controller
