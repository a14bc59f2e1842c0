"""Lines that fit a terminal: cells that wrap to the next line, text broken between words only."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from slocheck.documents.texts import ELLIPSIS
from slocheck.reporters.escape import for_terminal
from slocheck.reporters.terminal.fit import fitted

NARROWEST, WIDEST = 40, 100
"""Most columns of a line, however wide the terminal is: long lines are hard to read."""

UNLIMITED = 10_000
"""Columns of a pipe or a file, in which whole names are searched for."""

GAP = "  "
INDENT = " " * 6
"""Before what continues a line."""


def columns(console: Console) -> int:
    """Return how many columns lines may take on this console; 80 if it is not a terminal."""
    return max(NARROWEST, min(console.width, WIDEST))


def table_columns(console: Console) -> int:
    """Return how many columns a table's rows may take: all of a terminal's; any number elsewhere."""
    return console.width if console.file.isatty() else UNLIMITED


def say(console: Console, line: Text) -> None:
    """Print one line as it is: no markup, no emoji; only a terminal's own width breaks it, between words.

    `Console.is_terminal` is not asked: FORCE_COLOR makes it true for a file, whose lines stay whole.
    """
    is_long = cell_len(line.plain) > console.width and console.file.isatty()
    parts = (
        [Text(part, style=line.style) for part in fitted(line.plain, console.width)] if is_long else [line]
    )
    for part in parts:
        console.print(part, soft_wrap=True, markup=False, highlight=False, emoji=False)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Fill a text with spaces up to so many columns."""
    spaces = " " * max(0, width - cell_len(text))
    return spaces + text if right else text + spaces


def without_middle(text: str, width: int) -> str:
    """Return a text in at most so many columns: its beginning and its end, which tell long names apart."""
    if cell_len(text) <= width:
        return text
    tail = (width - 1) // 2
    return set_cell_size(text, width - 1 - tail) + ELLIPSIS + set_cell_size(text[::-1], tail)[::-1]


def wrapped(text: str, width: int, *, first: str = "", rest: str = INDENT) -> Iterator[str]:
    """Break a text between words; a word that is longer than a line stays whole.

    Args:
        text: Foreign text may be in it; each line is made safe for a terminal and for a CI log.
        width: Columns of a line, its indent included.
        first: What the first line begins with.
        rest: What the others begin with.
    """
    line, begun = first, False
    for word in for_terminal(text).split():
        if begun and cell_len(line) + 1 + cell_len(word) > width:
            yield _safe(line)
            line, begun = rest, False
        line += f" {word}" if begun else word
        begun = True
    if begun:
        yield _safe(line)


def flowed(cells: Sequence[str], width: int) -> Iterator[str]:
    """Put cells next to each other; one that does not fit begins a new line. Empty ones are left out."""
    line = ""
    for cell in cells:
        if not cell.strip():
            line += GAP + cell if line else ""
            continue
        if line and cell_len(line + GAP + cell.rstrip()) > width:
            if line.strip():
                yield _safe(line)
            line = INDENT + cell.lstrip()
        else:
            line += GAP + cell if line else cell
    if line.strip():
        yield _safe(line)


def apart(left: str, right: str, width: int) -> Iterator[str]:
    """Put one text at the left margin and one at the right; below each other if both do not fit."""
    space = width - cell_len(left) - cell_len(right)
    if not right or space >= len(GAP):
        yield _safe(left + " " * space + right if right else left)
        return
    yield from wrapped(left, width, rest=GAP)
    yield from wrapped(right, width, first=GAP, rest=GAP)


def _safe(line: str) -> str:
    """Return a line without spaces at its end, and without what a CI runner would obey."""
    text = line.rstrip()
    indent = len(text) - len(text.lstrip())
    return text[:indent] + for_terminal(text[indent:])
