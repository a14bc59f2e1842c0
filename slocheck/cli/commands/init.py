"""``slocheck init``: files to begin with."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from slocheck.cli.messages import say
from slocheck.cli.options import origins


def init(
    *,
    context: typer.Context,
    service: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of the service; default: my-api."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="SLOCHECK_TARGET",
            help="Base URL of the API under load; default: the source's, or http://127.0.0.1:8000.",
        ),
    ] = None,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Send a GET to this address.")] = None,
    openapi: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Send the requests of this OpenAPI document.")
    ] = None,
    har: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Send what a browser saved in this HAR file.")
    ] = None,
    curl: Annotated[
        str | None, typer.Option(metavar="LINE", help="Send what this curl command sends; put it in quotes.")
    ] = None,
    all_methods: Annotated[
        bool,
        typer.Option("--all-methods", help="Also take requests that may change data: not only GET and HEAD."),
    ] = False,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where slo.yaml and scenarios/ are written.")
    ] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> int:
    """Write a commented slo.yaml and a scenario that run as they are.

    From an OpenAPI document, a HAR file or a curl command it takes GET and HEAD only, and no credentials.
    """
    from slocheck.cli.actions import init as action  # noqa: PLC0415 - --help stays light

    source = action.Source(url, openapi, har, curl, all_methods)
    if not source.given:
        service = _answer("Name of the service", service, action.DEFAULT_SERVICE)
        target = _answer("Base URL of the API under load", target, action.DEFAULT_TARGET)
    elif (variable := origins(context).get("target", "")).startswith("SLOCHECK_"):
        say(f"{variable} is set and not used: the target is the source's, unless --target is given")
        target = None
    action.write_files(folder, source, service=service, target=target, force=force)
    return 0


def _answer(question: str, given: str | None, default: str) -> str:
    """Return the flag's value; ask only if it is missing and a person sits at a terminal."""
    if given is not None:
        return given
    if not sys.stdin.isatty():
        return default
    return str(typer.prompt(question, default=default))
