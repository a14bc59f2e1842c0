"""The databases of the shop: SQLite embedded, PostgreSQL with a pool and a streaming replica for real."""
