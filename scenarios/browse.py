"""A shopper's journey over the reference API: lists, items by popularity, now and then an order.

To use it on an API of your own, change the paths and the weights. Give each request a `name` when its
path holds an id, so that all of them are one endpoint in the report. Items are asked for as shoppers
do, a few of them most of the time (Zipf's law), so that a cache sees a hit rate it would see in life.

It is a plain Locust file: `locust -f scenarios/browse.py --host http://127.0.0.1:8000` runs it too.
"""

import random
from itertools import accumulate

from locust import FastHttpUser, between, task

ITEMS = 1_000
CREATED = 201
SKEW = 1.1
"""Exponent of Zipf's law: the n-th most popular item is asked for in proportion to 1 / n ** SKEW."""

_IDS = range(1, ITEMS + 1)
_CUMULATIVE = list(accumulate(1 / rank**SKEW for rank in _IDS))


def popular_item() -> int:
    """Return an item's id, drawn by popularity."""
    return random.choices(_IDS, cum_weights=_CUMULATIVE)[0]


class Shopper(FastHttpUser):
    """Looks at items, sometimes through a list, and orders once in a while."""

    wait_time = between(0.05, 0.15)
    connection_timeout = 10.0
    network_timeout = 10.0

    @task(16)
    def view_item(self) -> None:
        """Look at one item."""
        self.client.get(f"/items/{popular_item()}", name="/items/{id}")

    @task(3)
    def browse_list(self) -> None:
        """Look at one of the first pages of the list."""
        self.client.get(f"/items?page={random.randrange(10)}", name="/items")

    @task(1)
    def checkout(self) -> None:
        """Order an item and expect an order number."""
        order = {"item": popular_item(), "quantity": random.randint(1, 3)}
        with self.client.post("/checkout", json=order, catch_response=True) as response:
            if response.status_code == CREATED and "order" not in (response.json() or {}):
                response.failure("the answer names no order")
