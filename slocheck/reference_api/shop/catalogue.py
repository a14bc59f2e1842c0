"""What a new shop holds: the same rows every time, in every database."""

import random
from collections.abc import Iterable, Iterator, Mapping

Rows = Mapping[str, Iterable[tuple[object, ...]]]
"""Table to its rows; the columns are those of the schema of each database."""

ITEMS_PER_USER = 4
ORDERS_PER_USER = 4
LINES_PER_ORDER = 2

_SEED = 20_250_101
_MAKERS = ("Alta", "Borg", "Cove", "Dune", "Elm", "Fjord", "Glen", "Heath", "Isle", "Juno", "Kite", "Loch")
_LOOKS = ("oak", "steel", "linen", "amber", "slate", "ivory", "copper", "cobalt")
_KINDS = ("lamp", "chair", "kettle", "rug", "shelf", "clock", "mirror", "vase")
_PRAISE = (
    "Made by hand in small batches, and meant to be repaired.",
    "Packed in paper, delivered in three days, taken back within thirty.",
    "Every piece differs a little from the pictures.",
    "Wipe it with a damp cloth, and keep it out of the sun.",
    "Spare parts are kept in stock for ten years.",
)

WORDS = tuple(word.lower() for words in (_MAKERS, _LOOKS, _KINDS) for word in words)
"""Words to search for: each item's name has one of each."""


def rows(items: int) -> Rows:
    """Return the rows of a shop with this many items for sale; ids start at 1 and have no gaps."""
    users = users_of(items)
    return {
        "users": ((number, f"User {number}", f"user{number}@example.com") for number in range(1, users + 1)),
        "profiles": (
            (number, f"{number} Main Street", _PRAISE[number % len(_PRAISE)])
            for number in range(1, users + 1)
        ),
        "items": _items(items),
        "orders": (
            (number, f"first-{number}", 1 + number * 7 % users) for number in range(1, _orders(users) + 1)
        ),
        "order_lines": _lines(items, _orders(users)),
    }


def users_of(items: int) -> int:
    """Return how many users a shop with this many items has, at least 1."""
    return max(1, items // ITEMS_PER_USER)


def _orders(users: int) -> int:
    return users * ORDERS_PER_USER


def _items(count: int) -> Iterator[tuple[object, ...]]:
    """Yield id, name, price and description."""
    chance = random.Random(_SEED)  # noqa: S311 - prices, not secrets
    for number in range(1, count + 1):
        name = f"{chance.choice(_MAKERS)} {chance.choice(_LOOKS)} {chance.choice(_KINDS)}"
        yield number, name, chance.randint(199, 49_999), " ".join(chance.sample(_PRAISE, 3))


def _lines(items: int, orders: int) -> Iterator[tuple[object, ...]]:
    """Yield order, item, quantity and price."""
    for order in range(1, orders + 1):
        for line in range(LINES_PER_ORDER):
            yield order, 1 + (order * 31 + line * 17) % items, 1 + line, 199 + order % 1_000
