"""The tables of the shop in SQLite: created and filled once, by the process that starts the others."""

import sqlite3
from contextlib import closing
from pathlib import Path

from slocheck.reference_api.shop.catalogue import Rows

_TABLES = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL);
CREATE TABLE profiles (user_id INTEGER PRIMARY KEY, address TEXT NOT NULL, about TEXT NOT NULL);
CREATE TABLE items (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, price_cents INTEGER NOT NULL, about TEXT NOT NULL,
  sold INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE item_words (word TEXT NOT NULL, item_id INTEGER NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, user_id INTEGER NOT NULL);
CREATE TABLE order_lines (
  order_id INTEGER NOT NULL, item_id INTEGER NOT NULL, quantity INTEGER NOT NULL, price_cents INTEGER NOT NULL
);
CREATE TABLE followups (
  order_id INTEGER PRIMARY KEY, submitted_at REAL NOT NULL DEFAULT (julianday('now')),
  done_at REAL, failed_at REAL
);
CREATE TABLE confirmations (order_id INTEGER NOT NULL, user_id INTEGER NOT NULL);
"""

_INDEXES = {
    "orders_by_user": "orders (user_id)",
    "lines_by_order": "order_lines (order_id)",
    "items_by_word": "item_words (word, item_id)",
}
"""One for each frequent query; keys and unique columns always have theirs."""

_FILL = {
    "users": "INSERT INTO users VALUES (?, ?, ?)",
    "profiles": "INSERT INTO profiles VALUES (?, ?, ?)",
    "items": "INSERT INTO items (id, name, price_cents, about) VALUES (?, ?, ?, ?)",
    "orders": "INSERT INTO orders VALUES (?, ?, ?)",
    "order_lines": "INSERT INTO order_lines VALUES (?, ?, ?, ?)",
}


def prepare(path: Path, rows: Rows, *, index: bool) -> None:
    """Create the tables and fill them if the file is new; create the indexes, or drop them.

    Args:
        path: Of the file.
        rows: What to fill it with.
        index: Whether the frequent queries have their index.

    Raises:
        sqlite3.Error: The file cannot be written, or is not a shop.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")  # kept in the file: readers do not wait for the writer
        database.execute("BEGIN IMMEDIATE")
        if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'items'").fetchone() is None:
            _make(database, rows)
        for name, columns in _INDEXES.items():
            database.execute(
                f"CREATE INDEX IF NOT EXISTS {name} ON {columns}" if index else f"DROP INDEX IF EXISTS {name}"
            )
        database.execute("COMMIT")


def _make(database: sqlite3.Connection, rows: Rows) -> None:
    for statement in _TABLES.split(";"):
        database.execute(statement)
    for table, statement in _FILL.items():
        database.executemany(statement, rows[table])
    names = database.execute("SELECT id, lower(name) FROM items").fetchall()
    words = ((word, number) for number, name in names for word in set(name.split()))
    database.executemany("INSERT INTO item_words VALUES (?, ?)", words)
