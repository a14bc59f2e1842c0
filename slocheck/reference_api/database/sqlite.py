"""The shop on SQLite, in one file that several processes can share: the database that needs no installation.

The queries have a naive and a good form, as those of PostgreSQL do: see `queries`.
"""

import sqlite3
from collections.abc import Sequence
from itertools import groupby

from slocheck.reference_api.database.sqlite_pool import SqlitePool
from slocheck.reference_api.observability.metrics import PoolMetrics
from slocheck.reference_api.shop.followups import Followups
from slocheck.reference_api.shop.repository import OrderLine, Row, UnknownItem

_USER = {"id": "u.id", "name": "u.name", "email": "u.email"}
_PROFILE = {"address": "p.address", "about": "p.about"}
_USER_COLUMNS = {**_USER, **_PROFILE}
_ITEM_COLUMNS = {"id": "id", "name": "name", "price_cents": "price_cents", "about": "about"}

_SHORT_ITEM = "SELECT id, name, price_cents FROM items"
_ORDERS_OF = """
SELECT o.id, l.item_id AS item, i.name, l.quantity, l.price_cents
FROM orders o JOIN order_lines l ON l.order_id = o.id JOIN items i ON i.id = l.item_id
WHERE o.user_id = ? ORDER BY o.id, l.item_id
"""
_LINES_OF = """
SELECT item_id AS item, quantity, price_cents FROM order_lines WHERE order_id = ? ORDER BY item_id
"""
_ORDER_IDS = "SELECT id FROM orders WHERE user_id = ? ORDER BY id"
_ADD_ORDER = "INSERT INTO orders (key, user_id) VALUES (?, ?)"
_ADD_LINE = "INSERT INTO order_lines SELECT ?, id, ?, price_cents FROM items WHERE id = ?"


_OVERDUE = """
SELECT order_id FROM followups
WHERE done_at IS NULL AND failed_at IS NULL AND submitted_at <= julianday('now') - ? / 86400.0
ORDER BY submitted_at LIMIT ?
"""
_CLOSE = "UPDATE followups SET done_at = julianday('now') WHERE order_id = ? AND done_at IS NULL"
_GIVE_UP = "UPDATE followups SET failed_at = julianday('now') WHERE order_id = ? AND done_at IS NULL"
_SELL = """
UPDATE items SET sold = sold + sale.quantity FROM (
  SELECT item_id, SUM(quantity) AS quantity FROM order_lines WHERE order_id = ? GROUP BY item_id
) AS sale WHERE items.id = sale.item_id
"""
_CONFIRM = "INSERT INTO confirmations SELECT id, user_id FROM orders WHERE id = ?"


class SqliteFollowups:
    """A `Followups` of the orders of a `SqliteRepository`: see `followups` for why it is kept with them."""

    def __init__(self, pool: SqlitePool, metrics: PoolMetrics) -> None:
        self._pool = pool
        self._count = metrics.queries.labels("followup").inc

    async def fulfil(self, order_id: int) -> bool:
        """Count what was sold and confirm the order, unless that is done."""

        def do(on: sqlite3.Connection) -> bool:
            with on:
                on.execute("BEGIN IMMEDIATE")
                if not on.execute(_CLOSE, (order_id,)).rowcount:
                    return False
                on.execute(_SELL, (order_id,))
                on.execute(_CONFIRM, (order_id,))
                return True

        self._count()
        return await self._pool.change(do)

    async def overdue(self, older_than_s: float, limit: int) -> list[int]:
        """Take the orders that were submitted long ago and are not done; each taker gets others."""

        def take(on: sqlite3.Connection) -> list[int]:
            with on:
                on.execute("BEGIN IMMEDIATE")
                orders = [row["order_id"] for row in on.execute(_OVERDUE, (older_than_s, limit))]
                again = "UPDATE followups SET submitted_at = julianday('now') WHERE order_id = ?"
                on.executemany(again, [(order,) for order in orders])
                return sorted(orders)

        self._count()
        return await self._pool.change(take)

    async def give_up(self, order_id: int) -> None:
        """Note that the job failed for good: it is not resubmitted automatically."""
        self._count()
        await self._pool.change(lambda on: on.execute(_GIVE_UP, (order_id,)))


