"""The shop's data: SQLite, and the in-process cache in front of it."""

import json
import sqlite3
from collections import OrderedDict
from typing import Any

ITEMS = 1_000
CACHE_SIZE = 800
PAGE = 20


class Store:
    """Items and orders in a private SQLite database in memory."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None)
        self._database.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price INTEGER)")
        self._database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, item INTEGER, quantity INTEGER)")
        rows = ((number, f"item {number}", 100 + number * 37 % 9900) for number in range(1, ITEMS + 1))
        self._database.executemany("INSERT INTO items VALUES (?, ?, ?)", rows)

    def item(self, number: int) -> dict[str, Any] | None:
        """Return one item, None where there is none."""
        row = self._database.execute("SELECT id, name, price FROM items WHERE id = ?", (number,)).fetchone()
        return None if row is None else {"id": row[0], "name": row[1], "price": row[2]}

    def page(self, number: int) -> list[dict[str, Any]]:
        """Return the items of a page; pages count from 0."""
        rows = self._database.execute(
            "SELECT id, name, price FROM items ORDER BY id LIMIT ? OFFSET ?", (PAGE, number * PAGE)
        )
        return [{"id": row[0], "name": row[1], "price": row[2]} for row in rows]

    def order(self, item: int, quantity: int) -> int:
        """Keep an order and return its number."""
        cursor = self._database.execute("INSERT INTO orders (item, quantity) VALUES (?, ?)", (item, quantity))
        return int(cursor.lastrowid or 0)


class ItemCache:
    """The most recently asked items, as response bodies; the oldest one makes room."""

    def __init__(self, store: Store, size: int = CACHE_SIZE) -> None:
        self._store = store
        self._size = size
        self._bodies: OrderedDict[int, bytes] = OrderedDict()

    def get(self, number: int) -> tuple[bytes | None, bool]:
        """Return an item's JSON and whether it was cached; (None, False) where there is none."""
        body = self._bodies.get(number)
        if body is not None:
            self._bodies.move_to_end(number)
            return body, True
        item = self._store.item(number)
        if item is None:
            return None, False
        body = json.dumps(item).encode()
        self._bodies[number] = body
        if len(self._bodies) > self._size:
            self._bodies.popitem(last=False)
        return body, False
