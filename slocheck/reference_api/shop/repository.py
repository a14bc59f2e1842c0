"""The shop's interface to its database, whichever that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from slocheck.reference_api.shop.followups import Followups

Row = dict[str, Any]
"""Column or key to JSON value."""

PAGE = 20
"""Rows of a page, and most results of a search."""


class Unavailable(Exception):  # noqa: N818 - a state of the database, as HTTP names it
    """The database is unavailable: no connection became free in time, or it is gone. A 503."""


class UnknownItem(Exception):  # noqa: N818 - an answer of the database, as HTTP names it
    """An order has a line with an unknown item; nothing was stored. A 404."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of an order.

    Attributes:
        item: The item's id.
        quantity: How many, at least 1.
    """

    item: int
    quantity: int


class Repository(Protocol):
    """Users with their profile, items and orders. Ids start at 1; every method may raise Unavailable.

    Attributes:
        followups: What follows from the orders, kept with them.
    """

    @property
    def followups(self) -> Followups:
        """The orders' open follow-ups."""

    async def user(self, user_id: int, fields: Sequence[str] = ()) -> Row | None:
        """Return ``{id, name, email, address, about}``, or of these only `fields`; None: there is none."""

    async def update_user(self, user_id: int, changes: Row) -> Row | None:
        """Change some of ``name, email, address, about``; returns the whole user, None if there is none."""

    async def delete_user(self, user_id: int) -> bool:
        """Delete a user with the profile; their orders stay. False if there was none."""

    async def item(self, item_id: int, fields: Sequence[str] = ()) -> Row | None:
        """Return ``{id, name, price_cents, about}``, or of these only `fields`; None: there is none."""

    async def items(self, after: int, limit: int) -> list[Row]:
        """Return ``{id, name, price_cents}`` of the next items after the id `after` (keyset paging)."""

    async def items_page(self, page: int, limit: int | None) -> list[Row]:
        """Return a page by offset, counted from 0; without a limit all of the rest: the naive form."""

    async def search(self, words: Sequence[str], limit: int) -> list[Row]:
        """Return ``{id, name, price_cents}`` of the items that have all these words, by id."""

    async def create_order(self, key: str, user_id: int, lines: Sequence[OrderLine]) -> Row:
        """Store an order and return ``{id, key, user, new}``.

        The same key again returns the order that it made, with ``new`` false: a client may repeat a request
        whose response it did not get. Raises UnknownItem.
        """

    async def orders_of(self, user_id: int) -> list[Row]:
        """Return ``{id, lines: [{item, name, quantity, price_cents}]}`` of a user's orders, by id."""

    async def close(self) -> None:
        """Close the connections."""
