"""What a run will do, derived from the spec: phases, load, thresholds. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from slocheck.spec.indicators import error_budget, traits_of
from slocheck.spec.model import (
    CacheRule,
    Endpoint,
    FailureRule,
    Limit,
    Objective,
    Spec,
    Tls,
)
from slocheck.spec.model.load_profile import ArrivalProcess, Stage, expected_arrivals

REFERENCE_EDGES_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Latency edges counted beside the spec's limits: references for a rare tail's clustering."""


REFERENCE_REACH = 10
"""How far below a limit its references lie at most, as a factor: noise at 1 ms tells nothing of 1 s."""


def is_reference(edge: float | Fraction, limit: float | Fraction) -> bool:
    """Tell whether the clustering at or over a latency edge is borrowed for a limit; both in one unit."""
    return edge < limit <= edge * REFERENCE_REACH


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
    arrivals: ArrivalProcess = ArrivalProcess.UNIFORM

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
        if traits_of(objective.indicator.kind).is_percentile:
            edges |= {limit.first_bad_ns for limit in objective.limits.values()}
    return tuple(sorted(edges))


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a plan sends within its window, on average.

    Attributes:
        arrivals: Arrivals of the open model; None in the closed one, where the target's speed decides.
        requests: By endpoint; None where the scenario does not tell, as a Locust file does not.
    """

    arrivals: float | None
    requests: Mapping[Endpoint, float] | None

    def to(self, endpoint: Endpoint | None) -> float | None:
        """Return the requests to an endpoint, or to all; None where nobody can know.

        A task of a Locust file is taken for one request: it may send more.
        """
        if self.requests is None:
            return self.arrivals if endpoint is None else None
        return sum(self.requests.values()) if endpoint is None else self.requests.get(endpoint, 0.0)


def forecast(spec: Spec, per_arrival: Mapping[Endpoint, float] | None) -> Forecast:
    """Return what a spec's workload will send; `per_arrival`: requests of one arrival by endpoint."""
    workload = spec.workload
    if not workload.rate:
        return Forecast(None, None)
    arrivals = expected_arrivals(workload.rate, workload.warmup, workload.warmup + workload.duration)
    if per_arrival is None:
        return Forecast(arrivals, None)
    return Forecast(arrivals, {endpoint: mean * arrivals for endpoint, mean in per_arrival.items()})


@dataclass(frozen=True, slots=True)
class ProofNeed:
    """What it takes to prove one limit.

    Attributes:
        objective: Its name.
        level: Tier, ``target`` or ``critical``.
        limit: As written.
        requests: Fewest independent requests, none of them bad, that prove it; None where the limit
            is no share of requests.
        expected: Requests that the plan sends to what the objective counts; None where nobody can know.
        per_second: The same as `requests`, as a rate over the planned window.
        window_s: The window in which the plan's rate sends that many; None where nobody can know.
    """

    objective: str
    level: str
    limit: str
    requests: int | None
    expected: float | None
    per_second: float | None
    window_s: float | None

    @property
    def provable(self) -> bool:
        """Whether the plan may send enough; also where nobody can know."""
        return self.requests is None or self.expected is None or self.expected >= self.requests


def proof_needs(
    spec: Spec, requests_needed: Callable[[float], int], planned: Forecast
) -> tuple[ProofNeed, ...]:
    """Return what each limit takes to be proven; `requests_needed` maps a share to a sample size."""
    window = spec.workload.duration
    needs = []
    for objective in spec.objectives:
        expected = planned.to(objective.endpoint)
        for level, limit in objective.limits.items():
            share = error_budget(objective.indicator, limit)
            requests = requests_needed(float(share)) if share is not None and 0 < share < 1 else None
            rate = requests / window if requests is not None else None
            longer = requests * window / expected if requests is not None and expected else None
            needs.append(ProofNeed(objective.name, level, limit.text, requests, expected, rate, longer))
    return tuple(needs)


def obstacles(spec: Spec, planned: Forecast) -> Iterator[tuple[str, str]]:
    """Yield the level of each limit that no count of requests proves with this plan, and why."""
    for objective in spec.objectives:
        for level, limit in objective.limits.items():
            why = _perfection(objective, limit, spec) or _unoffered(objective, limit, spec, planned)
            if why:
                yield level, f"{level} {objective.name} {limit.text} {why}"


def _perfection(objective: Objective, limit: Limit, spec: Spec) -> str:
    """Say why a limit that allows nothing bad is never met at a confidence; empty where it does not apply."""
    if spec.confidence is None or error_budget(objective.indicator, limit) != 0:
        return ""
    return (
        "cannot be proven with any number of requests: write the share that may be bad, or confidence: none"
    )


def _unoffered(objective: Objective, limit: Limit, spec: Spec, planned: Forecast) -> str:
    """Say why a rate is never reached; empty where it may be."""
    offered = _offered(objective, spec, planned)
    if offered is None or limit.holds(offered):
        return ""
    takes = f"about {_times(float(limit.value / offered))} times the rate" if offered else "requests to it"
    return f"is out of reach: this plan offers {float(offered):,.4g}/s per instance; it takes {takes}"


def _offered(objective: Objective, spec: Spec, planned: Forecast) -> Fraction | None:
    """Return the requests per second and instance that a rate's objective can see; None: not known."""
    if not traits_of(objective.indicator.kind).limited_by_load:
        return None
    expected = planned.to(objective.endpoint) if planned.requests is not None else None
    if expected is None or spec.target.instances is None:
        return None
    return Fraction(round(expected)) / Fraction(spec.workload.duration) / spec.target.instances


def _times(factor: float) -> str:
    """Return a factor with three digits, never as a power of ten."""
    return f"{float(f'{factor:.3g}'):,.15g}"
