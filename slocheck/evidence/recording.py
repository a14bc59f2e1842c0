"""The client side's numbers: exact counts and histograms per endpoint and one-second slice.

Every latency is in integer nanoseconds. A slice is one second of the run, counted from the moment
the load began; a request belongs to the slice in which it was (to be) sent, not the one it ended in.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from slocheck.spec.model import Endpoint

_REFUSALS, _TOO_MANY = frozenset({3, 4}), 429


BEFORE_LOAD = -1
"""The second of all that the users of the open model sent in their `on_start`, before the schedule began."""


class FailureClass(StrEnum):
    """Why a request was not a success.

    GENERATOR failures are this machine's own, never the target's. An UNEXPECTED response is not a failure
    either: its status is one that nobody named, so the request may not be the one that was meant.
    """

    DNS = "dns"
    REFUSED = "refused"
    RESET = "reset"
    TIMEOUT = "timeout"
    TLS = "tls"
    PROTOCOL = "protocol"
    STATUS = "status"
    EXPECTATION = "expectation"
    UNEXPECTED = "unexpected"
    GENERATOR = "generator"


class RequestCounts:
    """What follows from the numbers of successful and of failed requests, whatever part of a run they are of.

    Attributes:
        ok: Requests that neither failed nor had an unexpected response.
        failures: Failed requests by class, and those with an unexpected response.
    """

    __slots__ = ()
    ok: int
    failures: Mapping[FailureClass, int]

    @property
    def failed(self) -> int:
        """Failed requests of all classes; an unexpected response is not a failure."""
        return sum(self.failures.values()) - self.unexpected

    @property
    def unexpected(self) -> int:
        """Requests whose response had an unexpected status."""
        return self.failures.get(FailureClass.UNEXPECTED, 0)

    @property
    def sent(self) -> int:
        """Requests attempted."""
        return self.ok + sum(self.failures.values())


@dataclass(frozen=True, slots=True)
class SliceCounts(RequestCounts):
    """What happened to the requests that one endpoint was sent in one second.

    Attributes:
        second: Seconds since the load began; `BEFORE_LOAD` for what users sent when they started, before it.
        ok: Requests that neither failed nor had an unexpected response.
        failures: Failed requests by class, and those with an unexpected response.
        statuses: Requests by status code; 0 stands for no response at all.
        unserved: No response at all, or 502, 503, 504: what availability counts.
        over: For each threshold of the recording, the *ok* requests at or over it, exactly.
        latencies: Histogram of the ok requests: bucket index (see `histogram`) to count.
        failed_latencies: The same of the failed ones and of those with an unexpected response.
        total_ns: Sum of the ok requests' latencies.
        max_ns: Largest of the ok requests' latencies; 0 where there is none.
        cache_hits: Hits, by response header.
        cache_misses: Misses, by response header.
        bytes_received: Body bytes.
        service_times: Histogram of the ok requests' times from their real sending on, where that differs
            from the intended start: in the open model.
    """

    second: int
    ok: int = 0
    failures: Mapping[FailureClass, int] = field(default_factory=dict)
    statuses: Mapping[int, int] = field(default_factory=dict)
    unserved: int = 0
    over: tuple[int, ...] = ()
    latencies: Mapping[int, int] = field(default_factory=dict)
    failed_latencies: Mapping[int, int] = field(default_factory=dict)
    total_ns: int = 0
    max_ns: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    bytes_received: int = 0
    service_times: Mapping[int, int] = field(default_factory=dict)


def only_refused(parts: Iterable[SliceCounts]) -> bool:
    """Tell whether there were responses, none of them a success and all 3xx, or 4xx other than 429.

    Then the load did not do what it was meant to do, whatever the scenario says of those responses.
    """
    responded = False
    for part in parts:
        no_response = part.statuses.get(0, 0) - part.failures.get(FailureClass.GENERATOR, 0)
        if part.ok or no_response > 0 or any(_serves(status) for status in part.statuses):
            return False
        responded = responded or any(part.statuses)
    return responded


def _serves(status: int) -> bool:
    """Tell whether a status says that the target dealt with the request: neither 3xx nor 4xx, or 429."""
    return status != 0 and (status // 100 not in _REFUSALS or status == _TOO_MANY)


@dataclass(frozen=True, slots=True)
class EndpointRecording:
    """One endpoint's slices, in order of seconds; seconds without a request are absent."""

    endpoint: Endpoint
    slices: tuple[SliceCounts, ...]


@dataclass(frozen=True, slots=True)
class ErrorExample:
    """One failed request or unexpected response, for the report; texts come from the target and are foreign.

    Attributes:
        endpoint: What was asked.
        failure: Its class.
        count: How many failed with this very message.
        message: The first one's message, at most 300 characters.
        second: When the first was sent, seconds since the load began.
    """

    endpoint: Endpoint
    failure: FailureClass
    count: int
    message: str
    second: int


@dataclass(frozen=True, slots=True)
class Recording:
    """Everything the client side recorded, warm-up included.

    Attributes:
        thresholds_ns: What `SliceCounts.over` counts against, ascending.
        endpoints: By endpoint, sorted.
        errors: Examples of failures, most frequent first, bounded in number.
        warmup_s: Whole seconds at the start that are warm-up; the window starts there.
        window_s: Whole seconds of the window that were measured (fewer than planned when cut short).
    """

    thresholds_ns: tuple[int, ...]
    endpoints: tuple[EndpointRecording, ...]
    errors: tuple[ErrorExample, ...]
    warmup_s: int
    window_s: int

    @property
    def window(self) -> range:
        """The seconds that are graded, counted from the load's begin; what comes before is warm-up."""
        return range(self.warmup_s, self.warmup_s + max(0, self.window_s))

    def slices(self, endpoint: Endpoint | None = None) -> Iterator[SliceCounts]:
        """Yield the slices of an endpoint, or of all, warm-up and drain included."""
        for item in self.endpoints:
            if endpoint is None or item.endpoint == endpoint:
                yield from item.slices

    def window_slices(self, endpoint: Endpoint | None = None) -> Iterator[SliceCounts]:
        """Yield the slices of an endpoint, or of all, that lie in the window."""
        window = self.window
        return (part for part in self.slices(endpoint) if part.second in window)
