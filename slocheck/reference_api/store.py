"""What the shop sells and what was ordered, in SQLite; every process has the same items."""

import random
import sqlite3
from typing import Any

ITEMS = 2_000
"""Number of items for sale; their ids start at 1."""

PAGE = 20

_SEED = 20_250_101
_KINDS = ("lamp", "chair", "kettle", "rug", "shelf", "clock", "mirror", "vase")
_LOOKS = ("oak", "steel", "linen", "amber", "slate", "ivory", "copper", "cobalt")

_SCHEMA = """
CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price_cents INTEGER NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, item INTEGER NOT NULL, quantity INTEGER NOT NULL);
"""


class Store:
    """Items and orders in a private in-memory database: no file is left behind.

    Every call blocks for about 10 to 100 microseconds and belongs on the server's only thread.
    """

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None)
        self._database.executescript(_SCHEMA)
        chance = random.Random(_SEED)  # noqa: S311 - prices, not secrets
        names = [f"{chance.choice(_LOOKS)} {chance.choice(_KINDS)}" for _ in range(ITEMS)]
        rows = ((number, name, chance.randint(199, 49_999)) for number, name in enumerate(names, start=1))
        self._database.executemany("INSERT INTO items VALUES (?, ?, ?)", rows)

    def item(self, number: int) -> dict[str, Any] | None:
        """Return one item, None if there is none; `number` has at most 63 bits."""
        row = self._database.execute(
            "SELECT id, name, price_cents FROM items WHERE id = ?", (number,)
        ).fetchone()
        return None if row is None else _as_item(row)

    def page(self, number: int) -> list[dict[str, Any]]:
        """Return the items of a page; pages count from 0, and those past the last are empty."""
        rows = self._database.execute(
            "SELECT id, name, price_cents FROM items WHERE id > ? ORDER BY id LIMIT ?", (number * PAGE, PAGE)
        )
        return [_as_item(row) for row in rows]

    def order(self, item: int, quantity: int) -> int:
        """Store an order and return its number; orders count from 1."""
        cursor = self._database.execute("INSERT INTO orders (item, quantity) VALUES (?, ?)", (item, quantity))
        return int(cursor.lastrowid or 0)

    def close(self) -> None:
        """Close the database and drop its content."""
        self._database.close()


def _as_item(row: tuple[int, str, int]) -> dict[str, Any]:
    return {"id": row[0], "name": row[1], "price_cents": row[2]}
