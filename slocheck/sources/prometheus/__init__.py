"""The metric source that asks a Prometheus server, or another server with its query API."""

from typing import TYPE_CHECKING

from slocheck.plan.metric_plan import MetricPlan
from slocheck.spec.blocks.metric_source.prometheus import PrometheusSource

if TYPE_CHECKING:
    from slocheck.sources.prometheus.source import PrometheusApi


def make_source(block: PrometheusSource, plan: MetricPlan) -> "PrometheusApi":
    """Return the source that asks the Prometheus of `block` for what `plan` lists."""
    from slocheck.sources.prometheus.source import PrometheusApi  # noqa: PLC0415 - loaded when used

    return PrometheusApi(block, plan)
