"""A worker process: Locust's worker runner with slocheck's recorder."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gevent
import zmq.error
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import STATE_CLEANUP, STATE_SPAWNING, STATE_STOPPED, WorkerRunner
from locust.user.task import LOCUST_STATE_STOPPING

from slocheck.documents.http import host_and_port
from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.forbidden import ForbiddenConnection, later
from slocheck.evidence.merge import Delta
from slocheck.evidence.warnings import RunWarning
from slocheck.load.arrivals.load_model import NoUserError, WorkerModel
from slocheck.load.arrivals.turns import TaskWatch
from slocheck.load.file_calls.planned_runner import PlannedRunner
from slocheck.load.file_end import raised
from slocheck.load.listeners import Listeners
from slocheck.load.messaging import locust_messages, protocol
from slocheck.load.messaging.messages import (
    Begin,
    Drain,
    EndReport,
    FileEnded,
    Hello,
    Order,
    Prepare,
    Prepared,
    WorkerMessage,
    WorkerReport,
)
from slocheck.load.messaging.signing import Signer
from slocheck.load.network.connect_guard import ConnectGuard
from slocheck.load.schedule_lag import current_user
from slocheck.load.tracking import Tracker
from slocheck.load.worker.health import SAMPLE_S, Health
from slocheck.load.worker.locust_stats import add_to_statistics
from slocheck.load.worker.master_watch import MasterWatch
from slocheck.load.worker.stops import ask_to_stop, leaves_by_plan, ramp_down, users_of
from slocheck.plan.load_plan import LoadPlan

REPORT_EVERY_S = 1.0
_POLL_S = 0.02
_KILL_S = 0.3
_GIVE_WAY_S = 0.001
_MOST_TARGETS = 4


logger = logging.getLogger(__name__)


class Worker(PlannedRunner, WorkerRunner):
    """Locust's worker, which reports recordings and drains its users without losing a request.

    Attributes:
        finished: Set when the master no longer needs this process.
    """

    def __init__(
        self,
        environment: Environment,
        address: str,
        *,
        signer: Signer,
        plan: LoadPlan,
        listeners: Listeners,
        tracker: Tracker,
        health: Health,
        watch: TaskWatch,
        model: WorkerModel,
        guard: ConnectGuard,
        warnings: Sequence[RunWarning] = (),
    ) -> None:
        self.finished = Event()
        self.last_received_spawn_timestamp = 0
        self._signer, self._tracker, self._health, self._model = signer, tracker, health, model
        self._watch, self._guard, self._warnings = watch, guard, warnings
        self._forbidden: tuple[ForbiddenConnection, ...] = ()
        self._drain_s, self._listeners = plan.drain_s, listeners
        self._port, self._declarative = host_and_port(plan.target_url)[1], plan.declarative
        self._sequence = 0
        self._unsent = Delta()
        self._reporting = BoundedSemaphore()
        self._drain_until: float | None = None
        self._as_timeouts = True
        self._begun = False
        self._master = MasterWatch()
        super().__init__(environment, address, 0)
        self.watch_parts()

    def greet(self) -> None:
        """Tell the master that the file is loaded and its `init` listeners have finished."""
        self._send(Hello())

    def refuse(self, how: str) -> None:
        """Tell the master that the file cannot be used."""
        self._send(FileEnded(how, loading=True))

    def report_end(self, report: EndReport) -> None:
        """Tell the master what the last listeners left."""
        self._send(replace(report, forbidden=later(self._guard.forbidden, self._forbidden)))

    def end_by_file(self, how: str) -> None:
        """End the run, because the Locust file asks for it: this worker drains; the master drains the others.

        It has no effect on a run that is over.
        """
        if self._drain_until is not None or self.finished.is_set():
            return
        self._send(FileEnded(how))
        user = current_user()
        if user is not None:
            user._state = LOCUST_STATE_STOPPING  # noqa: SLF001 - it sends nothing more
        self._model.stop()
        self._tracker.drain()
        if self._begun:
            self._begin_drain(self._drain_s, as_timeouts=False)

    def _send(self, message: WorkerMessage) -> None:
        self._send_plain(protocol.encode(message))

    def _send_stats(self) -> None:
        """Send Locust's statistics; entries of a listener that cannot be sent are left out with a warning.

        Without a Locust file nothing reads them.
        """
        if self._declarative:
            return
        data: dict[str, Any] = {}
        self.environment.events.report_to_master.fire(client_id=self.client_id, data=data)
        good, bad = locust_messages.sendable(data)
        for key, error in bad.items():
            self._health.add_message(f"warning: report_to_master: {key!r} cannot be sent: {error}")
        self.send_message("stats", good)

    def _send_plain(self, plain: Any) -> None:
        self.send_message(locust_messages.SLOCHECK, plain)

    def worker(self) -> Any:  # Locust says NoReturn; so is this
        """Receive from the master; messages that are not signed are dropped."""
        while True:
            try:
                data = self.client.socket.recv()
            except zmq.error.ZMQError:
                gevent.sleep(_POLL_S)
                continue
            message = locust_messages.open_message(self._signer, [data])
            if message is not None and message.node_id == self.client_id:
                self._master.hear()
                self.handle_message(message)

    def handle_message(self, msg: Message) -> None:
        """Act on one message; slow work runs in a greenlet, so that the next message is received."""
        match msg.type:
            case locust_messages.SLOCHECK:
                try:
                    order = protocol.decode_order(msg.data)
                except protocol.ProtocolError as error:
                    logger.warning("a message is dropped: %s", error)
                else:
                    self._obey(order)
            case "quit":
                self.finished.set()
            case _:
                super().handle_message(msg)

    def _obey(self, order: Order) -> None:
        match order:
            case Prepare():
                gevent.spawn(self._master.keep)  # users may send something in their on_start
                gevent.spawn(self._prepare)
            case Begin():
                self._begin(order.origin_ns)
            case Drain():
                self._begin_drain(order.within_s, as_timeouts=order.as_timeouts)

    def _prepare(self) -> None:
        """Fire `test_start` before the clock runs, because a listener may be slow.

        In the open model all users are started now, so that each arrival finds one.
        """
        try:
            self.environment.events.test_start.fire(environment=self.environment)
            self.worker_state = STATE_SPAWNING
            self._model.start_users(self.spawn_users, lambda: self.user_count)
        except NoUserError:
            self.end_by_file(f"no user could start{self._health.most_often()}")
            return
        except BaseException as error:  # noqa: BLE001 - whatever the file raises
            self.end_by_file(raised(error))
            return
        if failed := self._listeners.take_errors():
            self.end_by_file(next(iter(failed)))
            return
        self._send(Prepared())

    def _begin(self, origin_ns: int) -> None:
        if self._tracker.draining:
            return  # the file has ended the run
        self._begun = True
        self._tracker.begin(origin_ns)
        self._health.origin_ns = origin_ns
        self._health.forget_samples()  # the CPU use of this process before the load does not count
        for warning in self._warnings:
            self._health.add_message(warning.text)
        self._model.begin(origin_ns)
        gevent.spawn(self._sample)
        gevent.spawn(self._report_regularly, origin_ns)

    def _sample(self) -> None:
        """Watch the event loop: sleep briefly, and measure how late it wakes."""
        while not self._tracker.draining:
            due = time.monotonic_ns() + round(SAMPLE_S * NS_PER_SECOND)
            gevent.sleep(SAMPLE_S)
            self._health.sample(users=self.user_count, late_ns=time.monotonic_ns() - due)

    def _report_regularly(self, origin_ns: int) -> None:
        """Report right after each full second since the load began."""
        second = 1
        while not self.finished.is_set():
            due = origin_ns / NS_PER_SECOND + second * REPORT_EVERY_S
            gevent.sleep(max(0.0, due - time.monotonic()))
            self._report(final=False)
            second += 1

    def _report(self, *, final: bool) -> None:
        """Send all that is new; reports are numbered without gaps, so that a lost one is noticed."""
        with self._reporting:
            self._flush()
            delta, self._unsent = self._unsent, Delta()
            self._sequence += 1
            report = protocol.encode(self._described(delta, final=final))
            _let_others_go()
            self._send_plain(report)

    def _described(self, delta: Delta, *, final: bool) -> WorkerReport:
        tracker = self._tracker
        self._forbidden = self._guard.forbidden
        return WorkerReport(
            sequence=self._sequence,
            final=final,
            delta=delta,
            running=self.user_count,
            open=tracker.open,
            in_flight=tracker.in_flight,
            unrecorded=tracker.unrecorded,
            last_end_ns=tracker.last_end_ns,
            health=replace(
                self._health.take(), listener_errors=self._listeners.take_errors(), targets=self._targets
            ),
            arrivals=self._model.take(),
            tasks=self._watch.take(users_of(self.user_greenlets)),
            forbidden=self._forbidden,
        )

    @property
    def _targets(self) -> tuple[str, ...]:
        """Addresses that this process connected to on the target's port."""
        found = sorted(address for address, port in self._guard.reached if port == self._port)
        return tuple(found[:_MOST_TARGETS])

    def _flush(self) -> None:
        """Take the counts since the last flush, and update Locust's own statistics for a Locust file."""
        events, lean = self._tracker.flush()
        self._unsent += events + lean
        _let_others_go()
        if not self._declarative:
            add_to_statistics(self.environment.stats, lean)
            _let_others_go()

    def _begin_drain(self, within_s: float, *, as_timeouts: bool) -> None:
        """Drain within a time; a second call during the drain can only shorten that time."""
        until = time.monotonic() + within_s
        if self._drain_until is not None:
            self._drain_until = min(self._drain_until, until)
            self._as_timeouts = as_timeouts
            return
        self._drain_until, self._as_timeouts = until, as_timeouts
        self._watch.over = True
        self._model.stop()
        self._tracker.drain()
        gevent.spawn(self._drain_and_report)

    def _drain_and_report(self) -> None:
        """Let the users end, then send the last report; the last listeners run after it."""
        gevent.spawn(self.environment.events.test_stopping.fire, environment=self.environment)
        self.final_user_classes_count = dict(self.user_classes_count)
        self.update_state(STATE_CLEANUP)
        self.stop_users(self.user_classes_count)
        self.update_state(STATE_STOPPED)
        self._send_stats()
        self._master.end()  # other workers may drain for much longer
        self.send_message("client_stopped")
        self._report(final=True)

    @property
    def user_classes_count(self) -> dict[str, int]:
        """Users by class, without those that the plan has asked to leave: it starts and stops others."""
        counts = super().user_classes_count
        for user in users_of(self.user_greenlets):
            counts[type(user).__name__] -= leaves_by_plan(user)
        return counts

    def stop_by_plan(self, by_class: dict[str, int]) -> None:
        """Stop users by the plan's stages or in a drain: each finishes its request and sends no further one.

        A user between two requests of a task ends at its next one. Users that are left at the deadline are
        killed, after the requests in flight were recorded.
        """
        if self._drain_until is None:
            users, request_s = users_of(self.user_greenlets), self._tracker.lean.longest_s
            ramp_down(users, by_class, task_s=self._drain_s, request_s=request_s)
            return
        asked: set[int] = set()
        while self.user_greenlets and time.monotonic() < self._drain_until:
            for user in users_of(self.user_greenlets):
                if id(user) not in asked:
                    asked.add(id(user))
                    ask_to_stop(user)
            gevent.sleep(_POLL_S)
        self._tracker.give_up(as_timeouts=self._as_timeouts)
        self.user_greenlets.kill(block=True, timeout=_KILL_S)
        self._tracker.give_up(as_timeouts=self._as_timeouts)  # requests that an on_stop sent meanwhile
        with self._reporting:
            self._flush()  # the last listeners read the statistics


def _let_others_go() -> None:
    """Let arrivals that are due proceed: making a report in one piece would delay them for milliseconds."""
    gevent.sleep(_GIVE_WAY_S)
