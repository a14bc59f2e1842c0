"""``slocheck demo``: load and grade the reference API that comes with slocheck."""

from typing import TYPE_CHECKING

from slocheck import __version__
from slocheck.cli.demo_options import DemoOptions, check
from slocheck.cli.messages import say
from slocheck.cli.options import takes

if TYPE_CHECKING:
    from slocheck.load.launch import Launch


@takes(DemoOptions)
def demo(options: DemoOptions) -> int:
    """Load and grade a reference API on this machine, in under a minute.

    Exits 0 if the run could be graded, whatever the verdict. With --ladder or --full it takes some minutes.
    """
    from slocheck.load.launch import Launch  # noqa: PLC0415 - --help stays light

    check(options)
    with Launch(ahead=not options.serve) as launch:
        if not options.quiet and not options.serve:
            what = "the ladder" if options.ladder else "a run of the shipped spec"
            say(f"slocheck {__version__}: {what} against an API that comes with it")
        from slocheck.cli.actions import demo as action  # noqa: PLC0415 - slow, while the master starts
        from slocheck.cli.actions.demo.ladder import climb  # noqa: PLC0415 - the same

        if options.serve:
            return action.serve(options.port or action.DEFAULT_PORT)
        if options.full:
            return _run_full(options, launch)
        return climb(options, launch) if options.ladder else action.run(options, launch)


def _run_full(options: DemoOptions, launch: "Launch") -> int:
    """Run against the whole stack; raises UsageError if what it needs is not installed."""
    from slocheck.reference_api.parts import require_all  # noqa: PLC0415 - --help stays light

    require_all()
    from slocheck.cli.actions.demo.full import run_full  # noqa: PLC0415 - imports what the line before looks for

    return run_full(options, launch)
