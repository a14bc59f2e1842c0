"""Putting recordings together: deltas of many workers and seconds become one `Recording`.

Adding deltas is associative and commutative as long as no bound on names or messages is reached; past
a bound only the label is lost ("(other)"), never a count.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

from slocheck.documents.texts import shorten
from slocheck.evidence.columns import Columns
from slocheck.evidence.histogram import merge
from slocheck.evidence.parts.batch import NO_COUNTS, Batch, joined
from slocheck.evidence.parts.growing import GrowingColumns
from slocheck.evidence.parts.slowest import Slowest
from slocheck.evidence.recording import (
    EndpointRecording,
    ErrorExample,
    FailureClass,
    Recording,
    SliceCounts,
    SlowRequest,
    columns_of,
)
from slocheck.spec.model import Endpoint

MAX_ENDPOINTS = 500
OTHER_ENDPOINT = Endpoint("", "(other)")
MAX_ERRORS = 100
MAX_MESSAGE = 300
MAX_NAME = 8192
"""Characters of an endpoint's method and name that are kept; what goes beyond is cut off."""
OTHER_MESSAGE = "(other messages)"

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Delta:
    """What was recorded since the previous delta.

    Attributes:
        batch: The counts.
        errors: Failed requests by message.
        slowest: Responses that may be among the slowest of their endpoint.
    """

    batch: Batch = field(default_factory=lambda: NO_COUNTS)
    errors: tuple[ErrorExample, ...] = ()
    slowest: tuple[SlowRequest, ...] = ()

    @classmethod
    def of(
        cls, counts: Iterable[tuple[Endpoint, SliceCounts]], errors: tuple[ErrorExample, ...] = ()
    ) -> Self:
        """Return a delta of these slices by endpoint; an endpoint may occur many times."""
        return cls(Batch.of(counts), errors)

    @property
    def counts(self) -> tuple[tuple[Endpoint, SliceCounts], ...]:
        """The batch as slices by endpoint, made when they are asked for."""
        return self.batch.slices

    def __add__(self, other: "Delta") -> "Delta":
        """Return what was recorded in both."""
        return together((self, other))


def add_slices(one: SliceCounts, two: SliceCounts) -> SliceCounts:
    """Add two counts of the same endpoint and second; ValueError when their thresholds differ."""
    if one.second != two.second:
        raise ValueError(f"slices of second {one.second} and of second {two.second} cannot be added")
    return SliceCounts(
        second=one.second,
        ok=one.ok + two.ok,
        failures=_add(one.failures, two.failures),
        statuses=_add(one.statuses, two.statuses),
        unserved=one.unserved + two.unserved,
        over=_add_over(one.over, two.over),
        latencies=merge((one.latencies, two.latencies)),
        failed_latencies=merge((one.failed_latencies, two.failed_latencies)),
        total_ns=one.total_ns + two.total_ns,
        max_ns=max(one.max_ns, two.max_ns),
        cache_hits=one.cache_hits + two.cache_hits,
        cache_misses=one.cache_misses + two.cache_misses,
        bytes_received=one.bytes_received + two.bytes_received,
        service_times=merge((one.service_times, two.service_times)),
    )


def together(deltas: Sequence[Delta]) -> Delta:
    """Return deltas as one: an endpoint occurs once for each second, if it does in each, and a message once.

    Raises:
        ValueError: They were counted against different numbers of thresholds.
    """
    if len(deltas) == 1:
        return deltas[0]
    errors = errors_together(error for delta in deltas for error in delta.errors)
    slowest = slowest_together(request for delta in deltas for request in delta.slowest)
    return Delta(joined([delta.batch for delta in deltas]), errors, slowest)


def errors_together(listed: Iterable[ErrorExample]) -> tuple[ErrorExample, ...]:
    """Return failed requests with each message of an endpoint once."""
    errors: dict[tuple[Endpoint, FailureClass, str], ErrorExample] = {}
    for error in listed:
        key = error.endpoint, error.failure, error.message
        errors[key] = _add_errors(errors[key], error) if key in errors else error
    return tuple(errors.values())


def slowest_together(requests: Iterable[SlowRequest]) -> tuple[SlowRequest, ...]:
    """Return those that are among the slowest of their endpoint."""
    slowest = Slowest()
    slowest.add_all(requests)
    return slowest.all()


