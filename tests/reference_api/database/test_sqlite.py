"""The shop on SQLite: the same rows for everyone, naive and good forms, and bounds."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from slocheck.errors import UsageError
from slocheck.reference_api.observability.metrics import Metrics
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.shop.catalogue import WORDS, users_of
from slocheck.reference_api.shop.repository import OrderLine, Repository, Row, Unavailable, UnknownItem
from slocheck.reference_api.stored import open_repository
from tests.reference_api.shops import ITEMS, with_repository

SHOP = Settings(items=ITEMS)
NAIVE = replace(SHOP, index=False, one_query=False, pool=False)


async def everything(shop: Repository) -> list[Row]:
    """Query everything in the shop, in every way."""
    rows = [row for number in range(1, 9) for row in await shop.orders_of(number)]
    rows += [row for word in WORDS for row in await shop.search([word, "lamp"], 5)]
    rows += [await shop.item(ITEMS, ("name",)) or {}, await shop.user(users_of(ITEMS)) or {}]
    return rows


def test_naive_and_good_forms_return_the_same(tmp_path: Path) -> None:
    """Indexes, one query for many and kept connections change how long it takes, not what comes back."""
    good, naive = (with_repository(everything, tmp_path, settings) for settings in (SHOP, NAIVE))
    assert good == naive
    assert len(good) > 50


def test_n_plus_one_shows_in_the_count_of_queries(tmp_path: Path) -> None:
    """One query with the strategy; without it one, plus one per order and one per line."""

    def queries(settings: Settings) -> float:
        metrics = Metrics()
        with_repository(lambda shop: shop.orders_of(8), tmp_path, settings, metrics)
        return metrics.registry.get_sample_value("db_queries_total", {"query": "orders"}) or 0

    assert (queries(SHOP), queries(NAIVE)) == (1, 1 + 4 + 8)


def test_pages_by_key_and_by_offset_show_every_item_once(tmp_path: Path) -> None:
    """Both kinds of paging show each id once and in order; past the end is nothing."""

    async def leaf(shop: Repository) -> tuple[list[Row], list[Row], list[Row], list[Row]]:
        by_key = [row for after in range(0, ITEMS, 20) for row in await shop.items(after, 20)]
        by_offset = [row for page in range(ITEMS // 20) for row in await shop.items_page(page, 20)]
        return by_key, by_offset, await shop.items_page(0, None), await shop.items(ITEMS, 20)

    by_key, by_offset, whole, past = with_repository(leaf, tmp_path, SHOP)
    assert by_key == by_offset == whole
    assert [row["id"] for row in whole] == list(range(1, ITEMS + 1))
    assert past == []


def test_of_many_requests_with_one_key_one_makes_the_order(tmp_path: Path) -> None:
    """However they overlap, all get the same order, and exactly one is told that it is new."""

    async def race(shop: Repository) -> list[Row]:
        lines = [OrderLine(1, 2), OrderLine(3, 1)]
        return list(await asyncio.gather(*(shop.create_order("key", 5, lines) for _ in range(20))))

    made = with_repository(race, tmp_path, SHOP)
    assert {row["id"] for row in made} == {made[0]["id"]}
    assert sum(row["new"] for row in made) == 1


def test_an_order_with_a_line_that_is_not_there_is_not_stored(tmp_path: Path) -> None:
    """Neither its other lines nor its key: an order that lost a line would be worse than none."""

    async def order(shop: Repository) -> tuple[list[Row], bool]:
        before = await shop.orders_of(5)
        with pytest.raises(UnknownItem):
            await shop.create_order("key", 5, [OrderLine(1, 2), OrderLine(1, 1), OrderLine(10**6, 1)])
        assert await shop.orders_of(5) == before
        made = await shop.create_order("key", 5, [OrderLine(1, 2), OrderLine(1, 1)])
        return (await shop.orders_of(5))[-1]["lines"], made["new"]

    lines, new = with_repository(order, tmp_path, SHOP)
    assert ([line["quantity"] for line in lines], new) == ([2, 1], True)


def test_a_user_is_changed_and_deleted_with_the_profile(tmp_path: Path) -> None:
    """What was changed is read again, and of a deleted user nothing is left but the orders."""

    async def session(shop: Repository) -> tuple[Row | None, Row | None, list[bool], Row | None, list[Row]]:
        changed = await shop.update_user(2, {"name": "Ann", "address": "1 Road"})
        read = await shop.user(2)
        gone = [await shop.delete_user(2), await shop.delete_user(2)]
        return changed, read, gone, await shop.user(2, ("name",)), await shop.orders_of(2)

    changed, read, gone, after, orders = with_repository(session, tmp_path, SHOP)
    assert changed == read
    assert (read or {})["address"] == "1 Road"
    assert (gone, after) == ([True, False], None)
    assert orders


def test_who_finds_no_connection_in_time_is_told_so(tmp_path: Path) -> None:
    """A bound on those that wait and a bound on how long: past either, Unavailable at once or in time."""
    metrics = Metrics()
    settings = replace(SHOP, pool_size=1, pool_timeout_s=0.05)
    done = threading.Event()

    async def crowd(shop: Repository) -> list[BaseException | None]:
        def block(_: sqlite3.Connection) -> None:
            done.wait(60)

        held = asyncio.create_task(shop._pool.run(block))  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        asked = [asyncio.create_task(shop.item(1)) for _ in range(60)]
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        done.set()
        await held
        assert await shop.item(1)
        return [each if isinstance(each, BaseException) else None for each in outcomes]

    outcomes = with_repository(crowd, tmp_path, settings, metrics)
    assert all(isinstance(each, Unavailable) for each in outcomes)
    assert sorted({str(each)[:2] for each in outcomes}) == ["50", "no"]
    for name, count in (("waits", 60), ("timeouts", 60)):
        assert metrics.registry.get_sample_value(f"db_pool_{name}_total", {"role": "primary"}) == count
    assert metrics.registry.get_sample_value("db_pool_waiting", {"role": "primary"}) == 0


@pytest.mark.parametrize(
    ("url", "why"),
    [
        pytest.param("mysql://host/shop", "is not an address; write sqlite:///PATH", id="another database"),
        pytest.param("sqlite:///", "is not an address", id="no path"),
        pytest.param("sqlite:////nowhere/shop.db", "/nowhere/shop.db cannot be used", id="no such folder"),
    ],
)
def test_a_database_that_cannot_be_used_is_named(url: str, why: str) -> None:
    """The message names the option and what to write."""
    with pytest.raises(UsageError, match=f"--database: .*{why}"):
        asyncio.run(open_repository(Settings(database_url=url), Metrics().pool))


def test_what_follows_from_an_order_is_done_once(tmp_path: Path) -> None:
    """However often its job is delivered; a finished or abandoned job is not due again."""

    async def follow(shop: Repository) -> None:
        lines = [OrderLine(3, 2), OrderLine(5, 1), OrderLine(3, 1)]
        first, second = [(await shop.create_order(key, 1, lines))["id"] for key in ("k1", "k2")]
        assert await shop.followups.overdue(60, 10) == []
        assert await shop.followups.overdue(0, 10) == [first, second]
        done = await asyncio.gather(*(shop.followups.fulfil(first) for _ in range(5)))
        assert sorted(done) == [False] * 4 + [True]
        await shop.followups.give_up(second)
        assert await shop.followups.overdue(0, 10) == []
        assert await shop.followups.fulfil(second), "whoever mends it can still do it"

    with_repository(follow, tmp_path, SHOP)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as file:
        assert file.execute("SELECT id, sold FROM items WHERE sold > 0").fetchall() == [(3, 6), (5, 2)]
        assert file.execute("SELECT COUNT(*) FROM confirmations").fetchone() == (2,)
