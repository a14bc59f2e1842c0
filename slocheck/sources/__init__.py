"""Metric sources: a new one is one package and one line in `SOURCES`."""

from collections.abc import Callable, Mapping
from typing import Any

from slocheck.plan.metric_plan import MetricPlan
from slocheck.sources import prometheus, scrape

SOURCES: Mapping[str, Callable[[Any, MetricPlan], Any]] = {
    "prometheus": prometheus.make_source,
    "scrape": scrape.make_source,
}
"""Name of a source's block in slo.yaml to what makes the source of that block and the plan.

What is made has the methods of the pipeline's `MetricSource`. Making it does no I/O.
"""
