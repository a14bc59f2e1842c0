"""Options of ``slocheck worker``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from slocheck.cli.options import Quiet, Typed, Verbose


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions(Typed):
    """The options of ``slocheck worker``, as typed."""

    join: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            envvar="SLOCHECK_JOIN",
            help="Where `slocheck run --listen` waits for workers.",
        ),
    ]
    token_file: Annotated[
        Path,
        typer.Option(
            metavar="FILE", envvar="SLOCHECK_TOKEN_FILE", help="The workers' file of `slocheck token`."
        ),
    ]
    processes: Annotated[
        str,
        typer.Option(
            metavar="N",
            envvar="SLOCHECK_PROCESSES",
            help="Worker processes on this machine, one per core; auto: all cores but one.",
        ),
    ] = "auto"
    allow_target: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="Let a coordinator load this host from here; repeatable."),
    ] = None
    scenario: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="SLOCHECK_SCENARIO",
            help="This machine's own Locust file, if the run has one; it is never sent.",
        ),
    ] = None
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", envvar="SLOCHECK_WORKER_NAME", help="Name in messages; default: the host's name."
        ),
    ] = None
    join_timeout: Annotated[
        str,
        typer.Option(
            metavar="D", envvar="SLOCHECK_JOIN_TIMEOUT", help="How long to look for the coordinator."
        ),
    ] = "2m"
    quiet: Quiet = False
    verbose: Verbose = False
