"""``slocheck report``: one report of an archived run."""

from pathlib import Path
from typing import Annotated

import typer

from slocheck.cli.options import DEFAULT_REPORTS, GATE_OPTION, OtherSpec, Reports, RunOrNewest
from slocheck.reporters import FORMATS

*_FIRST, _LAST = FORMATS


def report(
    run: RunOrNewest = "",
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
    show: Annotated[
        bool, typer.Option("--open", help="Open the report in a browser, from a file; see BROWSER.")
    ] = False,
    spec: OtherSpec = None,
    gate: Annotated[
        str | None,
        typer.Option(
            GATE_OPTION,
            metavar="[TIER]",
            help="Exit with the verdict's code, by the spec's gate or by TIER.",
        ),
    ] = None,
    reports: Reports = DEFAULT_REPORTS,
) -> int:
    """Write one report of an archived run.

    Exits 0 whatever the verdict, unless --gate is given. HTML is not printed to a terminal.
    """
    from slocheck.cli.actions import archived as action  # noqa: PLC0415 - --help stays light

    wanted = action.Wanted(run, format_name=format, to=to, show=show, spec=spec, gate=gate, reports=reports)
    return action.report(wanted)
