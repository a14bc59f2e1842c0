"""Recordings for the reporters' tests: drawn from a seeded generator, always the same."""

import random
from collections.abc import Sequence

from slocheck.evidence.histogram import bucket_index
from slocheck.evidence.recording import EndpointRecording, ErrorExample, FailureClass, Recording, SliceCounts
from slocheck.spec.model import Endpoint

ENDPOINTS = (Endpoint("GET", "/items/{id}"), Endpoint("POST", "/checkout"))


def _slice(rng: random.Random, second: int, rate: int, *, slow: float, failing: bool) -> SliceCounts:
    histogram: dict[int, int] = {}
    latencies = [int(1e6 * slow * rng.lognormvariate(2.5, 0.8)) for _ in range(rate)]
    for latency in latencies:
        index = bucket_index(latency)
        histogram[index] = histogram.get(index, 0) + 1
    failures = {FailureClass.STATUS: 3, FailureClass.TIMEOUT: 1} if failing else {}
    return SliceCounts(
        second=second,
        ok=rate,
        failures=failures,
        statuses={200: rate, 503: 3, 0: 1} if failing else {200: rate},
        latencies=histogram,
        total_ns=sum(latencies),
        max_ns=max(latencies),
        cache_hits=rate * 9 // 10,
        cache_misses=rate - rate * 9 // 10,
        bytes_received=rate * 512,
    )


def recording(
    *, endpoints: Sequence[Endpoint] = ENDPOINTS, warmup: int = 5, window: int = 40, rate: int = 50
) -> Recording:
    """A recording with a slow stretch and a burst of failures in its middle; always the same."""
    rng = random.Random(7)
    middle = warmup + window // 2
    items = []
    for place, endpoint in enumerate(endpoints):
        slices = tuple(
            _slice(
                rng,
                second,
                rate + second % 5,
                slow=(1 + place) * (4.0 if middle <= second < middle + 4 else 1.0),
                failing=middle <= second < middle + 2,
            )
            for second in range(warmup + window)
        )
        items.append(EndpointRecording(endpoint, slices))
    errors = (
        ErrorExample(endpoints[0], FailureClass.STATUS, 12, "503 Service Unavailable", middle),
        ErrorExample(endpoints[0], FailureClass.TIMEOUT, 4, "no response within 30 s", middle + 1),
    )
    return Recording((), tuple(items), errors, warmup, window)


def long_recording() -> Recording:
    """Ten minutes at one-second slices with ten endpoints."""
    endpoints = tuple(Endpoint("GET", f"/things/{number}") for number in range(10))
    return recording(endpoints=endpoints, warmup=15, window=600, rate=20)
