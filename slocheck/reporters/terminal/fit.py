"""Long lines on a terminal: broken between words, where the terminal would break within one."""

from collections.abc import Iterator

from rich.cells import cell_len

from slocheck.reporters.escape import for_terminal

HANGING = "  "
"""Additional indent of continuation lines."""


def fitted(line: str, width: int) -> Iterator[str]:
    """Break a line between words; the spaces within it stay, and a word that is longer stays whole.

    Args:
        line: Text that is safe for a terminal; each part is made safe again.
        width: Columns of the terminal.
    """
    indent = line[: len(line) - len(line.lstrip())] + HANGING
    rest = line
    while cell_len(rest) > width and (end := _end(rest, width)):
        yield for_terminal(rest[:end].rstrip())
        rest = indent + rest[end:].lstrip()
    yield for_terminal(rest)


def _end(line: str, width: int) -> int:
    """Return where a line is broken: at the last space that fits, else at the next one; 0: nowhere."""
    begin = len(line) - len(line.lstrip())
    spaces = [place for place in range(begin, len(line.rstrip())) if line[place] == " "]
    fits = [place for place in spaces if cell_len(line[:place].rstrip()) <= width]
    return max(fits) if fits else min(spaces, default=0)
