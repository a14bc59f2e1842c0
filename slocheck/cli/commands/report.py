"""``slocheck report``: one report of an archived run."""

from pathlib import Path
from typing import Annotated

import typer

from slocheck.cli.options import DEFAULT_REPORTS, OtherSpec, Reports, RunArgument
from slocheck.reporters import FORMATS

*_FIRST, _LAST = FORMATS


def report(
    run: RunArgument,
    *,
    format: Annotated[  # noqa: A002 - the flag's name is the contract's
        str, typer.Option("--format", metavar="FORMAT", help=f"{', '.join(_FIRST)} or {_LAST}.")
    ] = "html",
    to: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write here instead of to stdout; `-` is stdout."
        ),
    ] = None,
    spec: OtherSpec = None,
    reports: Reports = DEFAULT_REPORTS,
) -> int:
    """Write one report of an archived run."""
    from slocheck.cli.actions.archived import report as action  # noqa: PLC0415 - --help stays light

    return action(run, format_name=format, to=to, spec=spec, reports=reports)
