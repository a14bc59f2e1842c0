"""``slocheck run``: the main job."""

from slocheck import __version__
from slocheck.cli.messages import say
from slocheck.cli.options import RunOptions, takes


@takes(RunOptions)
def run(options: RunOptions) -> int:
    """Send the spec's load, measure, grade and report; the exit code is the verdict.

    Words after -- are options that the Locust file adds: slocheck run slo.yaml -- --my-option x
    """
    from slocheck.load.launch import Launch  # noqa: PLC0415 - --help stays light
    from slocheck.load.master.scheduling import loading  # noqa: PLC0415 - as above

    with Launch(ahead=not options.dry_run) as launch:
        if not options.quiet and not options.dry_run:
            say(f"slocheck {__version__}" if options.url else f"slocheck {__version__}: {options.spec}")
        with loading():
            from slocheck.cli.actions.run import execute  # noqa: PLC0415 - slow, while the master starts

        return execute(options, launch)
