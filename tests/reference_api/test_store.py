"""The shop's data: the same for everyone, and complete."""

from collections.abc import Iterator

import pytest

from slocheck.reference_api.store import ITEMS, PAGE, Store


@pytest.fixture
def store() -> Iterator[Store]:
    """Open a fresh store."""
    opened = Store()
    yield opened
    opened.close()


def test_the_items_are_the_same_every_time(store: Store) -> None:
    """Two processes sell the same items at the same prices."""
    other = Store()
    assert [store.item(number) for number in range(1, 51)] == [other.item(number) for number in range(1, 51)]
    other.close()


@pytest.mark.parametrize(
    ("number", "found"),
    [
        pytest.param(0, False, id="before the first"),
        pytest.param(1, True, id="first"),
        pytest.param(ITEMS, True, id="last"),
        pytest.param(ITEMS + 1, False, id="after the last"),
    ],
)
def test_items_run_from_1_to_the_last(store: Store, number: int, found: bool) -> None:
    """Nothing is for sale outside of the ids that the scenario draws from."""
    assert (store.item(number) is not None) == found


def test_pages_show_every_item_once(store: Store) -> None:
    """Leafing through all pages shows each id once and in order; past the end is nothing."""
    pages = ITEMS // PAGE
    assert [item["id"] for page in range(pages) for item in store.page(page)] == list(range(1, ITEMS + 1))
    assert store.page(pages) == []


def test_orders_count_up(store: Store) -> None:
    """Each order has a number of its own, from 1."""
    assert [store.order(7, 2), store.order(7, 2)] == [1, 2]
