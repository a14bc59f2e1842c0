"""The reference API's handlers, in this process: hostile input, and what the metrics say about it."""

import asyncio

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from starlette.types import ASGIApp

from slocheck.reference_api.faults import Faults
from slocheck.reference_api.settings import STRATEGIES, Settings, with_strategies
from slocheck.reference_api.shop.catalogue import users_of
from slocheck.reference_api.shop.orders import LARGEST_ORDER, read_order
from slocheck.reference_api.shop.reading import whole_number
from slocheck.reference_api.shop.users import LONGEST, read_changes
from tests.reference_api.shops import ITEMS, client_of, with_app

SHOP = Settings(items=ITEMS)
NO_FAULTS = Faults()
USERS = users_of(ITEMS)
CHANGE = b'{"name": "Ann"}'


def ask(
    *requests: tuple[str, str],
    body: bytes = b"",
    accept: str = "*/*",
    settings: Settings = SHOP,
    faults: Faults = NO_FAULTS,
) -> list[httpx.Response]:
    """Send requests one after the other to a new shop and return the responses."""

    async def session(app: ASGIApp) -> list[httpx.Response]:
        async with client_of(app, accept) as client:
            return [await client.request(method, path, content=body) for method, path in requests]

    return with_app(session, settings, faults)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        pytest.param("GET", "/items/1", b"", 200, id="first item"),
        pytest.param("GET", f"/items/{ITEMS}", b"", 200, id="last item"),
        pytest.param("GET", f"/items/{ITEMS + 1}", b"", 404, id="past the last item"),
        pytest.param("GET", "/items/0", b"", 404, id="before the first item"),
        pytest.param("GET", "/items/-1", b"", 404, id="negative item"),
        pytest.param("GET", "/items/" + "9" * 5000, b"", 404, id="item of 5,000 digits"),
        pytest.param("GET", "/items/%D9%A1", b"", 404, id="item in arabic digits"),
        pytest.param("GET", "/items?page=999999999", b"", 200, id="page past the end"),
        pytest.param("GET", "/items?page=", b"", 422, id="empty page number"),
        pytest.param("GET", "/items/", b"", 404, id="trailing slash"),
        pytest.param("DELETE", "/items/1", b"", 405, id="wrong method"),
        pytest.param("POST", "/checkout", b'{"item": 1, "quantity": 100}', 201, id="largest order"),
        pytest.param("POST", "/checkout", b'{"item": 1, "quantity": 0}', 422, id="order of nothing"),
        pytest.param("POST", "/checkout", b'{"item": 0, "quantity": 1}', 404, id="order of item 0"),
        pytest.param("POST", "/checkout", b'{"item": 1e3, "quantity": 1}', 422, id="item as a float"),
        pytest.param("POST", "/checkout", b"\xff", 422, id="not UTF-8"),
        pytest.param("POST", "/checkout", b"[" * 16_000, 422, id="deep nesting"),
        pytest.param(
            "POST", "/checkout", b'{"item": 1, "quantity": 1}'.ljust(16_384), 201, id="body at its limit"
        ),
        pytest.param("POST", "/checkout", b" " * 16_385, 413, id="body over its limit"),
        pytest.param(
            "POST",
            "/checkout",
            b'{"lines": [{"item": 1, "quantity": 1}], "user": 2}',
            201,
            id="lines",
        ),
        pytest.param("POST", "/checkout", b'{"lines": []}', 422, id="no lines"),
        pytest.param("POST", "/checkout", b'{"lines": 1}', 422, id="lines are not a list"),
        pytest.param("POST", "/checkout", b'{"item": 1, "quantity": 1, "user": 0}', 422, id="user 0"),
        pytest.param("GET", "/", b"", 200, id="index"),
        pytest.param("GET", "/items/1?fields=id,name", b"", 200, id="some fields"),
        pytest.param("GET", "/items/1?fields=id,secret", b"", 422, id="an unknown field"),
        pytest.param("GET", "/items?after=x", b"", 422, id="after what"),
        pytest.param("GET", "/items?after=-1", b"", 422, id="after a negative id"),
        pytest.param("GET", f"/items?after={ITEMS}", b"", 200, id="after the last item"),
        pytest.param("GET", "/items?after=5&page=1", b"", 422, id="two places at once"),
        pytest.param("GET", "/items/1?fields=,", b"", 200, id="no field"),
        pytest.param("GET", "/items/1?fields=ID", b"", 422, id="a field in the other case"),
        pytest.param("GET", "/search?q=oak+lamp", b"", 200, id="search"),
        pytest.param("GET", "/search?q=", b"", 422, id="search for nothing"),
        pytest.param("GET", "/search?q=a+b+c+d", b"", 422, id="search for too many words"),
        pytest.param("GET", f"/users/{USERS}", b"", 200, id="last user"),
        pytest.param("GET", f"/users/{USERS + 1}", b"", 404, id="past the last user"),
        pytest.param("PATCH", "/users/1", b'{"name": "Ann", "address": "1 Road"}', 200, id="change a user"),
        pytest.param("PATCH", "/users/1", b'{"id": 7}', 422, id="change an id"),
        pytest.param("PATCH", "/users/1", b'{"name": "\\ud800"}', 422, id="half a character"),
        pytest.param("PATCH", "/users/0", b'{"name": "Ann"}', 404, id="change nobody"),
        pytest.param("DELETE", "/users/1", b"", 204, id="delete a user"),
        pytest.param("DELETE", f"/users/{USERS + 1}", b"", 404, id="delete nobody"),
        pytest.param("GET", "/users/1/orders", b"", 200, id="orders"),
    ],
)
def test_responses(method: str, path: str, body: bytes, status: int) -> None:
    """Each route responds correctly at its limits, and never with a 500."""
    (response,) = ask((method, path), body=body)
    assert response.status_code == status
    if status >= 400 and status != 413:  # whose body the server has not read
        assert list(response.json()) == ["error"]


