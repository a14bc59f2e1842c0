"""``slocheck run``: the main job."""

from slocheck.cli.options import RunOptions, takes


@takes(RunOptions)
def run(options: RunOptions) -> int:
    """Send the spec's load, measure, grade and report; the exit code is the verdict.

    Words after -- are options that the Locust file adds: slocheck run slo.yaml -- --my-option x
    """
    from slocheck.cli.actions.run import execute  # noqa: PLC0415 - --help stays light

    return execute(options)
