"""``slocheck version``: the version, as ``-V`` prints it."""

from slocheck import __version__


def version() -> int:
    """Print the version."""
    print(f"slocheck {__version__}")
    return 0
