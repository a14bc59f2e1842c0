"""Files that ship with slocheck: the spec and the scenario of the demo."""

from pathlib import Path


def asset(name: str) -> Path:
    """Return the path of a shipped file: from the wheel, or from the checkout it is installed from."""
    packaged = Path(__file__).parent / "templates" / name
    return packaged if packaged.exists() else Path(__file__).parents[1] / name
