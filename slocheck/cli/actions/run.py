"""What ``slocheck run`` does: read the spec and the options, make the run, print the result."""

import os
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from slocheck.cli import output, wiring
from slocheck.cli.actions.baseline import baseline_of
from slocheck.cli.actions.locust_file import look_into
from slocheck.cli.actions.url_run import options_of_url, refuse_limits, refuse_two_loads
from slocheck.cli.machines.remote import listening, refuse_loopback_target
from slocheck.cli.messages import say
from slocheck.cli.options import RunOptions, allowed_metrics, allowed_targets
from slocheck.cli.publish import make_room, publish
from slocheck.cli.question import asker
from slocheck.cli.typed import seed_typed, worker_count
from slocheck.documents.units import UnitError, parse_duration, parse_rate
from slocheck.errors import UsageError
from slocheck.grading.assessment import Outcome
from slocheck.grading.report import Report
from slocheck.load.launch import Launch
from slocheck.masking import errors_masked, mask, secrets_of
from slocheck.pipeline.archive import Archive
from slocheck.pipeline.earlier.baseline import Baseline
from slocheck.pipeline.interrupts import Interrupted, Interrupts
from slocheck.pipeline.ports import SourceFactory
from slocheck.pipeline.provenance import command_line
from slocheck.pipeline.run import RunRequest
from slocheck.pipeline.run import run as run_pipeline
from slocheck.pipeline.scenario_file import scenario_of
from slocheck.pipeline.target.guard import guard_target
from slocheck.reporters.terminal.plan import plan_lines, show_plan
from slocheck.scenario.model import Scenario
from slocheck.spec.loader import load_spec, with_overrides
from slocheck.spec.model import Overrides, Spec

GRADED = (Outcome.PASS, Outcome.FAIL, Outcome.UNDECIDED)
"""Exit codes of a run that finished and is valid."""


def execute(options: RunOptions, launch: Launch) -> int:
    """Make the run that the options describe, or show its plan; returns the exit code."""
    if options.publish and not options.dry_run:
        make_room(options.publish)
    if options.url is not None:
        with options_of_url(options) as of_spec:
            return _execute(of_spec, launch)
    refuse_limits(options)
    return _execute(options, launch)


def _execute(options: RunOptions, launch: Launch) -> int:
    """Make a run of the spec, or show its plan; returns the exit code."""
    if options.max_duration and not options.until_decided:
        raise UsageError("--max-duration goes with --until-decided; for a fixed length write --duration")
    spec, overrides = load(options)
    if options.until_decided and spec.confidence is None:
        raise UsageError(
            f"{options.spec}: --until-decided needs a confidence; "
            "`confidence: none` cannot tell chance from proof"
        )
    with errors_masked(secrets_of(spec)):
        if options.dry_run:
            show_dry_run(spec, options)
            return 0
        report = make_run(spec, overrides, options, launch)
    finished = report.assessment.outcome in GRADED
    return 0 if options.exit_zero and finished else report.assessment.exit_code


def show_dry_run(spec: Spec, options: RunOptions) -> None:
    """Print what a run would do, with the warnings and the UsageErrors that it would give."""
    processes, allowed = worker_count(options.processes), allowed_targets(options.allow_target)
    seed_typed(options.seed)
    refuse_loopback_target(spec.target.url, listening(options))
    allowed = guard_target(spec.target.url, allowed)
    Archive(options.reports).probe(keep=False)
    scenario = scenario_of(spec)
    _baseline(options, spec, scenario)
    wiring.check_readiness(spec, _sources(options), processes=processes)
    file = look_into(spec, allowed, processes=processes)
    show_plan(spec, scenario, Console(), until_decided=options.until_decided, starts=file.starts)
    for warning in file.warnings:
        say(f"warning: {mask(warning.text, secrets_of(spec))}")


