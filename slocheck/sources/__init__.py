"""Metric sources. A new one needs one package and one line in `SOURCES`."""

from collections.abc import Callable, Mapping
from typing import Any

from slocheck.plan.metric_plan import MetricPlan
from slocheck.sources import prometheus, scrape

SOURCES: Mapping[str, Callable[[Any, MetricPlan], Any]] = {
    "prometheus": prometheus.make_source,
    "scrape": scrape.make_source,
}
"""Name of a source's block in slo.yaml to the function that makes the source from that block and the plan.

The source has the methods of the pipeline's `MetricSource`. Making it does no I/O.
"""
