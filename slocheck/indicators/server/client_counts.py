"""What the client counted, for the server's counts to be reconciled with."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from slocheck.evidence.histogram import merge
from slocheck.evidence.recording import EndpointRecording, FailureClass, Recording, SliceCounts
from slocheck.spec.model import Endpoint, FailureRule

_NO_CONNECTION = (FailureClass.DNS, FailureClass.REFUSED, FailureClass.TLS)
_NONE_NAMED = FailureRule(statuses=())
"""By this rule everything outside 2xx and 304 is unexpected."""


@dataclass(frozen=True, slots=True)
class ClientCounts:
    """The client's count of the requests that a server-side sample is about.

    Attributes:
        sent: Requests attempted in the whole load, warm-up included; 0: unknown.
        no_response: Those of the whole load that got no response.
        window_sent: Requests attempted in the window.
        window_s: The window's length, seconds.
        never_arrived: Those of the whole load that no server can have counted: there was no connection.
        failed_responses: Those of the whole load whose status is a failure.
        window_never_arrived: The same per second of the window.
        failed: Per second of the window, requests without a response or with a status that is a failure.
        unserved: The same of what availability counts.
        statuses: Statuses outside 2xx and 304 that the client saw in the whole load.
        accepted: Those that the scenario expects, as far as the client's counts tell.
        maybe_accepted: Those that it may expect: the same endpoint had responses that were not accepted.
        latencies: Histogram of all responses of the whole load, failed ones included.
    """

    sent: int
    no_response: int
    window_sent: int
    window_s: float
    never_arrived: int = 0
    failed_responses: int = 0
    window_never_arrived: tuple[int, ...] = ()
    failed: tuple[int, ...] = ()
    unserved: tuple[int, ...] = ()
    statuses: frozenset[int] = frozenset()
    accepted: frozenset[int] = frozenset()
    maybe_accepted: frozenset[int] = frozenset()
    latencies: Mapping[int, int] = field(default_factory=dict)

    @property
    def without_latency(self) -> int:
        """Requests of the whole load that got no response, or whose latency is not known."""
        return max(self.no_response, self.sent - sum(self.latencies.values()))


def client_counts(recording: Recording, endpoint: Endpoint | None) -> ClientCounts:
    """Count what was sent to an endpoint, or to all, without requests that failed in the load generator."""
    parts = list(recording.slices(endpoint))
    window = list(recording.window_slices(endpoint))
    seconds = recording.window
    seen, accepted, maybe_accepted = _judged(recording, endpoint)
    return ClientCounts(
        sent=sum(_left(part) for part in parts),
        no_response=sum(_no_response(part) for part in parts),
        window_sent=sum(_left(part) for part in window),
        window_s=float(recording.window_s),
        never_arrived=sum(_never_arrived(part) for part in parts),
        window_never_arrived=_per_second(window, seconds, _never_arrived),
        failed_responses=sum(part.failures.get(FailureClass.STATUS, 0) for part in parts),
        failed=_per_second(window, seconds, _failed),
        unserved=_per_second(window, seconds, _unserved),
        statuses=seen,
        accepted=accepted,
        maybe_accepted=maybe_accepted,
        latencies=merge(histogram for part in parts for histogram in (part.latencies, part.failed_latencies)),
    )


def _judged(recording: Recording, endpoint: Endpoint | None) -> tuple[frozenset[int], ...]:
    """Return the statuses outside 2xx and 304 that the client saw, surely accepted, and maybe accepted.

    The counts by status and by class are of an endpoint as a whole. Where some responses were accepted and
    others not, they do not tell which.
    """
    seen: set[int] = set()
    accepted: set[int] = set()
    doubtful: set[int] = set()
    refused: set[int] = set()
    for item in recording.endpoints:
        if endpoint is None or item.endpoint == endpoint:
            odd, classes = _odd_responses(item)
            seen |= set(odd)
            if classes[FailureClass.UNEXPECTED] + classes[FailureClass.STATUS] >= odd.total():
                refused |= set(odd)
            elif classes[FailureClass.UNEXPECTED] or classes[FailureClass.EXPECTATION]:
                doubtful |= set(odd)
            else:
                accepted |= set(odd)
    surely, maybe = accepted - refused - doubtful, accepted | doubtful
    return frozenset(seen), frozenset(surely), frozenset(maybe)


def _odd_responses(item: EndpointRecording) -> tuple[Counter[int], Counter[FailureClass]]:
    """Count an endpoint's responses outside 2xx and 304 by status, and its requests by class of failure."""
    odd: Counter[int] = Counter()
    classes: Counter[FailureClass] = Counter()
    for part in item.slices:
        responses = part.statuses.items()
        odd.update(
            {status: count for status, count in responses if status and _NONE_NAMED.unexpected(status)}
        )
        classes.update(part.failures)
    return +odd, classes


def _per_second(
    parts: Iterable[SliceCounts], seconds: range, count: Callable[[SliceCounts], int]
) -> tuple[int, ...]:
    """Add up a count for each second."""
    found = [0] * len(seconds)
    for part in parts:
        found[part.second - seconds.start] += count(part)
    return tuple(found)


def _failed(part: SliceCounts) -> int:
    return _no_response(part) + part.failures.get(FailureClass.STATUS, 0)


def _never_arrived(part: SliceCounts) -> int:
    return sum(part.failures.get(kind, 0) for kind in _NO_CONNECTION)


def _unserved(part: SliceCounts) -> int:
    return part.unserved - part.failures.get(FailureClass.GENERATOR, 0)


def _left(part: SliceCounts) -> int:
    return part.sent - part.failures.get(FailureClass.GENERATOR, 0)


def _no_response(part: SliceCounts) -> int:
    return max(0, part.statuses.get(0, 0) - part.failures.get(FailureClass.GENERATOR, 0))
