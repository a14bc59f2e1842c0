"""``slocheck schema``: the JSON Schema of what the user writes."""

from typing import Annotated

import typer


def schema(
    *,
    scenario: Annotated[
        bool, typer.Option("--scenario", help="Print the schema of a declarative scenario instead.")
    ] = False,
) -> int:
    """Print the JSON Schema of slo.yaml, for editors."""
    from slocheck.cli.actions.schema import schema_text  # noqa: PLC0415 - --help stays light

    print(schema_text(scenario=scenario))
    return 0
