"""The reference API's handlers, in this process: hostile input, and what the metrics say of it."""

import asyncio

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from starlette.types import ASGIApp

from slocheck.reference_api.api import LARGEST_ORDER, create_app, read_order, whole_number
from slocheck.reference_api.faults import Faults
from slocheck.reference_api.store import ITEMS


def ask(
    app: ASGIApp, *requests: tuple[str, str], body: bytes = b"", accept: str = "*/*"
) -> list[httpx.Response]:
    """Send requests one after the other and return the responses."""

    async def session() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://shop", headers={"accept": accept}
        ) as client:
            return [await client.request(method, path, content=body) for method, path in requests]

    return asyncio.run(session())


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
        pytest.param("GET", "/", b"", 200, id="index"),
    ],
)
def test_responses(method: str, path: str, body: bytes, status: int) -> None:
    """Each route responds as it should on its limits, and never with a 500."""
    (response,) = ask(create_app(Faults()), (method, path), body=body)
    assert response.status_code == status


def test_an_unknown_item_is_a_miss_by_header_and_counter() -> None:
    """It is not cached either: the next look is a miss again."""
    once, again, page = ask(
        create_app(Faults()), ("GET", "/items/9999"), ("GET", "/items/9999"), ("GET", "/metrics")
    )
    assert (once.headers["x-cache"], again.headers["x-cache"]) == ("miss", "miss")
    assert 'cache_misses_total{level="database"} 2.0' in page.text


def test_a_cached_item_has_the_same_body() -> None:
    """Hit or miss, the shopper sees the same."""
    first, second = ask(create_app(Faults()), ("GET", "/items/5"), ("GET", "/items/5"))
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("miss", "hit")
    assert first.json() == second.json()


def test_planted_delays_are_inside_of_the_measured_time() -> None:
    """The API's own histogram sees what was planted."""
    _, page = ask(create_app(Faults([60])), ("GET", "/items/1"), ("GET", "/metrics"))
    labels = 'le="0.05",method="GET",route="/items/{id}",status_code="200"'
    assert f"http_request_duration_seconds_bucket{{{labels}}} 0.0" in page.text


def test_the_metrics_page_is_openmetrics_for_who_asks() -> None:
    """Prometheus asks for OpenMetrics, and a strict parser accepts the page."""
    _, page = ask(
        create_app(Faults()), ("GET", "/items"), ("GET", "/metrics"), accept="application/openmetrics-text"
    )
    families = text_string_to_metric_families(page.text)  # type: ignore[no-untyped-call]  # ships no types
    names = {family.name for family in families}
    assert page.headers["content-type"].startswith("application/openmetrics-text")
    assert {
        "http_requests",
        "http_request_duration_seconds",
        "cache_hits",
        "process_start_time_seconds",
    } <= names


@given(st.text(max_size=12))
def test_numbers_are_short_ascii_digits_or_none(text: str) -> None:
    """Whatever is written for a number is read as one that SQLite can hold, or refused."""
    number = whole_number(text)
    assert number is None or 0 <= number < 2**63


_JSON = st.recursive(
    st.sampled_from(["null", "true", "1", "-1", "100", "101", "1.5", '"1"', "NaN", "1e999", "9" * 30]),
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda parts: f"[{','.join(parts)}]")
        | st.dictionaries(st.sampled_from(['"item"', '"quantity"', '"x"']), inner, max_size=3).map(
            lambda pairs: "{" + ",".join(f"{key}:{value}" for key, value in pairs.items()) + "}"
        )
    ),
    max_leaves=6,
).map(str.encode)


@given(_JSON | st.binary(max_size=40))
def test_no_body_breaks_the_reader(body: bytes) -> None:
    """Whatever is posted is an order within the limits or a ValueError, never another exception."""
    try:
        _, quantity = read_order(body)
    except ValueError:
        return
    assert 1 <= quantity <= LARGEST_ORDER
