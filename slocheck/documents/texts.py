"""Texts that come from elsewhere: made valid Unicode where they enter, so that nothing later trips over them.

Python holds half of a surrogate pair in a text: from JSON (half an emoji), or for each byte of a file name
that is not UTF-8. No encoding can write it.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import TypeVar

T = TypeVar("T")


def valid_text(text: str) -> str:
    r"""Return a text in which lone surrogates are written out: ``caf\udce9.py``."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def each_text(value: T, change: Callable[[str], str], *, untouched: tuple[type, ...] = ()) -> T:
    """Return a value with every text in it changed: in dataclasses, mappings (keys, too) and collections.

    Args:
        value: Anything; what is none of these is returned as it is.
        change: What to make of a text.
        untouched: Types that hold no free text, and are not searched.
    """
    return _deep(value, change, untouched)  # type: ignore[return-value] # types are kept


def _deep(value: object, change: Callable[[str], str], untouched: tuple[type, ...]) -> object:
    if isinstance(value, (Enum, *untouched)):
        return value
    match value:
        case str():
            return change(value)
        case list() | tuple() | frozenset():
            return type(value)(_deep(item, change, untouched) for item in value)
        case Mapping():
            return {
                _deep(key, change, untouched): _deep(item, change, untouched) for key, item in value.items()
            }
        case _ if is_dataclass(value) and not isinstance(value, type):
            parts = {field.name: getattr(value, field.name) for field in fields(value)}
            return replace(value, **{name: _deep(part, change, untouched) for name, part in parts.items()})
        case _:
            return value
