"""Reads plain values of messages, entry by entry: one that is damaged is named and left out."""

import reprlib
from collections.abc import Callable, Iterable
from itertools import chain
from math import isfinite
from typing import Any, TypeVar

from slocheck.documents.texts import valid_text
from slocheck.evidence.histogram import MAX_INDEX

K = TypeVar("K")
T = TypeVar("T")
MAX_COUNT = (1 << 63) - 1
"""The largest value of any number, nanoseconds included: what 64 bits hold."""
MAX_STATUS = 999
MAX_SECOND = 10_000_000
"""The largest second of a run: about four months."""
_SHOWN_ONLY = frozenset({"messages", "memory", "classes", "targets", "error", "slowest"})
"""Entries on which no verdict depends."""
JUNK = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)
"""What reading a damaged value raises."""
_MAX_SHOWN = 60
_MAX_NAMED = 1000
"""Damaged entries of one message that are named."""


class Reading:
    """Reads plain values, entry by entry.

    Attributes:
        lost: Entries that could not be read and on which a verdict depends.
        unseen: Entries that could not be read and are only shown.
    """

    def __init__(self) -> None:
        self.lost: list[str] = []
        self.unseen: list[str] = []

    def lose(self, name: str, plain: object, error: Exception) -> None:
        """Note an entry that cannot be read; beyond a limit only the last one is kept."""
        lost = self.unseen if name in _SHOWN_ONLY else self.lost
        del lost[_MAX_NAMED - 1 :]
        lost.append(f"{name}: {error}: {_shown(plain)}")

    def one(self, name: str, plain: Any, read: Callable[[Any], T], otherwise: T) -> T:
        """Return one entry; `otherwise` if it cannot be read."""
        try:
            return read(plain)
        except JUNK as error:
            self.lose(name, plain, error)
            return otherwise

    def each(self, name: str, plain: Any, read: Callable[[Any], T]) -> tuple[T, ...]:
        """Return the entries of a list that can be read."""
        found = []
        for item in self.one(name, plain, a_list, list[Any]()):
            try:
                found.append(read(item))
            except JUNK as error:
                self.lose(name, item, error)
        return tuple(found)

    def pairs(self, name: str, plain: Any, read: Callable[[Any, Any], T]) -> tuple[T, ...]:
        """Return the entries of a flat list of pairs that can be read."""
        listed = self.one(name, plain, lambda flat: list(pairs_of(a_list(flat))), list[tuple[Any, Any]]())
        return self.each(name, listed, lambda pair: read(*pair))

    def table(self, name: str, items: Iterable[tuple[K, T]]) -> dict[K, T]:
        """Return entries by key; a second entry under one key is lost."""
        found: dict[K, T] = {}
        for key, value in items:
            if key in found:
                self.lose(name, key, ValueError("it is there twice"))
            else:
                found[key] = value
        return found


def _shown(plain: object) -> str:
    try:
        return valid_text(reprlib.repr(plain)[:_MAX_SHOWN])
    except ValueError:  # an integer of thousands of digits
        return f"a number of type {type(plain).__name__}"


def flat(pairs: Iterable[tuple[Any, Any]]) -> list[Any]:
    """Return pairs flattened into one list, which is shorter than a list of lists."""
    return list(chain.from_iterable(pairs))


def pairs_of(flat: list[Any]) -> Iterable[tuple[Any, Any]]:
    """Return the pairs of a flat list; raises ValueError if its length is odd."""
    values = iter(flat)
    return zip(values, values, strict=True)


def a_list(plain: Any) -> list[Any]:
    """Return a list; raises TypeError for anything else."""
    if not isinstance(plain, list):
        raise TypeError("not a list")
    return plain


def a_text(plain: Any) -> str:
    """Return a text as valid Unicode; raises TypeError for anything else."""
    if not isinstance(plain, str):
        raise TypeError("not a text")
    return valid_text(plain)


def a_bool(plain: Any) -> bool:
    """Return a truth value; raises TypeError for anything else."""
    if not isinstance(plain, bool):
        raise TypeError("neither true nor false")
    return plain


def a_whole(plain: Any, lowest: int, highest: int) -> int:
    """Return a whole number within bounds; raises TypeError or ValueError for anything else."""
    if type(plain) is not int:
        raise TypeError("not a whole number")
    if not lowest <= plain <= highest:
        raise ValueError("a number out of its range")
    return plain


def a_count(plain: Any) -> int:
    """Return a count; raises as `a_whole`."""
    return a_whole(plain, 0, MAX_COUNT)


def a_second(plain: Any) -> int:
    """Return a second of the run, or before it; raises as `a_whole`."""
    return a_whole(plain, -MAX_SECOND, MAX_SECOND)


def a_share(plain: Any) -> float:
    """Return a share of a core, which may be more than 1; raises ValueError for anything else."""
    if type(plain) not in (int, float) or not isfinite(plain) or plain < 0:
        raise ValueError("not a share of a core")
    return float(plain)


def second_and_count(second: Any, count: Any) -> tuple[int, int]:
    """Return a second and a count; raises as `a_whole`."""
    return a_second(second), a_count(count)


def text_and_count(text: Any, count: Any) -> tuple[str, int]:
    """Return a text and a count; raises as `a_text` and `a_whole`."""
    return a_text(text), a_count(count)


def counts_by_key(flat: Any, highest: int = MAX_INDEX) -> dict[int, int]:
    """Return a count by bucket index or status, none above `highest`."""
    values = a_list(flat)
    if not values:
        return {}
    if set(map(type, values)) != {int} or min(values) < 0:
        raise ValueError("a number that is not whole, or below 0")
    if max(values[::2]) > highest or max(values) > MAX_COUNT:
        raise ValueError("a number out of its range")
    found = dict(pairs_of(values))
    if 2 * len(found) != len(values):
        raise ValueError("a key is there twice")
    return found
