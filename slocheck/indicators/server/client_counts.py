"""What the client counted, for the server's counts to be reconciled with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from slocheck.evidence.columns import Columns, Whole
from slocheck.evidence.histogram import merge
from slocheck.evidence.recording import FailureClass, Recording
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
    parts = [part.added_up() for part in recording.parts(endpoint)]
    counted = [_Seconds(part, recording.window) for part in parts]
    judged = [_judged(part) for part in parts]
    return ClientCounts(
        sent=sum(int(one.sent.sum()) for one in counted),
        no_response=sum(int(one.no_response.sum()) for one in counted),
        window_sent=sum(int(one.sent[one.inside].sum()) for one in counted),
        window_s=float(recording.window_s),
        never_arrived=sum(int(one.never_arrived.sum()) for one in counted),
        window_never_arrived=_in_window([one.in_window(one.never_arrived) for one in counted], recording),
        failed_responses=sum(int(one.status.sum()) for one in counted),
        failed=_in_window([one.in_window(one.no_response + one.status) for one in counted], recording),
        unserved=_in_window([one.in_window(one.unserved) for one in counted], recording),
        statuses=frozenset[int]().union(*(one.seen for one in judged)),
        accepted=_surely_accepted(judged),
        maybe_accepted=frozenset[int]().union(*(one.accepted | one.doubtful for one in judged)),
        latencies=merge(
            histogram.total() for part in parts for histogram in (part.latencies, part.failed_latencies)
        ),
    )


class _Seconds:
    """What one endpoint was sent in each second of the load, without what failed in the load generator.

    Attributes:
        inside: The rows that lie in the window.
        sent: Requests attempted, shape (R,), as are the next four.
        no_response: Those that got no response.
        status: Responses with a status that is a failure.
        never_arrived: Requests without a connection.
        unserved: What availability counts as bad.
    """

    def __init__(self, part: Columns, window: range) -> None:
        counts = part.counts
        generator = counts.of_class(FailureClass.GENERATOR)
        self._window = window
        self._places = part.seconds - window.start
        self.inside = part.within(window)
        self.sent = counts.sent - generator
        self.no_response = np.maximum(0, part.statuses.of_key(0) - generator)
        self.status = counts.of_class(FailureClass.STATUS)
        self.never_arrived = sum(
            (counts.of_class(kind) for kind in _NO_CONNECTION), np.zeros(len(generator), dtype=np.int64)
        )
        self.unserved = counts.unserved_by_target

    def in_window(self, counts: Whole) -> Whole:
        """Return a count for each second of the window."""
        found = np.zeros(len(self._window), dtype=np.int64)
        found[self._places[self.inside]] = counts[self.inside]
        return found


def _in_window(series: Sequence[Whole], recording: Recording) -> tuple[int, ...]:
    """Add up a count of all endpoints for each second of the window."""
    return tuple(sum(series, np.zeros(len(recording.window), dtype=np.int64)).tolist())


@dataclass(frozen=True, slots=True)
class _Judged:
    """An endpoint's statuses outside 2xx and 304, each in one of the last three fields.

    Attributes:
        seen: All.
        accepted: The scenario expects them.
        doubtful: It expects some responses and not others, and the counts do not tell which.
        refused: It expects none of them.
    """

    seen: frozenset[int]
    accepted: frozenset[int] = frozenset()
    doubtful: frozenset[int] = frozenset()
    refused: frozenset[int] = frozenset()


def _judged(part: Columns) -> _Judged:
    """Sort an endpoint's statuses: the counts by status and by class are of an endpoint as a whole."""
    responses = part.statuses.total()
    odd = {status: count for status, count in responses.items() if status and _NONE_NAMED.unexpected(status)}
    unexpected, status, expectation = (
        int(part.counts.of_class(kind).sum())
        for kind in (FailureClass.UNEXPECTED, FailureClass.STATUS, FailureClass.EXPECTATION)
    )
    seen = frozenset(odd)
    if unexpected + status >= sum(odd.values()):
        return _Judged(seen, refused=seen)
    if unexpected or expectation:
        return _Judged(seen, doubtful=seen)
    return _Judged(seen, accepted=seen)


def _surely_accepted(judged: Sequence[_Judged]) -> frozenset[int]:
    """Return what some endpoint accepts, and none refuses, surely or possibly."""
    return frozenset(
        status
        for one in judged
        for status in one.accepted
        if not any(status in other.refused or status in other.doubtful for other in judged)
    )
