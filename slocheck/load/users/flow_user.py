"""Virtual users of a declarative scenario: they run its flows on the lean client, without Locust's tasks.

What needs no waiting is done in the hub: a request goes out when it is due, its response is judged when it
arrives, and the next request follows. A user's greenlet is resumed only for the rest: to connect, to think,
to read a response that comes in pieces, and to end.
"""

import random
from time import monotonic_ns
from typing import Protocol

import gevent
from locust import User
from locust.env import Environment
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.recording import FailureClass
from slocheck.load.http.cookies import Cookies
from slocheck.load.http.errors import TransportError
from slocheck.load.http.http1.connection import Connection
from slocheck.load.http.http1.heads import Head
from slocheck.load.http.http1.tls import connect_to
from slocheck.load.http.known_step import KnownStep
from slocheck.load.http.origin import Origin
from slocheck.load.http.sink import PendingRequest, RecorderSink
from slocheck.load.recording.redirects import REDIRECT_STATUSES
from slocheck.scenario.compile.compiled import (
    CompiledScenario,
    CompiledStep,
    UnsendableError,
    status_failure,
)

_END_OF_HEAD = b"\r\n\r\n"
_BODILESS = "HEAD"

Iteration = tuple[int, int, list[object]]
"""When an iteration was due on the monotonic clock (0: now), its flow, and its values."""


class IterationSource(Protocol):
    """A source of iterations for users.

    Attributes:
        thinks_after_last: Whether a pause after an iteration's last step is kept.
    """

    thinks_after_last: bool

    def next_for(self, user: "FlowUser") -> Iteration | None:
        """Return the user's next iteration; None: its `begin_arrival` is called when there is one."""

    def leave(self, user: "FlowUser") -> None:
        """Give the user no further iteration."""


