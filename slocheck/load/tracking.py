"""Every request of a worker, from Locust's `request` event into the recorder.

The event alone loses requests: it never fires for a request that is killed in flight, nor for a
`catch_response` block that raises. So Locust's two HTTP clients are wrapped (see `locust_clients`), and
each request stays in flight here until the event or this module records it.
"""

import time
import weakref
from dataclasses import replace
from typing import Any

from slocheck.evidence.merge import Delta
from slocheck.evidence.recording import BEFORE_LOAD, FailureClass
from slocheck.load.http.sink import RecorderSink, UnsentListener
from slocheck.load.own_code import is_own_fault
from slocheck.load.recording.in_flight import InFlightRequest, InFlightTable
from slocheck.load.recording.outcome import (
    CUT_SHORT,
    KILLED,
    UnmeasuredError,
    cache_outcome,
    classify,
    failure_class,
    fields_of,
    given_up_text,
    is_cut_off,
    is_forbidden,
    is_transport,
    leaves_block,
    message_of,
    reported_error,
    status_message,
    unmeasured,
)
from slocheck.load.recording.recorder import Recorder, Result
from slocheck.load.recording.redirects import first_redirect
from slocheck.load.recording.reported import moment_of, name_of, size_of, status_of, time_ns_of
from slocheck.load.schedule_lag import current_user, take_schedule_lag
from slocheck.masking import strip_url
from slocheck.plan.load_plan import LoadPlan

REQUEST_KEY = "slocheck.request"
_NOT_BEGUN_NS = 1 << 62
_BY_STATUS = frozenset({FailureClass.STATUS, FailureClass.UNEXPECTED})
_NO_RESPONSE_CLASSES = frozenset(FailureClass) - _BY_STATUS - {FailureClass.EXPECTATION}