def test_an_unknown_item_is_a_miss_by_header_and_counter() -> None:
    """A missing value is cached, too, so a scan of ids does not reach the database twice."""
    once, again, page = ask(("GET", "/items/9999"), ("GET", "/items/9999"), ("GET", "/metrics"))
    assert (once.status_code, once.headers["x-cache"]) == (404, "miss")
    assert (again.status_code, again.headers["x-cache"]) == (404, "hit")
    assert 'cache_misses_total{level="database"} 1.0' in page.text


def test_a_cached_item_has_the_same_body() -> None:
    """Hit or miss, the shopper sees the same."""
    first, second = ask(("GET", "/items/5"), ("GET", "/items/5"))
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("miss", "hit")
    assert first.json() == second.json()


def test_planted_delays_are_inside_of_the_measured_time() -> None:
    """The API's own histogram sees what was planted."""
    _, page = ask(("GET", "/items/1"), ("GET", "/metrics"), faults=Faults([60]))
    labels = 'le="0.05",method="GET",route="/items/{id}",status_code="200"'
    assert f"http_request_duration_seconds_bucket{{{labels}}} 0.0" in page.text


def test_the_metrics_page_is_openmetrics_for_who_asks() -> None:
    """Prometheus asks for OpenMetrics, and a strict parser accepts it; missing values have no number."""
    _, page = ask(("GET", "/items"), ("GET", "/metrics"), accept="application/openmetrics-text")
    families = text_string_to_metric_families(page.text)  # type: ignore[no-untyped-call]  # ships no types
    names = {family.name for family in families}
    assert page.headers["content-type"].startswith("application/openmetrics-text")
    assert "\ndb_replication_lag_seconds" not in page.text
    assert {
        "http_requests",
        "http_request_duration_seconds",
        "cache_hits",
        "process_start_time_seconds",
    } <= names


STEPS = (
    *(("GET", path) for path in ("/users/2", "/users/2", "/users/2/orders", "/items/3?fields=id,name")),
    ("PATCH", "/users/2"),
    *(("GET", path) for path in ("/users/2", "/items?page=2", "/search?q=oak+lamp")),
    ("DELETE", "/users/2"),
    ("GET", "/users/2"),
)


@pytest.mark.parametrize(
    "off",
    [
        pytest.param(("cache-aside",), id="no cache"),
        pytest.param(("write-through",), id="a write drops the key"),
        pytest.param(("index", "one-query", "keyset", "pool"), id="naive database"),
    ],
)
def test_a_strategy_changes_no_response(off: tuple[str, ...]) -> None:
    """With and without it a client reads the same, including its own change and deletion."""
    without = with_strategies(SHOP, set(STRATEGIES) - set(off))
    bodies = [
        [(response.status_code, response.text) for response in ask(*STEPS, body=CHANGE, settings=settings)]
        for settings in (SHOP, without)
    ]
    assert bodies[0] == bodies[1]
    assert bodies[0][5][1].startswith('{"id":2,"name":"Ann"')


