"""The order of a run's steps, and nothing else: check, load, collect, archive, grade, report."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, Self

from slocheck.errors import SourceError
from slocheck.evidence.model import SCHEMA_VERSION, Ending, Evidence, LoadHealth, LoadResult, Provenance, Tick
from slocheck.evidence.series import ServerSeries, SourcePreflight
from slocheck.evidence.warnings import RunWarning
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Assessment
from slocheck.grading.early_stopping import EarlyStopping, client_side
from slocheck.grading.report import Report
from slocheck.masking import masked
from slocheck.pipeline import provenance
from slocheck.pipeline.archive import Archive, RunFolder
from slocheck.pipeline.interrupts import Interrupted, Interrupts
from slocheck.pipeline.target_guard import guard_target, probe_target, sole_use
from slocheck.spec.model import Overrides, Spec


class MetricSource(Protocol):
    """Where the server side's numbers come from."""

    def preflight(self) -> SourcePreflight:
        """Check before any load that all can be measured; raises SourceError."""

    def start(self) -> None:
        """Take the baseline, where the source has to do that itself."""

    def collect(self, *, load_start: float, window_start: float, end: float) -> ServerSeries:
        """Wait for the last samples and fetch all; times are ours, epoch seconds. Raises SourceError."""

    def close(self) -> None:
        """Give up connections and threads; may be called at any time."""


class Prepared(Protocol):
    """What an engine tells once it is ready."""

    @property
    def warnings(self) -> Sequence[RunWarning]:
        """What the user should know before the load begins."""


class Engine(Protocol):
    """What sends the load."""

    def __enter__(self) -> Self:
        """Return the engine."""

    def __exit__(self, *_: object) -> None:
        """Leave no process behind."""

    def prepare(self) -> Prepared:
        """Load the scenario; raises UsageError when it cannot be used."""

    def run(self, on_tick: Callable[[Tick], None]) -> LoadResult:
        """Send the load and block until it is drained."""

    def finish(self) -> None:
        """End the window now, and the run as planned."""

    def stop(self) -> None:
        """End in order, soon."""

    def kill(self) -> None:
        """End now."""


class Observer(Protocol):
    """Who watches a run."""

    def step(self, text: str) -> None:
        """Take note of the step that begins."""

    def warn(self, text: str) -> None:
        """Take note of what the user should know before the load begins."""

    def update(self, tick: Tick, assessment: Assessment) -> None:
        """Take note of one more second, and of the client side's grade so far."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run to make.

    Attributes:
        spec: Overrides applied.
        overrides: What they were.
        archive: Where runs are kept.
        allowed_targets: Hosts beside this machine that may be loaded.
        allow_concurrent: Another run may load the same target at the same time.
        command: The command line, secrets masked.
        seed: Of the run.
        scenario_sha256: Of the scenario and its data; None: of its file alone.
        until_decided: End the window at the first planned look that decides the gate.
        secrets: What must not show in anything that is kept.
    """

    spec: Spec
    overrides: Overrides
    archive: Archive
    allowed_targets: tuple[str, ...]
    allow_concurrent: bool
    command: str
    seed: int | None
    scenario_sha256: str | None = None
    until_decided: bool = False
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adapters:
    """Who does the work.

    Attributes:
        engine: Sends the load.
        source: Delivers the server side; None: the client side alone is graded.
        observer: Watches.
        interrupts: The process's signals, entered.
        write_reports: Writes every report into the run's folder.
    """

    engine: Engine
    source: MetricSource | None
    observer: Observer
    interrupts: Interrupts
    write_reports: Callable[[Report, RunFolder], None]


