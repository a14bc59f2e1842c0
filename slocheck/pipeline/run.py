"""The steps of a run and their order: check, load, collect, archive, grade, report."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Thread

from slocheck.errors import SaveError, SourceError
from slocheck.evidence.model import Ending, Evidence, LoadResult, Tick
from slocheck.evidence.series import ENDED_EARLY
from slocheck.grading.assess import assess
from slocheck.grading.interim.early_stopping import EarlyStopping, client_side
from slocheck.grading.interim.live_grade import LiveGrade
from slocheck.grading.report import Report
from slocheck.indicators.server.client_counts import client_counts
from slocheck.masking import errors_masked, masked, secrets_of
from slocheck.pipeline import provenance
from slocheck.pipeline.archive import Archive, RunFolder
from slocheck.pipeline.earlier.baseline import Earlier, SinceRuns
from slocheck.pipeline.evidence_builder import Collected, EvidenceBuilder
from slocheck.pipeline.interrupts import Interrupted
from slocheck.pipeline.late_collection import how_to_ask_again, how_to_collect, late_collection
from slocheck.pipeline.metric_mapping import Settled, as_collected, look_again, settle
from slocheck.pipeline.ports import Adapters, Engine, MetricSource, Reporter
from slocheck.pipeline.regrade import graded
from slocheck.pipeline.scenario_log import ScenarioLog
from slocheck.pipeline.target.first_growth import check_doubted_unit
from slocheck.pipeline.target.first_requests import send_get_steps
from slocheck.pipeline.target.guard import guard_target, probe_target, sole_use
from slocheck.pipeline.target.probe_requests import ProbeRequests
from slocheck.pipeline.target.shared_machine import MachineWatch
from slocheck.scenario.model import Scenario
from slocheck.spec.model import Overrides, Spec
from slocheck.tls import tls_context

STOPPING = "stopping; once more to quit"
"""Printed at once when the first signal arrives."""

_NOT_COLLECTED = frozenset({Ending.UNEXPECTED_RESPONSES, Ending.FORBIDDEN_CONNECTION})
"""Endings after which no limit can be met; a finding says why."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run to make.

    Attributes:
        spec: With its overrides applied.
        overrides: The overrides.
        archive: Where runs are kept.
        scenario: The scenario that the spec names; None if it is a Locust file.
        command: The command line that asked for the run.
        allowed_targets: Hosts other than this machine that may be loaded, as the user named them.
        allow_concurrent: Another run may load the same target at the same time.
        seed: Of the workload.
        processes: Worker processes.
        until_decided: End the window at the first interim analysis that decides the gate.
        starts_target: The target runs on this machine, as a child of this process.
        since: Compares the run with earlier ones; None: with those in the archive, as information.
    """

    spec: Spec
    overrides: Overrides
    archive: Archive
    scenario: Scenario | None = None
    command: str = ""
    allowed_targets: tuple[str, ...] = ()
    allow_concurrent: bool = False
    seed: int = 0
    processes: int = 1
    until_decided: bool = False
    starts_target: bool = False
    since: SinceRuns | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """The outcome of a run.

    Attributes:
        report: The graded run, secrets masked.
        save_error: What could not be saved of it; None if everything was.
        late_signal: Name of a signal that arrived while the result was saved; empty: none.
    """

    report: Report
    save_error: SaveError | None = None
    late_signal: str = ""


def run(request: RunRequest, adapters: Adapters) -> RunResult:
    """Make a run; anything that can be refused is refused before the first request is sent."""
    spec, secrets = request.spec, _secrets(request)
    guard_target(spec.target.url, request.allowed_targets)
    request.archive.probe()
    engine = adapters.engine_factory(
        spec,
        seed=request.seed,
        processes=request.processes,
        allowed_targets=request.allowed_targets,
    )
    source = adapters.source_factory(spec)
    check_readiness(spec, engine, source)
    log = ScenarioLog(adapters.show_output, secrets, clean=adapters.clean)
    engine.listen(log.take)
    with ExitStack() as stack:
        stack.enter_context(errors_masked(secrets))
        stack.callback(log.close)
        stack.enter_context(sole_use(spec.target.url, allow_concurrent=request.allow_concurrent))
        stack.enter_context(engine)
        if source is not None:
            stack.callback(source.close)
        folder = stack.enter_context(request.archive.create(datetime.now(UTC)))
        stack.enter_context(errors_masked(secrets))  # within the folder, which keeps the reason of a failure
        log.open(folder.path)
        settled = _prepare(request, engine, source, adapters)
        builder = _builder(request)
        stopping = EarlyStopping(spec) if request.until_decided else None
        watch = MachineWatch() if request.starts_target else None
        load = _drive(engine, builder, stopping, adapters, watch=watch)
        server = _collect(spec, load, source, settled, adapters=adapters, run=folder.path)
        with adapters.interrupts.shielded():
            run_id, signal = folder.path.name, adapters.interrupts.received
            evidence = builder.complete(load, server, run_id=run_id, interrupted_by=signal)
            if stopping is not None:
                evidence = stopping.spent(evidence)
            result = _keep(masked(evidence, secrets), folder, request, adapters)
        return result if signal else replace(result, late_signal=adapters.interrupts.received)


def check_readiness(spec: Spec, engine: Engine, source: MetricSource | None) -> None:
    """Check that this machine has everything that a run needs, without any network.

    That is: certificates, the credentials of the metric source, and as many open files and local ports as
    the load needs.

    Args:
        spec: With its overrides applied.
        engine: The run's engine; it need not be prepared.
        source: The run's source, if the spec configures one.

    Raises:
        UsageError: Something is missing; says what.
    """
    tls_context(spec.target.tls, where="target.tls")
    engine.check()
    if source is not None:
        source.check()


def _secrets(request: RunRequest) -> tuple[str, ...]:
    """Return the secrets to mask in everything that is saved: those of the spec, scenario and options."""
    return secrets_of(request.spec) + (request.scenario.secrets if request.scenario else ())


def _prepare(
    request: RunRequest, engine: Engine, source: MetricSource | None, adapters: Adapters
) -> Settled | None:
    """Prepare everything that the load needs; returns the names of the metrics.

    Nothing is sent to the target except one request of each GET step if its metrics show nothing yet, or if
    the unit of its histogram is doubtful.
    """
    spec, observer, scenario = request.spec, adapters.observer, request.scenario
    observer.step("loading the scenario")
    prepared = engine.prepare()
    for warning in prepared.warnings:
        observer.warn(warning.text)
    if prepared.starts:
        observer.step(prepared.starts)
    observer.step("connecting to the target")
    probe_target(spec.target)
    if source is None:
        return None
    observer.step("asking the metric source")

    def first_requests() -> None:
        observer.step("sending each GET step once: the service has no series of its requests yet")
        assert scenario is not None  # a Locust file has no steps to send
        send_get_steps(scenario, spec.target)

    settled = settle(spec, source, first_requests=first_requests if scenario else None)
    if scenario and settled.is_unit_doubted:
        observer.step("sending each GET step once: the bucket boundaries do not suit the histogram's unit")
        _check_unit(request, source, settled, adapters)
    if not settled.mapping.is_unknown and settled.said:
        observer.step(settled.said)
    for warning in settled.found.warnings:
        observer.warn(warning.text)
    source.start()
    return settled


def _check_unit(request: RunRequest, source: MetricSource, settled: Settled, adapters: Adapters) -> None:
    spec, scenario, other = request.spec, request.scenario, adapters.source_factory(request.spec)
    assert scenario is not None  # it has steps to send
    assert other is not None  # the run has one
    with closing(other):
        requests = ProbeRequests(partial(send_get_steps, scenario, spec.target))
        check_doubted_unit(spec, source, settled, requests, other=other)


def _builder(request: RunRequest) -> EvidenceBuilder:
    """Record the provenance before files may change during the load."""
    origin = provenance.gather(
        request.spec,
        command=request.command,
        seed=request.seed,
        scenario_sha256=request.scenario.sha256 if request.scenario else None,
    )
    return EvidenceBuilder(request.spec, request.overrides, origin)


def _drive(
    engine: Engine,
    builder: EvidenceBuilder,
    stopping: EarlyStopping | None,
    adapters: Adapters,
    *,
    watch: MachineWatch | None,
) -> LoadResult:
    """Send the load; once a second the observer may see a grade of what there is."""
    spec = client_side(builder.spec)
    live = LiveGrade(lambda evidence: assess(spec, evidence), time.thread_time)

    def on_tick(tick: Tick) -> None:
        if watch is not None:
            watch.tick()
        so_far = builder.so_far(tick)
        adapters.observer.update(tick, lambda: live.at(tick.second, so_far))
        if stopping is not None and stopping.ends(tick.second, so_far):
            adapters.observer.step(f"decided after {tick.recording.window_s} s of the window")
            engine.finish()

    def stop() -> None:
        engine.stop()
        # a signal handler that prints could interrupt a half-written line
        Thread(target=adapters.observer.step, args=(STOPPING,)).start()

    adapters.observer.step("sending load")
    with adapters.interrupts.handing_to(stop, engine.kill):
        load = engine.run(on_tick)
    return replace(load, health=replace(load.health, shared=watch.result())) if watch else load


def _collect(
    spec: Spec,
    load: LoadResult,
    source: MetricSource | None,
    settled: Settled | None,
    *,
    adapters: Adapters,
    run: Path,
) -> Collected:
    """Fetch the server side; if the source fails now, the client side is still complete.

    Args:
        spec: Of the run.
        load: What the engine recorded.
        source: The source of the server side; None if none is configured.
        settled: The names of its metrics.
        adapters: For the observer and the interrupts.
        run: The run's folder.
    """
    if source is None or settled is None:
        return Collected()
    late = late_collection(load, source, settled)
    if adapters.interrupts.received:
        return Collected(error=_not_collected(adapters.interrupts.received), late=late)
    if load.ending in _NOT_COLLECTED:
        return Collected(error=ENDED_EARLY, late=late)
    adapters.observer.step("waiting for the last samples of the server side")
    try:
        settled = look_again(spec, source, settled)
        late = late_collection(load, source, settled)
        series = source.collect(
            load_start=load.load_start,
            window_start=load.window_start,
            end=load.end,
            sent=client_counts(load.recording, None).sent,
        )
    except SourceError as error:
        return Collected(error=f"{error}{how_to_collect(run) if late else ''}", late=late)
    except Interrupted as interrupted:
        return Collected(error=_not_collected(interrupted.name), late=late)
    found = as_collected(spec, series, settled)
    if not series.incomplete:
        return Collected(found)
    if late:
        first, *others = found.incomplete
        found = replace(found, incomplete=(f"{first}{how_to_ask_again(run)}", *others))
    return Collected(found, late=late)


def _not_collected(signal: str) -> str:
    return f"not collected: the run was interrupted by {signal}"


def _keep(evidence: Evidence, folder: RunFolder, request: RunRequest, adapters: Adapters) -> RunResult:
    """Archive the evidence, then grade it, then write the reports; a full disk does not cost the verdict."""
    spec = request.spec
    unsaved = _attempt(lambda: folder.save_evidence(evidence, spec.text))
    since = request.since or Earlier(request.archive)
    report = graded(spec, [evidence], [folder.path], secrets=_secrets(request), since=since)

    def write(reporter: Reporter) -> None:
        folder.write(reporter.file_name, reporter.render(report))

    if unsaved is None:  # on a full disk, a smaller report may still fit
        lost = [_attempt(partial(write, reporter)) for reporter in adapters.reporters]
        unsaved = next(filter(None, lost), None)
    return RunResult(report, unsaved)


def _attempt(save: Callable[[], None]) -> SaveError | None:
    """Return why something could not be saved; None if it was."""
    try:
        save()
    except SaveError as error:
        return error
    return None
