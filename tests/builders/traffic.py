"""One list of requests with known truth, and what each side sees of it: a recording, and counters scraped.

Drawn from a seeded generator: the same arguments give the same requests.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from slocheck.evidence.parts.slowest import Slowest
from slocheck.evidence.recording import (
    EndpointRecording,
    ErrorExample,
    FailureClass,
    Recording,
    SliceCounts,
    SlowRequest,
)
from slocheck.evidence.series import RawSeries
from slocheck.plan.series_queries import PROCESS_START, UP
from slocheck.spec.model import Endpoint
from tests.builders.recordings import MS, THRESHOLDS, make_slice

ENDPOINTS = (Endpoint("GET", "/items/{id}"), Endpoint("POST", "/checkout"))
MESSAGES = {
    FailureClass.STATUS: "503 Service Unavailable",
    FailureClass.TIMEOUT: "no response within 30 s",
}
HIT_SHARE = 0.92
SPREAD = 0.9
"""Standard deviation of the logarithm of a latency."""

BUCKETS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
INSTANCE = {"job": "shop-api", "instance": "127.0.0.1:8000"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        second: When it was sent, seconds since the load began.
        endpoint: What was asked.
        ms: How long the response took; meaningless if it failed.
        failure: Why it failed; None: it did not.
        hit: Whether the response came from a cache.
    """

    second: int
    endpoint: Endpoint
    ms: float
    failure: FailureClass | None = None
    hit: bool = False


def make_traffic(
    *,
    endpoints: Sequence[Endpoint] = ENDPOINTS,
    seconds: int = 45,
    rate: int = 50,
    median_ms: float = 50.0,
    slow: Mapping[int, float] | None = None,
    failing: Sequence[tuple[int, int, FailureClass]] = (),
) -> list[Request]:
    """Return requests of `rate` to `rate + 4` a second and endpoint, in order of seconds.

    Args:
        endpoints: What is asked, each as often as the others.
        seconds: Length of the load, warm-up included.
        rate: Successful requests of each endpoint in the first second.
        median_ms: Of the latencies.
        slow: Second to a factor on its latencies.
        failing: One additional failed request for each: the second, the endpoint's index, and why.
    """
    chance = random.Random(7)
    found = []
    for second in range(seconds):
        factor = (slow or {}).get(second, 1.0)
        for place, endpoint in enumerate(endpoints):
            for _ in range(rate + second % 5):
                latency = median_ms * factor * chance.lognormvariate(0, SPREAD)
                found.append(Request(second, endpoint, latency, hit=chance.random() < HIT_SHARE))
            found += [
                Request(second, endpoint, 30_000.0, why)
                for when, where, why in failing
                if (when, where) == (second, place)
            ]
    return found


def recorded(
    requests: Sequence[Request], *, warmup: int, window: int, thresholds: Sequence[int] = THRESHOLDS
) -> Recording:
    """Return what the client records of these requests, up to the window's end."""
    kept = [request for request in requests if request.second < warmup + window]
    by_endpoint: dict[Endpoint, list[Request]] = {}
    for request in kept:
        by_endpoint.setdefault(request.endpoint, []).append(request)
    items = [
        EndpointRecording.of(
            endpoint,
            tuple(
                _slice(second, list(part), thresholds)
                for second, part in groupby(asked, key=lambda request: request.second)
            ),
        )
        for endpoint, asked in by_endpoint.items()
    ]
    return Recording(
        tuple(thresholds), tuple(items), tuple(_examples(kept)), warmup, window, _slowest(kept, warmup)
    )


def _slowest(kept: Sequence[Request], warmup: int) -> tuple[SlowRequest, ...]:
    """Return the slowest responses after the warm-up."""
    found = Slowest()
    for request in kept:
        status = {None: 200, FailureClass.STATUS: 503}.get(request.failure)
        if status and request.second >= warmup:
            ns = round((request.ms if request.failure is None else 1.0) * MS)
            found.add(SlowRequest(request.endpoint, ns, request.second, status, request.failure))
    return found.all()


