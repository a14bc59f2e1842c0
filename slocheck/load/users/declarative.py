"""Virtual users of a declarative scenario: they run its flows on the lean client, without Locust's tasks."""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import gevent
from locust import User
from locust.env import Environment
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.recording import FailureClass
from slocheck.load.drain import sends_no_more
from slocheck.load.http.cookies import Cookies
from slocheck.load.http.errors import TransportError
from slocheck.load.http.http1.connection import Connection
from slocheck.load.http.http1.heads import Head
from slocheck.load.http.http1.tls import connect_to
from slocheck.load.http.origin import Origin
from slocheck.load.http.sink import PendingRequest, RecorderSink
from slocheck.load.messaging.bundle import scenario_in
from slocheck.load.messaging.machine_messages import Bundle
from slocheck.load.recording.redirects import REDIRECT_STATUSES
from slocheck.load.users.lean_user import origin_for
from slocheck.plan.load_plan import LoadPlan
from slocheck.scenario.compile.compiled import (
    CompiledScenario,
    CompiledStep,
    UnsendableError,
    compile_scenario,
    status_failure,
)
from slocheck.scenario.loader import load_scenario

_END_OF_HEAD = b"\r\n\r\n"


class IterationSource(Protocol):
    """A source of iterations for users.

    Attributes:
        thinks_after_last: Whether a pause after an iteration's last step is kept.
    """

    thinks_after_last: bool

    def next_for(self, user: User) -> tuple[int, int, list[object]]:
        """Return when the user's next iteration was due (0: now), its flow, and its values."""


