"""Counting requests in slices of a second, at a cost far below that of sending them. No Locust here.

A request costs two dictionary lookups and an append; the arithmetic is done when flushing.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from heapq import nlargest

import numpy as np

from slocheck.documents.texts import shorten
from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.columns import TIMES, WIDTH, Columns, Counts, Whole, sparse_of, stacked
from slocheck.evidence.histogram import bucket_indices
from slocheck.evidence.merge import (
    MAX_ENDPOINTS,
    MAX_ERRORS,
    MAX_MESSAGE,
    MAX_NAME,
    OTHER_ENDPOINT,
    OTHER_MESSAGE,
    Delta,
)
from slocheck.evidence.parts.batch import Batch
from slocheck.evidence.parts.slowest import MOST_SLOWEST, Slowest
from slocheck.evidence.recording import FAILURES, ErrorExample, FailureClass, SlowRequest
from slocheck.load.recording.outcome import is_unserved
from slocheck.masking import mask_urls
from slocheck.spec.indicators import UNSERVED_STATUSES
from slocheck.spec.model import Endpoint


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one request.

    Attributes:
        start_ns: When it was sent, on the monotonic clock.
        latency_ns: Time to its last byte, or until it was given up.
        failure: Why it was not a success; None if it was.
        status: Of the response; 0: there was none; None: the client does not know it.
        message: Text of the failure.
        cache: 1 for a hit, -1 for a miss, 0 for unknown.
        size: Bytes of the body.
    """

    start_ns: int
    latency_ns: int
    failure: FailureClass | None = None
    status: int | None = None
    message: str = ""
    cache: int = 0
    size: int = 0


_HISTOGRAMS = 3
"""Of the ok requests, of the failed ones, and of the times since the sending."""


def _latencies() -> "array[int]":
    return array("q")


class _Cell:
    """One endpoint's requests of one second since the last flush: latencies by outcome."""

    __slots__ = ("failed", "hits", "misses", "no_response", "ok", "service", "size")

    def __init__(self) -> None:
        self.ok: defaultdict[int | None, array[int]] = defaultdict(_latencies)
        self.failed: defaultdict[tuple[FailureClass, int | None], array[int]] = defaultdict(_latencies)
        self.service = array("q")
        self.no_response = self.hits = self.misses = self.size = 0

    @property
    def statuses(self) -> dict[int, int]:
        """Requests by status code, without those whose status the client does not know."""
        counts: dict[int, int] = {}
        by_status = [*self.ok.items(), *((status, found) for (_, status), found in self.failed.items())]
        for status, found in by_status:
            if status is not None:
                counts[status] = counts.get(status, 0) + len(found)
        return counts

    @property
    def failures(self) -> dict[FailureClass, int]:
        """Requests that were not a success, by class."""
        counts: dict[FailureClass, int] = {}
        for (failure, _), found in self.failed.items():
            counts[failure] = counts.get(failure, 0) + len(found)
        return counts


@dataclass(frozen=True, slots=True)
class _Row:
    """A cell's numbers, as the columns have them; histograms as buckets and counts."""

    wide: tuple[int, int, int]
    narrow: tuple[int, ...]
    statuses: Mapping[int, int]
    histograms: tuple[tuple[Whole, Whole], ...]


