"""What a run will do, derived from the spec: phases, load, thresholds. Pure."""

from dataclasses import dataclass
from fractions import Fraction

from slocheck.documents.units import NS_PER_SECOND
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import (
    CacheRule,
    Endpoint,
    FailureRule,
    Spec,
    Tls,
)
from slocheck.spec.model.load_profile import ArrivalProcess, Stage
from slocheck.spec.model.workload import DEFAULT_MAX_BODY, is_locust_file

REFERENCE_LATENCIES_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Latencies counted in addition to the spec's limits; they show how a rare tail clusters."""


FINE_REFERENCES_US = (1, 2, 5, 10, 20, 50, 100, 200, 500)
"""The same below a millisecond, for limits low enough to need them."""

REFERENCE_REACH = 10
"""Largest factor between a limit and its references: noise at 1 ms says nothing about 1 s."""


NEAR = 2
"""A limit has no references if no request came within this factor of it: clusters far below a limit say
nothing about reaching it. From a simulation: 1.5 is too little, see docs/statistics.md."""


def is_reference(latency: float | Fraction, limit: float | Fraction) -> bool:
    """Tell whether the clustering of requests at or over a latency is used for a limit in the same unit."""
    return latency < limit <= latency * REFERENCE_REACH


LONGEST_START_S = 120.0
"""Seconds within which all users of the open model are started, however low its rate."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """Everything the load engine needs; sent to other processes as JSON.

    Attributes:
        target_url: Base URL of the target.
        scenario: Absolute path of the Locust file or the declarative scenario.
        users: Largest number of virtual users at any time.
        spawn_rate: Users started per second.
        warmup_s: Seconds before the window.
        duration_s: Seconds of the window.
        drain_s: Deadline for requests in flight after the window, seconds.
        thresholds_ns: Latencies counted exactly, ascending.
        failures: Which status codes are failures.
        cache: Which response headers show a cache hit.
        tls: How the target's certificate is checked.
        tags: Run only these tasks; empty: all.
        exclude_tags: Tasks left out.
        seed: Seed of the schedule, the feeders and every worker's random generator.
        processes: Number of worker processes.
        rate: Load profile of the arrivals, warm-up included; empty: closed model.
        stages: Load profile of the users; empty: all `users` throughout.
        arrivals: How arrivals are spread.
        options: Options that the Locust file adds, as words of a command line.
        endpoints: Endpoints of objectives; they keep their names however many others there are.
        allowed_targets: Hosts that may be connected to in addition to this machine.
        max_exceptions: Exceptions of the scenario's code that are tolerated.
        max_body: Bytes that a response's decoded body may have.
        shortest_limit_ns: The shortest latency limit of any objective, nanoseconds; 1 s if there is none.
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
    seed: int = 0
    processes: int = 1
    rate: tuple[Stage, ...] = ()
    stages: tuple[Stage, ...] = ()
    arrivals: ArrivalProcess = ArrivalProcess.JITTERED
    endpoints: tuple[Endpoint, ...] = ()
    allowed_targets: tuple[str, ...] = ()
    max_exceptions: int = 0
    options: tuple[str, ...] = ()
    max_body: int = DEFAULT_MAX_BODY
    shortest_limit_ns: int = int(NS_PER_SECOND)

    @property
    def is_open(self) -> bool:
        """Whether the load follows the open model: arrivals on a schedule."""
        return bool(self.rate)

    @property
    def start_rate(self) -> float:
        """Users started per second before the schedule of the open model: its highest rate, within limits."""
        highest = max((max(stage.begin, stage.end) for stage in self.rate), default=0.0)
        return max(highest, self.users / LONGEST_START_S)

    @property
    def declarative(self) -> bool:
        """Whether the scenario is a declarative one."""
        return not is_locust_file(self.scenario)

    def users_of(self, index: int) -> int:
        """Return the number of users of the worker process with this index, from 0."""
        return self.users // self.processes + (index < self.users % self.processes)


def load_plan(
    spec: Spec, *, scenario: str, seed: int, processes: int, allowed_targets: tuple[str, ...] = ()
) -> LoadPlan:
    """Return the load of a run of `spec`.

    Args:
        spec: With its overrides applied.
        scenario: Absolute path of the scenario that it names.
        seed: Seed of the schedule, the feeders and every worker's random generator.
        processes: Number of worker processes.
        allowed_targets: Hosts that the user allows in addition to this machine.
    """
    workload = spec.workload
    return LoadPlan(
        target_url=spec.target.url,
        scenario=scenario,
        users=workload.users,
        spawn_rate=workload.spawn_rate,
        warmup_s=workload.warmup,
        duration_s=workload.duration,
        drain_s=workload.drain,
        thresholds_ns=thresholds_ns(spec),
        failures=spec.failures,
        cache=spec.cache,
        tls=spec.target.tls,
        tags=workload.tags,
        exclude_tags=workload.exclude_tags,
        seed=seed,
        processes=processes,
        rate=workload.rate,
        stages=workload.stages,
        arrivals=workload.arrivals,
        options=workload.options,
        endpoints=tuple(dict.fromkeys(item.endpoint for item in spec.objectives if item.endpoint)),
        allowed_targets=allowed_targets,
        max_exceptions=spec.validity.max_exceptions,
        max_body=workload.max_body,
        shortest_limit_ns=min(_limits_ns(spec), default=int(NS_PER_SECOND)),
    )


def thresholds_ns(spec: Spec) -> tuple[int, ...]:
    """Return the latencies to count against, ascending, in nanoseconds.

    A request is bad for ``< L`` from L on, and for ``<= L`` from the first nanosecond after L. So each
    limit becomes its smallest bad latency, and `over` always means "at or over".
    """
    limits = _limits_ns(spec)
    fine = {us * 1000 for us in FINE_REFERENCES_US}
    needed = {edge for edge in fine if any(is_reference(edge, limit) for limit in limits)}
    return tuple(sorted({ms * 1_000_000 for ms in REFERENCE_LATENCIES_MS} | needed | limits))


def _limits_ns(spec: Spec) -> set[int]:
    """Return the smallest bad latency of each latency limit, nanoseconds."""
    return {
        limit.first_bad_ns
        for objective in spec.objectives
        if traits_of(objective.indicator.kind).is_percentile
        for limit in objective.limits.values()
    }
