"""Starting a worker, forked from the master: its settings and its scenario."""

import gc
import logging
import random
import signal
import sys
from functools import partial

import locust
from locust.env import Environment
from locust.stats import RequestStats

from slocheck.evidence.forbidden import forbidden_text
from slocheck.load.arrivals.load_model import worker_model
from slocheck.load.arrivals.turns import TaskWatch
from slocheck.load.file_calls.home_thread import HomeThread
from slocheck.load.file_calls.process_exits import ProcessExits
from slocheck.load.file_end import initialised, raised
from slocheck.load.listeners import Listeners
from slocheck.load.locust_limits import warnings
from slocheck.load.logs import show_logs
from slocheck.load.machine_limits import raise_descriptor_limit
from slocheck.load.messaging import local_socket, locust_messages, protocol
from slocheck.load.messaging.bundle import digest, unpacked
from slocheck.load.messaging.messages import EndReport, WorkerSettings
from slocheck.load.messaging.parent_pipe import ParentPipe, show_lines
from slocheck.load.messaging.signing import Signer
from slocheck.load.network.connect_guard import guard_process
from slocheck.load.tracking import Tracker
from slocheck.load.users import client_rules, lean_user, response_rules
from slocheck.load.users.environment import ScenarioError, load_environment, nothing_forbidden
from slocheck.load.users.locust_clients import install
from slocheck.load.users.own_files import OwnFiles, differences
from slocheck.load.worker import locust_stats, user_errors
from slocheck.load.worker.health import Health, HealthLogHandler
from slocheck.load.worker.time_slice import ask_for_short_slices
from slocheck.load.worker.user_classes import FailedUser, catch_init_errors
from slocheck.load.worker.worker import Worker
from slocheck.plan.load_plan import LoadPlan

_UNUSABLE = 2


def main() -> int:
    """Run one worker with the settings from standard input; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    show_lines()
    parent = ParentPipe()
    line = parent.line()
    parent.watch(lambda _line: None)
    try:
        settings = protocol.decode_settings(line)
        return _run(settings)
    except (protocol.ProtocolError, ScenarioError) as error:
        sys.stderr.write(f"{error}\n")
        return _UNUSABLE


def _run(settings: WorkerSettings) -> int:
    """Run one worker; returns the exit code."""
    plan = settings.plan
    if plan.seed is not None:
        random.seed(f"{plan.seed}/{settings.index}")
    raise_descriptor_limit()
    watch, listeners, exits = TaskWatch(), Listeners(), ProcessExits()
    for watching in (listeners, exits):
        watching.install()
    health = Health(watch.take_classes)
    tracker = Tracker(plan, health.on_unsent)
    _watch_logs(health)
    _listen(tracker, health, plan, watch)
    catch_init_errors(partial(_on_init_error, health, watch))
    guard = guard_process(plan.allowed_targets)
    bundle = unpacked(settings.bundle, digest(settings.bundle)) if settings.bundle else None
    files = OwnFiles(plan.scenario)
    files.watch()
    with nothing_forbidden(plan, guard):
        environment = load_environment(plan, bundle)
    differ = differences(files.manifest(), bundle.manifest) if bundle and not plan.declarative else ""
    signer = Signer(bytes.fromhex(settings.token))
    locust_messages.sign_messages(signer)
    local_socket.install()
    environment.stats = RequestStats(use_response_times_cache=False)
    runner = Worker(
        environment,
        settings.address,
        plan=plan,
        listeners=listeners,
        signer=signer,
        tracker=tracker,
        health=health,
        watch=watch,
        model=worker_model(environment, plan, settings.index, tracker, watch),
        guard=guard,
        warnings=warnings(plan, environment.user_classes),
    )
    environment.runner = runner
    watch.on_stop_test = lambda error: runner.end_by_file(raised(error))
    exits.on_exit = runner.end_by_file
    refusal = initialised(environment, runner, listeners)
    if refusal := differ or (forbidden_text(guard.forbidden) if guard.forbidden else refusal):
        runner.refuse(refusal)
        runner.finished.wait()  # or until the master ends, and with it this process
        return _UNUSABLE
    runner.target_user_count = plan.users_of(settings.index)
    _work(runner, listeners)
    return 0


def _work(runner: Worker, listeners: Listeners) -> None:
    """Take part in the run, until the last listeners have finished."""
    gc.collect()
    gc.freeze()  # objects that live until the end are not scanned again during the load
    ask_for_short_slices()
    runner.greet()
    _wait(runner)
    runner.report_end(_end_report(runner.environment, listeners))


def _on_init_error(health: Health, watch: TaskWatch, error: Exception) -> None:
    """Count what the `__init__` of a user class raised: Locust would start no further user."""
    health.on_user_error(None, error, error.__traceback__)
    watch.on_user_error(FailedUser())


def _wait(runner: Worker) -> None:
    """Wait until the master no longer needs this process, even if a greenlet tries to exit meanwhile."""
    while not runner.finished.is_set():
        try:
            runner.finished.wait()
        except (SystemExit, KeyboardInterrupt) as leaving:
            runner.end_by_file(raised(leaving))


def _end_report(environment: Environment, listeners: Listeners) -> EndReport:
    """Fire the last events and return what their listeners left."""
    events, before = environment.events, listeners.result
    listeners.finish(events.test_stop, environment=environment)
    listeners.finish(events.quitting, environment=environment, reverse=True)
    after = listeners.result
    return EndReport(
        exit_code=before.exit_code,
        exit_place=before.exit_place,
        late_code=after.exit_code if after.exit_code != before.exit_code else 0,
        listener_errors=after.listener_errors,
        unfinished=tuple(listeners.unfinished),
    )


def _listen(tracker: Tracker, health: Health, plan: LoadPlan, watch: TaskWatch) -> None:
    """Listen to every request and every error of a user, before the scenario's own listeners."""
    install(tracker, drain_s=plan.drain_s, tls=plan.tls)
    client_rules.install()
    response_rules.install(plan.max_body)
    locust_stats.watch_entries(health.add_message)
    user_errors.watch(watch.left, watch.killed)
    lean_user.install(tracker.lean)
    home = HomeThread()
    locust.events.request.add_listener(lambda **told: home.call(partial(tracker.on_request, **told)))
    locust.events.user_error.add_listener(health.on_user_error)
    locust.events.user_error.add_listener(watch.on_user_error)


def _watch_logs(health: Health) -> None:
    """Show messages on stderr, and keep warnings for the report."""
    show_logs()
    logging.getLogger().addHandler(HealthLogHandler(health))
