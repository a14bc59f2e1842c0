"""A port that nothing listens on."""

from slocheck.reference_api.stack import programs


def free_port() -> int:
    """Return a loopback port that nobody listens on now, and that no connection or other test is given."""
    return programs.free_port()
