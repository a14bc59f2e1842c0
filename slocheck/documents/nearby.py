"""Which neighbour of a missing file may have been meant."""

from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path

SUFFIXES = (".yaml", ".yml", ".py")


def missing(path: str | Path, remedy: str) -> str:
    """Return the message for a spec or a scenario that is missing.

    Args:
        path: As the user named it.
        remedy: What to do if no file next to it has a similar name.
    """
    return f"{path}: no such file; {meant(Path(path), str(path)) or remedy}"


def meant(path: Path, named: str) -> str:
    """Ask whether a file next to a missing one was meant, by its name without the ending; empty without any.

    Args:
        path: Where it was searched.
        named: What the user wrote for it.
    """
    with suppress(OSError, ValueError):  # a folder that does not exist either, or may not be read
        there = {file.stem: file.name for file in path.parent.iterdir() if file.suffix in SUFFIXES}
        if close := get_close_matches(path.stem, there, n=1):
            return f"did you mean {Path(named).with_name(there[close[0]])}?"
    return ""
