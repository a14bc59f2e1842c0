"""The shop on a real PostgreSQL: what each query returns, how many there are, and how rows are found."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from psycopg import Rollback

from slocheck.reference_api.database import queries
from slocheck.reference_api.database.pool import Connection
from slocheck.reference_api.shop.repository import OrderLine, Row, UnknownItem
from tests.reference_api.database.shop import ITEMS, RARE_WORD, Pair, Shop, connect, make_shop, open_shop

Use = Callable[[Shop], Awaitable[None]]


def use(pair: Pair, steps: Use, *, one_query: bool = True) -> None:
    """Run the steps on a fresh repository, on the primary alone."""

    async def run() -> None:
        async with open_shop(pair, replica=False, one_query=one_query) as shop:
            await steps(shop)

    asyncio.run(run())


async def query_one(connection: Connection, statement: str, *values: object) -> Row:
    """Return the only row of a query outside of the repository."""
    rows = await (await connection.execute(statement, values)).fetchall()
    assert len(rows) == 1
    return rows[0]


def test_users_are_read_changed_and_deleted_with_their_profile(pair: Pair) -> None:
    """A change is returned in full; nothing is left of a deleted user but the orders."""

    async def steps(shop: Shop) -> None:
        repository = shop.repository
        whole = {"name": "user 9", "email": "user9@example.com", "address": "street 9", "about": "about 9"}
        assert await repository.user(9) == {"id": 9, **whole}
        assert await repository.user(9, ["email"]) == {"email": "user9@example.com"}
        changed = {"name": "'; DROP TABLE users; --", "about": "new"}
        assert await repository.update_user(9, changed) == {"id": 9, **whole, **changed}
        assert await repository.user(9) == {"id": 9, **whole, **changed}
        assert await repository.update_user(999, {"name": "nobody"}) is None
        assert [await repository.delete_user(9), await repository.delete_user(9)] == [True, False]
        assert await repository.user(9) is None
        assert [order["id"] for order in await repository.orders_of(9)] == [13]

    use(pair, steps)


def test_items_are_paged_by_key_or_offset_and_found_by_words(pair: Pair) -> None:
    """Both ways of paging show the same items; a search wants all of its words."""

    async def steps(shop: Shop) -> None:
        repository = shop.repository
        assert await repository.item(7) == {
            "id": 7,
            "name": "amber kettle",
            "price_cents": 107,
            "about": "item 7",
        }
        assert await repository.item(7, ["price_cents", "id"]) == {"price_cents": 107, "id": 7}
        assert await repository.item(ITEMS + 1) is None
        by_key = await repository.items(2_960, 20)
        assert [row["id"] for row in by_key] == list(range(2_961, 2_981))
        assert await repository.items_page(148, 20) == by_key
        assert len(await repository.items_page(0, None)) == ITEMS
        found = await repository.search(["amber", "kettle"], 3)
        assert [(row["id"], row["name"]) for row in found] == [(n, "amber kettle") for n in (7, 27, 47)]
        assert [row["id"] for row in await repository.search(["amber & !lamp | '"], 1)] == [15], (
            "signs are not words"
        )
        assert await repository.search(["amber", "spoon"], 1) == []

    use(pair, steps)


def test_many_queries_or_one_return_the_same_orders(pair: Pair) -> None:
    """5 orders of 3 lines take 1 query, and in the naive form 1 + 5 + 15."""
    seen: list[tuple[list[Row], float]] = []

    async def steps(shop: Shop) -> None:
        seen.append((await shop.repository.orders_of(1), shop.value("db_queries_total", query="orders")))

    use(pair, steps, one_query=False)
    use(pair, steps, one_query=True)
    (naive, many), (orders, one) = seen
    assert naive == orders
    assert (many, one) == (21, 1)
    assert orders[0] == {
        "id": 1,
        "lines": [
            {"item": 10, "name": "linen lamp", "quantity": 1, "price_cents": 250},
            {"item": 11, "name": "amber chair", "quantity": 2, "price_cents": 250},
            {"item": 12, "name": "oak kettle", "quantity": 3, "price_cents": 250},
        ],
    }


def test_an_order_is_made_once_for_its_key_and_followed_up_once(pair: Pair) -> None:
    """Many requests with one key at the same time make one order, and many jobs of it have one effect."""

    async def steps(shop: Shop) -> None:
        followups = shop.repository.followups
        lines = [OrderLine(5, 2), OrderLine(3, 1)]
        made = await asyncio.gather(*(shop.repository.create_order("k1", 20, lines) for _ in range(12)))
        assert {row["id"] for row in made} == {made[0]["id"]}
        assert sorted(row["new"] for row in made) == [False] * 11 + [True]
        other = await shop.repository.create_order("k2", 20, list(reversed(lines)))
        orders = [made[0]["id"], other["id"]]
        assert await followups.overdue(60, 10) == []
        assert await followups.overdue(0, 10) == orders
        done = await asyncio.gather(*(followups.fulfil(order) for order in orders * 5))
        assert sorted(done) == [False] * 8 + [True] * 2
        assert await followups.overdue(0, 10) == []
        bought = await shop.repository.orders_of(20)
        assert [line["item"] for line in bought[-1]["lines"]] == [3, 5]
        async with connect(pair.primary.url) as own:
            sold = await query_one(
                own, "SELECT array_agg(sold ORDER BY id) AS sold FROM items WHERE id IN (3, 5)"
            )
            assert sold == {"sold": [2, 4]}
            counted = await query_one(own, "SELECT COUNT(*) AS n FROM confirmations WHERE user_id = 20")
            assert counted == {"n": 2}
        with pytest.raises(UnknownItem):
            await shop.repository.create_order("k3", 20, [OrderLine(5, 1), OrderLine(ITEMS + 1, 1)])
        assert await shop.repository.orders_of(20) == bought, "nothing of it was stored"
        assert (await shop.repository.create_order("k3", 21, lines))["new"], "nor its key"

    use(pair, steps)


def test_a_job_that_failed_for_good_is_not_due_again(pair: Pair) -> None:
    """It stays open for manual repair, and is not submitted automatically."""

    async def steps(shop: Shop) -> None:
        followups = shop.repository.followups
        order = (await shop.repository.create_order("k3", 21, [OrderLine(8, 1)]))["id"]
        await followups.give_up(order)
        assert await followups.overdue(0, 10) == []
        assert await followups.fulfil(order)

    use(pair, steps)


FREQUENT = {
    "orders_by_user": (queries.ORDER_IDS, (1,)),
    "lines_by_order": (queries.LINES_OF, (1,)),
    "items_by_word": (queries.SEARCH, (RARE_WORD, 20)),
}


def test_there_is_no_index_without_a_query() -> None:
    """The next test shows for each index that it is used."""
    assert FREQUENT.keys() == queries.INDEXES.keys()


def test_each_frequent_query_uses_its_index(pair: Pair) -> None:
    """Without the index the server reads rows only to discard them; with it, it reads only those it needs."""

    async def plans(*, index: bool) -> dict[str, str]:
        await make_shop(pair.primary.url, index=index)
        found = {}
        async with connect(pair.primary.url) as own:
            for name, (statement, values) in FREQUENT.items():
                rows = await (await own.execute(f"EXPLAIN ANALYZE {statement}", values)).fetchall()
                found[name] = "\n".join(row["QUERY PLAN"] for row in rows)
        return found

    for plan in asyncio.run(plans(index=False)).values():
        assert "Rows Removed by Filter" in plan
    for name, plan in asyncio.run(plans(index=True)).items():
        assert name in plan
        assert "Rows Removed by Filter" not in plan


def test_a_profile_is_joined_only_for_its_columns() -> None:
    """A projection saves the join, not only the columns."""
    assert "profiles" in queries.user_query(()).as_string()
    assert "profiles" in queries.user_query(["id", "about"]).as_string()
    assert "profiles" not in queries.user_query(["id", "name"]).as_string()


def test_the_schema_is_made_by_many_at_the_same_time(pair: Pair) -> None:
    """Several workers start together; one fills the tables, and ids continue after the filled rows."""

    async def steps() -> None:
        await asyncio.gather(*(make_shop(pair.primary.url) for _ in range(4)))
        async with connect(pair.primary.url) as own:
            assert await query_one(own, "SELECT COUNT(*) AS n FROM items") == {"n": ITEMS}
            fresh = "INSERT INTO users (name, email) VALUES ('new', 'new@example.com') RETURNING id"
            assert (await query_one(own, fresh))["id"] > 40

    asyncio.run(steps())


def test_a_process_that_starts_does_not_wait_for_the_orders_of_others(pair: Pair) -> None:
    """Existing tables are not locked: a worker starts while orders are being written."""

    async def steps() -> None:
        await make_shop(pair.primary.url)
        async with connect(pair.primary.url) as own, own.transaction():
            for statement in (
                "INSERT INTO orders (key, user_id) VALUES ('open', 1)",
                "UPDATE items SET sold = sold WHERE id = 1",
                "INSERT INTO order_lines VALUES (1, 1, 0, 0)",
            ):
                await own.execute(statement)
            await make_shop(pair.primary.url)
            raise Rollback

    asyncio.run(steps())
