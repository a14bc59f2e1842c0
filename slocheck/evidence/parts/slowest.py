"""The slowest responses of each endpoint, a bounded number however long a run is."""

from collections.abc import Iterable
from heapq import heappush, heappushpop

from slocheck.evidence.recording import SlowRequest
from slocheck.spec.model import Endpoint

MOST_SLOWEST = 10
"""Of one endpoint."""
MOST_SLOWEST_IN_ALL = 500

_Entry = tuple[int, int, int, str]
"""Latency, the second negated, status and failure: of equal latencies the earliest is kept."""


class Slowest:
    """Collects slow responses; what is not among the slowest is forgotten."""

    def __init__(self) -> None:
        self._heaps: dict[Endpoint, list[_Entry]] = {}
        self._found: dict[tuple[Endpoint, _Entry], SlowRequest] = {}

    def reach(self, endpoint: Endpoint) -> int:
        """Return the latency, ns, that a response must have at least to be among an endpoint's slowest."""
        heap = self._heaps.get(endpoint, [])
        return heap[0][0] if len(heap) >= MOST_SLOWEST else -1

    def add(self, request: SlowRequest) -> None:
        """Keep a response if it is among the slowest of its endpoint."""
        heap = self._heaps.setdefault(request.endpoint, [])
        entry = (request.latency_ns, -request.second, request.status, request.failure or "")
        self._found[request.endpoint, entry] = request
        if len(heap) < MOST_SLOWEST:
            heappush(heap, entry)
            return
        dropped = heappushpop(heap, entry)
        if dropped not in heap:
            del self._found[request.endpoint, dropped]

    def add_all(self, requests: Iterable[SlowRequest]) -> None:
        """Add some."""
        for request in requests:
            self.add(request)

    def all(self) -> tuple[SlowRequest, ...]:
        """Return those kept, slowest first, at most `MOST_SLOWEST_IN_ALL`."""
        kept = [self._found[endpoint, entry] for endpoint, heap in self._heaps.items() for entry in heap]
        kept.sort(key=lambda one: (-one.latency_ns, one.second, str(one.endpoint), one.status))
        return tuple(kept[:MOST_SLOWEST_IN_ALL])