def run(request: RunRequest, adapters: Adapters) -> Report:
    """Make a run: everything that can be refused is refused before the first request is sent."""
    spec, engine, source, observer = request.spec, adapters.engine, adapters.source, adapters.observer
    guard_target(spec.target.url, request.allowed_targets)
    request.archive.probe()
    with ExitStack() as stack:
        stack.enter_context(sole_use(spec.target.url, allow_concurrent=request.allow_concurrent))
        stack.enter_context(engine)
        observer.step("loading the scenario")
        for warning in engine.prepare().warnings:
            observer.warn(warning.text)
        observer.step("asking the target")
        probe_target(spec.target)
        if source:
            stack.callback(source.close)
            observer.step("asking the metric source")
            for warning in source.preflight().warnings:
                observer.warn(warning.text)
            source.start()
        known = provenance.gather(
            spec, command=request.command, seed=request.seed, scenario_sha256=request.scenario_sha256
        )
        folder = request.archive.create(datetime.now(UTC))
        stack.callback(folder.close)
        stopping = EarlyStopping(spec) if request.until_decided else None
        load = _drive(request, adapters, known, stopping)
        server, server_error = _collect(load, adapters)
        with adapters.interrupts.shielded():
            origin = provenance.of_load(
                known,
                run_id=folder.path.name,
                started=load.load_start,
                ended=load.end,
                versions=load.versions,
            )
            evidence = _evidence(request, adapters, load, origin)
            if stopping:
                evidence = stopping.spent(evidence)
            evidence = replace(evidence, server=server, server_error=server_error)
            evidence = masked(evidence, request.secrets)
            folder.save_evidence(evidence, spec.text)
            report = Report(spec, evidence, assess(spec, evidence), shown_path(folder.path))
            adapters.write_reports(report, folder)
            return report


def _drive(
    request: RunRequest, adapters: Adapters, known: Provenance, stopping: EarlyStopping | None
) -> LoadResult:
    """Send the load; the observer sees a grade of what there is, once a second."""

    def on_tick(tick: Tick) -> None:
        so_far = _so_far(request, tick, known)
        adapters.observer.update(tick, assess(client_side(request.spec), so_far))
        if stopping and stopping.ends(tick.second, so_far):
            adapters.observer.step(f"decided after {tick.recording.window_s} s of the window")
            adapters.engine.finish()

    adapters.observer.step("sending load")
    engine = adapters.engine
    with adapters.interrupts.handing_to(engine.stop, engine.kill):
        return engine.run(on_tick)


def _so_far(request: RunRequest, tick: Tick, known: Provenance) -> Evidence:
    """Make evidence of a run that still goes on: the client side alone."""
    users = request.spec.workload.users
    return Evidence(
        schema_version=SCHEMA_VERSION,
        provenance=known,
        overrides=request.overrides,
        planned_warmup_s=request.spec.workload.warmup,
        planned_window_s=float(tick.recording.window_s),  # as if it ended here
        ending=Ending.COMPLETE,
        signal="",
        recording=tick.recording,
        health=LoadHealth(planned_users=users, users=tick.users, workers=()),
        failed_statuses=request.spec.failures.statuses,
        server_error="not collected yet",
    )


def _collect(load: LoadResult, adapters: Adapters) -> tuple[ServerSeries | None, str]:
    """Fetch the server side; a source that fails now leaves the client side whole."""
    if adapters.source is None:
        return None, ""
    if adapters.interrupts.received:
        return None, f"not collected: the run was interrupted by {adapters.interrupts.received}"
    adapters.observer.step("waiting for the last samples of the server side")
    try:
        series = adapters.source.collect(
            load_start=load.load_start, window_start=load.window_start, end=load.end
        )
    except SourceError as error:
        return None, str(error)
    except Interrupted as interrupted:
        return None, f"not collected: the run was interrupted by {interrupted.name}"
    return series, ""


def _evidence(request: RunRequest, adapters: Adapters, load: LoadResult, origin: Provenance) -> Evidence:
    """Put the client side's evidence together."""
    interrupted_by = adapters.interrupts.received
    return Evidence(
        schema_version=SCHEMA_VERSION,
        provenance=origin,
        overrides=request.overrides,
        planned_warmup_s=request.spec.workload.warmup,
        planned_window_s=request.spec.workload.duration,
        ending=Ending.INTERRUPTED if interrupted_by else load.ending,
        signal=interrupted_by,
        recording=load.recording,
        health=load.health,
        failed_statuses=request.spec.failures.statuses,
        generator_error=load.error,
    )


def shown_path(path: Path) -> str:
    """Return a path as the user would type it: relative to the working folder where it is below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
