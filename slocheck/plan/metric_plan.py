"""Which raw series the objectives of a spec need."""

from collections.abc import Mapping

from slocheck.promql.selectors import Matcher, SeriesQuery
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import IndicatorKind, Objective, Preset, SourceChoice, Spec
from slocheck.spec.model.related_jobs import RelatedJobs

UP = "up"
PROCESS_START = "process_start_time_seconds"


def series_queries(spec: Spec, preset: Preset) -> tuple[SeriesQuery, ...]:
    """Return every raw series that grading `spec` needs, the pinned job's alone, without repetition."""
    job = tuple(Matcher(label, "=", value) for label, value in _selector(spec).items())
    own = job + tuple(Matcher(label, "=", value) for label, value in preset.selector.items())
    related_jobs = spec.prometheus.related_jobs if spec.prometheus else RelatedJobs()
    graded = [item for item in spec.objectives if not (related_jobs.cache and _of_cache(item))]
    metrics = [metric for objective in graded for metric in needed_metrics(objective, preset)]
    if preset.counter and spec.target.instances is None:
        metrics.append(preset.counter)
    queries = [SeriesQuery(metric, own) for metric in dict.fromkeys(metrics)]
    return (
        *queries,
        SeriesQuery(UP, job),
        SeriesQuery(PROCESS_START, job),
        *_related_jobs(spec, related_jobs),
    )


def _of_cache(objective: Objective) -> bool:
    return objective.indicator.kind is IndicatorKind.CACHE_HIT_RATE


def _related_jobs(spec: Spec, related_jobs: RelatedJobs) -> tuple[SeriesQuery, ...]:
    """Return what is asked of other jobs: pinned by their own labels."""
    queries = []
    asked = any(_of_cache(item) and item.source is not SourceChoice.CLIENT for item in spec.objectives)
    if related_jobs.cache and asked:
        pinned = matchers(related_jobs.cache.selector)
        queries += [
            SeriesQuery(metric, pinned) for metric in (related_jobs.cache.hits, related_jobs.cache.misses)
        ]
    if related_jobs.replicas and spec.target.instances is None:
        queries.append(SeriesQuery(related_jobs.replicas.metric, matchers(related_jobs.replicas.selector)))
    return tuple(queries)


def matchers(labels: Mapping[str, str]) -> tuple[Matcher, ...]:
    """Return the matchers that pin these labels."""
    return tuple(Matcher(label, "=", value) for label, value in labels.items())


def needed_metrics(objective: Objective, preset: Preset) -> tuple[str, ...]:
    """Return the metrics that an objective's server side is counted from; none where it has no such side."""
    if objective.source is SourceChoice.CLIENT:
        return ()
    traits = traits_of(objective.indicator.kind)
    names = (*traits.metrics(preset), *traits.failure_metrics(preset))
    return tuple(name for name in names if name)


def _selector(spec: Spec) -> dict[str, str]:
    """Return the labels that pin the job; pages that are scraped directly need none."""
    return dict(spec.prometheus.selector) if spec.prometheus else {}