def _add_errors(one: ErrorExample, two: ErrorExample) -> ErrorExample:
    return replace(one, count=one.count + two.count, second=min(one.second, two.second))


def _add(one: Mapping[K, int], two: Mapping[K, int]) -> dict[K, int]:
    total = dict(one)
    for key, count in two.items():
        total[key] = total.get(key, 0) + count
    return total


def _add_over(one: tuple[int, ...], two: tuple[int, ...]) -> tuple[int, ...]:
    """Add counts per threshold; an empty tuple means that no threshold was reached at all."""
    if not one or not two:
        return one or two
    return tuple(a + b for a, b in zip(one, two, strict=True))


class RecordingBuilder:
    """Collects deltas; `recording` may be asked for at any time, at the same cost however much was recorded.

    Attributes:
        thresholds_ns: What `SliceCounts.over` counts against.
    """

    def __init__(self, thresholds_ns: tuple[int, ...], reserved: Iterable[Endpoint] = ()) -> None:
        """Begin with nothing; endpoints that are reserved keep their name past the bound on names."""
        self.thresholds_ns = thresholds_ns
        self._reserved = frozenset(reserved)
        self._columns: dict[Endpoint, GrowingColumns] = {}
        self._errors: dict[tuple[Endpoint, FailureClass, str], ErrorExample] = {}
        self._slowest = Slowest()

    def add(self, endpoint: Endpoint, *slices: SliceCounts) -> None:
        """Add what one endpoint was sent in some seconds; ValueError when thresholds do not fit."""
        self.add_columns(endpoint, columns_of(slices))

    def add_columns(self, endpoint: Endpoint, columns: Columns) -> None:
        """Add what one endpoint was sent; ValueError when thresholds do not fit, unless there are none."""
        if not columns.counts.thresholds:
            columns = columns.with_thresholds(len(self.thresholds_ns))
        if columns.counts.thresholds != len(self.thresholds_ns):
            raise ValueError(f"{columns.counts.thresholds} counts for {len(self.thresholds_ns)} thresholds")
        known = endpoint in self._columns or endpoint in self._reserved
        if not known and len(self._columns) >= MAX_ENDPOINTS:
            endpoint = OTHER_ENDPOINT
        if endpoint not in self._columns:
            self._columns[endpoint] = GrowingColumns(len(self.thresholds_ns))
        self._columns[endpoint].extend(columns)

    def add_error(self, error: ErrorExample) -> None:
        """Add failed requests of one message; too many different messages become one."""
        key = (error.endpoint, error.failure, shorten(error.message, MAX_MESSAGE))
        if key not in self._errors and len(self._errors) >= MAX_ERRORS:
            key = (OTHER_ENDPOINT, error.failure, OTHER_MESSAGE)
        before = self._errors.get(key)
        count = error.count + (before.count if before else 0)
        second = min(error.second, before.second) if before else error.second
        self._errors[key] = ErrorExample(key[0], key[1], count, key[2], second)

    def add_delta(self, delta: Delta) -> None:
        """Add all of a delta; ValueError when its thresholds do not fit."""
        for endpoint, columns in delta.batch.parts():
            self.add_columns(endpoint, columns)
        for error in delta.errors:
            self.add_error(error)
        for request in delta.slowest:
            known = request.endpoint in self._columns
            self._slowest.add(request if known else replace(request, endpoint=OTHER_ENDPOINT))

    def recording(self, warmup_s: int, window_s: int) -> Recording:
        """Return all that was added; both lengths are in whole seconds."""
        endpoints = sorted(self._columns, key=lambda endpoint: (endpoint.name, endpoint.method))
        errors = sorted(
            self._errors.values(), key=lambda e: (-e.count, e.second, str(e.endpoint), e.failure, e.message)
        )
        return Recording(
            thresholds_ns=self.thresholds_ns,
            endpoints=tuple(
                EndpointRecording(endpoint, self._columns[endpoint].columns()) for endpoint in endpoints
            ),
            errors=tuple(errors),
            warmup_s=warmup_s,
            window_s=window_s,
            slowest=self._slowest.all(),
        )
