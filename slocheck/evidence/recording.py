"""The client side's numbers: exact counts and histograms per endpoint and one-second slice.

Every latency is in integer nanoseconds. A slice is one second of the run, counted from the moment
the load began; a request belongs to the slice in which it was (to be) sent, not the one it ended in.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Self

import numpy as np

from slocheck.evidence.columns import CLASSES, WIDTH, Columns, Counts, sparse_of
from slocheck.evidence.scope import Scope
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
        max_ns: Largest of the ok requests' latencies; 0 if there is none.
        cache_hits: Hits, by response header.
        cache_misses: Misses, by response header.
        bytes_received: Body bytes.
        service_times: Histogram of the ok requests' times from their real sending on, if that differs
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


def only_refused(ok: int, statuses: Iterable[int]) -> bool:
    """Tell whether there were responses, none of them a success and all 3xx, or 4xx other than 429.

    Then the load did not do what it was meant to do, whatever the scenario says of those responses, unless
    requests got no response at all.

    Args:
        ok: Requests that were a success.
        statuses: Of the responses; 0 is not one.
    """
    found = set(statuses) - {0}
    return not ok and bool(found) and not any(_serves(status) for status in found)


def all_refused(columns: Columns) -> bool:
    """Tell whether `only_refused` holds for all rows together, each of which got nothing but responses."""
    statuses, counts = columns.statuses, columns.counts
    if not len(statuses.keys) or np.any(statuses.of_key(0) > counts.of_class("generator")):
        return False
    return only_refused(int(counts.ok.sum()), np.unique(statuses.keys[statuses.counts > 0]).tolist())


def _serves(status: int) -> bool:
    """Tell whether a status says that the target dealt with the request: neither 3xx nor 4xx, or 429."""
    return status // 100 not in _REFUSALS or status == _TOO_MANY


FAILURES = tuple(map(FailureClass, CLASSES))
"""The order of their columns."""


@dataclass(frozen=True, slots=True)
class EndpointRecording:
    """What one endpoint was sent; seconds without a request are absent.

    Attributes:
        endpoint: What was asked.
        columns: All counts.
    """

    endpoint: Endpoint
    columns: Columns

    @classmethod
    def of(cls, endpoint: Endpoint, slices: Iterable[SliceCounts]) -> Self:
        """Return the recording of these slices."""
        return cls(endpoint, columns_of(slices).added_up())

    def whole_load(self) -> Scope:
        """Return what it was sent in the whole load, its seconds numbered in the order in which they come.

        Seconds in which nothing was sent are left out, so that a damaged second costs no memory.
        """
        whole = self.columns.added_up()
        return Scope([replace(whole, seconds=np.arange(len(whole.seconds)))], range(len(whole.seconds)))

    @property
    def slices(self) -> tuple[SliceCounts, ...]:
        """The slices, one for each second, in order, made when they are asked for."""
        return tuple(slices_of(self.columns.added_up()))


def columns_of(slices: Iterable[SliceCounts]) -> Columns:
    """Return slices as columns, in their order; those without counts over thresholds have none over any."""
    parts = list(slices)
    thresholds = max((len(part.over) for part in parts), default=0)
    narrow = [
        (
            *(part.ok, part.unserved, part.cache_hits, part.cache_misses),
            *(part.failures.get(failure, 0) for failure in FAILURES),
            *(part.over or (0,) * thresholds),
        )
        for part in parts
    ]
    wide = [(part.total_ns, part.max_ns, part.bytes_received) for part in parts]
    return Columns(
        np.asarray([part.second for part in parts], dtype=np.int64),
        Counts(
            np.asarray(wide, dtype=np.int64).reshape(-1, 3),
            np.asarray(narrow, dtype=np.int64).reshape(-1, WIDTH + thresholds),
        ),
        (
            sparse_of(part.statuses for part in parts),
            sparse_of(part.latencies for part in parts),
            sparse_of(part.failed_latencies for part in parts),
            sparse_of(part.service_times for part in parts),
        ),
    )


def slices_of(columns: Columns) -> Iterator[SliceCounts]:
    """Yield the slice of each row."""
    counts = columns.counts
    rows = zip(columns.seconds.tolist(), counts.narrow.tolist(), counts.wide.tolist(), strict=True)
    for row, (second, (ok, unserved, hits, misses, *more), (total_ns, max_ns, size)) in enumerate(rows):
        failures = zip(FAILURES, more[: len(FAILURES)], strict=True)
        yield SliceCounts(
            second=second,
            ok=ok,
            failures={failure: count for failure, count in failures if count},
            statuses=columns.statuses.row(row),
            unserved=unserved,
            over=tuple(more[len(FAILURES) :]),
            latencies=columns.latencies.row(row),
            failed_latencies=columns.failed_latencies.row(row),
            total_ns=total_ns,
            max_ns=max_ns,
            cache_hits=hits,
            cache_misses=misses,
            bytes_received=size,
            service_times=columns.service_times.row(row),
        )


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
class SlowRequest:
    """One of an endpoint's slowest responses, for the report.

    Attributes:
        endpoint: What was asked.
        latency_ns: From its intended start in the open model, as all latencies.
        second: When it was (to be) sent, seconds since the load began.
        status: Of the response; 0: the client does not know it.
        failure: Why it was not a success; None if it was.
    """

    endpoint: Endpoint
    latency_ns: int
    second: int
    status: int
    failure: FailureClass | None = None


@dataclass(frozen=True)
class Recording:
    """Everything the client side recorded, warm-up included.

    Attributes:
        thresholds_ns: What `SliceCounts.over` counts against, ascending.
        endpoints: By endpoint, sorted.
        errors: Examples of failures, most frequent first, bounded in number.
        warmup_s: Whole seconds at the start that are warm-up; the window starts there.
        window_s: Whole seconds of the window that were measured (fewer than planned when cut short).
        slowest: The slowest responses of each endpoint after the warm-up, slowest first, bounded in number.
    """

    thresholds_ns: tuple[int, ...]
    endpoints: tuple[EndpointRecording, ...]
    errors: tuple[ErrorExample, ...]
    warmup_s: int
    window_s: int
    slowest: tuple[SlowRequest, ...] = ()

    @property
    def window(self) -> range:
        """The seconds that are graded, counted from the load's start; what comes before is warm-up."""
        return range(self.warmup_s, self.warmup_s + max(0, self.window_s))

    def added_up(self) -> "Recording":
        """Return the same with one row for each second of an endpoint."""
        items = (replace(item, columns=item.columns.added_up()) for item in self.endpoints)
        return replace(self, endpoints=tuple(items))

    def parts(self, endpoint: Endpoint | None = None) -> tuple[Columns, ...]:
        """Return the columns of an endpoint, or of all."""
        return tuple(item.columns for item in self.endpoints if endpoint is None or item.endpoint == endpoint)

    def scope(self, endpoint: Endpoint | None = None, seconds: range | None = None) -> Scope:
        """Return what an endpoint, or all together, was sent in some seconds, by default in the window."""
        key = endpoint, self.window if seconds is None else seconds
        if key not in self._scopes:
            self._scopes[key] = Scope(self.parts(endpoint), key[1])
        return self._scopes[key]

    @cached_property
    def _scopes(self) -> dict[tuple[Endpoint | None, range], Scope]:
        """What was added up already; the same for all objectives and reports."""
        return {}

    def slices(self, endpoint: Endpoint | None = None) -> Iterator[SliceCounts]:
        """Yield the slices of an endpoint, or of all, warm-up and drain included."""
        for item in self.endpoints:
            if endpoint is None or item.endpoint == endpoint:
                yield from item.slices

    def failures(self) -> dict[FailureClass, int]:
        """Return the failed requests of the whole load by class, and those with an unexpected response."""
        total = sum((part.counts.failures.sum(axis=0) for part in self.parts()), np.zeros(len(FAILURES)))
        return {failure: int(count) for failure, count in zip(FAILURES, total, strict=True) if count}