def load(options: RunOptions) -> tuple[Spec, Overrides]:
    """Load the spec and apply the options that override it; raises UsageError."""
    refuse_two_loads(options)
    spec = load_spec(options.spec)
    overrides = Overrides(
        target=options.target,
        prometheus=options.prometheus,
        gate=options.gate,
        scenario=_relative_to_spec(options.scenario, options.spec),
        users=options.users,
        rate=_rate(options.rate),
        duration=_window(options),
        warmup=_seconds("--warmup", options.warmup),
        options=tuple(options.file_options or ()),
    )
    return with_overrides(spec, overrides), overrides


def make_run(
    spec: Spec, overrides: Overrides, options: RunOptions, launch: Launch, *, starts_target: bool = False
) -> Report:
    """Make one run, print its result to stdout, and return its report.

    Args:
        spec: With its overrides applied.
        overrides: The overrides.
        options: As typed.
        launch: Of the run's master.
        starts_target: The target is a child of this process.

    Raises:
        SaveError: The result could not be saved; its summary is on stderr.
        Interrupted: A signal came while the result was saved, which is whole.
    """
    scenario, remote = scenario_of(spec), listening(options)
    refuse_loopback_target(spec.target.url, remote)
    allowed = guard_target(spec.target.url, allowed_targets(options.allow_target), asker())
    request = replace(
        _request(spec, overrides, options, scenario), allowed_targets=allowed, starts_target=starts_target
    )
    secrets = (*secrets_of(spec), *(scenario.secrets if scenario else ()))
    if not options.quiet:
        lines = plan_lines(spec, scenario, until_decided=options.until_decided)
        output.print_plan(mask(line, secrets) for line in lines)
    with Interrupts() as interrupts, output.observer(spec, secrets, quiet=options.quiet) as observer:
        shown = output.shower(observer) if options.verbose else None
        parts = wiring.adapters(
            observer, interrupts, _sources(options), shown, launch=launch, listening=remote
        )
        result = run_pipeline(request, parts)
    if result.save_error is not None:
        output.print_summary(result.report, Console(stderr=True), paths={})
        raise result.save_error
    paths = output.report_paths(result.report)
    output.print_result(result.report, as_json=options.json, paths=paths, verbose=options.verbose)
    if options.publish:
        publish(options.publish, paths)
    if result.late_signal:
        raise Interrupted(result.late_signal)
    return result.report


def _request(spec: Spec, overrides: Overrides, options: RunOptions, scenario: Scenario | None) -> RunRequest:
    """Return the run that the options describe, with no other target allowed than this machine."""
    return RunRequest(
        spec=spec,
        overrides=overrides,
        archive=Archive(options.reports),
        scenario=scenario,
        command=command_line(sys.argv[1:]),
        allow_concurrent=options.allow_concurrent,
        seed=seed_typed(options.seed),
        processes=worker_count(options.processes),
        until_decided=options.until_decided,
        since=_baseline(options, spec, scenario),
    )


def _baseline(options: RunOptions, spec: Spec, scenario: Scenario | None) -> Baseline | None:
    """Return what the run is to be compared with; raises UsageError."""
    return baseline_of(
        options.baseline, options.max_regression, reports=options.reports, spec=spec, scenario=scenario
    )


def _sources(options: RunOptions) -> SourceFactory:
    """Return what makes the metric source; an address that was typed names its host."""
    return wiring.source_factory(allowed_metrics(options.allow_metrics, options.prometheus, options.target))


def _window(options: RunOptions) -> float | None:
    """Return the window's length in seconds: with `--until-decided` the longest it may get."""
    if options.max_duration is not None:
        return _seconds("--max-duration", options.max_duration)
    return _seconds("--duration", options.duration)


def _relative_to_spec(scenario: str | None, spec: Path) -> str | None:
    """Return a scenario, typed relative to the working folder, as the spec would write it."""
    if scenario is None:
        return None
    return os.path.relpath(Path(scenario).resolve(), spec.resolve().parent)


def _rate(text: str | None) -> float | None:
    """Return an arrival rate in 1/s; raises UsageError."""
    try:
        return None if text is None else float(parse_rate(text))
    except UnitError as error:
        raise UsageError(f"--rate: {error}") from error


def _seconds(flag: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(parse_duration(text))
    except ValueError as error:
        raise UsageError(f"{flag}: {error}") from error
