"""Checkout: an order is stored once, however often the client repeats its request."""

import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slocheck.reference_api.shop.reading import Cached, Span, refusal
from slocheck.reference_api.shop.repository import OrderLine, Repository, Row, UnknownItem
from slocheck.reference_api.shop.users import orders_key

LARGEST_ORDER = 100
MOST_LINES = 20
LARGEST_ID = 999_999_999
LONGEST_KEY = 100
GUEST = 1
"""The user of an order that names none."""

Completed = Callable[[Row], Awaitable[None]]
"""Called with each new order: what `Repository.create_order` returned."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a client orders.

    Attributes:
        user: The user's id.
        lines: At least one.
    """

    user: int
    lines: tuple[OrderLine, ...]


class Orders:
    """Handler of ``/checkout``."""

    def __init__(
        self,
        repository: Repository,
        cached: Cached,
        completed: Completed,
        span: Span,
    ) -> None:
        self._repository = repository
        self._cached = cached
        self._completed = completed
        self._span = span

    async def checkout(self, request: Request) -> Response:
        """Order items: ``POST /checkout``, whose body `read_order` reads.

        With the header ``Idempotency-Key`` a repeated request gets the response that the first one got; one
        of another user gets 409, and learns nothing about the order.
        """
        try:
            order = read_order(await request.body())
            key = read_key(request.headers.get("idempotency-key"))
        except ValueError as error:
            return refusal(str(error))
        with self._span("process order", order__user=order.user, order__lines=len(order.lines)):
            try:
                made = await self._cached.drop(
                    lambda: self._repository.create_order(key, order.user, order.lines),
                    orders_key(order.user),
                )
            except UnknownItem:
                return refusal("no such item", HTTPStatus.NOT_FOUND)
            if made["new"]:
                await self._completed(made)
        if made["user"] != order.user:
            return refusal("this Idempotency-Key made another user's order", HTTPStatus.CONFLICT)
        return JSONResponse({"order": made["id"], "user": made["user"]}, status_code=HTTPStatus.CREATED)


def read_key(text: str | None) -> str:
    """Read the client's key of an order; without one each request is an order.

    Raises:
        ValueError: It is too long, or not printable ASCII.
    """
    if text is None:
        return uuid.uuid4().hex
    if not 1 <= len(text) <= LONGEST_KEY or not text.isascii() or not text.isprintable():
        raise ValueError(f"Idempotency-Key must be 1 to {LONGEST_KEY} printable characters")
    return text


def read_order(body: bytes) -> Order:
    """Read ``{"item": 1, "quantity": 2}``, or ``{"user": 3, "lines": [{"item": 1, "quantity": 2}]}``.

    Raises:
        ValueError: The body is not an order; the message says what is wrong with it.
    """
    try:
        order = json.loads(body)
        lines = order.get("lines", [order])
        pairs = [(line["item"], line["quantity"]) for line in lines]
        user = order.get("user", GUEST)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("write {item, quantity}, or {lines: [{item, quantity}]}") from None
    if not 1 <= len(pairs) <= MOST_LINES:
        raise ValueError(f"an order has 1..{MOST_LINES} lines")
    if not all(is_id(item) and type(quantity) is int for item, quantity in pairs) or not all(
        1 <= quantity <= LARGEST_ORDER for _, quantity in pairs
    ):
        raise ValueError(f"item must be an id, and quantity 1..{LARGEST_ORDER}")
    if not is_id(user) or user < 1:
        raise ValueError("user must be an id")
    return Order(user, tuple(OrderLine(item, quantity) for item, quantity in pairs))


def is_id(value: Any) -> bool:
    """Whether a JSON value can be looked up as an id; a bool is an int to Python."""
    return type(value) is int and 0 <= value <= LARGEST_ID
