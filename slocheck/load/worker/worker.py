"""A worker process: Locust's worker runner with slocheck's recorder."""

import gc
import logging
import random
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

import gevent
import locust
import zmq.error
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from locust.env import Environment
from locust.exception import StopTest
from locust.rpc.protocol import Message
from locust.runners import STATE_SPAWNING, WorkerRunner
from locust.stats import RequestStats
from locust.user.task import LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING
from pydantic import TypeAdapter

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.merge import Delta, to_plain
from slocheck.load.arrivals.arrival_setup import NO_ARRIVALS, ArrivalSetup, equip
from slocheck.load.locust_limits import warnings
from slocheck.load.machine_limits import raise_descriptor_limit
from slocheck.load.messaging import locust_messages
from slocheck.load.messaging.parent_pipe import ParentPipe
from slocheck.load.messaging.signing import Signer
from slocheck.load.recording.tracking import Tracker
from slocheck.load.users import lean_user
from slocheck.load.users.environment import ScenarioError, load_environment
from slocheck.load.users.locust_clients import install
from slocheck.load.worker import user_errors
from slocheck.load.worker.health import SAMPLE_S, ComplaintHandler, Health
from slocheck.load.worker.locust_stats import add_to_statistics
from slocheck.plan.load_plan import LoadPlan

REPORT_EVERY_S = 1.0
_POLL_S = 0.02
_KILL_S = 0.3
_GIVE_WAY_S = 0.001
_LONG_NS = 3600 * NS_PER_SECOND


class Worker(WorkerRunner):
    """Locust's worker, which reports recordings and drains its users without losing a request.

    Attributes:
        finished: Set when the master has no more use for this process.
    """

    def __init__(
        self,
        environment: Environment,
        port: int,
        *,
        seal: Signer,
        tracker: Tracker,
        health: Health,
        arrivals: ArrivalSetup | None,
        warned: Sequence[str] = (),
    ) -> None:
        self.finished = Event()
        self.last_received_spawn_timestamp = 0
        self._seal, self._tracker, self._health, self._arrivals = seal, tracker, health, arrivals
        self._warned = warned
        self._sequence = 0
        self._unsent = Delta()
        self._reporting = BoundedSemaphore()
        self._drain_until: float | None = None
        self._as_timeouts = True
        super().__init__(environment, "127.0.0.1", port)

    def worker(self) -> Any:  # Locust says NoReturn; so is this
        """Receive from the master; whatever is not sealed is dropped."""
        while True:
            try:
                data = self.client.socket.recv()
            except zmq.error.ZMQError:
                gevent.sleep(_POLL_S)
                continue
            message = locust_messages.open_message(self._seal, [data])
            if message is not None and message.node_id == self.client_id:
                self.handle_message(message)

    def handle_message(self, msg: Message) -> None:
        """Act on one message; what takes long goes on beside the listening."""
        match msg.type:
            case locust_messages.PREPARE:
                gevent.spawn(self._prepare)
            case locust_messages.BEGIN:
                self._begin(msg.data["origin_ns"])
            case "stop":
                self._begin_stop(msg.data["within_s"], as_timeouts=msg.data["as_timeouts"])
            case "quit":
                self.finished.set()
            case _:
                super().handle_message(msg)

    def _prepare(self) -> None:
        """Fire `test_start` before the clock runs: a listener may take its time.

        In the open model all users are started now, so that each arrival finds one.
        """
        self.environment.events.test_start.fire(environment=self.environment)
        self.worker_state = STATE_SPAWNING
        if self._arrivals is not None:
            self._tracker.begin(time.monotonic_ns() + _LONG_NS)  # what on_start sends is of the first second
            try:
                self.spawn_users(self._arrivals.pool)
            except StopTest as error:
                self.send_message(locust_messages.UNPREPARED, {"why": str(error)})
                return
            self._arrivals.wait_for_pool(lambda: self.user_count)
        self.send_message(locust_messages.PREPARED)

    def _begin(self, origin_ns: int) -> None:
        self._tracker.begin(origin_ns)
        self._health.origin_ns = origin_ns
        self._health.forget_samples()  # how busy this process was before the load is not the load's
        for text in self._warned:
            self._health.complain(text)
        if self._arrivals is not None:
            self._arrivals.dispatcher.begin(origin_ns)
        gevent.spawn(self._sample)
        gevent.spawn(self._report_regularly, origin_ns)

    def _sample(self) -> None:
        """Watch the event loop: sleep shortly, and see how late it wakes."""
        while not self._tracker.draining:
            due = time.monotonic_ns() + round(SAMPLE_S * NS_PER_SECOND)
            gevent.sleep(SAMPLE_S)
            self._health.sample(users=self.user_count, late_ns=time.monotonic_ns() - due)

    def _report_regularly(self, origin_ns: int) -> None:
        """Report right after each full second since the load's begin."""
        second = 1
        while not self.finished.is_set():
            due = origin_ns / NS_PER_SECOND + second * REPORT_EVERY_S
            gevent.sleep(max(0.0, due - time.monotonic()))
            self._report(final=False)
            second += 1

    def _report(self, *, final: bool) -> None:
        """Send all that is new; the numbers run without a gap, so that a lost report is noticed."""
        with self._reporting:
            self._flush()
            delta, self._unsent = self._unsent, Delta()
            self._sequence += 1
            report = self._described(delta, final=final)
            _let_others_go()
            self.send_message(locust_messages.REPORT, report)

    def _described(self, delta: Delta, *, final: bool) -> dict[str, Any]:
        """Return a report's data."""
        tracker = self._tracker
        return {
            "sequence": self._sequence,
            "final": final,
            "delta": to_plain(delta),
            "running": self.user_count,
            "open": tracker.open,
            "in_flight": tracker.in_flight,
            "unrecorded": tracker.unrecorded,
            "last_end_ns": tracker.last_end_ns,
            **self._health.take(),
            **(self._arrivals.dispatcher.take() if self._arrivals is not None else NO_ARRIVALS),
        }

    def _flush(self) -> None:
        """Take what was counted since the last time, and bring Locust's own statistics up to date."""
        events, lean = self._tracker.flush()
        counts = self._unsent.counts + events.counts + lean.counts
        self._unsent = Delta(counts, self._unsent.errors + events.errors + lean.errors)
        _let_others_go()
        add_to_statistics(self.environment.stats, lean)
        _let_others_go()

    def _begin_stop(self, within_s: float, *, as_timeouts: bool) -> None:
        """Drain within a time; a second call during the drain can only shorten it."""
        until = time.monotonic() + within_s
        if self._drain_until is not None:
            self._drain_until = min(self._drain_until, until)
            self._as_timeouts = as_timeouts
            return
        self._drain_until, self._as_timeouts = until, as_timeouts
        gevent.spawn(self._stop_and_report)

    def _stop_and_report(self) -> None:
        if self._arrivals is not None:
            self._arrivals.dispatcher.stop()
        self._tracker.drain()
        self.stop()
        self._send_stats()
        self.send_message("client_stopped")
        self._report(final=True)

    def stop_users(self, user_classes_stop_count: dict[str, int]) -> None:
        """Stop users as Locust does, or in a drain: each finishes its request and sends no other.

        A user between two requests of a task ends at its next one. Whoever is still there at the
        deadline is killed, after the requests in flight were recorded.
        """
        if self._drain_until is None:
            super().stop_users(user_classes_stop_count)
            return
        asked: set[object] = set()
        while self.user_greenlets and time.monotonic() < self._drain_until:
            for greenlet in list(self.user_greenlets):
                if greenlet not in asked and greenlet.args:
                    asked.add(greenlet)
                    _ask_to_stop(greenlet.args[0])
            gevent.sleep(_POLL_S)
        self._tracker.give_up(as_timeouts=self._as_timeouts)
        self.user_greenlets.kill(block=True, timeout=_KILL_S)
        self._tracker.give_up(as_timeouts=self._as_timeouts)  # what an on_stop sent meanwhile
        with self._reporting:
            self._flush()  # Locust fires test_stop next, and its listeners read the statistics


