"""``slocheck validate``: what a spec means, without load."""

from typing import Annotated

import typer

from slocheck.cli.options import DEFAULT_SPEC, SpecArgument


def validate(
    spec: SpecArgument = DEFAULT_SPEC,
    *,
    ask: Annotated[
        bool,
        typer.Option(
            "--probe", help="Send each GET step once, and ask the metric source what can be measured."
        ),
    ] = False,
) -> int:
    """Check a spec without sending load, and show what it means."""
    from slocheck.cli.actions.validate import validate as action  # noqa: PLC0415 - --help stays light

    return action(spec, ask=ask)
