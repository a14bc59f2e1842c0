"""``slocheck prune``: old runs are removed."""

from typing import Annotated

import typer

from slocheck.cli.options import DEFAULT_REPORTS, Reports


def prune(
    *,
    keep: Annotated[
        int,
        typer.Option("--keep", metavar="N", min=1, help="Keep the newest N valid runs, and what is newer."),
    ],
    reports: Reports = DEFAULT_REPORTS,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be removed; remove nothing.")
    ] = False,
) -> int:
    """Remove all but the newest runs. A folder with anything in it that slocheck did not write is kept.

    Invalid and interrupted runs do not count: those older than the oldest valid one that is kept go as well.
    """
    from slocheck.cli.actions.prune import prune_runs  # noqa: PLC0415 - --help stays light

    return prune_runs(keep=keep, reports=reports, dry_run=dry_run)
