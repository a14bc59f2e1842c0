"""Recordings of one endpoint, a second at a time, from counts of requests by latency."""

from collections.abc import Mapping, Sequence
from typing import Any

from slocheck.evidence.histogram import bucket_index
from slocheck.evidence.recording import EndpointRecording, FailureClass, Recording, SliceCounts
from slocheck.spec.model import Endpoint

ITEM = Endpoint("GET", "/items/{id}")
MS = 1_000_000
THRESHOLDS = tuple(edge * MS for edge in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000))
UNSERVED = (0, 502, 503, 504)


def make_slice(
    second: int,
    latencies_ms: Mapping[float, int],
    *,
    failures: Mapping[FailureClass, int] | None = None,
    statuses: Mapping[int, int] | None = None,
    cache: tuple[int, int] = (0, 0),
    thresholds: Sequence[int] = THRESHOLDS,
) -> SliceCounts:
    """Return a second with these numbers of requests by latency (ms) and of failures by class."""
    ns = {round(ms * MS): count for ms, count in latencies_ms.items() if count}
    ok = sum(ns.values())
    failed = failures or {}
    known = statuses if statuses is not None else {200: ok, 0: sum(failed.values())}
    histogram: dict[int, int] = {}
    for latency, count in ns.items():
        histogram[bucket_index(latency)] = histogram.get(bucket_index(latency), 0) + count
    return SliceCounts(
        second=second,
        ok=ok,
        failures=failed,
        statuses={status: count for status, count in known.items() if count},
        unserved=sum(known.get(status, 0) for status in UNSERVED),
        over=tuple(sum(c for latency, c in ns.items() if latency >= edge) for edge in thresholds),
        latencies=histogram,
        total_ns=sum(latency * count for latency, count in ns.items()),
        max_ns=max(ns, default=0),
        cache_hits=cache[0],
        cache_misses=cache[1],
        bytes_received=512 * ok,
    )


def make_recording(
    slices: Sequence[SliceCounts] | None = None, *, warmup_s: int = 0, window_s: int | None = None
) -> Recording:
    """Return a recording of one endpoint; by default a minute of 100 requests a second at 20 ms."""
    parts = tuple(slices if slices is not None else (make_slice(t, {20: 100}) for t in range(60)))
    length = window_s if window_s is not None else len(parts) - warmup_s
    return Recording(THRESHOLDS, (EndpointRecording.of(ITEM, parts),), (), warmup_s, length)


def steady(seconds: int, latencies_ms: Mapping[float, int], **more: Any) -> Recording:
    """Return a recording in which every second is the same."""
    return make_recording([make_slice(t, latencies_ms, **more) for t in range(seconds)])