class FlowUser(User):
    """One virtual user with one connection.

    Attributes:
        scenario: The scenario that it runs.
        origin: The server that it sends to.
        sink: Where its requests are counted.
        iterations: Source of its iterations, shared by the users of a process.
    """

    abstract = True
    scenario: CompiledScenario
    origin: Origin
    sink: RecorderSink
    iterations: IterationSource

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._connection: Connection = connect_to(self.origin, self.sink.deadlines, self.sink.max_body)
        self._cookies = Cookies(self.origin.host, tls=self.origin.tls is not None)
        self._longest_ns = round(self.sink.longest_s * NS_PER_SECOND)

    def run(self) -> None:  # type: ignore[misc] # Locust's own leads into its task sets
        """Run flow after flow until stopped."""
        self._state = LOCUST_STATE_RUNNING
        flows, next_for = self.scenario.flows, self.iterations.next_for
        try:
            while self._state != LOCUST_STATE_STOPPING:
                due_ns, flow, values = next_for(self)
                self._walk(flows[flow].steps, values, due_ns)
        except gevent.GreenletExit:
            return
        finally:
            if self._connection.pending is not None:
                self.sink.unrecorded += 1  # killed in flight, or its own code raised; a drain causes neither
            self._connection.dispose()

    def _walk(self, steps: tuple[CompiledStep, ...], values: list[object], due_ns: int) -> None:
        """Send a flow's steps; the latency of the first counts from when it was due."""
        last = None if self.iterations.thinks_after_last else steps[-1]
        for step in steps:
            if self.sink.draining or sends_no_more(self):
                raise gevent.GreenletExit
            if not self._send(step, values, due_ns) and step.captures:
                return
            due_ns = 0
            if step.think is not None and step is not last:
                self._think(*step.think)

    def _think(self, shortest_s: float, longest_s: float) -> None:
        self._state = LOCUST_STATE_WAITING
        gevent.sleep(random.uniform(shortest_s, longest_s))  # noqa: S311 - a pause, seeded with the run
        if self._state == LOCUST_STATE_STOPPING:
            raise gevent.GreenletExit  # it is being killed: a request would be lost
        self._state = LOCUST_STATE_RUNNING

    def _send(self, step: CompiledStep, values: list[object], due_ns: int) -> bool:
        """Send one step and count it; return whether the response was as expected."""
        sent_ns = time.monotonic_ns()
        pending = PendingRequest(self.sink.counter(step.method, step.name), due_ns or sent_ns, sent_ns)
        try:
            request = step.fixed or step.render(values)
        except UnsendableError as error:
            self.sink.failed(pending, FailureClass.EXPECTATION, str(error), None, size=0, end_ns=sent_ns)
            return False
        if self.scenario.cookies and self._cookies:
            request = _with_cookies(request, self._cookies.header(_target(request)))
        connection = self._connection
        connection.pending = pending
        deadline_ns = sent_ns + min(self._longest_ns, round(step.timeout_s * NS_PER_SECOND))
        try:
            head = connection.exchange(
                request, deadline_ns, keep=step.needs_body, no_body=step.method == "HEAD"
            )
        except TransportError as error:
            self._failed(pending, error)
            return False
        end_ns = time.monotonic_ns()
        if connection.pending is None:
            raise gevent.GreenletExit  # counted when the drain ended: nothing may be counted twice
        if head.cookies and self.scenario.cookies:
            self._cookies.store(head, _target(request))
        fault = self._fault(step, head, values)
        connection.pending = None  # not earlier: if the check itself raises, the request has to show as lost
        approved = step.statuses is not None or (
            head.status in REDIRECT_STATUSES
            and self.sink.leads_as_expected(head, f"//{self.origin.authority}{_target(request)}")
        )
        if fault is None:
            self.sink.responded(pending, head, connection.size, end_ns, approved=approved)
            return True
        if not step.expects and not approved and self.sink.unexpected(head.status):
            self.sink.responded(pending, head, connection.size, end_ns)  # the status explains it
            return False
        self.sink.failed(pending, fault.failure, fault.message, head, size=connection.size, end_ns=end_ns)
        return False

    def _failed(self, pending: PendingRequest, error: TransportError) -> None:
        """Count a request without a response, unless it was counted when the drain ended."""
        taken, self._connection.pending = self._connection.pending, None
        if taken is None:
            raise gevent.GreenletExit
        end_ns = time.monotonic_ns()
        self.sink.failed(pending, error.failure, error.message, None, size=0, end_ns=end_ns)

    def _fault(self, step: CompiledStep, head: Head, values: list[object]) -> TransportError | None:
        """Return which of the step's expectations failed; captured values are stored in `values`."""
        if step.check is None:
            if step.statuses is not None and head.status not in step.statuses:
                return TransportError(FailureClass.EXPECTATION, status_failure(head.status, step.statuses))
            return None
        body = self._connection.body if step.needs_body else b""
        text = step.check(head.status, head.raw, body, values)
        return None if text is None else TransportError(FailureClass.EXPECTATION, text)


def _target(request: bytes) -> str:
    return request.split(b" ", 2)[1].decode("latin-1")


def _with_cookies(request: bytes, cookies: str) -> bytes:
    if not cookies:
        return request
    field = b"\r\nCookie: " + cookies.encode("latin-1", "replace") + _END_OF_HEAD
    return request.replace(_END_OF_HEAD, field, 1)


def user_class(plan: LoadPlan, bundle: Bundle | None = None) -> type[FlowUser]:
    """Return the user class of a plan's scenario, without sink and iterations; raises SlocheckError.

    The scenario is that of the bundle, if there is one, else the file that the plan names.
    """
    scenario = scenario_in(bundle) if bundle else load_scenario(Path(plan.scenario), os.environ)
    origin = origin_for(plan.target_url.rstrip("/"), plan.tls)
    compiled = compile_scenario(scenario, authority=origin.authority, base_path=origin.base)
    attributes = {"abstract": False, "__module__": __name__, "scenario": compiled, "origin": origin}
    return type(FlowUser.__name__, (FlowUser,), attributes)


def iterations(user: type[FlowUser], plan: LoadPlan, index: int) -> Iterator[tuple[int, list[object]]]:
    """Return the iterations of the worker with this index."""
    return user.scenario.iterations(seed=plan.seed, index=index, processes=plan.processes)
