"""``slocheck token``: the two files with which machines join a run."""

from pathlib import Path
from typing import Annotated

import typer

from slocheck.cli.messages import say


def token(
    *,
    coordinator: Annotated[
        Path, typer.Option("--coordinator", metavar="FILE", help="The file for `slocheck run --listen`.")
    ] = Path("coordinator.token"),
    worker: Annotated[
        Path, typer.Option("--worker", metavar="FILE", help="The file for each `slocheck worker`.")
    ] = Path("worker.token"),
) -> int:
    """Create the two files that other machines need to join a run; both are secret."""
    from slocheck.load.messaging.token_files import make_token_files  # noqa: PLC0415 - --help stays light

    make_token_files(coordinator, worker)
    say(f"{coordinator}: stays with the coordinator (slocheck run --listen)")
    say(f"{worker}: goes to each worker's machine (slocheck worker --join)")
    return 0
