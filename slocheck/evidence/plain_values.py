"""Dataclasses as plain values for JSON, and back: read strictly and in bounded memory.

It ends at the first value that is wrong. A validator that collects what is wrong takes hundreds of times the
bytes of a damaged file to tell of all of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from fractions import Fraction
from functools import cache
from math import inf, isfinite, nan
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from slocheck.evidence.columns import Columns
from slocheck.evidence.histogram import MAX_INDEX

_ODD_NAMES = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_ODD_FLOATS = {"NaN": nan, "Infinity": inf, "-Infinity": -inf}
_MAX_WHOLE = (1 << 63) - 1
Reader = Callable[[Any], Any]


class WrongValueError(ValueError):
    """A value is not of its type; the text says where and what it is not."""


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it, without columns of counts, which have a file of their own."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return value if isfinite(value) else _ODD_NAMES[str(value)]
    if isinstance(value, (tuple, list, frozenset)):
        return [each if type(each) is int else plain(each) for each in value]
    if isinstance(value, Mapping):
        return {plain(key): plain(each) for key, each in value.items()}
    if is_dataclass(value):
        kept = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: plain(each) for name, each in kept if not isinstance(each, Columns)}
    return str(value) if isinstance(value, Fraction) else value


def typed(kind: type, plain: Any) -> Any:
    """Return a value of a type, such as a dataclass, made of plain values; raises WrongValueError."""
    return _reader(kind)(plain)


@cache
def _reader(kind: Any) -> Reader:
    """Return what reads a type; built once for each."""
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if is_dataclass(kind):
        return _dataclass_reader(kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return lambda plain: _enum(kind, plain)
    parts = get_args(kind)
    origin = get_origin(kind)
    if origin is UnionType and parts[1:] == (NoneType,):
        some = _reader(parts[0])
        return lambda plain: None if plain is None else some(plain)
    if origin is tuple and parts[1:] == (...,):
        return _tuple_reader(parts[0])
    if origin is Mapping:
        return _counts if parts == (int, int) else _mapping_reader(*parts)
    raise TypeError(f"{kind} cannot be read")


def _dataclass_reader(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = {field.name: _reader(hints[field.name]) for field in fields(kind)}
    needed = {
        field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING
    }

    def read(plain: Any) -> Any:
        if not isinstance(plain, dict):
            raise WrongValueError(f": not a {kind.__name__}")
        if missing := needed - plain.keys():
            raise WrongValueError(f".{min(missing)}: missing")
        if unknown := plain.keys() - readers.keys():
            raise WrongValueError(f": an unknown field {min(unknown)!r:.60}")
        values = {}
        for name, value in plain.items():
            try:
                values[name] = readers[name](value)
            except WrongValueError as error:
                raise WrongValueError(f".{name}{error}") from None
        return kind(**values)

    return read


def _tuple_reader(kind: Any) -> Reader:
    one = _reader(kind)

    def read(plain: Any) -> tuple[Any, ...]:
        if not isinstance(plain, list):
            raise WrongValueError(": not a list")
        found = []
        for number, item in enumerate(plain):
            try:
                found.append(one(item))
            except WrongValueError as error:
                raise WrongValueError(f"[{number}]{error}") from None
        return tuple(found)

    return read


def _mapping_reader(keys: Any, values: Any) -> Reader:
    read_key, read_value = _reader(keys), _reader(values)

    def read(plain: Any) -> dict[Any, Any]:
        if not isinstance(plain, dict):
            raise WrongValueError(": not a mapping")
        return {read_key(key): read_value(value) for key, value in plain.items()}

    return read


def _counts(plain: Any) -> dict[int, int]:
    """Read counts by bucket index or status: JSON has their keys as texts."""
    if not isinstance(plain, dict):
        raise WrongValueError(": not a mapping")
    counts = {}
    for key, count in plain.items():
        if not (key.isascii() and key.isdigit()) or len(key) > len(str(MAX_INDEX)) or int(key) > MAX_INDEX:
            raise WrongValueError(f": {key!r:.60} is not an index")
        if _whole(count) < 0:
            raise WrongValueError(": a count below 0")
        counts[int(key)] = count
    return counts


def _enum(kind: type[Enum], plain: Any) -> Enum:
    try:
        return kind(plain)
    except ValueError:
        raise WrongValueError(f": not a {kind.__name__}") from None


def _whole(plain: Any) -> int:
    if type(plain) is not int or abs(plain) > _MAX_WHOLE:
        raise WrongValueError(": not a whole number of 64 bits")
    return plain


def _number(plain: Any) -> float:
    """Read a number; JSON has none that is not finite, so that those are texts."""
    if isinstance(plain, str) and plain in _ODD_FLOATS:
        return _ODD_FLOATS[plain]
    if type(plain) is float and isfinite(plain):
        return plain
    return float(_whole(plain))


def _fraction(plain: Any) -> Fraction:
    try:
        return Fraction(_text(plain)[:_MAX_FRACTION])
    except (ValueError, ZeroDivisionError):
        raise WrongValueError(": not a fraction") from None


def _columns(plain: Any) -> Columns:
    """Take columns that were read from their own file, and nothing else."""
    if not isinstance(plain, Columns):
        raise WrongValueError(": not columns")
    return plain


def _text(plain: Any) -> str:
    if not isinstance(plain, str):
        raise WrongValueError(": not a text")
    return plain


def _bool(plain: Any) -> bool:
    if not isinstance(plain, bool):
        raise WrongValueError(": neither true nor false")
    return plain


_MAX_FRACTION = 100
"""Characters: it is read from a text, and a power of ten in it could be any."""
_SIMPLE: Mapping[Any, Reader] = {
    int: _whole, float: _number, str: _text, bool: _bool, Fraction: _fraction, Columns: _columns,
}  # fmt: skip
