"""The lean client without slocheck: every request fires Locust's event."""

import time
from collections.abc import Callable

from locust.env import Environment

from slocheck.evidence.recording import FailureClass
from slocheck.load.http.deadline_timer import DeadlineTimer
from slocheck.load.http.errors import TransportError
from slocheck.load.http.http1.heads import Head
from slocheck.load.http.sink import PendingRequest
from slocheck.spec.model import Tls
from slocheck.spec.model.workload import DEFAULT_MAX_BODY

FIRST_ERROR_STATUS = 400


class EventSink:
    """Fires Locust's `request` event: a Locust file with a `LeanHttpUser` also runs without slocheck."""

    def __init__(self, environment: Environment) -> None:
        self.deadlines = DeadlineTimer()
        self.longest_s = float("inf")
        self.max_body = DEFAULT_MAX_BODY
        self.tls: Tls | None = None
        self.draining = False
        self.unsettled: set[Callable[[None], None]] = set()
        self._fire: Callable[..., None] = environment.events.request.fire

    def counter(self, method: str, name: str) -> tuple[str, str]:
        """Return the endpoint as the event names it."""
        return method, name

    def responded(
        self, pending: PendingRequest, head: Head, size: int, end_ns: int, *, approved: bool = False
    ) -> None:
        """Fire the event of a response; a status of 400 or above is a failure, as in Locust."""
        failed = head.status >= FIRST_ERROR_STATUS and not approved
        error = TransportError(FailureClass.STATUS, f"HTTP {head.status}") if failed else None
        self._event(pending, error, size, end_ns)

    def counted_head(self, first: Head, last: Head, path: str) -> tuple[Head, bool]:
        """Return the last head: as in Locust, a request that was redirected counts by its last response."""
        del first, path
        return last, False

    def leads_as_expected(self, head: Head, url: str) -> bool:
        """Return True: in Locust a redirect that is not followed is always a success."""
        del head, url
        return False

    def failed(
        self, pending: PendingRequest, failure: FailureClass, message: str, head: Head | None, **sizes: int
    ) -> None:
        """Fire the event of a failure."""
        del head
        self._event(pending, TransportError(failure, message), sizes["size"], sizes["end_ns"])

    def killed(self, pending: PendingRequest, *, leaving: bool) -> None:
        """Do nothing: as in Locust, such a request is not counted."""

    def unsent(self, method: str, name: str, error: Exception) -> None:
        """Do nothing: Locust reports what a task raises."""

    def _event(self, pending: PendingRequest, error: Exception | None, size: int, end_ns: int) -> None:
        method, name = pending.counter
        self._fire(
            request_type=method,
            name=name,
            response_time=(end_ns - pending.start_ns) / 1e6,
            response_length=size,
            exception=error,
            context={},
            response=None,
            start_time=time.time() - (time.monotonic_ns() - pending.start_ns) / 1e9,
            url=name,
        )
