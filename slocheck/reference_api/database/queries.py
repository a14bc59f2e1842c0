"""Query optimisation: the statements of the shop on PostgreSQL, the good form beside the naive one.

- **Missing index.** A query that looks at every row gets slower with each row. `INDEXES` holds one for each
  frequent query; `python -m slocheck.reference_api.database.reports` finds what is missing. Each index costs
  every write something, so there is none that no query uses.
- **N+1.** A list that asks for the details of each of its rows pays one round trip a row. `ORDERS_OF` is one
  query; `ORDER_IDS`, `LINES_OF` and `ITEM_NAME` are the naive form.
- **Projection.** Only the requested columns are read and sent, and only the tables they need are joined.
- **Paging.** An offset reads and drops all rows before the page, and shows a row twice if one is inserted
  meanwhile. A key (`ITEMS_AFTER`) goes directly to the page, but cannot jump to page 500.

In production: `EXPLAIN (ANALYZE, BUFFERS)` on the production's data before and after, as the planner's choice
depends on them; `CREATE INDEX CONCURRENTLY`, so that the writes go on.
"""

from collections.abc import Mapping, Sequence

from psycopg import sql

_USER = {"id": "u.id", "name": "u.name", "email": "u.email"}
_PROFILE = {"address": "p.address", "about": "p.about"}
USER_COLUMNS = {**_USER, **_PROFILE}
ITEM_COLUMNS = {"id": "id", "name": "name", "price_cents": "price_cents", "about": "about"}

INDEXES = {
    "orders_by_user": "CREATE INDEX IF NOT EXISTS orders_by_user ON orders (user_id)",
    "lines_by_order": "CREATE INDEX IF NOT EXISTS lines_by_order ON order_lines (order_id)",
    "items_by_word": (
        "CREATE INDEX IF NOT EXISTS items_by_word ON items USING gin (to_tsvector('simple', name))"
    ),
}
"""One for each frequent query, by name; keys and unique columns always have theirs."""

ITEMS_AFTER = "SELECT id, name, price_cents FROM items WHERE id > %s ORDER BY id LIMIT %s"
ITEMS_PAGE = "SELECT id, name, price_cents FROM items ORDER BY id OFFSET %s LIMIT %s"
SEARCH = """
SELECT id, name, price_cents FROM items
WHERE to_tsvector('simple', name) @@ plainto_tsquery('simple', %s) ORDER BY id LIMIT %s
"""

ORDERS_OF = """
SELECT o.id, l.item_id AS item, i.name, l.quantity, l.price_cents
FROM orders o JOIN order_lines l ON l.order_id = o.id JOIN items i ON i.id = l.item_id
WHERE o.user_id = %s ORDER BY o.id, l.item_id
"""
ORDER_IDS = "SELECT id FROM orders WHERE user_id = %s ORDER BY id"
LINES_OF = (
    "SELECT item_id AS item, quantity, price_cents FROM order_lines WHERE order_id = %s ORDER BY item_id"
)
ITEM_NAME = "SELECT name FROM items WHERE id = %s"

# the key decides: of two requests with the same key, the second waits for the first and then adds nothing
ADD_ORDER = """
INSERT INTO orders (key, user_id) VALUES (%s, %s) ON CONFLICT (key) DO NOTHING RETURNING id, key, user_id
"""
ORDER_BY_KEY = "SELECT id, key, user_id FROM orders WHERE key = %s"
# all lines in one round trip
ADD_LINES = """
INSERT INTO order_lines (order_id, item_id, quantity, price_cents)
SELECT %s, i.id, line.quantity, i.price_cents
FROM unnest(%s::int[], %s::int[]) AS line (item_id, quantity) JOIN items i ON i.id = line.item_id
"""


def user_query(fields: Sequence[str]) -> sql.Composed:
    """Select a user by id: all columns, or only `fields`; the profile is joined only if one is from it."""
    chosen = {name: USER_COLUMNS[name] for name in fields or USER_COLUMNS}
    joined = " JOIN profiles p ON p.user_id = u.id" if chosen.keys() & _PROFILE.keys() else ""
    return _select(chosen, f"users u{joined} WHERE u.id = %s")


def item_query(fields: Sequence[str]) -> sql.Composed:
    """Select an item by id: all columns, or only `fields`."""
    return _select({name: ITEM_COLUMNS[name] for name in fields or ITEM_COLUMNS}, "items WHERE id = %s")


def changes_of(table: str, key: str, columns: Sequence[str]) -> sql.Composed:
    """Update `columns` of the row whose `key` is the last parameter."""
    values = sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in columns)
    return sql.SQL("UPDATE {} SET {} WHERE {} = %s").format(
        sql.Identifier(table), values, sql.Identifier(key)
    )


def user_changes(names: Sequence[str]) -> list[tuple[sql.Composed, list[str]]]:
    """Return the statements that change these columns of a user, each with the columns that it takes."""
    parts = (("users", "id", _USER), ("profiles", "user_id", _PROFILE))
    return [
        (changes_of(table, key, own), own)
        for table, key, columns in parts
        if (own := [name for name in names if name in columns and name != "id"])
    ]


def _select(columns: Mapping[str, str], rest: str) -> sql.Composed:
    # the columns come from this file, never from the client
    shown = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(sql.SQL(column), sql.Identifier(name)) for name, column in columns.items()
    )
    return sql.SQL("SELECT {} FROM {}").format(shown, sql.SQL(rest))
