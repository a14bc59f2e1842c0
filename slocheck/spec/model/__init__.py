"""The typed SLO spec: inert, frozen, in base units (seconds, 0..1 ratios, requests per second)."""

from slocheck.spec.model.confidence import Confidence
from slocheck.spec.model.indicator import Indicator, IndicatorKind, Reduce
from slocheck.spec.model.limit import Limit
from slocheck.spec.model.load_profile import ArrivalProcess, Stage
from slocheck.spec.model.metric_source import Auth, SourceBlock
from slocheck.spec.model.objective import EXTRA_LEVELS, Endpoint, Objective, SourceChoice
from slocheck.spec.model.overrides import Overrides
from slocheck.spec.model.preset import AUTO, CUSTOM, Preset
from slocheck.spec.model.related_jobs import CacheCounters, RelatedJobs, Replicas
from slocheck.spec.model.rules import CacheRule, FailureRule
from slocheck.spec.model.spec import Spec
from slocheck.spec.model.target import Target, Tls
from slocheck.spec.model.validity import ValidityLimits
from slocheck.spec.model.workload import Workload

__all__ = [
    "AUTO",
    "CUSTOM",
    "EXTRA_LEVELS",
    "ArrivalProcess",
    "Auth",
    "CacheCounters",
    "CacheRule",
    "Confidence",
    "Endpoint",
    "FailureRule",
    "Indicator",
    "IndicatorKind",
    "Limit",
    "Objective",
    "Overrides",
    "Preset",
    "Reduce",
    "RelatedJobs",
    "Replicas",
    "SourceBlock",
    "SourceChoice",
    "Spec",
    "Stage",
    "Target",
    "Tls",
    "ValidityLimits",
    "Workload",
]