def _let_others_go() -> None:
    """Give way to arrivals that are due: a report in one piece would keep them for milliseconds."""
    gevent.sleep(_GIVE_WAY_S)


def _ask_to_stop(user: Any) -> None:
    """Stop a user beside the caller, for its `on_stop` may take long.

    One that waits is killed, but not before it knows: the kill takes its turn behind those of other
    users, and a wait that ends meanwhile would send a request only to have it killed in flight.
    """
    if user._state == LOCUST_STATE_WAITING:  # noqa: SLF001 - Locust has no public name for it
        user._state = LOCUST_STATE_STOPPING  # noqa: SLF001
        gevent.spawn(user.group.killone, user.greenlet)
    else:
        gevent.spawn(user.stop)


def _watch_logs(health: Health) -> None:
    """Show warnings on stderr and keep them for the report."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger().addHandler(ComplaintHandler(health))


def main() -> int:
    """Run one worker as the lifeline's first line says; returns the exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lifeline = ParentPipe()
    settings = lifeline.line()
    lifeline.watch(lambda _line: None)
    plan = TypeAdapter(LoadPlan).validate_python(settings["plan"])
    if plan.seed is not None:
        random.seed(f"{plan.seed}/{settings['index']}")
    raise_descriptor_limit()
    tracker, health = Tracker(plan), Health()
    _watch_logs(health)
    install(tracker, drain_s=plan.drain_s, tls=plan.tls)
    user_errors.watch()
    lean_user.install(tracker.lean)
    locust.events.request.add_listener(tracker.on_request)
    locust.events.user_error.add_listener(health.on_user_error)
    try:
        environment = load_environment(plan)
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    seal = Signer(bytes.fromhex(settings["token"]))
    locust_messages.sign_messages(seal)
    environment.stats = RequestStats(use_response_times_cache=False)
    arrivals = equip(environment, plan, settings["index"], tracker.lean)
    runner = Worker(
        environment,
        settings["port"],
        seal=seal,
        tracker=tracker,
        health=health,
        arrivals=arrivals,
        warned=warnings(plan, environment.user_classes),
    )
    environment.runner = runner
    environment.events.init.fire(environment=environment, runner=runner, web_ui=None)
    gc.collect()
    gc.freeze()  # what lives until the end is not searched again during the load
    runner.finished.wait()
    environment.events.quitting.fire(environment=environment, reverse=True)
    return 0
