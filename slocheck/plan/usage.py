"""Series of the saturation of the service's processes and containers: shown, never graded."""

from slocheck.promql.selectors import SeriesQuery, equalities
from slocheck.spec.model import Spec

PROCESS_CPU = "process_cpu_seconds_total"
PROCESS_MEMORY = "process_resident_memory_bytes"
CONTAINER_CPU = "container_cpu_usage_seconds_total"
CONTAINER_MEMORY = "container_memory_working_set_bytes"
PERIODS = "container_cpu_cfs_periods_total"
THROTTLED = "container_cpu_cfs_throttled_periods_total"
PROCESS_METRICS = (PROCESS_CPU, PROCESS_MEMORY)
CONTAINER_METRICS = (CONTAINER_CPU, CONTAINER_MEMORY, PERIODS, THROTTLED)
USAGE_METRICS = frozenset({*PROCESS_METRICS, *CONTAINER_METRICS})


def usage_queries(spec: Spec) -> tuple[SeriesQuery, ...]:
    """Return the series of the service's processes, and of its containers if the spec names them."""
    job = equalities(spec.series_selector)
    queries = [SeriesQuery(metric, job) for metric in PROCESS_METRICS]
    if containers := spec.related_jobs.containers:
        pinned = equalities(containers)
        queries += [SeriesQuery(metric, pinned) for metric in CONTAINER_METRICS]
    return tuple(queries)
