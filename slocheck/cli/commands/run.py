"""``slocheck run``: the main job."""

from pathlib import Path
from typing import Annotated

import typer

from slocheck.errors import UsageError

DEFAULT_REPORTS = Path("reports")

Spec = Annotated[Path, typer.Argument(help="The SLO spec.", metavar="SPEC", show_default=True)]
Reports = Annotated[
    Path, typer.Option("--reports", metavar="DIR", envvar="SLOCHECK_REPORTS", help="Where runs are kept.")
]
Json = Annotated[
    bool, typer.Option("--json", envvar="SLOCHECK_JSON", help="Print one JSON document to stdout.")
]


def run(
    spec: Spec = Path("slo.yaml"),
    *,
    target: Annotated[
        str | None,
        typer.Option(metavar="URL", envvar="SLOCHECK_TARGET", help="Load this address, not the spec's."),
    ] = None,
    prometheus: Annotated[
        str | None,
        typer.Option(metavar="URL", envvar="SLOCHECK_PROMETHEUS", help="Ask this Prometheus instead."),
    ] = None,
    gate: Annotated[
        str | None, typer.Option(metavar="TIER", envvar="SLOCHECK_GATE", help="The tier to hold.")
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option(metavar="FILE", envvar="SLOCHECK_SCENARIO", help="Another scenario, relative to here."),
    ] = None,
    users: Annotated[
        int | None, typer.Option(metavar="N", envvar="SLOCHECK_USERS", help="Virtual users (closed model).")
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(metavar="R", envvar="SLOCHECK_RATE", help="Arrivals per second: 200/s (open model)."),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(metavar="D", envvar="SLOCHECK_DURATION", help="Length of the window: 30s, 5m."),
    ] = None,
    warmup: Annotated[
        str | None,
        typer.Option(metavar="D", envvar="SLOCHECK_WARMUP", help="Time before the window, not graded."),
    ] = None,
    processes: Annotated[
        str,
        typer.Option(
            metavar="N",
            envvar="SLOCHECK_PROCESSES",
            help="Workers, one a core; auto: all cores but one.",
        ),
    ] = "1",
    seed: Annotated[
        int | None, typer.Option(metavar="N", envvar="SLOCHECK_SEED", help="Seed of the workload.")
    ] = None,
    reports: Reports = DEFAULT_REPORTS,
    json: Json = False,
    until_decided: Annotated[
        bool, typer.Option("--until-decided", help="End as soon as the gate is decided either way.")
    ] = False,
    max_duration: Annotated[
        str | None,
        typer.Option(metavar="D", help="With --until-decided: the longest window; default: the spec's."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be sent and what it can prove; send nothing.")
    ] = False,
    exit_zero: Annotated[
        bool,
        typer.Option(
            "--exit-zero", help="Exit 0 for any verdict of a finished run; errors keep their codes."
        ),
    ] = False,
    allow_target: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="A host beside this machine that may be loaded; repeatable."),
    ] = None,
    allow_concurrent: Annotated[
        bool, typer.Option("--allow-concurrent", help="Allow another run against the same target.")
    ] = False,
) -> int:
    """Send the spec's load, measure, grade, report; the exit code is the verdict."""
    from slocheck.cli import running  # noqa: PLC0415 - --help stays light

    flags = running.Flags(
        target=target,
        prometheus=prometheus,
        gate=gate,
        scenario=scenario,
        users=users,
        rate=rate,
        duration=duration,
        warmup=warmup,
        max_duration=max_duration,
    )
    if max_duration and not until_decided:
        raise UsageError("--max-duration goes with --until-decided; for a fixed length write --duration")
    loaded, overrides = running.load(spec, flags)
    if until_decided and loaded.confidence is None:
        raise UsageError(
            f"{spec}: --until-decided needs a confidence; `confidence: none` cannot tell chance from proof"
        )
    if dry_run:
        from rich.console import Console  # noqa: PLC0415

        from slocheck.cli.wiring import scenario_of  # noqa: PLC0415
        from slocheck.reporters.terminal.plan import show_plan  # noqa: PLC0415

        show_plan(loaded, scenario_of(loaded), Console(), until_decided=until_decided)
        return 0
    return running.execute(
        loaded,
        overrides,
        running.Options(
            reports=reports,
            seed=seed,
            processes=running.worker_count(processes),
            json=json,
            quiet=quiet,
            exit_zero=exit_zero,
            allow_target=tuple(allow_target or ()),
            allow_concurrent=allow_concurrent,
            until_decided=until_decided,
        ),
    )
