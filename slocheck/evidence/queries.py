"""Which raw series the objectives of a spec need."""

from slocheck.evidence.series import Matcher, SeriesQuery
from slocheck.spec.model import IndicatorKind, Preset, SourceChoice, Spec

UP = "up"
PROCESS_START = "process_start_time_seconds"

_COUNTED = frozenset({IndicatorKind.ERROR_RATE, IndicatorKind.AVAILABILITY, IndicatorKind.RPS_PER_INSTANCE})


def series_queries(spec: Spec, preset: Preset) -> tuple[SeriesQuery, ...]:
    """Return every raw series that grading `spec` needs, the pinned job's alone, without repetition."""
    job = tuple(Matcher(label, "=", value) for label, value in _selector(spec).items())
    own = job + tuple(Matcher(label, "=", value) for label, value in preset.selector.items())
    kinds = {
        objective.indicator.kind
        for objective in spec.objectives
        if objective.source is not SourceChoice.CLIENT
    }
    metrics: list[str] = []
    if IndicatorKind.LATENCY in kinds and preset.histogram:
        metrics.append(f"{preset.histogram}_bucket")
    # latency needs the counter too: failed requests are bad however fast they were
    if preset.counter and (
        kinds & _COUNTED or IndicatorKind.LATENCY in kinds or spec.target.instances is None
    ):
        metrics.append(preset.counter)
    if IndicatorKind.CACHE_HIT_RATE in kinds and preset.cache_hits and preset.cache_misses:
        metrics += [preset.cache_hits, preset.cache_misses]
    queries = [SeriesQuery(metric, own) for metric in dict.fromkeys(metrics)]
    return (*queries, SeriesQuery(UP, job), SeriesQuery(PROCESS_START, job))


def _selector(spec: Spec) -> dict[str, str]:
    """Return the labels that pin the job; pages that are scraped directly need none."""
    return dict(spec.prometheus.selector) if spec.prometheus else {}


def dashboard_query(preset: Preset, quantile: float, window: str) -> str:
    """Return what a dashboard would ask for a percentile; for display beside ours, never graded."""
    return f"histogram_quantile({quantile:g}, sum by (le) (rate({preset.histogram}_bucket[{window}])))"
