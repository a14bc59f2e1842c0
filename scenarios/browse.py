"""A shopper's journey over the reference API: browse, look at items, sometimes buy.

This is a plain Locust file: it runs under Locust alone as well as under slocheck, and imports nothing
of the latter. To adapt it to your own API:

1. Replace the three tasks by your own requests; a task's weight is its share of the journey.
2. Give every request whose path carries an id a ``name`` with a placeholder: all items are then one
   endpoint, ``GET /items/{id}``, which an objective in slo.yaml can name.
3. Say what a right response is where the status alone does not: `checkout` shows how. A failed
   expectation counts in the error rate.
4. Keep to the module-level ``random``: ``slocheck run --seed N`` seeds it, so that a run repeats.

One user waits 0.1 s on average between two requests: 100 users offer 900 to 1,000 requests per second
as long as the target responds within a few milliseconds.
"""

import json
import random
from http import HTTPStatus
from itertools import accumulate

from locust import FastHttpUser, between, task

ITEMS = 2_000
"""Items of the reference API's catalogue; their ids run from 1."""

SKEW = 1.5
"""Zipf exponent: the item of rank r is wanted in proportion to r ** -SKEW, the first by 39 %."""

POPULARITY = list(accumulate(rank**-SKEW for rank in range(1, ITEMS + 1)))
PAGES = 25
"""Pages of the list that shoppers leaf through."""


def popular_item() -> int:
    """Draw an item's id; a few are wanted often, most hardly ever."""
    return random.choices(range(1, ITEMS + 1), cum_weights=POPULARITY)[0]


class Shopper(FastHttpUser):
    """Browses, looks at items and buys, 2 : 7 : 1."""

    wait_time = between(0.08, 0.12)
    connection_timeout = 10.0
    network_timeout = 10.0

    @task(2)
    def browse(self) -> None:
        """Leaf through the list."""
        self.client.get(f"/items?page={random.randrange(PAGES)}", name="/items")

    @task(7)
    def view(self) -> None:
        """Look at one item."""
        self.client.get(f"/items/{popular_item()}", name="/items/{id}")

    @task(1)
    def checkout(self) -> None:
        """Buy up to three of an item; only a created order with its number is right."""
        order = {"item": popular_item(), "quantity": random.randint(1, 3)}
        with self.client.post("/checkout", json=order, catch_response=True) as response:
            if response.status_code != HTTPStatus.CREATED:
                response.failure(f"expected 201, got {response.status_code}")
            elif not has_order_number(response.text):
                response.failure("expected the number of an order in the response")


def has_order_number(text: str | None) -> bool:
    """Tell whether a response is a JSON object with an order's number."""
    try:
        document = json.loads(text or "")
    except ValueError:
        return False
    return isinstance(document, dict) and isinstance(document.get("order"), int)
