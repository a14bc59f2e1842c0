"""Where the values of one iteration are stored, and in which encoding.

A request is rendered from an iteration's list of values by joining texts. All encoding is done before,
once per value of a list or CSV feeder and once per capture. So a value has a slot for each encoding in
which it is needed. Numbers are written the same everywhere and have one slot.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import quote, quote_plus

from slocheck.scenario.model import CsvFeeder, Feeder, ListFeeder, Placeholder, UuidFeeder

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class UnsendableError(Exception):
    """A request cannot be sent because a value does not fit in its place; the text shows no value."""


class Unsendable:
    """Stands in for a value that cannot be encoded: rendering it raises UnsendableError.

    This way, requests with valid values are rendered without any check.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        raise UnsendableError(self._text)


class Encoding(Enum):
    """How a value is written in place of its placeholder."""

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
    """Return a JSON value's text: a string as it is, anything else as in JSON."""
    return value if isinstance(value, str) else _encode(value)


def _json(value: object) -> str:
    """Return a value in JSON; raises ValueError."""
    try:
        return _encode_strictly(value)
    except ValueError:
        # a target may send 1e999, which Python reads as infinity
        raise ValueError("holds a number that JSON cannot represent") from None


def _header_text(text: str) -> str:
    """Return a text that a header can hold; raises ValueError."""
    if _CONTROL.search(text):
        raise ValueError("holds a line break or control character, which a header cannot hold")
    return _encodable(text)


def _encodable(text: str) -> str:
    """Return a text that UTF-8 can hold; raises ValueError."""
    if not text.isascii() and _SURROGATE.search(text):
        raise ValueError("holds half a surrogate pair, which is not valid text")
    return text


_OF_TEXT: dict[Encoding, Callable[[str], str]] = {
    Encoding.PLAIN: str,
    Encoding.TEXT: _encodable,
    Encoding.PERCENT: lambda text: quote(_encodable(text), safe=""),
    Encoding.FORM: lambda text: quote_plus(_encodable(text)),
    Encoding.HEADER: _header_text,
    Encoding.JSON_TEXT: lambda text: _encode(text)[1:-1],
}


def encoder(encoding: Encoding, name: str) -> Callable[[object], object]:
    """Return the function from a value to the content of its slot.

    Args:
        encoding: How it is written there.
        name: The placeholder, for the message if the value cannot be encoded.
    """
    if encoding is Encoding.RAW:
        return lambda value: value
    write = _OF_TEXT.get(encoding)

    def encode(value: object) -> object:
        if type(value) is int:
            return value  # written the same everywhere
        try:
            if write is None:
                return _json(value)
            text = value if type(value) is str else as_text(value)
            # letters and digits, the most frequent case, need no encoding anywhere
            return text if text.isascii() and text.isalnum() else write(text)
        except ValueError as error:
            return Unsendable(f"not sent: {name} {error}")

    return encode


@dataclass(frozen=True, slots=True)
class Column:
    """What fills a slot.

    Attributes:
        feeder: None: a capture fills it.
        table: The value of each of the feeder's positions; None: the feeder's own number or text.
    """

    feeder: Feeder | None
    table: tuple[object, ...] | None = None


Key = tuple[str, str | None, Encoding]


class ValueSlots:
    """Assigns a slot to each value that the steps need."""

    def __init__(self, feeders: Mapping[str, Feeder]) -> None:
        self.columns: list[Column] = []
        self._feeders = feeders
        self._fed: dict[Key, int] = {}
        self._captured: dict[str, dict[Encoding, int]] = {}
        self._tables: dict[tuple[int, str, Encoding], tuple[object, ...]] = {}

    def begin_flow(self) -> None:
        """Forget the captures of the previous flow; the next one cannot use them."""
        self._captured = {}

    def slot(self, placeholder: Placeholder, encoding: Encoding) -> int:
        """Return the slot of a placeholder's value in one encoding."""
        feeder = self._feeders.get(placeholder.name)
        if feeder is None:
            encodings = self._captured.setdefault(placeholder.name, {})
            if encoding not in encodings:
                encodings[encoding] = self._add(Column(None))
            return encodings[encoding]
        if not isinstance(feeder, ListFeeder | CsvFeeder):
            encoding = Encoding.RAW
        key = (placeholder.name, placeholder.column, encoding)
        if key not in self._fed:
            self._fed[key] = self._add(Column(feeder, self._table(feeder, placeholder, encoding)))
        return self._fed[key]

    def quoted(self, placeholder: Placeholder) -> bool:
        """Tell whether the value is a text that JSON puts in quotes without escapes."""
        return isinstance(self._feeders.get(placeholder.name), UuidFeeder)

    def writer(self, name: str) -> Callable[[list[object], object], None]:
        """Return a function that stores a captured value in the slots that the flow's steps asked for."""
        shown = str(Placeholder(name))
        encoders = tuple(
            (slot, encoder(encoding, shown)) for encoding, slot in self._captured.get(name, {}).items()
        )
        if len(encoders) == 1:
            ((only, encode_only),) = encoders

            def write_one(values: list[object], value: object) -> None:
                values[only] = encode_only(value)

            return write_one

        def write(values: list[object], value: object) -> None:
            for slot, encode in encoders:
                values[slot] = encode(value)

        return write

    def _table(
        self, feeder: Feeder, placeholder: Placeholder, encoding: Encoding
    ) -> tuple[object, ...] | None:
        """Encode all values of a feeder with a list of them; those of a file once for all of its feeders."""
        if isinstance(feeder, ListFeeder):
            return tuple(map(encoder(encoding, str(placeholder)), feeder.items))
        if not isinstance(feeder, CsvFeeder):
            return None
        column = placeholder.column or ""
        key = (id(feeder.table), column, encoding)
        if key not in self._tables:
            encode = encoder(encoding, f"a value of {column} in {feeder.table.file}")
            self._tables[key] = tuple(map(encode, feeder.table.column(column)))
        return self._tables[key]

    def _add(self, column: Column) -> int:
        self.columns.append(column)
        return len(self.columns) - 1
