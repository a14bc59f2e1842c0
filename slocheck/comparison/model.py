"""What is compared between runs, and the result: inert, complete, unrounded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from slocheck.spec.model import IndicatorKind


@dataclass(frozen=True, slots=True)
class Observed:
    """What one run says of one objective, whatever its limits are.

    Attributes:
        side: Who measured: ``client``, or ``server`` if the client has no value.
        low: Smallest value that the data allow, base units.
        high: Largest; None if it is unbounded.
        standard_error: Of the value's logarithm, from batches of the window; None if there is none.
        total: Requests (lookups, points) behind it.
        effective_sample_size: Independent requests that would say as much; None if not known.
    """

    side: str
    low: float
    high: float | None
    standard_error: float | None = None
    total: int = 0
    effective_sample_size: float | None = None

    @property
    def value(self) -> float | None:
        """The middle of the bounds; None if there is none."""
        return None if self.high is None else (self.low + self.high) / 2


@dataclass(frozen=True, slots=True)
class ObjectiveRecord:
    """One objective of one run.

    Attributes:
        name: Its key in slo.yaml.
        kind: What is measured.
        quantile: Of a latency; else None.
        promql: The query of a PromQL objective; else None.
        endpoint: What it is about; empty: all requests.
        lower_is_better: Whether its limits are upper ones.
        limits: Level to limit, as written.
        verdict: Of the levels that the gate needs; empty if it needs none.
        observed: Its value; None without data.
    """

    name: str
    kind: IndicatorKind
    quantile: float | None
    promql: str | None
    endpoint: str
    lower_is_better: bool
    limits: Mapping[str, str]
    verdict: str
    observed: Observed | None

    @property
    def measures(self) -> tuple[object, ...]:
        """What it measures; objectives of two runs are compared if this and the name are the same."""
        return self.kind, self.quantile, self.promql, self.endpoint, self.lower_is_better


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what conditions a run was made; runs of other conditions say nothing of a change.

    Attributes:
        service: From slo.yaml.
        target: Base URL.
        scenario_sha256: Of the scenario and its data.
        workload: The load model and its amount, in words.
        workload_sha256: Of all keys of the workload but its length, and of what counts as a failure.
        spec_sha256: Of slo.yaml.
        host: Name of the load generator's machine.
        cores: Its processors.
        window_s: Length of the measured window, seconds.
        slocheck: Its version.
    """

    service: str
    target: str
    scenario_sha256: str
    workload: str
    workload_sha256: str
    spec_sha256: str
    host: str
    cores: int
    window_s: float
    slocheck: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run, as others are compared with it.

    Attributes:
        run_id: Name of its folder.
        folder: Its path as the user would type it.
        started: UTC, ISO 8601.
        outcome: What it said of the gate, such as ``pass``.
        gate: The tier asked for.
        tier: The highest tier that was met; None: none.
        valid: It ran to the end, and its measurement was valid.
        commit: Of the spec's repository; empty: none.
        dirty: Whether the work tree differed from the commit.
        requests: Sent in the window.
        failed: Failed ones among them.
        conditions: How it was made.
        objectives: In the spec's order.
    """

    run_id: str
    folder: str
    started: str
    outcome: str
    gate: str
    tier: str | None
    valid: bool
    commit: str
    dirty: bool
    requests: int
    failed: int
    conditions: Conditions
    objectives: tuple[ObjectiveRecord, ...]

    def objective(self, name: str) -> ObjectiveRecord | None:
        """Return the objective of that name; None if the run has none."""
        return next((item for item in self.objectives if item.name == name), None)


class Method(StrEnum):
    """How a change is told from chance."""

    WITHIN_RUNS = "within these runs"
    PREDICTION = "prediction interval"
    WELCH = "Welch's t-test"


class Trend(StrEnum):
    """What a comparison says of one objective.

    Only WORSE, BETTER and WITHIN are proven; UNTESTED says that no test was possible, or that there are too
    few runs for one.
    """

    WORSE = "worse"
    BETTER = "better"
    WITHIN = "within the margin"
    UNDECIDED = "undecided"
    UNTESTED = "not tested"


class Form(StrEnum):
    """What a change is written as."""

    RATIO = "ratio"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True)
class Change:
    """One objective, before and now.

    Attributes:
        objective: Its name.
        kind: What is measured: decides the unit of `old` and `new`.
        endpoint: What it is about; empty: all requests.
        old: Value before, base units; of several runs a mean of logarithms or angles. None: no value.
        new: Value now.
        form: Whether `amount` is new / old, or new - old.
        amount: The change; None if it cannot be written so.
        low: Lower end of its confidence interval; None if there is none.
        high: Upper end.
        trend: What that says.
        reason: Why it was not tested, or is undecided; may be empty.
        recent: Values of the runs compared with, oldest first, then the new one's: for a sparkline.
        p_worse: p-value of a change for the worse by more than the margin; 1 if it was not tested.
    """

    objective: str
    kind: IndicatorKind
    endpoint: str
    old: float | None
    new: float | None
    form: Form
    amount: float | None = None
    low: float | None = None
    high: float | None = None
    trend: Trend = Trend.UNTESTED
    reason: str = ""
    recent: tuple[float, ...] = ()
    p_worse: float = 1.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run, or several, compared with earlier ones. A report's first screen shows `changes`.

    Attributes:
        old: The runs compared with, oldest first; at least one.
        new: The run, or the runs, that are compared.
        method: How chance is told from change.
        confidence: Of the intervals, 0..1.
        margin: How much worse an objective may get: 0.1 for 10 %.
        changes: One for each objective of the new run.
        differences: Other differences between the runs, in words.
        gates: A change for the worse that is proven fails the run.
        left_out: Runs that were not compared with, and why.
    """

    old: tuple[RunRecord, ...]
    new: tuple[RunRecord, ...]
    method: Method
    confidence: float
    margin: float
    changes: tuple[Change, ...]
    differences: tuple[str, ...] = ()
    gates: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def regressions(self) -> tuple[Change, ...]:
        """What is worse for certain, the surest first."""
        worse = [change for change in self.changes if change.trend is Trend.WORSE]
        return tuple(sorted(worse, key=lambda change: change.p_worse))
