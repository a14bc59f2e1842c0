"""Runs statements on a connection and counts them by what they are for, so that N+1 shows in the metrics."""

from psycopg import AsyncCursor, sql

from slocheck.reference_api.database.pool import Connection
from slocheck.reference_api.observability.metrics import PoolMetrics
from slocheck.reference_api.shop.repository import Row

Statement = str | sql.Composed


class Statements:
    """Each method is one round trip, counted as `name`."""

    def __init__(self, metrics: PoolMetrics) -> None:
        self._queries = metrics.queries

    async def rows(self, on: Connection, name: str, statement: Statement, *values: object) -> list[Row]:
        """Return all rows of a query."""
        return await (await self._execute(on, name, statement, values)).fetchall()

    async def row(self, on: Connection, name: str, statement: Statement, *values: object) -> Row | None:
        """Return the first row of a query, None if there is none."""
        return await (await self._execute(on, name, statement, values)).fetchone()

    async def change(self, on: Connection, name: str, statement: Statement, *values: object) -> int:
        """Change rows; returns how many."""
        return (await self._execute(on, name, statement, values)).rowcount

    async def _execute(
        self, on: Connection, name: str, statement: Statement, values: tuple[object, ...]
    ) -> AsyncCursor[Row]:
        self._queries.labels(name).inc()
        return await on.execute(statement, values)
