"""``slocheck validate``: what a spec means, without load."""

from slocheck.cli.options import ValidateOptions, takes


@takes(ValidateOptions)
def validate(options: ValidateOptions) -> int:
    """Check a spec without sending load, and show what it means.

    Words after -- are options that the Locust file adds.
    """
    from slocheck.cli.actions.validate import validate as action  # noqa: PLC0415 - --help stays light

    return action(options)
