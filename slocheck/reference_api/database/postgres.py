"""The shop on PostgreSQL: reads through the router, changes in one transaction each."""

from collections.abc import Sequence
from itertools import groupby

from slocheck.reference_api.database import followups, queries
from slocheck.reference_api.database.pool import Connection
from slocheck.reference_api.database.replicas import Router
from slocheck.reference_api.database.statements import Statements
from slocheck.reference_api.shop.followups import Followups
from slocheck.reference_api.shop.repository import OrderLine, Row, UnknownItem


class PostgresRepository:
    """A `Repository`; the schema is there.

    Args:
        router: Where reads and writes go.
        statements: Runs and counts them.
        one_query: Whether a user's orders come in one query, instead of one for each row.
    """

    def __init__(self, router: Router, statements: Statements, *, one_query: bool) -> None:
        self._router = router
        self._run = statements
        self._one_query = one_query
        self.followups: Followups = followups.PostgresFollowups(router, statements)

    async def user(self, user_id: int, fields: Sequence[str] = ()) -> Row | None:
        """Return a user with the profile, or only `fields`."""
        return await self._router.read(lambda on: self._user(on, user_id, fields))

    async def update_user(self, user_id: int, changes: Row) -> Row | None:
        """Change columns of a user and return the whole user."""

        async def change(on: Connection) -> Row | None:
            for statement, names in queries.user_changes(list(changes)):
                await self._run.change(on, "user", statement, *(changes[name] for name in names), user_id)
            return await self._user(on, user_id, ())

        return await self._router.write(change)

    async def delete_user(self, user_id: int) -> bool:
        """Delete a user; the profile goes with it, orders stay."""
        delete = "DELETE FROM users WHERE id = %s"
        return await self._router.write(lambda on: self._run.change(on, "user", delete, user_id)) > 0

    async def item(self, item_id: int, fields: Sequence[str] = ()) -> Row | None:
        """Return an item, or only `fields` of it."""
        query = queries.item_query(fields)
        return await self._router.read(lambda on: self._run.row(on, "item", query, item_id))

    async def items(self, after: int, limit: int) -> list[Row]:
        """Return the items after an id."""
        return await self._router.read(
            lambda on: self._run.rows(on, "items", queries.ITEMS_AFTER, after, limit)
        )

    async def items_page(self, page: int, limit: int | None) -> list[Row]:
        """Return the items of a page by offset; without a limit all from there on."""
        offset = page * (limit or 0)
        return await self._router.read(
            lambda on: self._run.rows(on, "items", queries.ITEMS_PAGE, offset, limit)
        )

    async def search(self, words: Sequence[str], limit: int) -> list[Row]:
        """Return the items whose name has all words."""
        text = " ".join(words)
        return await self._router.read(lambda on: self._run.rows(on, "search", queries.SEARCH, text, limit))

    async def create_order(self, key: str, user_id: int, lines: Sequence[OrderLine]) -> Row:
        """Store an order once for its key, with what is to follow from it."""

        async def create(on: Connection) -> Row:
            made = await self._run.row(on, "order", queries.ADD_ORDER, key, user_id)
            if made is None:
                found = await self._run.row(on, "order", queries.ORDER_BY_KEY, key)
                assert found is not None, "orders are never deleted"
                return _as_order(found, new=False)
            items, quantities = [line.item for line in lines], [line.quantity for line in lines]
            added = await self._run.change(on, "order", queries.ADD_LINES, made["id"], items, quantities)
            if added < len(lines):
                raise UnknownItem
            await self._run.change(on, "order", followups.NOTE, made["id"])
            return _as_order(made, new=True)

        return await self._router.write(create)

    async def orders_of(self, user_id: int) -> list[Row]:
        """Return a user's orders with their lines."""
        ask = self._orders_at_once if self._one_query else self._orders_one_by_one
        return await self._router.read(lambda on: ask(on, user_id))

    async def close(self) -> None:
        """Close the connections."""
        await self._router.close()

    async def _user(self, on: Connection, user_id: int, fields: Sequence[str]) -> Row | None:
        return await self._run.row(on, "user", queries.user_query(fields), user_id)

    async def _orders_at_once(self, on: Connection, user_id: int) -> list[Row]:
        rows = await self._run.rows(on, "orders", queries.ORDERS_OF, user_id)
        return [
            {"id": order, "lines": [{name: row[name] for name in row if name != "id"} for row in lines]}
            for order, lines in groupby(rows, key=lambda row: row["id"])
        ]

    async def _orders_one_by_one(self, on: Connection, user_id: int) -> list[Row]:
        """Ask once for each order and once for each of its lines: N+1 queries, and then some."""
        orders = []
        for order in await self._run.rows(on, "orders", queries.ORDER_IDS, user_id):
            lines = []
            for line in await self._run.rows(on, "orders", queries.LINES_OF, order["id"]):
                named = await self._run.row(on, "orders", queries.ITEM_NAME, line["item"])
                lines.append({"item": line["item"], **(named or {}), **line})
            orders.append({"id": order["id"], "lines": lines})
        return orders


def _as_order(row: Row, *, new: bool) -> Row:
    return {"id": row["id"], "key": row["key"], "user": row["user_id"], "new": new}
