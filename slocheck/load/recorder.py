"""Counting requests, one slice a second, at a price far below that of sending them. No Locust here.

A request costs two dictionary look-ups and an append; all arithmetic waits for the flush.
"""

from array import array
from dataclasses import dataclass

import numpy as np

from slocheck.evidence.histogram import bucket_indices
from slocheck.evidence.merge import (
    MAX_ENDPOINTS,
    MAX_ERRORS,
    MAX_MESSAGE,
    OTHER_ENDPOINT,
    OTHER_MESSAGE,
    Delta,
)
from slocheck.evidence.recording import ErrorExample, FailureClass, SliceCounts
from slocheck.load.outcome import is_unserved
from slocheck.spec.model import NS_PER_SECOND, Endpoint


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one request.

    Attributes:
        start_ns: When it was sent, on the monotonic clock.
        latency_ns: Until its last byte, or until it was given up.
        failure: Why it failed; None where it did not.
        status: Of the response; 0: there was none; None: the client knows no status.
        message: Of the failure.
        cache: 1 for a hit, -1 for a miss, 0 where nothing told.
        size: Bytes of the body.
    """

    start_ns: int
    latency_ns: int
    failure: FailureClass | None = None
    status: int | None = None
    message: str = ""
    cache: int = 0
    size: int = 0


class _Cell:
    """One endpoint's requests of one second since the last flush."""

    __slots__ = ("failed", "failures", "hits", "misses", "ok", "size", "statuses", "unserved")

    def __init__(self) -> None:
        self.ok = array("q")
        self.failed = array("q")
        self.failures: dict[FailureClass, int] = {}
        self.statuses: dict[int, int] = {}
        self.unserved = self.hits = self.misses = self.size = 0


class Recorder:
    """Counts the requests of one process.

    Attributes:
        origin_ns: The moment the load began, on the monotonic clock; slices count from there.
        last_end_ns: When the last response ended.
        recorded: Requests counted so far.
    """

    def __init__(self, thresholds_ns: tuple[int, ...]) -> None:
        self.origin_ns = 0
        self.last_end_ns = 0
        self.recorded = 0
        self._thresholds = np.array(thresholds_ns, dtype=np.int64)
        self._endpoints: dict[tuple[str, str], Endpoint] = {}
        self._cells: dict[tuple[Endpoint, int], _Cell] = {}
        self._errors: dict[tuple[Endpoint, FailureClass, str], list[int]] = {}

    def record(self, method: str, name: str, result: Result) -> None:
        """Count one request under its endpoint and the second in which it was sent."""
        endpoint = self._endpoints.get((method, name)) or self._endpoint(method, name)
        second = max(0, (result.start_ns - self.origin_ns) // NS_PER_SECOND)
        cell = self._cells.get((endpoint, second))
        if cell is None:
            cell = self._cells[endpoint, second] = _Cell()
        self.recorded += 1
        self.last_end_ns = max(self.last_end_ns, result.start_ns + result.latency_ns)
        if result.failure is None:
            cell.ok.append(result.latency_ns)
        else:
            self._fail(endpoint, second, cell, result)
        status = result.status
        if status is not None:
            cell.statuses[status] = cell.statuses.get(status, 0) + 1
        cell.unserved += is_unserved(status, result.failure)
        cell.hits += result.cache > 0
        cell.misses += result.cache < 0
        cell.size += result.size

    def _fail(self, endpoint: Endpoint, second: int, cell: _Cell, result: Result) -> None:
        assert result.failure is not None
        cell.failed.append(result.latency_ns)
        cell.failures[result.failure] = cell.failures.get(result.failure, 0) + 1
        key = (endpoint, result.failure, result.message[:MAX_MESSAGE])
        if key not in self._errors and len(self._errors) >= MAX_ERRORS:
            key = (OTHER_ENDPOINT, result.failure, OTHER_MESSAGE)
        entry = self._errors.setdefault(key, [0, second])
        entry[0] += 1
        entry[1] = min(entry[1], second)

    def _endpoint(self, method: str, name: str) -> Endpoint:
        """Take in a new name; names beyond the bound share one endpoint."""
        if len(self._endpoints) >= MAX_ENDPOINTS:
            return OTHER_ENDPOINT
        return self._endpoints.setdefault((method, name), Endpoint(method, name))

    def flush(self) -> Delta:
        """Return what was counted since the last flush."""
        cells, self._cells = self._cells, {}
        errors, self._errors = self._errors, {}
        return Delta(
            counts=tuple((endpoint, self._slice(second, cell)) for (endpoint, second), cell in cells.items()),
            errors=tuple(
                ErrorExample(endpoint, failure, count, message, second)
                for (endpoint, failure, message), (count, second) in errors.items()
            ),
        )

    def _slice(self, second: int, cell: _Cell) -> SliceCounts:
        ok = np.sort(np.frombuffer(cell.ok, dtype=np.int64))
        under = np.searchsorted(ok, self._thresholds, side="left")
        return SliceCounts(
            second=second,
            ok=len(ok),
            failures=cell.failures,
            statuses=cell.statuses,
            unserved=cell.unserved,
            over=tuple((len(ok) - under).tolist()),
            latencies=_histogram(ok),
            failed_latencies=_histogram(np.frombuffer(cell.failed, dtype=np.int64)),
            total_ns=int(ok.sum()),
            max_ns=int(ok[-1]) if len(ok) else 0,
            cache_hits=cell.hits,
            cache_misses=cell.misses,
            bytes_received=cell.size,
        )


def _histogram(latencies: "np.typing.NDArray[np.int64]") -> dict[int, int]:
    indices, counts = np.unique(bucket_indices(latencies), return_counts=True)
    return dict(zip(indices.tolist(), counts.tolist(), strict=True))
