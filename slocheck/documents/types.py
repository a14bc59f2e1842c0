"""The types of values that documents hold: texts, numbers, quantities, lists, mappings."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar

from slocheck.documents.reader import InvalidValue, Value, ValueType, unknown
from slocheck.documents.units import (
    DURATION_PATTERN,
    RATE_PATTERN,
    RATIO_PATTERN,
    SIZE_PATTERN,
    decimal,
    format_duration,
    parse_duration,
    parse_number,
    parse_percentage,
    parse_rate,
    parse_ratio,
    parse_size,
    shown,
)

T = TypeVar("T")

MAX_TEXT = 500
MAX_LINES = 4000

_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?")
_WHOLE = re.compile(r"[0-9]{1,15}")
_SCALAR_TYPES = ["string", "number", "boolean"]  # what other readers turn an unquoted text into


def with_article(noun: str) -> str:
    """Return a noun with ``a`` or ``an`` in front."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def anchored(pattern: str) -> str:
    """Return a pattern that has to match a whole text."""
    return f"^({pattern})$"


def text(*, pattern: str = "", what: str = "", example: str = "") -> ValueType[str]:
    """Return the type of a text on one line.

    Args:
        pattern: What the whole text has to match; empty: anything.
        what: What such a text is called in messages.
        example: One to copy.
    """
    compiled = re.compile(pattern or r".*")

    def read(value: Value) -> str:
        written = value.scalar()
        if written.plain and _DATE.fullmatch(written.text):
            raise InvalidValue(f"{shown(written.text)} is a date to YAML; put it in quotes")
        if not written.text.strip() or "\n" in written.text or "\t" in written.text:
            raise InvalidValue(f"{shown(written.text)} is empty or has several lines; write one line")
        if len(written.text) > MAX_TEXT:
            raise InvalidValue(f"has {len(written.text)} characters; write at most {MAX_TEXT}")
        if "${" in written.text:
            raise InvalidValue(
                f"{shown(written.text)}: ${{NAME}} is expanded only in the URLs; write the value itself"
            )
        if not compiled.fullmatch(written.text):
            raise InvalidValue(
                f"{shown(written.text)} is not {with_article(what)}; write one such as {example}"
            )
        return written.text

    schema: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
    if pattern:
        schema["pattern"] = anchored(pattern)
    return ValueType(read, schema)


def _lines(what: str) -> ValueType[str]:
    """Return the type of a text that may have several lines."""

    def read(value: Value) -> str:
        written = value.scalar().text.strip()
        if not written or len(written) > MAX_LINES:
            raise InvalidValue(f"has {len(written)} characters; write {what} of 1 to {MAX_LINES}")
        return written

    return ValueType(read, {"type": "string", "minLength": 1, "maxLength": MAX_LINES})


QUERY = _lines("a PromQL query")
NOTE = _lines("a note")


def _plain(value: Value, example: str) -> str:
    """Return the text of a number or boolean, which must be written without quotes."""
    written = value.scalar()
    if not written.plain:
        raise InvalidValue(
            f"{shown(written.text)} is in quotes, so it is text; write {example} without quotes"
        )
    return written.text


def whole(low: int, high: int) -> ValueType[int]:
    """Return the type of a whole number in decimal digits, bounds included."""

    def read(value: Value) -> int:
        written = _plain(value, str(max(low, 1)))
        if not _WHOLE.fullmatch(written) or (written != "0" and written.startswith("0")):
            raise InvalidValue(f"{shown(written)} is not a whole number; write digits only, {low} to {high}")
        if not low <= int(written) <= high:
            raise InvalidValue(f"{shown(written)} is out of range; write {low} to {high}")
        return int(written)

    return ValueType(read, {"type": "integer", "minimum": low, "maximum": high})


def number(low: int, high: int) -> ValueType[float]:
    """Return the type of a plain decimal, bounds included."""

    def read(value: Value) -> float:
        written = parse_number(_plain(value, str(low)))
        if not low <= written <= high:
            raise InvalidValue(f"{decimal(written)} is out of range; write {low} to {high}")
        return float(written)

    return ValueType(read, {"type": "number", "minimum": low, "maximum": high})


def size(low: str, high: str) -> ValueType[int]:
    """Return the type of a size in bytes, bounds included and written as sizes."""
    least, most = parse_size(low) or 0, parse_size(high) or 0

    def read(value: Value) -> int:
        written = value.scalar().text
        count = parse_size(written)
        if count is None:
            raise InvalidValue(f"{shown(written)} is not a size; write one such as {high}")
        if not least <= count <= most:
            raise InvalidValue(f"{shown(written)} is out of range; write {low} to {high}")
        return count

    return ValueType(read, {"type": "string", "pattern": anchored(SIZE_PATTERN)})


