"""What a Prometheus server knows from other jobs: the cache's counters, replicas, containers."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class CacheCounters:
    """Counters of hits and misses that another job exports, such as redis_exporter.

    Attributes:
        hits: Full name of the counter of hits.
        misses: Full name of the counter of misses.
        selector: Labels that pin them; they count the lookups of all of the cache's clients.
    """

    hits: str
    misses: str
    selector: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Replicas:
    """A gauge of the replicas that serve, as from kube-state-metrics.

    Attributes:
        metric: Its name.
        selector: Labels that pin the deployment.
    """

    metric: str
    selector: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RelatedJobs:
    """All that is read from other jobs.

    Attributes:
        cache: None: the preset's own counters, of the service's job.
        replicas: None: instances are counted in the service's series.
        containers: Labels that pin the service's containers in cAdvisor's series; empty: not asked.
    """

    cache: CacheCounters | None = None
    replicas: Replicas | None = None
    containers: Mapping[str, str] = field(default_factory=dict)
