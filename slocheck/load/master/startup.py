"""Starting the master process: the plan, the workers, the scenario, and the order to begin."""

import gc
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import gevent
import locust
from locust.env import Environment

from slocheck.documents.http import authority
from slocheck.errors import UsageError
from slocheck.load.arrivals.starts import starts_text
from slocheck.load.file_calls.process_exits import ProcessExits
from slocheck.load.file_end import raised
from slocheck.load.listeners import Listeners
from slocheck.load.locust_limits import warnings
from slocheck.load.master.run_controller import RunController
from slocheck.load.master.scheduling import step_back
from slocheck.load.master.workers import LocalWorkers, LostError, Workers
from slocheck.load.messaging.line_writer import LineWriter
from slocheck.load.messaging.machine_messages import Listening, ProgressLine
from slocheck.load.messaging.messages import (
    PrepareLoad,
    ScenarioLoaded,
    ScenarioRefused,
    StillPreparing,
    WorkersFailed,
    WorkersReady,
)
from slocheck.load.messaging.parent_pipe import ParentPipe, take_stdout
from slocheck.load.network.connect_guard import ConnectGuard, guard_process
from slocheck.load.users.environment import ScenarioError, load_environment, nothing_forbidden
from slocheck.load.users.own_files import OwnFiles
from slocheck.load.worker.processes import WorkerProcesses
from slocheck.plan.load_plan import LoadPlan

_POLL_S = 0.02


def main(first: PrepareLoad, parent: ParentPipe) -> int:
    """Run the master, or one of its workers; returns the exit code."""
    if first.listening is not None:
        return _with_machines(first.plan, first.listening, *_opened(parent))
    processes = WorkerProcesses()
    if not processes.fork(first.plan.processes):
        from slocheck.load.worker import startup as worker  # noqa: PLC0415 - what the master does not need

        return worker.main()
    output, commands = _opened(parent)
    workers = LocalWorkers(processes)
    return _attempt(output, lambda: _go(_load(first.plan, output), workers, output, commands))[0]


def _opened(parent: ParentPipe) -> tuple[LineWriter, deque[bytes]]:
    """Return the lines to the command line, and the commands that come from it from now on."""
    output = LineWriter(take_stdout())
    commands: deque[bytes] = deque()
    parent.watch(commands.append)
    return output, commands


def _with_machines(plan: LoadPlan, listening: Listening, output: LineWriter, commands: deque[bytes]) -> int:
    """Run the master of workers on other machines; returns the exit code."""
    from slocheck.load.master.remote.machines import Machines  # noqa: PLC0415 - what most runs do not need
    from slocheck.load.master.remote.remote_listener import ListenError  # noqa: PLC0415 - as above

    try:
        machines = Machines(listening, lambda text: output.send(ProgressLine(text)))
    except ListenError as error:
        where = authority(listening.host, listening.port)
        output.send(ScenarioRefused(f"--listen {where}: {error}; name a free address of this machine"))
        output.flush(5.0)
        return 2

    def go() -> None:
        scenario = _load(plan, output)
        machines.pack(plan, os.environ, scenario.manifest)
        machines.gather(plan, lambda: commands, lambda: output.send(StillPreparing()))
        together = replace(plan, processes=machines.processes)
        _go(replace(scenario, plan=together), machines, output, commands)

    code, why = _attempt(output, go)
    machines.stop(1.0, why)
    return code


def _attempt(output: LineWriter, go: Callable[[], None]) -> tuple[int, str]:
    """Make a run; returns the exit code, and why it was not made, as the command line reports it."""
    try:
        go()
    except (ScenarioError, UsageError) as error:
        output.send(ScenarioRefused(str(error)))
        output.flush(5.0)
        return 2, str(error)
    except LostError as error:
        output.send(WorkersFailed(str(error)))
        output.flush(5.0)
        return 4, str(error)
    output.flush(1.0)
    return 0, ""


def _go(scenario: "_Scenario", workers: Workers, output: LineWriter, commands: deque[bytes]) -> None:
    """Connect the workers, wait for the order to begin, make the run; raises ScenarioError, LostError."""
    controller = _prepared(scenario, workers, output=output, commands=commands)
    while not commands:
        gevent.sleep(_POLL_S)
    _run(controller)


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
    """A loaded scenario, and what watches it.

    Attributes:
        plan: The plan that it belongs to.
        environment: Locust's.
        listeners: The file's listeners.
        guard: Watches its connections.
        exits: Watches its attempts to end the process.
        manifest: What a Locust file consists of; nothing for a declarative scenario.
    """

    plan: LoadPlan
    environment: Environment
    listeners: Listeners
    guard: ConnectGuard
    exits: ProcessExits
    manifest: Mapping[str, str]


def _load(plan: LoadPlan, output: LineWriter) -> _Scenario:
    """Load the scenario and report what it is; raises ScenarioError."""
    listeners = Listeners()
    listeners.install()
    exits = ProcessExits()
    exits.install()
    guard = guard_process(plan.allowed_targets)
    files = OwnFiles(plan.scenario)
    files.watch()
    with nothing_forbidden(plan, guard):
        environment = load_environment(plan)
    output.send(ScenarioLoaded(tuple(user.__name__ for user in environment.user_classes)))
    manifest = {} if plan.declarative else files.manifest()
    return _Scenario(plan, environment, listeners, guard, exits, manifest)


def _prepared(
    scenario: _Scenario, workers: Workers, *, output: LineWriter, commands: deque[bytes]
) -> RunController:
    """Connect the workers; raises ScenarioError and LostError."""
    plan = scenario.plan
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
    step_back()  # no further: on a busy machine workers would not hear from it for seconds, and end
    gc.collect()
    gc.freeze()  # objects that live until the end are not scanned again during the load
    classes = scenario.environment.user_classes
    starts = starts_text(plan, classes)
    warned = warnings(plan, classes)
    output.send(WorkersReady(versions={"locust": locust.__version__}, warnings=warned, starts=starts))
    return controller