def duration(low: str, high: str, *, whole_seconds: bool = False) -> ValueType[float]:
    """Return the type of a duration in seconds, bounds included and written as durations."""
    check = duration_check(low, high, whole_seconds=whole_seconds)

    def read(value: Value) -> float:
        return check(parse_duration(value.scalar().text))

    return ValueType(read, {"type": "string", "pattern": anchored(DURATION_PATTERN)})


def duration_check(low: str, high: str, *, whole_seconds: bool) -> Callable[[Fraction], float]:
    """Return a function that checks seconds against bounds, for values and flags; raises InvalidValue."""
    least, most = parse_duration(low), parse_duration(high)

    def check(seconds: Fraction) -> float:
        if not least <= seconds <= most:
            raise InvalidValue(f"{format_duration(seconds)} is out of range; write {low} to {high}")
        if whole_seconds and seconds.denominator != 1:
            near = format_duration(Fraction(max(1, round(seconds))))
            raise InvalidValue(f"{format_duration(seconds)} is not in whole seconds; write {near}")
        return float(seconds)

    return check


def _read_ratio(value: Value) -> float:
    return float(parse_ratio(value.scalar().text))


RATIO = ValueType(_read_ratio, {"type": "string", "pattern": anchored(RATIO_PATTERN)})


def _read_share(value: Value) -> float:
    return float(parse_percentage(value.scalar().text))


SHARE = ValueType(_read_share, RATIO.schema)
"""A percentage that may be over 100%, such as processor time of several cores."""


def _read_rate(value: Value) -> float:
    rate = parse_rate(value.scalar().text)
    if rate <= 0:
        raise InvalidValue("is 0; write a rate above 0, such as 10/s")
    return float(rate)


RATE = ValueType(_read_rate, {"type": "string", "pattern": anchored(RATE_PATTERN)})
"""A rate above 0 in 1/s."""


def _read_boolean(value: Value) -> bool:
    written = _plain(value, "true or false")
    if written not in ("true", "false"):
        raise InvalidValue(f"{shown(written)} is neither true nor false; write true or false")
    return written == "true"


BOOLEAN = ValueType(_read_boolean, {"type": "boolean"})


def choice(what: str, names: dict[str, T]) -> ValueType[T]:
    """Return the type of a name out of a fixed set."""

    def read(value: Value) -> T:
        written = value.scalar().text
        if written not in names:
            raise InvalidValue(unknown(what, written, names))
        return names[written]

    return ValueType(read, {"type": "string", "enum": list(names)})


def list_of(value_type: ValueType[str], *, at_least: int = 0) -> ValueType[tuple[str, ...]]:
    """Return the type of a list without duplicates; a problem in one item does not hide the others."""

    def read(value: Value) -> tuple[str, ...]:
        found: dict[str, None] = {}
        items = value.items()
        for item in items:
            read_item = item.take(value_type, "")
            if read_item and read_item in found:
                item.refuse(f"{shown(read_item)} is in the list twice; remove one")
            found[read_item] = None
        if len(items) < at_least:
            raise InvalidValue("is an empty list; write at least one item")
        return tuple(item for item in found if item)

    schema: dict[str, Any] = {"type": "array", "items": value_type.schema, "uniqueItems": True}
    if at_least:
        schema["minItems"] = at_least
    return ValueType(read, schema)


def map_of(
    name_pattern: str, what: str, *, values: ValueType[str] | None = None, at_least: int = 0
) -> ValueType[dict[str, str]]:
    """Return the type of a mapping from names of a pattern to texts."""
    value_type = values or text()
    name = re.compile(name_pattern)

    def read(value: Value) -> dict[str, str]:
        found = {}
        entries = value.entries()
        for key, child in entries:
            if not name.fullmatch(key.text):
                value.log.add(
                    key.position, value.where, f"{shown(key.text)} is not {with_article(what)}; rename it"
                )
            found[key.text] = child.take(value_type, "")
        if len(entries) < at_least:
            raise InvalidValue(f"is empty; write at least one {what} and its value")
        return found

    below_schema = value_type.schema if values else {"type": _SCALAR_TYPES}
    schema: dict[str, Any] = {
        "type": "object",
        "propertyNames": {"pattern": anchored(name_pattern)},
        "additionalProperties": below_schema,
    }
    if at_least:
        schema["minProperties"] = at_least
    return ValueType(read, schema)
