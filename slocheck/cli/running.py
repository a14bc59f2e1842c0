"""How ``slocheck run`` and ``slocheck demo`` make a run: spec, adapters, exit code."""

import os
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from slocheck.cli import output, wiring
from slocheck.documents.units import UnitError, parse_duration, parse_rate, shown
from slocheck.errors import SaveError, UsageError
from slocheck.grading.assessment import Outcome
from slocheck.grading.report import Report
from slocheck.masking import secrets_of
from slocheck.pipeline.archive import Archive, RunFolder
from slocheck.pipeline.interrupts import Interrupts
from slocheck.pipeline.run import Adapters, RunRequest
from slocheck.pipeline.run import run as run_pipeline
from slocheck.reporters.terminal.plan import plan_lines
from slocheck.spec.loader import load_spec, with_overrides
from slocheck.spec.model import Overrides, Spec

MAX_PROCESSES = 64


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags that override the spec, as typed."""

    target: str | None = None
    prometheus: str | None = None
    gate: str | None = None
    scenario: str | None = None
    users: int | None = None
    rate: str | None = None
    duration: str | None = None
    warmup: str | None = None
    max_duration: str | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """The flags that do not touch the spec."""

    reports: Path
    seed: int | None = None
    processes: int = 1
    json: bool = False
    quiet: bool = False
    exit_zero: bool = False
    allow_target: tuple[str, ...] = ()
    allow_concurrent: bool = False
    until_decided: bool = False


def load(path: Path, flags: Flags) -> tuple[Spec, Overrides]:
    """Load the spec and put the flags over it; raises UsageError."""
    spec = load_spec(path)
    overrides = Overrides(
        target=flags.target,
        prometheus=flags.prometheus,
        gate=flags.gate,
        scenario=_from_here(path, flags.scenario),
        users=flags.users,
        rate=_rate(flags.rate),
        duration=_window(flags),
        warmup=_seconds("--warmup", flags.warmup),
    )
    return with_overrides(spec, overrides), overrides


def _window(flags: Flags) -> float | None:
    """Return the window's length: the longest one, where `--until-decided` may end it sooner."""
    if flags.max_duration is not None:
        return _seconds("--max-duration", flags.max_duration)
    return _seconds("--duration", flags.duration)


def _from_here(spec: Path, scenario: str | None) -> str | None:
    """Return a scenario typed relative to the working folder as the spec would write it."""
    if scenario is None:
        return None
    return os.path.relpath(Path(scenario).resolve(), spec.resolve().parent)


def worker_count(text: str) -> int:
    """Return the number of worker processes: as written, or all cores but the one for the rest of us."""
    if text == "auto":
        return max(1, len(os.sched_getaffinity(0)) - 1)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_PROCESSES:
        raise UsageError(f"--processes: {shown(text)} is no number; write 1 to {MAX_PROCESSES}, or auto")
    return int(text)


def _rate(text: str | None) -> float | None:
    """Return a rate of arrivals in 1/s; raises UsageError."""
    try:
        return None if text is None else float(parse_rate(text, bare=True))
    except UnitError as error:
        raise UsageError(f"--rate: {error}") from error


def _seconds(flag: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return float(parse_duration(text))
    except ValueError as error:
        raise UsageError(f"{flag}: {error}") from error


def execute(spec: Spec, overrides: Overrides, options: Options) -> int:
    """Make one run and print its result; returns the exit code."""
    report = make_run(spec, overrides, options)
    finished = report.assessment.outcome in (Outcome.PASS, Outcome.FAIL, Outcome.UNDECIDED)
    return 0 if options.exit_zero and finished else report.assessment.exit_code


def make_run(spec: Spec, overrides: Overrides, options: Options) -> Report:
    """Make one run, print its result to stdout, and return its report."""
    graded: list[Report] = []
    scenario = wiring.scenario_of(spec)
    secrets = secrets_of(spec) + (scenario.secrets if scenario is not None else ())

    def keep_and_write(report: Report, folder: RunFolder) -> None:
        graded.append(report)
        wiring.write_reports(report, folder)

    request = RunRequest(
        spec=spec,
        overrides=overrides,
        archive=Archive(options.reports),
        allowed_targets=wiring.allowed_targets(options.allow_target),
        allow_concurrent=options.allow_concurrent,
        command=wiring.command_line(secrets),
        seed=options.seed,
        scenario_sha256=scenario.sha256 if scenario is not None else None,
        until_decided=options.until_decided,
        secrets=secrets,
    )
    if not options.quiet:
        output.print_plan(plan_lines(spec, scenario, until_decided=options.until_decided))
    try:
        with Interrupts() as interrupts, output.observer(spec, quiet=options.quiet) as observer:
            report = run_pipeline(
                request,
                Adapters(
                    engine=wiring.engine_for(spec, seed=options.seed, processes=options.processes),
                    source=wiring.source_for(spec),
                    observer=observer,
                    interrupts=interrupts,
                    write_reports=keep_and_write,
                ),
            )
    except SaveError:
        if graded:
            output.print_summary(graded[0], Console(stderr=True), paths={})
        raise
    output.print_result(report, as_json=options.json, paths=output.report_paths(report))
    return report
