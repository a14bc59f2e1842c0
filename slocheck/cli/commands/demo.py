"""``slocheck demo``: load and grade the reference API that comes with slocheck."""

from typing import Annotated

import typer

from slocheck import __version__
from slocheck.cli.messages import say
from slocheck.cli.options import DEFAULT_REPORTS, Quiet, Reports


def demo(
    *,
    serve: Annotated[
        bool, typer.Option("--serve", help="Only start the reference API and keep it up until Ctrl-C.")
    ] = False,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port of the API; default: any free one, 8000 with --serve."),
    ] = None,
    duration: Annotated[
        str | None, typer.Option(metavar="D", help="Length of the window; default: the shipped spec's.")
    ] = None,
    reports: Reports = DEFAULT_REPORTS,
    quiet: Quiet = False,
) -> int:
    """Load and grade a reference API on this machine, in under a minute.

    Exits 0 if a grade was measured, whichever it is.
    """
    from slocheck.load.launch import Launch  # noqa: PLC0415 - --help stays light

    with Launch(ahead=not serve) as launch:
        if not quiet and not serve:
            say(f"slocheck {__version__}: a run of the shipped spec against an API that comes with it")
        from slocheck.cli.actions import demo as action  # noqa: PLC0415 - slow, while the master starts

        if serve:
            return action.serve(port or action.DEFAULT_PORT)
        return action.run(port=port or 0, duration=duration, reports=reports, quiet=quiet, launch=launch)
