"""The files that ship with slocheck: the commented spec and its scenarios."""

from pathlib import Path


def asset(name: str) -> Path:
    """Return the path of a shipped file: ``slo.yaml``, ``browse.yaml`` or ``browse.py``.

    A wheel carries them below ``slocheck/templates``, a checkout at its root; in both the spec finds
    the scenario as ``scenarios/browse.yaml`` next to it.

    Raises:
        FileNotFoundError: No such file is shipped, or the installation is incomplete.
    """
    package = Path(__file__).parent
    for root in (package / "templates", package.parent):
        for path in (root / name, root / "scenarios" / name):
            if path.is_file():
                return path
    raise FileNotFoundError(f"{name} did not come with slocheck in {package}; install it again")
