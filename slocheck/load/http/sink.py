"""Counting the lean client's requests. No Locust here."""

import time
from collections.abc import Callable
from typing import Any, Protocol

from slocheck.evidence.recording import FailureClass
from slocheck.load.http.deadline_timer import DeadlineTimer
from slocheck.load.http.http1.heads import Head
from slocheck.load.recording.outcome import (
    CUT_SHORT,
    KILLED,
    cache_outcome,
    failure_class,
    given_up_text,
    status_message,
)
from slocheck.load.recording.recorder import EndpointCounter, Recorder, Result
from slocheck.plan.load_plan import LoadPlan
from slocheck.spec.model import Tls

UnsentListener = Callable[[str, str, Exception], None]
"""Called for a request that could not be built, with its method, its name, and why."""


class Sink(Protocol):
    """Receives the client's reports of its requests.

    Attributes:
        deadlines: Watches the deadlines of all connections.
        longest_s: Longest that a request may take, seconds.
        max_body: Bytes that a decoded body may have.
        tls: TLS settings; None: as the user class says.
        draining: No new request may be sent.
        unsettled: For each response that the scenario has not judged yet, a function that counts it as it is.
    """

    deadlines: DeadlineTimer
    longest_s: float
    max_body: int
    tls: Tls | None
    draining: bool
    unsettled: set[Callable[[None], None]]

    def counter(self, method: str, name: str) -> Any:
        """Return the key of an endpoint for `responded` and `failed`."""

    def responded(
        self, pending: "PendingRequest", head: Head, size: int, end_ns: int, *, approved: bool = False
    ) -> None:
        """Count a request with a complete response; `approved`: the scenario expects this status."""

    def counted_head(self, first: Head, last: Head, path: str) -> tuple[Head, bool]:
        """Return the head that counts for a redirected request, and whether its status is approved.

        Args:
            first: Head of the first response, which redirected.
            last: Head of the last response.
            path: Path that the last response came from.
        """

    def leads_as_expected(self, head: Head, url: str) -> bool:
        """Tell whether a redirect that is not followed leads to an allowed path.

        Args:
            head: Of the response.
            url: The requested URL, as ``//host/path``.
        """

    def failed(
        self, pending: "PendingRequest", failure: FailureClass, message: str, head: Head | None, **sizes: int
    ) -> None:
        """Count a request that failed, `end_ns` and `size` given by name."""

    def unsent(self, method: str, name: str, error: Exception) -> None:
        """Note a request that could not be built; it is not counted."""

    def killed(self, pending: "PendingRequest", *, leaving: bool) -> None:
        """Note a request whose greenlet was killed while it was in flight; `leaving`: its user was going."""


class PendingRequest:
    """One request in flight.

    Attributes:
        counter: Of its endpoint, as the sink returned it.
        start_ns: When it was due, on the monotonic clock.
        sent_ns: When it was sent.
    """

    __slots__ = ("counter", "sent_ns", "start_ns")

    def __init__(self, counter: Any, start_ns: int, sent_ns: int) -> None:
        self.counter = counter
        self.start_ns = start_ns
        self.sent_ns = sent_ns


