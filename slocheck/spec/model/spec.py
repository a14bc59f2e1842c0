"""The whole spec."""

from dataclasses import dataclass, field
from fractions import Fraction

from slocheck.spec.model.metric_source import PrometheusSource, ScrapeSource
from slocheck.spec.model.objective import Objective
from slocheck.spec.model.rules import CacheRule, FailureRule
from slocheck.spec.model.target import Target
from slocheck.spec.model.validity import ValidityLimits
from slocheck.spec.model.workload import Workload


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole slo.yaml.

    Attributes:
        path: As the user named it, for messages.
        text: The file's text, uninterpolated; what the archive keeps.
        service: The service's name.
        target: The API under load.
        workload: What load is sent.
        tiers: Loosest first.
        objectives: In the order written.
        gate: The tier the exit code asks for.
        confidence: Such as 19/20; None grades the observed values alone.
        prometheus: At most one of `prometheus` and `scrape` is set.
        scrape: See `prometheus`.
    """

    path: str
    text: str
    service: str
    target: Target
    workload: Workload
    tiers: tuple[str, ...]
    objectives: tuple[Objective, ...]
    gate: str
    confidence: Fraction | None
    prometheus: PrometheusSource | None = None
    scrape: ScrapeSource | None = None
    failures: FailureRule = field(default_factory=FailureRule)
    cache: CacheRule = field(default_factory=CacheRule)
    validity: ValidityLimits = field(default_factory=ValidityLimits)
