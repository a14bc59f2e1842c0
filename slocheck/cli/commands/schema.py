"""``slocheck schema``: the JSON Schema of what the user writes, and of what a run results in."""

from typing import Annotated

import typer

from slocheck.errors import UsageError


def schema(
    *,
    scenario: Annotated[
        bool, typer.Option("--scenario", help="Print the schema of a declarative scenario instead.")
    ] = False,
    result: Annotated[
        bool, typer.Option("--result", help="Print the schema of the JSON result, result.json, instead.")
    ] = False,
) -> int:
    """Print the JSON Schema of slo.yaml, for editors, or of another document."""
    from slocheck.cli.actions.schema import schema_text  # noqa: PLC0415 - --help stays light

    if scenario and result:
        raise UsageError("--scenario and --result are two schemas; print one at a time")
    print(schema_text("result" if result else "scenario" if scenario else "spec"))
    return 0