class Tracker:
    """Follows the requests of one process.

    Attributes:
        recorder: Where they are counted.
        requests: Those in flight.
        draining: No new request may be sent.
        lean: Where the lean client, which tracks its own requests, counts them.
    """

    def __init__(self, plan: LoadPlan, on_unsent: UnsentListener) -> None:
        self.recorder = Recorder(plan.thresholds_ns, plan.endpoints, warmup_s=plan.warmup_s)
        self.requests = InFlightTable()
        self.lean = RecorderSink(plan, on_unsent)
        self.draining = False
        self._in_flight = 0
        self._unrecorded = 0
        self._plan = plan
        self._on_unsent = on_unsent
        self.begin(_NOT_BEGUN_NS)

    @property
    def open(self) -> int:
        """Requests in flight."""
        return len(self.requests) + self.lean.open

    @property
    def in_flight(self) -> int:
        """Requests given up when the drain ended, recorded as failed by timeout."""
        return self._in_flight + self.lean.in_flight

    @property
    def unrecorded(self) -> int:
        """Requests that were sent and have no recorded outcome."""
        return self._unrecorded + self.lean.unrecorded

    @property
    def last_end_ns(self) -> int:
        """When the last response ended, on the monotonic clock."""
        return max(self.recorder.last_end_ns, self.lean.recorder.last_end_ns)

    def begin(self, origin_ns: int) -> None:
        """Count slices from this time of the monotonic clock; earlier requests have a separate slice."""
        for recorder in (self.recorder, self.lean.recorder):
            recorder.begin(origin_ns, BEFORE_LOAD)

    def drain(self) -> None:
        """Send no new request."""
        self.draining = self.lean.draining = True

    def flush(self) -> tuple[Delta, Delta]:
        """Return what Locust's event and what the lean client counted since the last flush."""
        self.settle_forgotten()
        return self.recorder.flush(), self.lean.recorder.flush()

    def on_request(
        self,
        request_type: str,
        name: str,
        response_time: object = None,
        *,
        response_length: object = 0,
        response: object = None,
        context: object = None,
        exception: object = None,
        start_time: object = None,
        **_: object,
    ) -> None:
        """Listen to Locust's `request` event; the names are the event's, the values may be anything.

        A request that cannot be counted as reported was still sent: it is logged, and counts as unrecorded.
        """
        request = context.pop(REQUEST_KEY, None) if isinstance(context, dict) else None
        if request is not None and (self._unsendable(request, response) or not self.requests.close(request)):
            return
        method, name = name_of(request_type), _recorded_name(name_of(name), request)
        if isinstance(exception, Exception) and is_forbidden(exception):
            self._on_unsent(method, name, exception)
            return
        try:
            service_ns = time_ns_of(response_time)
            result = self._result(
                request, response, service_ns=service_ns, exception=exception, start_time=start_time
            )
        except UnmeasuredError as error:
            self._unmeasured(method, name, error)
            return
        except Exception as error:  # noqa: BLE001 - whatever the reported values' own classes raise
            told = UnmeasuredError(f"could not be counted: {message_of(error)}")
            self._unmeasured(method, name, told)
            return
        self.recorder.record(method, name, replace(result, size=size_of(response_length)))
        if result.failure is None and service_ns != result.latency_ns:
            self.recorder.counter(method, name).service(result.start_ns, service_ns)

    def _result(
        self,
        request: InFlightRequest | None,
        response: object,
        *,
        service_ns: int,
        exception: object,
        start_time: object,
    ) -> Result:
        """Return the result of a request that took `service_ns` after it was sent.

        Raises:
            UnmeasuredError: It has a status that no response can have.
        """
        waited_ns = _waited_ns(request) if request is not None else take_schedule_lag(current_user())
        start_ns = (
            request.start_ns if request is not None else self._start(service_ns, start_time) - waited_ns
        )
        error = reported_error(exception)
        by_scenario = request.by_scenario if request is not None else _by_own_client(error)
        approved = request is not None and request.approved
        failure, status, message, cache = self._judge(
            response, error, by_scenario=by_scenario, approved=approved
        )
        return Result(start_ns, service_ns + waited_ns, failure, status, message, cache)

    def _start(self, latency_ns: int, start_time: object) -> int:
        """Return when a request of a client that is not wrapped was sent, on the monotonic clock.

        At the latest, that was its latency ago. The event's own wall-clock time is earlier if the event was
        fired late; it is used if it lies within the run.
        """
        latest = time.monotonic_ns() - latency_ns
        moment = moment_of(start_time)
        if moment is None:
            return latest
        reported = time.monotonic_ns() - round((time.time() - moment) * 1_000_000_000)
        return reported if self.recorder.origin_ns <= reported <= latest else latest

    def _judge(
        self, response: object, error: BaseException | None, *, by_scenario: bool, approved: bool = False
    ) -> tuple[FailureClass | None, int | None, str, int]:
        """Return failure, status, message and cache outcome of a response."""
        status = status_of(response)
        fields = fields_of(response)
        transport = getattr(response, "error", None) if status == 0 else None
        if isinstance(transport, BaseException):
            error, by_scenario, approved = transport, False, False  # a missing response cannot be approved
        redirect = first_redirect(response, error)
        rule = self._plan.failures
        cache = cache_outcome(fields, self._plan.cache) if status else 0
        if redirect is not None and not (redirect.followed and status and not rule.succeeds(status)):
            status, fields = redirect.status, {"location": redirect.location}
            approved = approved or redirect.path in rule.redirects
            error = None if redirect.elsewhere else error
        failure = failure_class(
            status=status, error=error, by_scenario=by_scenario, rule=rule, approved=approved
        )
        if status is None and failure in _NO_RESPONSE_CLASSES:
            status = 0
        if failure is None:
            return None, status, "", cache
        if error is not None and failure not in _BY_STATUS:
            return failure, status, message_of(error), cache
        return failure, status, status_message(status or 0, fields), cache

    def responded(self, request: InFlightRequest, response: Any, meta: dict[str, Any]) -> None:
        """Note that a `catch_response` request has its response, which the scenario may still judge."""
        if request not in self.requests or self._unsendable(request, response):
            return
        if request.timer is not None:
            request.timer.close()
        failure, status, message, cache = self._judge(response, meta["exception"], by_scenario=False)
        latency_ns = max(1, round(meta["response_time"] * 1_000_000)) + _waited_ns(request)
        size = meta["response_length"]
        if request.url_name is None:
            request.name = meta["name"]
        else:
            request.url_name, request.name = meta["name"], strip_url(meta["name"])
        request.provisional = Result(request.start_ns, latency_ns, failure, status, message, cache, size)
        request.holder = weakref.ref(response)

    def block_ended(self, request: InFlightRequest, error: BaseException) -> None:
        """Record a `catch_response` request whose block raised; Locust does not record it.

        An exception is a failed expectation, unless it only leaves the block (a stop, an interrupt of the
        task set), which says nothing about the response.
        """
        provisional = request.provisional
        if provisional is None or not self.requests.close(request):
            return
        if provisional.failure in (None, FailureClass.UNEXPECTED) and not leaves_block(error):
            provisional = replace(provisional, failure=FailureClass.EXPECTATION, message=message_of(error))
        self.recorder.record(request.method, request.name, provisional)

    def _unsendable(self, request: InFlightRequest, response: object) -> bool:
        """Tell whether a client reports why it could not build the request, instead of a response."""
        error = getattr(response, "error", None) if getattr(response, "status_code", None) == 0 else None
        return isinstance(error, Exception) and self._unsent(request, error)

    def _unsent(self, request: InFlightRequest, error: Exception) -> bool:
        """Return whether a request failed while it was built; count that as the scenario's exception."""
        told = unmeasured(error) or (
            KILLED if is_cut_off(error, time.monotonic_ns() - request.sent_ns) else None
        )
        if told is None and not is_forbidden(error) and (request.under_way or is_transport(error)):
            return False
        if request.give_back is not None and not request.under_way:
            request.give_back()
        if not self.requests.close(request):
            return True
        if told is not None:
            self._unmeasured(request.method, request.name, told)
        elif not leaves_block(error):
            self._on_unsent(request.method, request.name, error)
        return True

    def _unmeasured(self, method: str, name: str, error: UnmeasuredError) -> None:
        """Count a sent request that the scenario itself kept from being measured."""
        self._unrecorded += 1
        self._on_unsent(method, name, error)

    def killed(self, request: InFlightRequest, *, leaving: bool) -> None:
        """Note a request whose greenlet the Locust file killed: that is not the target's fault.

        If the user was leaving, such as when its `on_stop` ends what runs in the background, the request
        is left out as in Locust. Only if it had taken as long as the shortest latency limit, it counts as
        possibly bad: to leave out what hangs would make a target look healthy.
        """
        if not self.requests.close(request):
            return
        if not leaving:
            self._unmeasured(request.method, request.name, KILLED)
        elif request.age_ns >= self._plan.shortest_limit_ns:
            result = Result(request.start_ns, request.age_ns, FailureClass.UNEXPECTED, 0, CUT_SHORT)
            self.recorder.record(request.method, request.name, result)

    def timed_out(self, request: InFlightRequest, timeout: BaseException, *, leaving: bool) -> None:
        """Record a request that a timer of gevent ended: its own deadline, or one of the Locust file."""
        if is_cut_off(timeout, time.monotonic_ns() - request.sent_ns):
            self.killed(request, leaving=leaving)
        elif self.requests.close(request):
            failure, text = FailureClass.TIMEOUT, message_of(timeout)
            self.recorder.record(
                request.method, request.name, Result(request.start_ns, request.age_ns, failure, 0, text)
            )

    def broke_off(self, request: InFlightRequest, error: BaseException) -> None:
        """Record a request whose client raised, unless it was never sent."""
        if isinstance(error, Exception) and self._unsent(request, error):
            return
        if not self.requests.close(request):
            return
        failure = classify(error)
        if failure is FailureClass.PROTOCOL and is_own_fault(error.__traceback__):
            failure = FailureClass.EXPECTATION  # such as a hook of the scenario that reads the response
        result = Result(request.start_ns, request.age_ns, failure, 0, message_of(error))
        self.recorder.record(request.method, request.name, result)

    def settle_forgotten(self) -> None:
        """Record responses of `catch_response` requests that were never used in a block."""
        for request in self.requests:
            if request.forgotten:
                self._settle(request)

    def _settle(self, request: InFlightRequest) -> None:
        assert request.provisional is not None
        if self.requests.close(request):
            self.recorder.record(request.method, request.name, request.provisional)

    def give_up(self, *, as_timeouts: bool) -> None:
        """Record or drop all requests in flight: the drain is over.

        Args:
            as_timeouts: Record those without a response as failed at their age. Otherwise the run was ended
                early, which says nothing about the target, and they stay unrecorded.
        """
        for request in self.requests:
            if request.provisional is not None:
                self._settle(request)
            elif as_timeouts:
                self.requests.close(request)
                self._in_flight += 1
                age = request.age_ns
                result = Result(request.start_ns, age, FailureClass.TIMEOUT, 0, given_up_text(age))
                self.recorder.record(request.method, request.name, result)
            else:
                self.requests.close(request)
                self._unrecorded += 1
        self.lean.give_up(as_timeouts=as_timeouts)


def _by_own_client(error: BaseException | None) -> bool:
    """Tell whether the scenario's own client reports something other than a clear network error."""
    return error is not None and classify(error) is FailureClass.PROTOCOL


def _recorded_name(name: str, request: InFlightRequest | None) -> str:
    """Return the name of an event's request; if it comes from the URL, without the query's values.

    The scenario may have renamed a response that it judges itself.
    """
    if request is None or request.url_name is None:
        return name
    renamed = request.provisional is not None and name != request.url_name
    return name if renamed else strip_url(name)


def _waited_ns(request: InFlightRequest) -> int:
    """Return how long after its due time a request was sent, nanoseconds."""
    return request.sent_ns - request.start_ns
