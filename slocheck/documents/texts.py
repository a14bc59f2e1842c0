"""Foreign texts: made valid where they enter, and cut visibly.

Python holds half of a surrogate pair in a text: from JSON (half an emoji), or for each byte of a file name
that is not UTF-8. No encoding can write it.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")

ELLIPSIS = "…"
"""Marks where a text was cut: the word before it may be incomplete."""


def shorten(text: str, limit: int) -> str:
    """Cut a text to at most that many characters, including the ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + ELLIPSIS


def shorten_to_sentence(text: str, limit: int) -> str:
    """Cut a text to at most that many characters, after a sentence or a clause, or else between two words.

    An ellipsis replaces what is cut; more than half of the limit is used.
    """
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    ends = (max(head.rfind(". ") + 1, head.rfind("; ") + 1), head.rfind(" "))
    end = next((end for end in ends if end > limit // 2), len(head))
    return head[:end] + ELLIPSIS


def valid_text(text: str) -> str:
    r"""Return a text in which lone surrogates are written out: ``caf\udce9.py``."""
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def each_text(
    value: T,
    change: Callable[[str], str],
    *,
    untouched: tuple[type, ...] = (),
    instead: Mapping[type, Callable[[Any], object]] | None = None,
) -> T:
    """Return a value with every text in it changed: in dataclasses, mappings (keys, too) and collections.

    Args:
        value: Anything; what is none of these is returned as it is.
        change: What to make of a text.
        untouched: Types that hold no free text, and are not searched.
        instead: Types with a function of their own, used instead of `change`.
    """
    return _deep(value, change, (Enum, *untouched), instead or {})  # type: ignore[return-value] # types are kept


def _deep(
    value: object,
    change: Callable[[str], str],
    untouched: tuple[type, ...],
    instead: Mapping[type, Callable[[Any], object]],
) -> object:
    if isinstance(value, untouched):
        return value
    if type(value) in instead:
        return instead[type(value)](value)

    def deep(part: object) -> object:
        return _deep(part, change, untouched, instead)

    match value:
        case str():
            return change(value)
        case list() | tuple() | frozenset():
            return type(value)(deep(item) for item in value)
        case Mapping():
            return {deep(key): deep(item) for key, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            parts = {field.name: getattr(value, field.name) for field in fields(value)}
            return replace(value, **{name: deep(part) for name, part in parts.items()})
        case _:
            return value
