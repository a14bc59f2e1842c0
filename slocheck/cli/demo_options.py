"""The options of ``slocheck demo``. Imported for ``--help``, so this loads little but Typer."""

from dataclasses import dataclass
from typing import Annotated

import typer

from slocheck.cli.options import DEFAULT_REPORTS, Quiet, Reports, Typed
from slocheck.errors import UsageError

PARTS = ("database", "replica", "redis")
"""Options that name a server; --full starts its own."""
ONLY_LADDER = ("strategies", *PARTS)
"""Options that say something of the ladder alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions(Typed):
    """The options of ``slocheck demo``, as typed."""

    serve: Annotated[
        bool, typer.Option("--serve", help="Only start the reference API and keep it up until Ctrl-C.")
    ] = False
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port of the API; default: any free one, 8000 with --serve."),
    ] = None
    duration: Annotated[
        str | None,
        typer.Option(
            metavar="D", help="Length of the window; default: the shipped spec's, 20s a step with --ladder."
        ),
    ] = None
    ladder: Annotated[
        bool,
        typer.Option(
            "--ladder",
            help="Load the API without any strategy, then add them one by one, and show what each gains.",
        ),
    ] = False
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Use private PostgreSQL, Redis, nginx and Prometheus, from Debian's packages; "
            "with --ladder, climb the ladder first.",
        ),
    ] = False
    strategies: Annotated[
        str, typer.Option(metavar="NAMES", help="With --ladder: what to add, in this order; default: all.")
    ] = ""
    rate: Annotated[
        str,
        typer.Option(
            metavar="R",
            help="Arrivals; default: 1100/s for each step of --ladder, 200/s for --full.",
        ),
    ] = ""
    database: Annotated[str, typer.Option(metavar="URL", help="With --ladder: a PostgreSQL.")] = ""
    replica: Annotated[str, typer.Option(metavar="URL", help="With --ladder: a replica of it.")] = ""
    redis: Annotated[str, typer.Option(metavar="URL", help="With --ladder: a Redis.")] = ""
    reports: Reports = DEFAULT_REPORTS
    quiet: Quiet = False


def check(options: DemoOptions) -> None:
    """Refuse options that do not go together; raises UsageError that names them."""
    if options.serve and options.ladder:
        raise UsageError("--serve only starts the API, and --ladder starts one for each step; leave one out")
    if options.ladder and options.port is not None:
        raise UsageError("--port does not go with --ladder, which starts several APIs; leave it out")
    if options.full and (options.serve or options.port is not None):
        raise UsageError("--full starts servers on free ports for one run; leave out --serve and --port")
    for name in PARTS if options.full else ():
        if name in options.origins:
            raise UsageError(f"--full starts its own servers; leave out {options.origins[name]}")
    if "rate" in options.origins and not (options.ladder or options.full):
        raise UsageError(f"{options.origins['rate']} goes with --ladder or --full; leave it out")
    for name in () if options.ladder else ONLY_LADDER:
        if name in options.origins:
            raise UsageError(f"{options.origins[name]} goes with --ladder; add that, or leave it out")
