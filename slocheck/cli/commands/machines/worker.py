"""``slocheck worker``: this machine sends a share of a run's load."""

from slocheck import __version__
from slocheck.cli.machines.worker_options import WorkerOptions
from slocheck.cli.messages import say
from slocheck.cli.options import takes


@takes(WorkerOptions)
def worker(options: WorkerOptions) -> int:
    """Join a run that another machine coordinates, send a share of its load, and end with it.

    Exits 0 if the coordinator ended the run, whatever its verdict; it alone has the result.
    """
    if not options.quiet:
        say(f"slocheck {__version__}: worker")
    from slocheck.cli.actions.worker import work  # noqa: PLC0415 - --help stays light

    return work(options)
