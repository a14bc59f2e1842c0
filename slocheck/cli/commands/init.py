"""``slocheck init``: files to begin with."""

import sys
from pathlib import Path
from typing import Annotated

import typer

DEFAULT_SERVICE = "my-api"
DEFAULT_TARGET = "http://127.0.0.1:8000"


def init(
    *,
    service: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the service.", show_default=DEFAULT_SERVICE)
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="SLOCHECK_TARGET",
            help="Base URL of the API under load.",
            show_default=DEFAULT_TARGET,
        ),
    ] = None,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where slo.yaml and scenarios/ are written.")
    ] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> int:
    """Write a commented slo.yaml and a scenario that run as they are."""
    from slocheck.cli.actions.init import write_files  # noqa: PLC0415 - --help stays light

    write_files(
        folder,
        service=_answer("Name of the service", service, DEFAULT_SERVICE),
        target=_answer("Base URL of the API under load", target, DEFAULT_TARGET),
        force=force,
    )
    return 0


def _answer(question: str, given: str | None, default: str) -> str:
    """Return the flag's value; ask only if it is missing and a person sits at a terminal."""
    if given is not None:
        return given
    if not sys.stdin.isatty():
        return default
    return str(typer.prompt(question, default=default))
