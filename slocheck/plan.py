"""What a run will do, derived from the spec: phases, load, thresholds. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from slocheck.spec.course import Arrivals, Stage
from slocheck.spec.model import CacheRule, FailureRule, Indicator, IndicatorKind, Limit, Spec, Tls

REFERENCE_EDGES_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Latency edges counted beside the spec's limits: references for a rare tail's clustering."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """All that the load engine has to know; crosses a process boundary as JSON.

    Attributes:
        target_url: Base URL of the target.
        scenario: Absolute path of the Locust file or the declarative scenario.
        users: Virtual users; the most at any time.
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
        rate: Course of the arrivals, from the load's begin; empty: closed model.
        stages: Course of the users; empty: all `users` throughout.
        arrivals: How arrivals are spread.
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
    rate: tuple[Stage, ...] = ()
    stages: tuple[Stage, ...] = ()
    arrivals: Arrivals = Arrivals.UNIFORM

    @property
    def declarative(self) -> bool:
        """Whether the scenario is a declarative one."""
        return not self.scenario.endswith(".py")


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


@dataclass(frozen=True, slots=True)
class ProofNeed:
    """What it takes to prove one limit.

    Attributes:
        objective: Its name.
        level: Tier, ``target`` or ``critical``.
        limit: As written.
        requests: Fewest independent requests, none of them bad, that prove it; None where the limit
            is no share of requests.
        per_second: The same as a rate over the planned window.
    """

    objective: str
    level: str
    limit: str
    requests: int | None
    per_second: float | None


def bad_share_limit(indicator: Indicator, limit: Limit) -> Fraction | None:
    """Return the largest share of bad requests that a limit allows, 0..1; None where it is no share."""
    match indicator.kind:
        case IndicatorKind.LATENCY:
            return 1 - (indicator.quantile or Fraction(0))
        case IndicatorKind.ERROR_RATE:
            return limit.value
        case IndicatorKind.AVAILABILITY | IndicatorKind.CACHE_HIT_RATE:
            return 1 - limit.value
        case _:
            return None


def proof_needs(spec: Spec, requests_needed: Callable[[float], int]) -> tuple[ProofNeed, ...]:
    """Return what each limit takes to be proven; `requests_needed` maps a share to a sample size."""
    needs = []
    for objective in spec.objectives:
        for level, limit in objective.limits.items():
            share = bad_share_limit(objective.indicator, limit)
            requests = requests_needed(float(share)) if share is not None and 0 < share < 1 else None
            rate = requests / spec.workload.duration if requests is not None else None
            needs.append(ProofNeed(objective.name, level, limit.text, requests, rate))
    return tuple(needs)
