"""The keys of slo.yaml for series of other jobs on the Prometheus server."""

from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import Key, Section, Value, ValueType, object_schema
from slocheck.spec.blocks.metric_source.preset import LABEL_PATTERN, METRIC_PATTERN
from slocheck.spec.model.related_jobs import CacheCounters, RelatedJobs, Replicas

KUBE_REPLICAS = "kube_deployment_status_replicas_available"

_METRIC = types.text(pattern=METRIC_PATTERN, what="metric name", example="redis_keyspace_hits_total")
_LABELS: ValueType[dict[str, str]] = types.map_of(LABEL_PATTERN, "label name", at_least=1)
_PINNED: Key[dict[str, str]] = Key("selector", _LABELS, {}, "labels that pin them", required=True)
_HITS = Key("hits", _METRIC, "", "counter of hits, its full name", required=True)
_MISSES = Key("misses", _METRIC, "", "counter of misses", required=True)
_GAUGE = Key("metric", _METRIC, KUBE_REPLICAS, f"gauge of the replicas; default {KUBE_REPLICAS}")
_CACHE_KEYS: tuple[Key[Any], ...] = (_HITS, _MISSES, _PINNED)
_REPLICA_KEYS: tuple[Key[Any], ...] = (_GAUGE, _PINNED)


def _read_cache(value: Value) -> CacheCounters | None:
    section = Section(value, _CACHE_KEYS)
    return CacheCounters(section.get(_HITS), section.get(_MISSES), section.get(_PINNED))


def _read_replicas(value: Value) -> Replicas | None:
    section = Section(value, _REPLICA_KEYS)
    return Replicas(section.get(_GAUGE), section.get(_PINNED))


_CACHE: Key[CacheCounters | None] = Key(
    "cache",
    ValueType(_read_cache, object_schema(_CACHE_KEYS)),
    None,
    "cache counters of another job, such as redis_exporter's",
)
_REPLICAS: Key[Replicas | None] = Key(
    "replicas",
    ValueType(_read_replicas, object_schema(_REPLICA_KEYS)),
    None,
    "gauge of the replicas that serve, as from kube-state-metrics",
)
_CONTAINERS: Key[dict[str, str]] = Key(
    "containers", _LABELS, {}, "labels that pin the service's containers in cAdvisor's series"
)
RELATED_JOBS_KEYS: tuple[Key[Any], ...] = (_CACHE, _REPLICAS, _CONTAINERS)


def read_related_jobs(section: Section) -> RelatedJobs:
    """Return what a ``prometheus`` block says about other jobs."""
    return RelatedJobs(section.get(_CACHE), section.get(_REPLICAS), section.get(_CONTAINERS))
