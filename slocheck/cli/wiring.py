"""Which adapter serves what: the one place where concrete sources and engines are chosen."""

import os
import shlex
import sys
from collections.abc import Sequence

from slocheck.errors import UsageError
from slocheck.grading.report import Report
from slocheck.load.engine import LoadEngine
from slocheck.masking import mask, masked, secrets_of, strip_url
from slocheck.pipeline.archive import RunFolder
from slocheck.pipeline.provenance import scenario_path
from slocheck.pipeline.run import MetricSource
from slocheck.plan.load_plan import LoadPlan, thresholds_ns
from slocheck.plan.metric_plan import metric_plan
from slocheck.reporters import FORMATS
from slocheck.scenario.loader import SUFFIXES, load_scenario
from slocheck.scenario.model import Scenario
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


def scenario_of(spec: Spec) -> Scenario | None:
    """Return the declarative scenario that a spec names; None where it names a Locust file.

    Raises:
        SpecError: It cannot be run; says where and why.
    """
    path = scenario_path(spec)
    if path.suffix not in SUFFIXES:
        return None
    if not path.is_file():
        raise UsageError(
            f"{spec.path}:{spec.workload.position} workload.scenario: {spec.workload.scenario} "
            "does not exist; name a file relative to the spec's folder"
        )
    return load_scenario(path, os.environ)


def source_for(spec: Spec) -> MetricSource | None:
    """Return the metric source that `spec` configures; None where it names none."""
    block, plan = spec.metric_source, metric_plan(spec)
    if block is None or plan is None:
        return None
    source: MetricSource = SOURCES[block.kind](block, plan)
    return source


def command_line(secrets: Sequence[str]) -> str:
    """Return this process's command line, without secrets, as it can be typed again."""
    words = [strip_url(word) if "://" in word else word for word in sys.argv[1:]]
    return mask(shlex.join(["slocheck", *words]), secrets)


def write_reports(report: Report, folder: RunFolder) -> None:
    """Write every format into the run's folder, secrets masked."""
    shown = masked(report, secrets_of(report.spec))
    for reporter in FORMATS.values():
        folder.write(reporter.file_name, reporter.render(shown))


def allowed_targets(flags: Sequence[str]) -> tuple[str, ...]:
    """Return the hosts that the user allows, from flags and from SLOCHECK_ALLOW_TARGETS."""
    named = os.environ.get("SLOCHECK_ALLOW_TARGETS", "").replace(",", " ").split()
    return (*flags, *named)