class SqliteRepository:
    """A `Repository`; the tables are there.

    Args:
        pool: Runs the queries.
        metrics: Counts them.
        one_query: Whether a user's orders come in one query, instead of one for each row.
    """

    def __init__(self, pool: SqlitePool, metrics: PoolMetrics, *, one_query: bool) -> None:
        self._pool = pool
        self._queries = metrics.queries
        self._one_query = one_query
        self.followups: Followups = SqliteFollowups(pool, metrics)

    async def user(self, user_id: int, fields: Sequence[str] = ()) -> Row | None:
        """Return a user with the profile, or only `fields`."""
        return _first(await self._rows("user", user_query(fields), user_id))

    async def update_user(self, user_id: int, changes: Row) -> Row | None:
        """Change columns of a user and return the whole user."""

        def change(on: sqlite3.Connection) -> Row | None:
            with on:
                on.execute("BEGIN IMMEDIATE")
                for table, key, known in (("users", "id", _USER), ("profiles", "user_id", _PROFILE)):
                    names = [name for name in changes if name in known]
                    if names:
                        values = (*(changes[name] for name in names), user_id)
                        on.execute(update_query(table, key, names), values)
                return _first([dict(row) for row in on.execute(user_query(()), (user_id,))])

        self._queries.labels("user").inc()
        return await self._pool.change(change)

    async def delete_user(self, user_id: int) -> bool:
        """Delete a user and the profile; orders stay."""

        def delete(on: sqlite3.Connection) -> bool:
            with on:
                on.execute("BEGIN IMMEDIATE")
                on.execute("DELETE FROM profiles WHERE user_id = ?", (user_id,))
                return on.execute("DELETE FROM users WHERE id = ?", (user_id,)).rowcount > 0

        self._queries.labels("user").inc()
        return await self._pool.change(delete)

    async def item(self, item_id: int, fields: Sequence[str] = ()) -> Row | None:
        """Return an item, or only `fields` of it."""
        columns = ", ".join(_ITEM_COLUMNS[name] for name in fields or _ITEM_COLUMNS)
        query = f"SELECT {columns} FROM items WHERE id = ?"  # noqa: S608 - names of the table above
        return _first(await self._rows("item", query, item_id))

    async def items(self, after: int, limit: int) -> list[Row]:
        """Return the items after an id."""
        return await self._rows("items", f"{_SHORT_ITEM} WHERE id > ? ORDER BY id LIMIT ?", after, limit)

    async def items_page(self, page: int, limit: int | None) -> list[Row]:
        """Return the items of a page by offset; without a limit all of the table."""
        most = -1 if limit is None else limit
        return await self._rows(
            "items", f"{_SHORT_ITEM} ORDER BY id LIMIT ? OFFSET ?", most, page * max(most, 0)
        )

    async def search(self, words: Sequence[str], limit: int) -> list[Row]:
        """Return the items whose name has all words."""
        found = [word.lower() for word in words]
        return await self._rows("search", search_query(len(found)), *found, limit)

    async def create_order(self, key: str, user_id: int, lines: Sequence[OrderLine]) -> Row:
        """Store an order once for its key, with what is to follow from it."""

        def create(on: sqlite3.Connection) -> Row:
            with on:
                on.execute("BEGIN IMMEDIATE")
                known = on.execute("SELECT id, user_id FROM orders WHERE key = ?", (key,)).fetchone()
                if known is not None:
                    return {"id": known["id"], "key": key, "user": known["user_id"], "new": False}
                order = on.execute(
                    "INSERT INTO orders (key, user_id) VALUES (?, ?)", (key, user_id)
                ).lastrowid
                added = on.executemany(_ADD_LINE, [(order, line.quantity, line.item) for line in lines])
                if added.rowcount < len(lines):
                    raise UnknownItem
                on.execute("INSERT INTO followups (order_id) VALUES (?)", (order,))
                return {"id": order, "key": key, "user": user_id, "new": True}

        self._queries.labels("order").inc()
        return await self._pool.change(create)

    async def orders_of(self, user_id: int) -> list[Row]:
        """Return a user's orders with their lines."""
        if not self._one_query:
            return await self._orders_one_by_one(user_id)
        rows = await self._rows("orders", _ORDERS_OF, user_id)
        return [
            {"id": order, "lines": [{name: row[name] for name in row if name != "id"} for row in lines]}
            for order, lines in groupby(rows, key=lambda row: row["id"])
        ]

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.close()

    async def _orders_one_by_one(self, user_id: int) -> list[Row]:
        """Ask once for each order and once for each of its lines: N+1 queries, and then some."""
        orders = []
        for order in await self._rows(
            "orders", "SELECT id FROM orders WHERE user_id = ? ORDER BY id", user_id
        ):
            lines = []
            for line in await self._rows("orders", _LINES_OF, order["id"]):
                named = await self._rows("orders", "SELECT name FROM items WHERE id = ?", line["item"])
                lines.append({"item": line["item"], **named[0], **line})
            orders.append({"id": order["id"], "lines": lines})
        return orders

    async def _rows(self, name: str, query: str, *values: object) -> list[Row]:
        """Return the rows of one query, which is counted as `name`."""
        self._queries.labels(name).inc()
        return await self._pool.run(lambda on: [dict(row) for row in on.execute(query, values)])


def user_query(fields: Sequence[str]) -> str:
    """Select a user by id: all columns, or only `fields`; the profile is joined only if one is from it."""
    chosen = {name: _USER_COLUMNS[name] for name in fields or _USER_COLUMNS}
    joined = " JOIN profiles p ON p.user_id = u.id" if chosen.keys() & _PROFILE.keys() else ""
    return f"SELECT {', '.join(chosen.values())} FROM users u{joined} WHERE u.id = ?"  # noqa: S608 - the same


def search_query(words: int) -> str:
    """Select the items that have this many words, at least 1, by id.

    With the index each further word costs one lookup for each item of the first one; it ends with the page.
    """
    further = " ".join(
        f"JOIN item_words w{number} ON w{number}.item_id = w0.item_id AND w{number}.word = ?{number + 1}"
        for number in range(1, words)
    )
    return f"""
        SELECT i.id, i.name, i.price_cents FROM item_words w0 {further} JOIN items i ON i.id = w0.item_id
        WHERE w0.word = ?1 ORDER BY w0.item_id LIMIT ?{words + 1}
    """  # noqa: S608 - numbers


def update_query(table: str, key: str, names: Sequence[str]) -> str:
    """Update known columns of the row whose `key` is the last parameter."""
    columns = ", ".join(f"{name} = ?" for name in names)
    return f"UPDATE {table} SET {columns} WHERE {key} = ?"  # noqa: S608 - the same


def _first(rows: list[Row]) -> Row | None:
    return rows[0] if rows else None
