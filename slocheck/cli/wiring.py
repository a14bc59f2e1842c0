"""The only place that names concrete sources, engines and reporters."""

import os
import sys
from collections.abc import Sequence

from slocheck.load.engine import LoadEngine
from slocheck.pipeline import provenance
from slocheck.pipeline.interrupts import Interrupts
from slocheck.pipeline.ports import Adapters, MetricSource, Observer
from slocheck.pipeline.scenario_file import scenario_path
from slocheck.plan.load_plan import LoadPlan, thresholds_ns
from slocheck.plan.metric_plan import metric_plan
from slocheck.reporters import FORMATS
from slocheck.sources import SOURCES
from slocheck.spec.model import Spec


def engine_for(spec: Spec, *, seed: int | None, processes: int) -> LoadEngine:
    """Return the engine that sends what `spec` describes."""
    workload = spec.workload
    return LoadEngine(
        LoadPlan(
            target_url=spec.target.url,
            scenario=str(scenario_path(spec)),
            users=workload.users,
            spawn_rate=workload.spawn_rate,
            warmup_s=workload.warmup,
            duration_s=workload.duration,
            drain_s=workload.drain,
            thresholds_ns=thresholds_ns(spec),
            failures=spec.failures,
            cache=spec.cache,
            tls=spec.target.tls,
            tags=workload.tags,
            exclude_tags=workload.exclude_tags,
            seed=seed,
            processes=processes,
            rate=workload.rate,
            stages=workload.stages,
            arrivals=workload.arrivals,
        )
    )


def adapters(observer: Observer, interrupts: Interrupts) -> Adapters:
    """Return the parts that do the work of a run."""
    return Adapters(engine_for, source_for, observer, interrupts, tuple(FORMATS.values()))


def source_for(spec: Spec) -> MetricSource | None:
    """Return the metric source that `spec` configures; None where it names none."""
    block, plan = spec.metric_source, metric_plan(spec)
    if block is None or plan is None:
        return None
    source: MetricSource = SOURCES[block.kind](block, plan)
    return source


def command_line() -> str:
    """Return this process's command line."""
    return provenance.command_line(sys.argv[1:])


def allowed_targets(flags: Sequence[str]) -> tuple[str, ...]:
    """Return the hosts that the user allows, from flags and from SLOCHECK_ALLOW_TARGETS."""
    named = os.environ.get("SLOCHECK_ALLOW_TARGETS", "").replace(",", " ").split()
    return (*flags, *named)