class EndpointCounter:
    """One endpoint's counter; a client keeps it for its next request to the same endpoint.

    Attributes:
        endpoint: What is counted.
    """

    __slots__ = ("_cell", "_from_ns", "_recorder", "_until_ns", "endpoint")

    def __init__(self, recorder: "Recorder", endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._recorder = recorder
        self._from_ns = self._until_ns = 0
        self._cell = _Cell()

    def ok(self, start_ns: int, sent_ns: int, end_ns: int, status: int, size: int, *, cache: int) -> None:
        """Count a success that was due, was sent and ended at these times; the rest is as in `Result`."""
        cell = self._cell if self._from_ns <= start_ns < self._until_ns else self._turn(start_ns)
        cell.ok[status].append(end_ns - start_ns)
        cell.size += size
        if sent_ns != start_ns:
            cell.service.append(end_ns - sent_ns)
        if cache:
            cell.hits += cache > 0
            cell.misses += cache < 0
        recorder = self._recorder
        if end_ns > recorder.last_end_ns:  # noqa: PLR1730 - a call costs more
            recorder.last_end_ns = end_ns

    def service(self, start_ns: int, service_ns: int) -> None:
        """Count how long a request took since it was sent; `start_ns` is when it was due."""
        inside = self._from_ns <= start_ns < self._until_ns
        (self._cell if inside else self._turn(start_ns)).service.append(service_ns)

    def _turn(self, start_ns: int) -> _Cell:
        """Go to the cell of another second."""
        recorder = self._recorder
        second = recorder.second_of(start_ns)
        self._cell = recorder.cell(self, second)
        first = second == recorder.first_second
        self._from_ns = 0 if first else recorder.origin_ns + second * NS_PER_SECOND
        self._until_ns = recorder.origin_ns + (second + 1) * NS_PER_SECOND
        return self._cell

    def forget(self) -> None:
        """Stop using the current cell: the next request gets a new one."""
        self._from_ns = self._until_ns = 0


class Recorder:
    """Counts the requests of one process.

    Attributes:
        origin_ns: When the load began, on the monotonic clock; slices count from there.
        last_end_ns: When the last response ended.
        first_second: Slice of the requests that were sent before the load: 0, or a separate one.
    """

    def __init__(
        self, thresholds_ns: tuple[int, ...], reserved: Iterable[Endpoint] = (), *, warmup_s: float = 0
    ) -> None:
        """Begin with nothing.

        Args:
            thresholds_ns: What `SliceCounts.over` counts against, ascending.
            reserved: Endpoints that keep their name beyond the limit on names.
            warmup_s: After this time responses may be among the slowest.
        """
        self._reserved = {(endpoint.method, endpoint.name) for endpoint in reserved}
        self.origin_ns = 0
        self.last_end_ns = 0
        self.first_second = 0
        self._thresholds = np.array(thresholds_ns, dtype=np.int64)
        self._counters: dict[tuple[str, str], EndpointCounter] = {}
        self._cells: dict[tuple[Endpoint, int], _Cell] = {}
        self._errors: dict[tuple[Endpoint, FailureClass, str], list[int]] = {}
        self._slowest = Slowest()
        self._warmup_s = warmup_s

    def counter(self, method: str, name: str) -> EndpointCounter:
        """Return an endpoint's counter; names beyond the limit share one."""
        key = (method, name)
        counter = self._counters.get(key)
        if counter is None and max(len(method), len(name)) > MAX_NAME:
            return self.counter(method[:MAX_NAME], name[:MAX_NAME])
        if counter is None and len(self._counters) >= MAX_ENDPOINTS and key not in self._reserved:
            key = (OTHER_ENDPOINT.method, OTHER_ENDPOINT.name)
            counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = EndpointCounter(self, Endpoint(*key))
        return counter

    def begin(self, origin_ns: int, first_second: int) -> None:
        """Count slices from this time on; see the attributes."""
        self.origin_ns, self.first_second = origin_ns, first_second
        for counter in self._counters.values():
            counter.forget()

    def second_of(self, start_ns: int) -> int:
        """Return the second in which something began."""
        return max(self.first_second, (start_ns - self.origin_ns) // NS_PER_SECOND)

    def cell(self, counter: EndpointCounter, second: int) -> _Cell:
        """Return the cell that counts a counter's requests of a second."""
        return self._cells.setdefault((counter.endpoint, second), _Cell())

    def record(self, method: str, name: str, result: Result) -> None:
        """Count one request under its endpoint and the second in which it was sent.

        What failed on this machine has no status, even if a client reports one with its error.
        """
        if result.failure is FailureClass.GENERATOR:
            result = replace(result, status=0)
        counter = self.counter(method, name)
        second = self.second_of(result.start_ns)
        cell = self.cell(counter, second)
        if result.failure is None:
            cell.ok[result.status].append(result.latency_ns)
        else:
            self._fail(counter.endpoint, second, cell, result)
        cell.no_response += not result.status and is_unserved(result.status, result.failure)
        cell.hits += result.cache > 0
        cell.misses += result.cache < 0
        cell.size += result.size
        self.last_end_ns = max(self.last_end_ns, result.start_ns + result.latency_ns)

    def _fail(self, endpoint: Endpoint, second: int, cell: _Cell, result: Result) -> None:
        assert result.failure is not None
        cell.failed[result.failure, result.status].append(result.latency_ns)
        key = (endpoint, result.failure, shorten(mask_urls(result.message), MAX_MESSAGE))
        if key not in self._errors and len(self._errors) >= MAX_ERRORS:
            key = (OTHER_ENDPOINT, result.failure, OTHER_MESSAGE)
        entry = self._errors.setdefault(key, [0, second])
        entry[0] += 1
        entry[1] = min(entry[1], second)

    def flush(self) -> Delta:
        """Return what was counted since the last flush."""
        cells, self._cells = self._cells, {}
        errors, self._errors = self._errors, {}
        for counter in self._counters.values():
            counter.forget()
        return Delta(
            batch=self._batch(cells),
            errors=tuple(
                ErrorExample(endpoint, failure, count, message, second)
                for (endpoint, failure, message), (count, second) in errors.items()
            ),
            slowest=tuple(
                request
                for (endpoint, second), cell in cells.items()
                if second >= self._warmup_s
                for request in self._slow_ones(endpoint, second, cell)
            ),
        )

    def _slow_ones(self, endpoint: Endpoint, second: int, cell: _Cell) -> Iterator[SlowRequest]:
        """Yield the responses that are among the slowest of their endpoint until now."""
        ok = ((None, status, found) for status, found in cell.ok.items())
        failed = ((why, status, found) for (why, status), found in cell.failed.items() if status)
        for failure, status, found in (*ok, *failed):
            if max(found) < self._slowest.reach(endpoint):
                continue
            for latency_ns in nlargest(MOST_SLOWEST, found):
                if latency_ns >= self._slowest.reach(endpoint):  # of equal ones, the earliest is kept
                    request = SlowRequest(endpoint, latency_ns, second, status or 0, failure)
                    self._slowest.add(request)
                    yield request

    def _batch(self, cells: Mapping[tuple[Endpoint, int], _Cell]) -> Batch:
        """Return the counts of cells, a row for each."""
        places: dict[Endpoint, int] = {}
        of_rows = [places.setdefault(endpoint, len(places)) for endpoint, _ in cells]
        rows = [self._row(cell) for cell in cells.values()]
        size, width = len(rows), WIDTH + len(self._thresholds)
        columns = Columns(
            np.asarray([second for _, second in cells], dtype=np.int64),
            Counts(
                np.asarray([row.wide for row in rows], dtype=np.int64).reshape(size, len(TIMES)),
                np.asarray([row.narrow for row in rows], dtype=np.int64).reshape(size, width),
            ),
            (
                sparse_of(row.statuses for row in rows),
                *(stacked([row.histograms[place] for row in rows]) for place in range(_HISTOGRAMS)),
            ),
        )
        return Batch(tuple(places), np.asarray(of_rows, dtype=np.int64), columns)

    def _row(self, cell: _Cell) -> _Row:
        ok, failed = np.sort(_joined(cell.ok.values())), _joined(cell.failed.values())
        under = np.searchsorted(ok, self._thresholds, side="left")
        statuses, failures = cell.statuses, cell.failures
        unserved = cell.no_response + sum(statuses.get(code, 0) for code in UNSERVED_STATUSES)
        return _Row(
            wide=(int(ok.sum()), int(ok[-1]) if len(ok) else 0, cell.size),
            narrow=(
                *(len(ok), unserved, cell.hits, cell.misses),
                *(failures.get(failure, 0) for failure in FAILURES),
                *(len(ok) - under).tolist(),
            ),
            statuses=statuses,
            histograms=(
                _histogram(ok),
                _histogram(failed),
                _histogram(np.frombuffer(cell.service, dtype=np.int64)),
            ),
        )


def _joined(parts: "Iterable[array[int]]") -> Whole:
    found = [np.frombuffer(part, dtype=np.int64) for part in parts]
    return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def _histogram(latencies: Whole) -> tuple[Whole, Whole]:
    """Return the buckets that hold some of these latencies, in order, and their counts."""
    return np.unique(bucket_indices(latencies), return_counts=True)
