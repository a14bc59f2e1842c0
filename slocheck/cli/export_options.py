"""Options of ``slocheck export``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from slocheck.cli.options import DEFAULT_SPEC, AllowMetrics, SpecArgument, Typed


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions(Typed):
    """The options of ``slocheck export``, as typed."""

    kind: Annotated[str, typer.Argument(metavar="KIND", help="What to write: kubernetes.")]
    spec: SpecArgument = DEFAULT_SPEC
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, help="Machines that send the load.")
    ]
    image: Annotated[str, typer.Option("--image", metavar="IMAGE", help="Container image with slocheck.")]
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Prefix of all names; default: slocheck-SERVICE."),
    ] = None
    target: Annotated[
        str | None, typer.Option("--target", metavar="URL", help="Load this address, not the spec's.")
    ] = None
    join_timeout: Annotated[
        str, typer.Option("--join-timeout", metavar="D", help="Longest wait for the workers.")
    ] = "10m"
    allow_metrics: AllowMetrics = None
    file: Annotated[
        list[Path] | None,
        typer.Option("--file", metavar="FILE", help="Another file that a Locust file needs; repeatable."),
    ] = None
    to: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write here instead of to stdout; `-` is stdout."
        ),
    ] = None
