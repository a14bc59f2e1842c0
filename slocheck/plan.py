"""What a run will do, derived from the spec: phases, load, thresholds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from slocheck.spec.model import CacheRule, FailureRule, IndicatorKind, Spec, Tls

REFERENCE_EDGES_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Latency edges counted beside the spec's limits: references for a rare tail's clustering."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """All that the load engine has to know; crosses a process boundary as JSON.

    Attributes:
        target_url: Base URL of the target.
        scenario: Absolute path of the Locust file.
        users: Virtual users.
        spawn_rate: Users started per second.
        warmup_s: Seconds before the window.
        duration_s: Seconds of the window.
        drain_s: Deadline for requests in flight after the window, seconds.
        thresholds_ns: Latencies counted exactly, ascending.
        failures: Which status codes are failures.
        cache: Which response headers tell a cache hit.
        tls: How the target's certificate is checked.
        tags: Only these tasks; empty: all.
        exclude_tags: Tasks left out.
        seed: Of every worker's random generator; None: unseeded.
        processes: Worker processes.
        environment: Extra environment of the workers (a scenario's own settings).
    """

    target_url: str
    scenario: str
    users: int
    spawn_rate: float
    warmup_s: float
    duration_s: float
    drain_s: float
    thresholds_ns: tuple[int, ...]
    failures: FailureRule
    cache: CacheRule
    tls: Tls = Tls()
    tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    seed: int | None = None
    processes: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)


def thresholds_ns(spec: Spec) -> tuple[int, ...]:
    """Return the latencies to count against, ascending, in nanoseconds.

    A request is bad for ``< L`` from L on, for ``<= L`` from the first nanosecond after L, so each
    limit becomes the smallest bad latency and `over` can always mean "at or over".
    """
    edges = {ms * 1_000_000 for ms in REFERENCE_EDGES_MS}
    for objective in spec.objectives:
        if objective.indicator.kind is IndicatorKind.LATENCY:
            edges |= {limit.first_bad_ns for limit in objective.limits.values()}
    return tuple(sorted(edges))