class FlowUser(User):
    """One virtual user with one connection.

    Attributes:
        scenario: The scenario that it runs.
        origin: The server that it sends to.
        sink: Where its requests are counted.
        iterations: Source of its iterations, shared by the users of a process.
        begin_arrival: Called in the hub with an arrival, while the user waits; always the same object.
        known: What is known of each step that was sent, shared as well.
        slocheck_sends_no_more: It may not begin another request; set by `send_no_more`.

    What each request needs is kept in the instance as well: a class is asked at several times the cost.
    """

    abstract = True
    scenario: CompiledScenario
    origin: Origin
    sink: RecorderSink
    iterations: IterationSource
    known: dict[CompiledStep, KnownStep]
    _known: KnownStep

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.slocheck_sends_no_more = False
        self._sink, self._iterations, self._known_steps = self.sink, self.iterations, self.known
        self._flows, self._keeps_cookies = self.scenario.flows, self.scenario.cookies
        self._connection: Connection = connect_to(self.origin, self.sink.deadlines, self.sink.max_body)
        self._cookies = Cookies(self.origin.host, tls=self.origin.tls is not None)
        self._hub = gevent.get_hub()
        self._steps: tuple[CompiledStep, ...] = ()
        self._at = 0
        self._due_ns = 0
        self._values: list[object] = []
        self._request, self._deadline_ns = b"", 0
        self._begun = False
        self._its_pending = PendingRequest(None, 0, 0)
        self.begin_arrival, self._on_arrived = self._on_arrival, self._on_response
        self._thinks: tuple[float, float] | None = None

    def run(self) -> None:  # type: ignore[misc] # Locust's own leads into its task sets
        """Run flow after flow until stopped."""
        self._state = LOCUST_STATE_RUNNING
        try:
            while self._state != LOCUST_STATE_STOPPING:
                if self._proceed():
                    self._hub.switch()  # until only this greenlet can go on
                self._walk()
        except gevent.GreenletExit:
            return
        finally:
            self.iterations.leave(self)
            if self._connection.pending is not None:
                self.sink.unrecorded += 1  # killed in flight, or its own code raised; a drain causes neither
            self._connection.dispose()

    def _on_arrival(self, arrival: tuple[int, tuple[int, tuple[int, list[object]]]]) -> None:
        """Begin an iteration that is due, while this user waits for one; called in the hub."""
        self._due_ns, (_, (flow, self._values)) = arrival
        self._steps, self._at = self._flows[flow].steps, 0
        self._state = LOCUST_STATE_RUNNING
        try:
            done = self._begin_step()
        except BaseException as error:  # noqa: BLE001 - the user ends by it, not the hub
            self.greenlet.throw(error)
        else:
            if not done:
                self.greenlet.switch()

    def _on_response(self) -> None:
        """Take what came for the request that was begun; called in the hub, as `_on_arrival` is."""
        try:
            done = self._take_response()
        except BaseException as error:  # noqa: BLE001 - as above
            self.greenlet.throw(error)
        else:
            if not done:
                self.greenlet.switch()

    def _proceed(self) -> bool:
        """Begin the next step, or the next iteration's; False: only the greenlet can go on."""
        if self._at == len(self._steps):
            if self._state == LOCUST_STATE_STOPPING:
                return False
            iteration = self._iterations.next_for(self)
            if iteration is None:
                return True
            self._due_ns, flow, self._values = iteration
            self._steps, self._at = self._flows[flow].steps, 0
        return self._begin_step()

    def _begin_step(self) -> bool:
        """Send the next step without waiting; False: only the greenlet can go on."""
        step = self._steps[self._at]
        if self._sink.draining or self.slocheck_sends_no_more or step.method == _BODILESS:
            return False
        pending, connection = self._note_pending(step), self._connection
        try:
            fixed = None if self._keeps_cookies else step.fixed
            self._request = request = fixed or self._written(step)
        except UnsendableError:
            return False
        if not connection.begin(request, self._deadline_ns, self._on_arrived):
            return False
        connection.pending = pending
        self._begun = True
        return connection.waiting

    def _take_response(self) -> bool:
        """Judge the response and begin what follows; False: only the greenlet can go on."""
        step, connection = self._steps[self._at], self._connection
        head, pending = connection.arrived(keep=step.needs_body), connection.pending
        if head is None or pending is None:
            return False
        end_ns = monotonic_ns()
        self._begun = False
        if head.traits in self._known.plain:  # all that `_settle` would find out is known
            connection.pending, as_expected = None, True
            self._sink.succeeded(pending, head, end_ns)
        else:
            as_expected = self._settle(step, head, end_ns)
        self._go_to_next(step, as_expected=as_expected)
        return self._thinks is None and self._proceed()

    def _go_to_next(self, step: CompiledStep, *, as_expected: bool) -> None:
        """Go to the next step, or to the flow's end if that needs what this one did not capture."""
        self._due_ns = 0
        if not as_expected and step.captures:
            self._at = len(self._steps)
            return
        self._at += 1
        if step.think is not None and (self._at < len(self._steps) or self.iterations.thinks_after_last):
            self._thinks = step.think

    def _walk(self) -> None:
        """Do the rest of an iteration, waiting if need be; in the user's greenlet."""
        while True:
            if self._thinks is not None:
                self._think(*self._thinks)
            if self._at == len(self._steps):
                return
            step = self._steps[self._at]
            self._go_to_next(step, as_expected=self._send(step))

    def _think(self, shortest_s: float, longest_s: float) -> None:
        self._thinks = None
        if self._state == LOCUST_STATE_STOPPING:
            raise gevent.GreenletExit  # asked to stop meanwhile
        self._state = LOCUST_STATE_WAITING
        gevent.sleep(random.uniform(shortest_s, longest_s))  # noqa: S311 - a pause, seeded with the run
        if self._state == LOCUST_STATE_STOPPING:
            raise gevent.GreenletExit  # it is being killed: a request would be lost
        self._state = LOCUST_STATE_RUNNING

    def _send(self, step: CompiledStep) -> bool:
        """Send a step, or go on with it, and count it; return whether the response was as expected."""
        connection, begun = self._connection, self._begun
        if begun and connection.pending is None:
            raise gevent.GreenletExit  # counted when the drain ended
        if not begun:
            if self.sink.draining or self.slocheck_sends_no_more:
                raise gevent.GreenletExit
            pending = self._note_pending(step)
            try:
                self._request = self._written(step)
            except UnsendableError as error:
                sent_ns, failure = pending.sent_ns, FailureClass.EXPECTATION
                self.sink.failed(pending, failure, str(error), None, size=0, end_ns=sent_ns)
                return False
            connection.pending = pending
        self._begun = False
        try:
            head = connection.exchange(
                self._request,
                self._deadline_ns,
                keep=step.needs_body,
                no_body=step.method == _BODILESS,
                begun=begun,
            )
        except TransportError as error:
            self._failed(error)
            return False
        return self._settle(step, head, monotonic_ns())

    def _note_pending(self, step: CompiledStep) -> PendingRequest:
        """Return the request of a step that is sent now, and set its deadline.

        It is the same object each time: a user has one request at a time.
        """
        sent_ns = monotonic_ns()
        known = self._known_steps.get(step) or self._learn(step)
        self._known = known
        self._deadline_ns = sent_ns + known.limit_ns
        pending = self._its_pending
        pending.counter, pending.start_ns, pending.sent_ns = known.counter, self._due_ns or sent_ns, sent_ns
        return pending

    def _learn(self, step: CompiledStep) -> KnownStep:
        """Return what is known of a step that was not sent before."""
        limit_s = min(self.sink.longest_s, step.timeout_s)
        counter = self.sink.counter(step.method, step.name)
        known = self.known[step] = KnownStep(step, counter, round(limit_s * NS_PER_SECOND))
        return known

    def _written(self, step: CompiledStep) -> bytes:
        """Return the bytes of a step's request; raises UnsendableError."""
        request = step.fixed or step.render(self._values)
        if self._keeps_cookies and self._cookies:
            return _with_cookies(request, self._cookies.header(_target(request)))
        return request

    def _settle(self, step: CompiledStep, head: Head, end_ns: int) -> bool:
        """Count a request with a response; return whether it was as expected."""
        connection, sink = self._connection, self.sink
        pending = connection.pending
        if pending is None:
            raise gevent.GreenletExit  # counted when the drain ended: nothing may be counted twice
        if head.cookies and self.scenario.cookies:
            self._cookies.store(head, _target(self._request))
        fault = self._fault(step, head)
        connection.pending = None  # not earlier: if the check itself raises, the request has to show as lost
        approved = step.statuses is not None or (
            head.status in REDIRECT_STATUSES
            and sink.leads_as_expected(head, f"//{self.origin.authority}{_target(self._request)}")
        )
        if fault is None:
            sink.responded(pending, head, connection.size, end_ns, approved=approved)
            self.known[step].learn(head, sink)
            return True
        if not step.expects and not approved and sink.unexpected(head.status):
            sink.responded(pending, head, connection.size, end_ns)  # the status explains it
            return False
        sink.failed(pending, fault.failure, fault.message, head, size=connection.size, end_ns=end_ns)
        return False

    def _failed(self, error: TransportError) -> None:
        """Count a request without a response, unless it was counted when the drain ended."""
        taken, self._connection.pending = self._connection.pending, None
        if taken is None:
            raise gevent.GreenletExit
        end_ns = monotonic_ns()
        self.sink.failed(taken, error.failure, error.message, None, size=0, end_ns=end_ns)

    def _fault(self, step: CompiledStep, head: Head) -> TransportError | None:
        """Return which of the step's expectations failed; captured values are stored."""
        if step.check is None:
            if step.statuses is not None and head.status not in step.statuses:
                return TransportError(FailureClass.EXPECTATION, status_failure(head.status, step.statuses))
            return None
        body = self._connection.body if step.needs_body else b""
        text = step.check(head.status, head.raw, body, self._values)
        return None if text is None else TransportError(FailureClass.EXPECTATION, text)


def _target(request: bytes) -> str:
    return request.split(b" ", 2)[1].decode("latin-1")


def _with_cookies(request: bytes, cookies: str) -> bytes:
    if not cookies:
        return request
    field = b"\r\nCookie: " + cookies.encode("latin-1", "replace") + _END_OF_HEAD
    return request.replace(_END_OF_HEAD, field, 1)
