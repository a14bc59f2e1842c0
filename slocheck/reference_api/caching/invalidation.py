"""Invalidation: what was changed is deleted from the cache, with all that was derived from it.

The guide's idea: after a user is deleted, its key goes, and the keys of its orders and preferences with it.

What goes wrong with the naive form: the list of related keys is written out at each call, so one call forgets
one; each delete is a round trip; an error or a cancelled request between commit and delete skips it; and a
reader that was on its way puts the old value back (here its lease has ended).

In production: this, with one table of families; tags or a version in the key if keys cannot be listed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from slocheck.reference_api.caching import Cache

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyFamily:
    """The keys that depend on one row.

    Attributes:
        kind: What the row is.
        related: Other cached values that depend on it.
    """

    kind: str
    related: tuple[str, ...] = ()

    def key(self, number: int, part: str = "") -> str:
        """Return the key of a row, or of a related part of it.

        Raises:
            KeyError: The part is not listed in the family, so it would never be invalidated.
        """
        if not part:
            return f"{self.kind}:{number}"
        if part not in self.related:
            raise KeyError(f"{part} is not a part of {self.kind}: add it to the family")
        return f"{self.kind}:{number}:{part}"

    def keys(self, number: int) -> tuple[str, ...]:
        """Return every key that depends on a row."""
        return tuple(self.key(number, part) for part in ("", *self.related))


class Invalidation:
    """Changes rows, then deletes what the cache has of them."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def change(self, change: Callable[[], Awaitable[T]], *keys: str) -> T:
        """Run `change` and delete the keys in one round trip, also if it fails, as it may have taken effect.

        Raises:
            Exception: Whatever `change` raised.
        """
        try:
            return await change()
        finally:
            await asyncio.shield(self._cache.delete(*keys))