def _slice(second: int, asked: Sequence[Request], thresholds: Sequence[int]) -> SliceCounts:
    responded = [request for request in asked if request.failure is None]
    failures = Counter(request.failure for request in asked if request.failure is not None)
    hits = sum(request.hit for request in responded)
    return make_slice(
        second,
        Counter(request.ms for request in responded),
        failures=failures,
        statuses={
            200: len(responded),
            503: failures[FailureClass.STATUS],
            0: failures.total() - failures[FailureClass.STATUS],
        },
        cache=(hits, len(responded) - hits),
        thresholds=thresholds,
    )


def _examples(asked: Sequence[Request]) -> Iterator[ErrorExample]:
    """Yield one example a class and endpoint, most frequent first."""
    failed = [request for request in asked if request.failure is not None]
    counted = Counter((request.endpoint, request.failure) for request in failed)
    for (endpoint, failure), count in counted.most_common():
        assert failure is not None
        first = next(r.second for r in failed if (r.endpoint, r.failure) == (endpoint, failure))
        yield ErrorExample(endpoint, failure, count, MESSAGES.get(failure, failure.value), first)


def recording(
    *, endpoints: Sequence[Endpoint] = ENDPOINTS, warmup: int = 5, window: int = 40, rate: int = 50
) -> Recording:
    """Return a recording with a slow stretch and a burst of failures in the middle of its window."""
    middle = warmup + window // 2
    requests = make_traffic(
        endpoints=endpoints,
        seconds=warmup + window,
        rate=rate,
        median_ms=12.0,
        slow=dict.fromkeys(range(middle, middle + 4), 4.0),
        failing=[
            (second, place, why)
            for second in (middle, middle + 1)
            for place in range(len(endpoints))
            for why in (*[FailureClass.STATUS] * 3, FailureClass.TIMEOUT)
        ],
    )
    return recorded(requests, warmup=warmup, window=window)


def long_recording() -> Recording:
    """Return ten minutes at one-second slices with ten endpoints."""
    endpoints = tuple(Endpoint("GET", f"/things/{number}") for number in range(10))
    return recording(endpoints=endpoints, warmup=15, window=600, rate=20)


def scraped(requests: Sequence[Request], *, start: float, end: float) -> tuple[RawSeries, ...]:
    """Return what one instance counts of these requests, scraped every second.

    Args:
        requests: What was sent. One without any response never reached the instance; each other is counted
            within the second in which it was sent.
        start: When the load began, epoch seconds.
        end: The last scrape, epoch seconds.
    """
    times = tuple(start + offset for offset in range(-5, int(end - start) + 1))
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], list[tuple[float, float]]] = {}

    def keep(metric: str, time: float, value: float, **labels: str) -> None:
        samples.setdefault((metric, tuple({**INSTANCE, **labels}.items())), []).append((time, value))

    counts: Counter[tuple[tuple[str, str], ...]] = Counter()
    below: Counter[tuple[tuple[tuple[str, str], ...], str]] = Counter()
    waiting = [request for request in requests if request.failure in (None, FailureClass.STATUS)]
    for time in times:
        while waiting and start + waiting[0].second < time:
            _count(waiting.pop(0), counts, below)
        keep(UP, time, 1.0)
        keep(PROCESS_START, time, start - 3600)
        keep("process_cpu_seconds_total", time, 10.0 + 0.8 * (time - start))
        keep("process_resident_memory_bytes", time, 60e6)
        for labels, count in counts.items():
            keep("http_requests_total", time, count, **dict(labels))
            for bucket in (*map(str, BUCKETS_S), "+Inf"):
                value = below[labels, bucket]
                keep("http_request_duration_seconds_bucket", time, value, **dict(labels), le=bucket)
    return tuple(
        RawSeries(metric, dict(labels), tuple(t for t, _ in points), tuple(v for _, v in points))
        for (metric, labels), points in samples.items()
    )


def _count(
    request: Request,
    counts: Counter[tuple[tuple[str, str], ...]],
    below: Counter[tuple[tuple[tuple[str, str], ...], str]],
) -> None:
    failed = request.failure is not None
    labels = {
        "method": request.endpoint.method,
        "route": request.endpoint.name,
        "status_code": "503" if failed else "200",
    }
    key = tuple(labels.items())
    seconds = 0.001 if failed else request.ms / 1000
    counts[key] += 1
    for bucket in (*BUCKETS_S, "+Inf"):
        below[key, str(bucket)] += seconds <= float(bucket)
