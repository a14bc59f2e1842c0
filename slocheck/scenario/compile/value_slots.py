"""Where the values of one iteration stand, and in which spelling.

A request is rendered from an iteration's list of values by joining texts: all encoding is done before,
once per value of a list or CSV feeder and once per capture. So a value has a slot for each spelling in
which it is needed. Numbers are spelt alike everywhere and have one slot.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import quote, quote_plus

from slocheck.scenario.model import CsvFeeder, Feeder, JsonScalar, ListFeeder, Reference, UuidFeeder

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class UnsendableError(Exception):
    """A request that cannot be sent, because a value does not fit where it belongs; names no value."""


class Unsendable:
    """Stands in a slot for a value that cannot be spelt there: rendering it raises UnsendableError.

    So requests of good values are rendered without a single check.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        raise UnsendableError(self._text)


class Spelling(Enum):
    """How a value is written where its placeholder stands."""

    RAW = auto()
    """The value itself: for comparisons."""
    PLAIN = auto()
    """Its text: for comparisons."""
    TEXT = auto()
    """Its text, as UTF-8 can hold it: in a body of text."""
    PERCENT = auto()
    """In a path or query."""
    FORM = auto()
    """In the body of a form."""
    HEADER = auto()
    """In a header."""
    JSON = auto()
    """As a JSON value."""
    JSON_TEXT = auto()
    """Inside of a JSON string."""


_encode: Callable[[object], str] = json.JSONEncoder(separators=(",", ":")).encode
_encode_strictly: Callable[[object], str] = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


def as_text(value: object) -> str:
    """Return a JSON value's text: a string is its own, all else is written as in JSON."""
    return value if isinstance(value, str) else _encode(value)


def _json(value: object) -> str:
    """Return a value in JSON; raises ValueError."""
    try:
        return _encode_strictly(value)
    except ValueError:
        # a target may send 1e999, which Python reads as infinity
        raise ValueError("holds a number beyond those that JSON can be written with") from None


def _header_text(text: str) -> str:
    """Return a text that a header can hold; raises ValueError."""
    if _CONTROL.search(text):
        raise ValueError("holds a line break or control character, and stands in a header")
    return _encodable(text)


def _encodable(text: str) -> str:
    """Return a text that UTF-8 can hold; raises ValueError."""
    if not text.isascii() and _SURROGATE.search(text):
        raise ValueError("holds half a surrogate pair, which is no text")
    return text


_OF_TEXT: dict[Spelling, Callable[[str], str]] = {
    Spelling.PLAIN: str,
    Spelling.TEXT: _encodable,
    Spelling.PERCENT: lambda text: quote(_encodable(text), safe=""),
    Spelling.FORM: lambda text: quote_plus(_encodable(text)),
    Spelling.HEADER: _header_text,
    Spelling.JSON_TEXT: lambda text: _encode(text)[1:-1],
}


def speller(spelling: Spelling, name: str) -> Callable[[object], object]:
    """Return the function from a value to what stands in its slot.

    Args:
        spelling: How it is written there.
        name: The placeholder, for the message where it cannot be written.
    """
    if spelling is Spelling.RAW:
        return lambda value: value
    write = _OF_TEXT.get(spelling)

    def spell(value: object) -> object:
        if type(value) is int:
            return value  # written alike everywhere
        try:
            if write is None:
                return _json(value)
            text = value if type(value) is str else as_text(value)
            # letters and digits, the most frequent case, need no encoding anywhere
            return text if text.isascii() and text.isalnum() else write(text)
        except ValueError as error:
            return Unsendable(f"not sent: {name} {error}")

    return spell


@dataclass(frozen=True, slots=True)
class Column:
    """What fills a slot.

    Attributes:
        feeder: None: a capture fills it.
        table: The value of each of the feeder's positions; None: the feeder's own number or text.
    """

    feeder: Feeder | None
    table: tuple[object, ...] | None = None


Key = tuple[str, str | None, Spelling]


class ValueSlots:
    """Gives each value that the steps need its slot."""

    def __init__(self, feeders: Mapping[str, Feeder]) -> None:
        self.columns: list[Column] = []
        self._feeders = feeders
        self._fed: dict[Key, int] = {}
        self._captured: dict[str, dict[Spelling, int]] = {}

    def begin_flow(self) -> None:
        """Forget the captures of the flow before; they have no meaning in the next one."""
        self._captured = {}

    def slot(self, reference: Reference, spelling: Spelling) -> int:
        """Return the slot of a placeholder's value in one spelling."""
        feeder = self._feeders.get(reference.name)
        if feeder is None:
            spellings = self._captured.setdefault(reference.name, {})
            if spelling not in spellings:
                spellings[spelling] = self._add(Column(None))
            return spellings[spelling]
        if not isinstance(feeder, ListFeeder | CsvFeeder):
            spelling = Spelling.RAW
        key = (reference.name, reference.column, spelling)
        if key not in self._fed:
            self._fed[key] = self._add(_column(feeder, reference, spelling))
        return self._fed[key]

    def quoted(self, reference: Reference) -> bool:
        """Tell whether the value is a text that JSON puts in quotes and that needs no escapes."""
        return isinstance(self._feeders.get(reference.name), UuidFeeder)

    def writer(self, name: str) -> Callable[[list[object], object], None]:
        """Return what puts a captured value into the slots that the flow's steps have asked for."""
        shown = str(Reference(name))
        spellers = tuple(
            (slot, speller(spelling, shown)) for spelling, slot in self._captured.get(name, {}).items()
        )
        if len(spellers) == 1:
            ((only, spell_only),) = spellers

            def write_one(values: list[object], value: object) -> None:
                values[only] = spell_only(value)

            return write_one

        def write(values: list[object], value: object) -> None:
            for slot, spell in spellers:
                values[slot] = spell(value)

        return write

    def _add(self, column: Column) -> int:
        self.columns.append(column)
        return len(self.columns) - 1


def _column(feeder: Feeder, reference: Reference, spelling: Spelling) -> Column:
    """Spell all values of a feeder that has them in a list."""
    match feeder:
        case ListFeeder():
            values: tuple[JsonScalar, ...] = feeder.items
        case CsvFeeder():
            place = feeder.columns.index(reference.column or "")
            values = tuple(row[place] for row in feeder.rows)
        case _:
            return Column(feeder)
    return Column(feeder, tuple(map(speller(spelling, str(reference)), values)))
