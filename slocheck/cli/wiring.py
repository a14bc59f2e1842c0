"""The only place that names concrete sources, engines and reporters."""

from collections.abc import Callable, Sequence
from functools import partial

from slocheck.load.engine import LoadEngine
from slocheck.load.launch import Launch, start_master
from slocheck.load.messaging.machine_messages import Listening
from slocheck.pipeline import run
from slocheck.pipeline.interrupts import Interrupts
from slocheck.pipeline.ports import Adapters, MetricSource, Observer, SourceFactory
from slocheck.pipeline.scenario_file import scenario_path
from slocheck.pipeline.target.guard import guard_credentials
from slocheck.plan.load_plan import load_plan
from slocheck.plan.metric_plan import metric_plan
from slocheck.reporters import RUN_FILES
from slocheck.reporters.escape import for_terminal
from slocheck.sources import SOURCES
from slocheck.spec.model import Spec


def engine_for(
    spec: Spec,
    *,
    seed: int,
    processes: int,
    allowed_targets: tuple[str, ...],
    launch: Launch | None = None,
    listening: Listening | None = None,
    tell: Callable[[str], object] = lambda _text: None,
) -> LoadEngine:
    """Return the engine that sends what `spec` describes, with a master that was started ahead if one was.

    With `listening`, its workers are on other machines; `tell` shows who has come.
    """
    plan = load_plan(
        spec,
        scenario=str(scenario_path(spec)),
        seed=seed,
        processes=processes,
        allowed_targets=allowed_targets,
    )
    return LoadEngine(plan, launch.take if launch else start_master, listening=listening, tell=tell)


def adapters(
    observer: Observer,
    interrupts: Interrupts,
    sources: SourceFactory,
    show_output: Callable[[str], None] | None = None,
    *,
    launch: Launch,
    listening: Listening | None = None,
) -> Adapters:
    """Return the parts that do the work of a run; `listening`: its workers are on other machines."""
    engines = partial(engine_for, launch=launch, listening=listening, tell=observer.step)
    reporters = tuple(RUN_FILES.values())
    return Adapters(engines, sources, observer, interrupts, reporters, show_output, for_terminal)


def check_readiness(spec: Spec, sources: SourceFactory, *, processes: int = 1) -> None:
    """Check what a run checks on this machine before it sends anything; raises UsageError."""
    engine = engine_for(spec, seed=0, processes=processes, allowed_targets=())
    run.check_readiness(spec, engine, sources(spec))


def source_factory(allowed_metrics: Sequence[str]) -> SourceFactory:
    """Return what makes metric sources that send credentials only to this machine and these hosts.

    What it returns raises UsageError for a spec that would send them elsewhere.
    """

    def source_for(spec: Spec, /) -> MetricSource | None:
        """Return the metric source that `spec` configures; None if it configures none."""
        block, plan = spec.metric_source, metric_plan(spec)
        if block is None or plan is None:
            return None
        guard_credentials(block, allowed_metrics)
        source: MetricSource = SOURCES[block.kind](block, plan)
        return source

    return source_for
