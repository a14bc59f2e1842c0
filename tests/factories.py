"""Builders of specs, recordings and evidence for tests: good by default, one thing changed at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from slocheck.evidence.histogram import bucket_index
from slocheck.evidence.model import SCHEMA_VERSION, Ending, Evidence, LoadHealth, Provenance, WorkerHealth
from slocheck.evidence.recording import EndpointRecording, FailureClass, Recording, SliceCounts
from slocheck.spec.loader import parse_spec
from slocheck.spec.model import Endpoint, Overrides, Spec

ITEM = Endpoint("GET", "/items/{id}")
MS = 1_000_000
THRESHOLDS = tuple(edge * MS for edge in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000))

OBJECTIVES = """\
  latency_p95: {bronze: "< 500ms", silver: "< 200ms", gold: "< 100ms"}
  error_rate: {bronze: "< 1%", silver: "< 0.1%", gold: "< 0.01%"}
"""


def make_spec(objectives: str = OBJECTIVES, *, more: str = "", gate: str = "silver") -> Spec:
    """Return a spec with these objectives (YAML, two spaces deep), client side, without confidence."""
    confidence = "" if "confidence:" in more else "confidence: none\n"
    text = (
        'service: shop-api\ntarget: {url: "http://127.0.0.1:8000"}\n'
        "workload: {scenario: browse.py, users: 10, warmup: 5s, duration: 60s}\n"
        f"tiers: [bronze, silver, gold]\nobjectives:\n{objectives}gate: {gate}\n{confidence}{more}"
    )
    return parse_spec(text.encode(), "slo.yaml", environment={})


def make_slice(
    second: int,
    latencies_ms: Mapping[float, int],
    *,
    failures: Mapping[FailureClass, int] | None = None,
    statuses: Mapping[int, int] | None = None,
    cache: tuple[int, int] = (0, 0),
) -> SliceCounts:
    """Return a second with so many requests of each latency (ms), and the failures beside them."""
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
        unserved=sum(known.get(status, 0) for status in (0, 502, 503, 504)),
        over=tuple(sum(c for latency, c in ns.items() if latency >= edge) for edge in THRESHOLDS),
        latencies=histogram,
        total_ns=sum(latency * count for latency, count in ns.items()),
        max_ns=max(ns, default=0),
        cache_hits=cache[0],
        cache_misses=cache[1],
    )


def make_recording(
    slices: Sequence[SliceCounts] | None = None, *, warmup_s: int = 0, window_s: int | None = None
) -> Recording:
    """Return a recording of one endpoint; by default a minute of 100 requests a second at 20 ms."""
    parts = tuple(slices if slices is not None else (make_slice(t, {20: 100}) for t in range(60)))
    length = window_s if window_s is not None else len(parts) - warmup_s
    return Recording(THRESHOLDS, (EndpointRecording(ITEM, parts),), (), warmup_s, length)


def steady(seconds: int, latencies_ms: Mapping[float, int], **more: Any) -> Recording:
    """Return a recording in which every second is the same."""
    return make_recording([make_slice(t, latencies_ms, **more) for t in range(seconds)])


PROVENANCE = Provenance(
    run_id="20260102T030405Z-abcdef",
    command="slocheck run slo.yaml",
    started="2026-01-02T03:04:05.000Z",
    ended="2026-01-02T03:05:10.000Z",
    slocheck="0.1.0",
    versions={"python": "3.11.7", "locust": "2.47.0"},
    host="loader",
    cores=2,
    git_sha="0123456789abcdef0123456789abcdef01234567",
    git_dirty=False,
    spec_sha256="0" * 64,
    scenario_sha256="1" * 64,
    scenario="browse.py",
    target="http://127.0.0.1:8000",
    seed=42,
)

WORKER = WorkerHealth("worker-1", cpu=0.3, cpu_max=0.4, loop_lag_p99=0.002, complete=True)
HEALTH = LoadHealth(planned_users=10, users=10, workers=(WORKER,))


def make_evidence(recording: Recording | None = None, **changes: Any) -> Evidence:
    """Return a whole, valid run with this recording and these fields changed."""
    recorded = recording if recording is not None else make_recording()
    evidence = Evidence(
        schema_version=SCHEMA_VERSION,
        provenance=PROVENANCE,
        overrides=Overrides(),
        planned_warmup_s=float(recorded.warmup_s),
        planned_window_s=float(recorded.window_s),
        ending=Ending.COMPLETE,
        signal="",
        recording=recorded,
        health=HEALTH,
        failed_statuses=("5xx",),
    )
    return replace(evidence, **changes)
