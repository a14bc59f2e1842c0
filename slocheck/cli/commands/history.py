"""``slocheck history``: how the objectives of a service have changed from run to run."""

from typing import Annotated

import typer

from slocheck.cli.commands.runs import DEFAULT_LAST, Last
from slocheck.cli.options import DEFAULT_REPORTS, Json, Output, Reports


def history(
    service: Annotated[
        str, typer.Argument(metavar="[SERVICE]", help="Only this service; default: all.", show_default=False)
    ] = "",
    *,
    reports: Reports = DEFAULT_REPORTS,
    last: Last = DEFAULT_LAST,
    json: Json = False,
    format: Annotated[  # noqa: A002 - as of `report`
        str, typer.Option("--format", metavar="FORMAT", help="text, json, html, csv (by commit) or bencher.")
    ] = "text",
    to: Output = None,
) -> int:
    """Show one row per run and one sparkline per objective, and mark what earlier runs do not predict.

    csv has a row for each run and objective, bencher is the newest valid run in Bencher's metric format.
    """
    from slocheck.cli.actions.runs import show_history  # noqa: PLC0415 - --help stays light

    return show_history(service, reports=reports, last=last, form="json" if json else format, to=to)
