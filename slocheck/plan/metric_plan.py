"""What a run asks its metric source for, decided before the run as `LoadPlan` is for the load."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from slocheck.plan.series_queries import series_queries, sum_queries
from slocheck.plan.usage import usage_queries
from slocheck.promql.dashboard import dashboard_queries
from slocheck.promql.selectors import SeriesQuery, selector_text
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Indicator, Preset, SourceChoice, Spec

COUNTER, GAUGE = "counter", "gauge"
"""Types that tell whether a metric only grows, by a page, Prometheus or the spec."""


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """Everything that is asked of a metric source.

    Attributes:
        mapping: The names under which the service exports its metrics.
        series: Raw series that the objectives are graded on.
        usage: Series that are shown, or compared with the client's numbers, and not graded; they may be
            missing.
        latency_limits: Limits of the latency objectives that are graded on the server, in seconds.
        promql: Custom objectives: name to indicator.
        dashboards: Objective name to the query a dashboard would use; ``$window`` stands for the
            window's length.
        types: Metric to ``counter`` or ``gauge``, if the spec says what it is for.
        labels: Names of all labels that the spec and the mapping select series by.
    """

    mapping: Preset
    series: tuple[SeriesQuery, ...] = ()
    usage: tuple[SeriesQuery, ...] = ()
    latency_limits: tuple[Fraction, ...] = ()
    promql: Mapping[str, Indicator] = field(default_factory=dict)
    dashboards: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()

    def types_of(self, metrics: Iterable[str], declared: Mapping[str, str]) -> Mapping[str, str]:
        """Return the type of each metric if known: as the spec says, else as it is declared.

        Args:
            metrics: Metrics of the series that a source delivers.
            declared: Type by family, with or without ``_total``, as ``# TYPE`` has it.
        """
        found = {}
        for metric in sorted(set(metrics)):
            known = declared.get(metric) or declared.get(metric.removesuffix("_total"), "")
            if kind := self.types.get(metric) or (known if known in (COUNTER, GAUGE) else ""):
                found[metric] = kind
        return found

    @property
    def series_texts(self) -> tuple[str, ...]:
        """The selectors of the graded series, as PromQL."""
        return tuple(selector_text(query) for query in self.series)


def metric_plan(spec: Spec, mapping: Preset | None = None) -> MetricPlan | None:
    """Return what a run of `spec` asks its metric source for; None if the spec configures none.

    Args:
        spec: With its overrides applied.
        mapping: The metrics' names; None: use the source's preset.
    """
    source = spec.metric_source
    if source is None:
        return None
    names = mapping or source.preset
    return MetricPlan(
        mapping=names,
        series=series_queries(spec, names),
        usage=(*usage_queries(spec), *sum_queries(spec, names)),
        latency_limits=_latency_limits(spec),
        promql={
            objective.name: objective.indicator
            for objective in spec.objectives
            if traits_of(objective.indicator.kind).is_query
        },
        dashboards=dashboard_queries(spec, names) if source.takes_promql else {},
        types=_types(spec, names),
        labels=_labels(spec, names),
    )


def _labels(spec: Spec, mapping: Preset) -> tuple[str, ...]:
    """Return the distinct names of all labels that select series."""
    jobs = spec.related_jobs
    others = (jobs.containers, *(job.selector for job in (jobs.cache, jobs.replicas) if job))
    own = (item.labels for item in spec.objectives if item.source is not SourceChoice.CLIENT)
    roles = (mapping.method_label, mapping.route_label, mapping.status_label, mapping.histogram_status_label)
    selectors = (spec.series_selector, mapping.selector, *own, *others)
    return tuple(dict.fromkeys((*(label for each in selectors for label in each), *filter(None, roles))))


def _types(spec: Spec, mapping: Preset) -> Mapping[str, str]:
    """Return the types that the metrics named in the spec must have for their purpose."""
    cache, replicas = spec.related_jobs.cache, spec.related_jobs.replicas
    lookups = (cache.hits, cache.misses) if cache else ()
    named = dict.fromkeys((*mapping.counters, *lookups), COUNTER)
    return {**named, replicas.metric: GAUGE} if replicas else named


def _latency_limits(spec: Spec) -> tuple[Fraction, ...]:
    return tuple(
        limit.value
        for objective in spec.objectives
        if traits_of(objective.indicator.kind).is_percentile and objective.source is not SourceChoice.CLIENT
        for limit in objective.limits.values()
    )
