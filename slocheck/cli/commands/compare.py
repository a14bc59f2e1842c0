"""``slocheck compare``: two runs, or two folders of runs, beside each other."""

from typing import Annotated

import typer

from slocheck.cli.options import DEFAULT_REPORTS, Json, MaxRegression, Output, Reports, RunsArgument


def compare(
    before: RunsArgument,
    after: RunsArgument,
    *,
    reports: Reports = DEFAULT_REPORTS,
    max_regression: MaxRegression = None,
    json: Json = False,
    format: Annotated[  # noqa: A002 - as of `report`
        str, typer.Option("--format", metavar="FORMAT", help="text, json or html.")
    ] = "text",
    to: Output = None,
) -> int:
    """Compare a run, or a folder of runs, with an earlier one: the first is before, the second is after.

    Exits 1 if a change for the worse is proven, which takes five earlier runs; comparing just
    two runs is only information.
    """
    from slocheck.cli.actions.compare import compare_runs  # noqa: PLC0415 - --help stays light

    return compare_runs(
        before,
        after,
        reports=reports,
        max_regression=max_regression,
        form="json" if json else format,
        to=to,
    )
