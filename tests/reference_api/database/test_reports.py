"""The reports on a real server: they find the slow query and the table without an index."""

import asyncio

import pytest

from slocheck.reference_api.database import queries
from slocheck.reference_api.database.reports import as_table, main, missing_indexes, slow_queries
from slocheck.reference_api.shop.repository import Row
from slocheck.reference_api.stack.programs import free_port
from tests.reference_api.database.shop import ORDERS, Pair, connect, make_shop, reach


def test_the_reports_find_the_query_that_lacks_its_index(
    pair: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    """After many reads without an index, the query tops one list and its table the other."""

    async def find() -> tuple[Row, Row]:
        await make_shop(pair.primary.url, index=False)
        async with connect(pair.primary.url) as own:
            await slow_queries(own)  # makes the view
            await own.execute("SELECT pg_stat_statements_reset()")
            await own.execute("SELECT pg_stat_reset()")
            for _ in range(20):
                await own.execute(queries.ORDER_IDS, (1,))

            async def counted() -> bool:
                return any(row["tablename"] == "orders" for row in await missing_indexes(own))

            await reach(counted, "the server has counted")
            slow = next(row for row in await slow_queries(own) if "user_id" in row["query"])
            return slow, (await missing_indexes(own))[0]

    slow, missing = asyncio.run(find())
    assert (slow["query"], slow["calls"], slow["rows"]) == (
        "SELECT id FROM orders WHERE user_id = $1 ORDER BY id",
        20,
        100,
    )
    assert slow["total_seconds"] == pytest.approx(20 * slow["mean_seconds"])
    assert slow["total_seconds"] > 0
    assert missing["tablename"] == "orders"
    assert missing["avg_seq_tup_read"] >= ORDERS
    assert missing["seq_tup_read"] == missing["seq_scan"] * missing["avg_seq_tup_read"]
    assert main(["--database", pair.primary.url]) == 0
    printed = capsys.readouterr().out
    assert "SELECT id FROM orders WHERE user_id = $1" in printed
    assert "avg_seq_tup_read" in printed
    asyncio.run(make_shop(pair.primary.url))


def test_a_server_that_cannot_be_asked_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 2, and one line says why."""
    assert main(["--database", f"postgresql://127.0.0.1:{free_port()}/none"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("--database: connection")
    assert "Traceback" not in said


def test_tables_are_laid_out_in_columns() -> None:
    """Long queries are cut, and take one line."""
    rows: list[Row] = [{"query": "SELECT\n  1", "mean": 0.123456}, {"query": "x" * 99, "mean": None}]
    lines = as_table(rows).splitlines()
    assert lines[0].split() == ["query", "mean"]
    assert lines[1].split("  ")[0] == "SELECT 1"
    assert lines[1].endswith("0.1235")
    assert lines[2].startswith("x" * 69 + "…  None")
    assert as_table([]) == "nothing\n"
