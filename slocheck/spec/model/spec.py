"""The whole spec."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from slocheck.spec.model.confidence import Confidence
from slocheck.spec.model.metric_source import SourceBlock
from slocheck.spec.model.objective import Objective
from slocheck.spec.model.related_jobs import RelatedJobs
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
        gate: The gate.
        confidence: How sure a verdict has to be; None grades only the observed values.
        metric_source: Where the server side's numbers come from; None: only the client side is graded.
        secrets: Values of ``${NAME}`` in the path or query of an address, masked in all output.
        secret_variables: Environment variables whose values are masked as well.
    """

    path: str
    text: str
    service: str
    target: Target
    workload: Workload
    tiers: tuple[str, ...]
    objectives: tuple[Objective, ...]
    gate: str
    confidence: Confidence | None
    metric_source: SourceBlock | None = None
    failures: FailureRule = field(default_factory=FailureRule)
    cache: CacheRule = field(default_factory=CacheRule)
    validity: ValidityLimits = field(default_factory=ValidityLimits)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    secret_variables: tuple[str, ...] = ()

    @property
    def series_selector(self) -> Mapping[str, str]:
        """Label values that pin the service's series; empty if the source has no other series."""
        return self.metric_source.selector if self.metric_source else {}

    @property
    def related_jobs(self) -> RelatedJobs:
        """What the metric source reads from other jobs."""
        return self.metric_source.related_jobs if self.metric_source else RelatedJobs()
