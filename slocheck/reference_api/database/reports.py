"""Which queries are slow and which tables lack an index, by the server's own counts.

The guide's two queries, in today's columns: pg_stat_statements has `total_exec_time` and `mean_exec_time`
since PostgreSQL 13, and pg_stat_user_tables calls its table `relname`. The naive form, a guess from the code
or a log of slow queries, misses the fast query that is called a million times.

pg_stat_statements has to be in `shared_preload_libraries` when the server starts. In production the counts
are reset after each release, and read by an exporter.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence

import psycopg

from slocheck.reference_api.database.pool import Connection, connection_options
from slocheck.reference_api.shop.repository import Row

SLOW_QUERIES = """
SELECT
  query,
  calls,
  total_exec_time / 1000 AS total_seconds,
  mean_exec_time / 1000 AS mean_seconds,
  rows
FROM pg_stat_statements
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY total_exec_time DESC
LIMIT 20
"""

MISSING_INDEXES = """
SELECT
  schemaname,
  relname AS tablename,
  seq_scan,
  seq_tup_read,
  idx_scan,
  idx_tup_fetch,
  seq_tup_read / NULLIF(seq_scan, 0) AS avg_seq_tup_read
FROM pg_stat_user_tables
WHERE seq_scan > 0
ORDER BY seq_tup_read DESC
LIMIT 10
"""

_LONGEST_CELL = 70


async def slow_queries(connection: Connection) -> list[Row]:
    """Return the queries that took the most time in all, longest first.

    Raises:
        psycopg.Error: pg_stat_statements was not loaded when the server started.
    """
    await connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    return await (await connection.execute(SLOW_QUERIES)).fetchall()


async def missing_indexes(connection: Connection) -> list[Row]:
    """Return the tables with the most rows read without an index, most first.

    A small table is read whole for good reason; `avg_seq_tup_read` says how small it is.
    """
    return await (await connection.execute(MISSING_INDEXES)).fetchall()


def as_table(rows: Sequence[Row]) -> str:
    """Lay rows out in columns, long texts cut short."""
    if not rows:
        return "nothing\n"
    cells = [list(rows[0]), *([_cell(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in cells)
    return "".join(line.rstrip() + "\n" for line in lines)


def _cell(value: object) -> str:
    text = f"{value:.4f}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= _LONGEST_CELL else f"{text[: _LONGEST_CELL - 1]}…"


async def report(url: str) -> str:
    """Run both queries on a server; raises psycopg.Error."""
    async with await psycopg.AsyncConnection.connect(url, **connection_options()) as connection:
        slow, missing = await slow_queries(connection), await missing_indexes(connection)
    return f"Slow queries\n\n{as_table(slow)}\nTables read without an index\n\n{as_table(missing)}"


def main(arguments: list[str] | None = None) -> int:
    """Print both reports of a server; returns the exit code, 2 if it cannot be reached."""
    parser = argparse.ArgumentParser(
        prog="python -m slocheck.reference_api.database.reports", description="Slow queries, missing indexes."
    )
    parser.add_argument("--database", metavar="URL", required=True, help="postgresql://…")
    try:
        text = asyncio.run(report(parser.parse_args(arguments).database))
    except psycopg.Error as error:
        sys.stderr.write(f"--database: {str(error).strip()}\n")
        return 2
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
