"""Which raw series the objectives of a spec need."""

from slocheck.promql.selectors import SeriesQuery, equalities
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Objective, Preset, SourceChoice, Spec
from slocheck.spec.model.related_jobs import RelatedJobs
from slocheck.spec.presets import PRESET_NAMES

UP = "up"
PROCESS_START = "process_start_time_seconds"


def series_queries(spec: Spec, mapping: Preset) -> tuple[SeriesQuery, ...]:
    """Return the distinct raw series that grading `spec` needs; the service's are pinned to its job."""
    job = equalities(spec.series_selector)
    pinned = job + equalities(mapping.selector)
    related_jobs = spec.related_jobs
    graded = [item for item in spec.objectives if not (related_jobs.cache and _of_cache(item))]
    metrics = [metric for objective in graded for metric in needed_metrics(objective, mapping)]
    if mapping.counter and spec.target.instances is None:
        metrics.append(mapping.counter)
    queries = [SeriesQuery(metric, pinned) for metric in dict.fromkeys(metrics)]
    return (
        *queries,
        SeriesQuery(UP, job),
        SeriesQuery(PROCESS_START, job),
        *_of_related_jobs(spec, related_jobs),
    )


def sum_queries(spec: Spec, mapping: Preset) -> tuple[SeriesQuery, ...]:
    """Return the sum of the latencies, whose mean shows a wrong unit; it is not graded and may be missing.

    None if no latency is graded by the histogram, or if the mapping was shipped, so that its unit is known.
    """
    latencies = (item for item in spec.objectives if traits_of(item.indicator.kind).is_percentile)
    graded = any(item.source is not SourceChoice.CLIENT for item in latencies)
    if not graded or mapping.histogram is None or mapping.name in PRESET_NAMES:
        return ()
    pinned = equalities(spec.series_selector) + equalities(mapping.selector)
    return (SeriesQuery(f"{mapping.histogram}_sum", pinned),)


def _of_cache(objective: Objective) -> bool:
    return not traits_of(objective.indicator.kind).counts_requests


def _of_related_jobs(spec: Spec, related_jobs: RelatedJobs) -> tuple[SeriesQuery, ...]:
    """Return the series of other jobs, pinned by their own labels."""
    queries = []
    asked = any(_of_cache(item) and item.source is not SourceChoice.CLIENT for item in spec.objectives)
    if related_jobs.cache and asked:
        pinned = equalities(related_jobs.cache.selector)
        queries += [
            SeriesQuery(metric, pinned) for metric in (related_jobs.cache.hits, related_jobs.cache.misses)
        ]
    if related_jobs.replicas and spec.target.instances is None:
        queries.append(SeriesQuery(related_jobs.replicas.metric, equalities(related_jobs.replicas.selector)))
    return tuple(queries)


def needed_metrics(objective: Objective, mapping: Preset) -> tuple[str, ...]:
    """Return the metrics from which an objective's server side is counted; none if it has no server side."""
    if objective.source is SourceChoice.CLIENT:
        return ()
    traits = traits_of(objective.indicator.kind)
    names = (*traits.metrics(mapping), *traits.failure_metrics(mapping))
    return tuple(name for name in names if name)
