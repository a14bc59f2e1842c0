"""Functions that render texts of fixed segments and slots, as fast as Python can join them."""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import TypeAlias

from slocheck.scenario.compile.value_slots import Encoding, ValueSlots
from slocheck.scenario.model import Literal, Template

Segment: TypeAlias = str | int
"""A fixed text, or the slot of a value."""

TextRenderer: TypeAlias = Callable[[list[object]], str]


def segments_of(
    template: Template, slots: ValueSlots, encoding: Encoding, fixed: Callable[[str], str] = str
) -> list[Segment]:
    """Return a template's segments; `fixed` encodes the text between placeholders."""
    return [
        fixed(part.text) if isinstance(part, Literal) else slots.slot(part, encoding)
        for part in template.parts
    ]


def alternating(segments: Iterable[Segment]) -> list[Segment]:
    """Return texts and slots in turn, starting and ending with a text."""
    result: list[Segment] = [""]
    for segment in segments:
        if isinstance(segment, int):
            result += [segment, ""]
        else:
            last = result[-1]
            assert isinstance(last, str)
            result[-1] = last + segment
    return result


def constant(segments: Iterable[Segment]) -> str | None:
    """Return the text of segments without slots; None if there is a slot."""
    parts = alternating(segments)
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else None


def text_renderer(segments: Iterable[Segment]) -> TextRenderer:
    """Return a function from an iteration's values to the text.

    The cases with few slots are written out: an f-string costs 0.1 microseconds, a loop three times that.
    """
    parts = alternating(segments)
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
