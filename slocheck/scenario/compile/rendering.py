"""Texts made of fixed pieces and slots, as functions that join them as fast as Python can."""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import TypeAlias

from slocheck.scenario.compile.value_slots import Spelling, ValueSlots
from slocheck.scenario.model import Literal, Template

Piece: TypeAlias = str | int
"""A fixed text, or the slot of a value."""

Join: TypeAlias = Callable[[list[object]], str]


def pieces_of(
    template: Template, slots: ValueSlots, spelling: Spelling, fixed: Callable[[str], str] = str
) -> list[Piece]:
    """Return a template's pieces; `fixed` encodes the text between placeholders."""
    return [
        fixed(part.text) if isinstance(part, Literal) else slots.slot(part, spelling)
        for part in template.parts
    ]


def merged(pieces: Iterable[Piece]) -> list[Piece]:
    """Return texts and slots in turn, a text first and last."""
    result: list[Piece] = [""]
    for piece in pieces:
        if isinstance(piece, int):
            result += [piece, ""]
        else:
            last = result[-1]
            assert isinstance(last, str)
            result[-1] = last + piece
    return result


def constant(pieces: Iterable[Piece]) -> str | None:
    """Return the text of pieces without any slot; else None."""
    parts = merged(pieces)
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else None


def joined(pieces: Iterable[Piece]) -> Join:
    """Return a function from an iteration's values to the text.

    The few-slot cases are written out: an f-string costs 0.1 microseconds, a loop three times that.
    """
    parts = merged(pieces)
    texts = [part for part in parts if isinstance(part, str)]
    places = [part for part in parts if isinstance(part, int)]
    match places:
        case []:
            (text,) = texts
            return lambda _: text
        case [one]:
            a, b = texts
            return lambda values: f"{a}{values[one]}{b}"
        case [one, two]:
            a, b, c = texts
            return lambda values: f"{a}{values[one]}{b}{values[two]}{c}"
        case [one, two, three]:
            a, b, c, d = texts
            return lambda values: f"{a}{values[one]}{b}{values[two]}{c}{values[three]}{d}"
    form = "%s".join(text.replace("%", "%%") for text in texts)
    pick = itemgetter(*places)
    return lambda values: form % pick(values)