class RecorderSink:
    """Counts in a recorder by the rules of the spec.

    Attributes:
        recorder: Counts the lean client's requests only.
        in_flight: Requests given up when the drain ended, recorded as failed by timeout.
        unrecorded: Requests that were sent and have no recorded outcome.
        unsent: Called for those that could not be built.
    """

    def __init__(self, plan: LoadPlan, on_unsent: UnsentListener) -> None:
        self.unsent = on_unsent
        self.recorder = Recorder(plan.thresholds_ns, plan.endpoints, warmup_s=plan.warmup_s)
        self.deadlines = DeadlineTimer()
        self.longest_s = max(plan.drain_s, 1.0)
        self.max_body = plan.max_body
        self.tls: Tls | None = plan.tls
        self.draining = False
        self.in_flight = self.unrecorded = 0
        self.unsettled: set[Callable[[None], None]] = set()
        self.counter: Callable[[str, str], EndpointCounter] = self.recorder.counter
        self._plan = plan
        self._good: set[int] = set()
        self._cache_fields = [f"\r\n{name}:".encode("latin-1", "replace") for name in plan.cache.headers]

    @property
    def open(self) -> int:
        """Requests in flight."""
        return sum(connection.pending is not None for connection in self.deadlines.connections)

    def responded(
        self, pending: PendingRequest, head: Head, size: int, end_ns: int, *, approved: bool = False
    ) -> None:
        """Count a request with a complete response.

        If the scenario approves an unexpected status, it is a success; a failure by the spec stays a failure.
        """
        status = head.status
        if status not in self._good:
            failure = failure_class(
                status=status, error=None, by_scenario=False, approved=approved, rule=self._plan.failures
            )
            if failure is not None:
                text = status_message(status, _lowered(head))
                self.failed(pending, failure, text, head, size=size, end_ns=end_ns)
                return
            if not self._plan.failures.unexpected(status):  # the approval holds for this scenario only
                self._good.add(status)
        outcome = head.outcome
        if outcome is None:
            outcome = self._cache_outcome(head)
        pending.counter.ok(pending.start_ns, pending.sent_ns, end_ns, status, size, cache=outcome)

    def succeeded(self, pending: PendingRequest, head: Head, end_ns: int) -> None:
        """Count a request as `responded` did one with the same traits, if `is_success` holds."""
        outcome = head.outcome
        if outcome is None:
            outcome = self._cache_outcome(head)
        pending.counter.ok(pending.start_ns, pending.sent_ns, end_ns, head.status, head.length, cache=outcome)

    def is_success(self, status: int) -> bool:
        """Tell whether a status is known to be a success by the spec."""
        return status in self._good

    def killed(self, pending: PendingRequest, *, leaving: bool) -> None:
        """Note a request whose greenlet the Locust file killed; see `Tracker.killed`."""
        end_ns = time.monotonic_ns()
        if leaving:
            if end_ns - pending.start_ns >= self._plan.shortest_limit_ns:
                self.failed(pending, FailureClass.UNEXPECTED, CUT_SHORT, None, size=0, end_ns=end_ns)
            return
        self.unrecorded += 1
        self.unsent(pending.counter.endpoint.method, pending.counter.endpoint.name, KILLED)

    def unexpected(self, status: int) -> bool:
        """Tell whether a status is unexpected, if the scenario expects none."""
        return self._plan.failures.unexpected(status)

    def counted_head(self, first: Head, last: Head, path: str) -> tuple[Head, bool]:
        """Return the head that counts for a redirected request, and whether the spec expects it.

        The first head counts, unless the last response, from `path`, is not a success by itself.
        """
        rule = self._plan.failures
        return (first, path in rule.redirects) if rule.succeeds(last.status) else (last, False)

    def leads_as_expected(self, head: Head, url: str) -> bool:
        """Tell whether a redirect that is not followed leads to a path that the spec names."""
        return self._plan.failures.expects_redirect(url, head.location)

    def failed(
        self, pending: PendingRequest, failure: FailureClass, message: str, head: Head | None, **sizes: int
    ) -> None:
        """Count a request that was not a success.

        A failure by the spec stays one, whatever else was wrong with the response.
        """
        endpoint = pending.counter.endpoint
        if head is not None and self._plan.failures.fails(head.status):
            failure, message = FailureClass.STATUS, f"HTTP {head.status}"
        result = Result(
            pending.start_ns,
            max(1, sizes["end_ns"] - pending.start_ns),
            failure,
            head.status if head is not None else 0,
            message,
            self._cache_outcome(head) if head is not None else 0,
            sizes["size"],
        )
        self.recorder.record(endpoint.method, endpoint.name, result)

    def _cache_outcome(self, head: Head) -> int:
        """Return what a head says about a cache, remembered because the same heads come again."""
        if head.outcome is None:
            lowered = head.raw.lower()
            named = any(field in lowered for field in self._cache_fields)
            head.outcome = cache_outcome(_lowered(head), self._plan.cache) if named else 0
        return head.outcome

    def give_up(self, *, as_timeouts: bool) -> None:
        """Count what is still in flight when the drain is over; see `Tracker.give_up`."""
        now_ns = time.monotonic_ns()
        for settle in list(self.unsettled):
            settle(None)
        for connection in self.deadlines.connections:
            pending, connection.pending = connection.pending, None
            if pending is None:
                continue
            if as_timeouts:
                text = given_up_text(now_ns - pending.start_ns)
                self.in_flight += 1
                self.failed(pending, FailureClass.TIMEOUT, text, None, size=0, end_ns=now_ns)
            else:
                self.unrecorded += 1


def _lowered(head: Head) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, value in head.fields():
        key = name.lower()
        fields[key] = f"{fields[key]}, {value}" if key in fields else value
    return fields