def test_the_naive_list_does_not_end() -> None:
    """Without `bounded` a page is the rest of the table, without `projection` fields are ignored."""
    requests = (("GET", "/items?page=1"), ("GET", "/items/1?fields=id&fields=name"))
    page, item = ask(*requests, settings=with_strategies(SHOP, ()))
    assert [row["id"] for row in page.json()["items"]] == list(range(21, ITEMS + 1))
    assert "about" in item.json()
    _, item = ask(*requests, settings=with_strategies(SHOP, ("projection",)))
    assert list(item.json()) == ["id", "name"]


def test_pages_lead_to_each_other() -> None:
    """`next` is the id after which the next page begins, and the last page has none."""

    async def leaf(app: ASGIApp) -> list[int]:
        ids: list[int] = []
        after: int | None = 0
        async with client_of(app) as client:
            while after is not None:
                page = (await client.get(f"/items?after={after}")).json()
                ids += [row["id"] for row in page["items"]]
                after = page["next"]
        return ids

    assert with_app(leaf, SHOP, NO_FAULTS) == list(range(1, ITEMS + 1))


def test_a_repeated_order_is_stored_once() -> None:
    """The same key gets the same response; the order is in the user's list, which was cached before."""
    order = {"item": 4, "quantity": 2, "user": 9}

    async def session(app: ASGIApp) -> list[httpx.Response]:
        async with client_of(app) as client:
            before = await client.get("/users/9/orders")
            keys = ({"idempotency-key": key} for key in ("a", "a", "b"))
            made = [await client.post("/checkout", json=order, headers=key) for key in keys]
            bad = await client.post("/checkout", json=order, headers={"idempotency-key": ""})
            theirs = {**order, "user": 8}
            stolen = await client.post("/checkout", json=theirs, headers={"idempotency-key": "a"})
            return [before, *made, await client.get("/users/9/orders"), bad, stolen]

    before, first, again, other, after, bad, stolen = with_app(session, SHOP, NO_FAULTS)
    assert (first.status_code, again.status_code, bad.status_code) == (201, 201, 422)
    assert (stolen.status_code, "order" in stolen.json()) == (409, False)
    assert first.json() == again.json() != other.json()
    new = after.json()["orders"][len(before.json()["orders"]) :]
    assert [row["id"] for row in new] == [first.json()["order"], other.json()["order"]]
    assert new[0]["lines"][0]["quantity"] == 2


@pytest.mark.parametrize(
    ("strategies", "queries"),
    [
        pytest.param(("cache-aside", "one-query"), 50, id="no guard: everyone asks the database"),
        pytest.param(("cache-aside", "one-query", "lock"), 1, id="lock: one does"),
    ],
)
def test_how_many_queries_a_missing_key_takes(strategies: tuple[str, ...], queries: int) -> None:
    """Fifty concurrent readers of a list that is not cached yet, as in scenarios/stampede.yaml."""

    async def crowd(app: ASGIApp) -> str:
        async with client_of(app) as client:
            await asyncio.gather(*(client.get("/users/7/orders") for _ in range(50)))
            return (await client.get("/metrics")).text

    page = with_app(crowd, with_strategies(SHOP, strategies), NO_FAULTS)
    assert f'db_queries_total{{query="orders"}} {queries}.0' in page


@given(st.text(max_size=12))
def test_numbers_are_short_ascii_digits_or_none(text: str) -> None:
    """Whatever is written for a number is read as one that SQLite can hold, or refused."""
    number = whole_number(text)
    assert number is None or 0 <= number < 2**63


_KEYS = ['"item"', '"quantity"', '"lines"', '"user"', '"name"']
_JSON = st.recursive(
    st.sampled_from(["null", "true", "1", "-1", "100", "101", "1.5", '"1"', "NaN", "1e999", "9" * 30]),
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda parts: f"[{','.join(parts)}]")
        | st.dictionaries(
            st.sampled_from(['"item"', '"quantity"', '"lines"', '"user"', '"name"']), inner, max_size=3
        ).map(lambda pairs: "{" + ",".join(f"{key}:{value}" for key, value in pairs.items()) + "}")
    ),
    max_leaves=6,
).map(str.encode)


@given(_JSON | st.binary(max_size=40))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    """Whatever is posted is an order within the limits or a ValueError, never another exception."""
    try:
        order = read_order(body)
    except ValueError:
        return
    assert all(1 <= line.quantity <= LARGEST_ORDER for line in order.lines)


@given(_JSON | st.binary(max_size=40))
def test_no_body_breaks_the_reader_of_changes(body: bytes) -> None:
    """Whatever is sent is text that every database can keep, or a ValueError."""
    try:
        changes = read_changes(body)
    except ValueError:
        return
    assert all(len(value.encode()) <= 4 * LONGEST for value in changes.values())
