"""``slocheck export``: a spec for other tools."""

from slocheck.cli.export_options import ExportOptions
from slocheck.cli.options import takes


@takes(ExportOptions)
def export(options: ExportOptions) -> int:
    """Write the manifests of a run on several machines; nothing in them is secret.

    Run it in a folder that holds the spec and all files that it names.
    """
    from slocheck.cli.actions.export import export as action  # noqa: PLC0415 - --help stays light

    return action(options)
