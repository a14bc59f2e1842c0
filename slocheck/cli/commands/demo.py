"""``slocheck demo``: the main job against a reference API that comes along."""

from typing import Annotated

import typer

from slocheck.cli.commands.run import DEFAULT_REPORTS, Reports


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
        str | None, typer.Option(metavar="D", help="Length of the window; default: as the shipped spec says.")
    ] = None,
    reports: Reports = DEFAULT_REPORTS,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")] = False,
) -> int:
    """Run the main job against a reference API on this machine, in under a minute.

    Exits 0 when the pipeline worked and a grade was measured, whichever it is.
    """
    from slocheck.cli import demonstration  # noqa: PLC0415 - --help stays light

    if serve:
        return demonstration.serve(port or demonstration.DEFAULT_PORT)
    return demonstration.run(port=port or 0, duration=duration, reports=reports, quiet=quiet)
