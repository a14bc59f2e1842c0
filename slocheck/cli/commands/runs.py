"""``slocheck list``: the runs that are archived."""

from typing import Annotated

import typer

from slocheck.cli.options import DEFAULT_REPORTS, Json, Reports

DEFAULT_LAST = 20
Last = Annotated[int, typer.Option("--last", metavar="N", min=1, help="Show the newest N runs.")]


def runs(*, reports: Reports = DEFAULT_REPORTS, last: Last = DEFAULT_LAST, json: Json = False) -> int:
    """List archived runs, the newest last; one without a result says why."""
    from slocheck.cli.actions.runs import list_runs  # noqa: PLC0415 - --help stays light

    return list_runs(reports=reports, last=last, as_json=json)
