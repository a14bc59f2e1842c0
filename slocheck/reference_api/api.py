"""The reference API itself: Starlette on SQLite with a cache; its metrics fit the shipped spec."""

import asyncio
import json
from collections.abc import Awaitable, Callable

from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from slocheck.reference_api.cache import Cache
from slocheck.reference_api.faults import Faults
from slocheck.reference_api.observability.metrics import DATABASE, L1, Measured, Metrics
from slocheck.reference_api.store import ITEMS, Store

JSON = "application/json"
LARGEST_ORDER = 100
LARGEST_BODY = 16_384
_MOST_DIGITS = 9

_Handler = Callable[[Request], Awaitable[Response]]


class Shop:
    """The handlers, with one store, one cache and one registry; all run on one thread, so without locks."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._store = Store()
        self._cache = Cache()

    async def index(self, _: Request) -> Response:
        """List the routes, for someone who opens the address in a browser: ``GET /``."""
        return JSONResponse({"routes": ["/items", "/items/{id}", "/checkout", "/health", "/metrics"]})

    async def items(self, request: Request) -> Response:
        """List one page of items from the store: ``GET /items?page=N``."""
        page = whole_number(request.query_params.get("page", "0"))
        if page is None:
            return JSONResponse({"error": "page must be a whole number"}, status_code=422)
        return JSONResponse({"items": self._store.page(page), "total": ITEMS})

    async def item(self, request: Request) -> Response:
        """Show one item, from the cache if it is there: ``GET /items/{id}``."""
        number = whole_number(request.path_params["id"])
        if number is None:
            return JSONResponse({"error": "no such item"}, status_code=404)
        body = self._cache.get(number)
        if body is not None:
            self._metrics.cache.found(L1)
            return Response(body, media_type=JSON, headers={"x-cache": "hit"})
        self._metrics.cache.found(DATABASE)
        headers = {"x-cache": "miss"}
        item = self._store.item(number)
        if item is None:
            return JSONResponse({"error": "no such item"}, status_code=404, headers=headers)
        body = json.dumps(item).encode()
        self._cache.put(number, body)
        return Response(body, media_type=JSON, headers=headers)

    async def checkout(self, request: Request) -> Response:
        """Order an item: ``POST /checkout`` with ``{"item": 1, "quantity": 2}``."""
        try:
            item, quantity = read_order(await request.body())
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=422)
        if not 1 <= item <= ITEMS:
            return JSONResponse({"error": "no such item"}, status_code=404)
        return JSONResponse({"order": self._store.order(item, quantity)}, status_code=201)

    async def health(self, _: Request) -> Response:
        """Say that the process is up: ``GET /health``."""
        return Response(b'{"status": "ok"}', media_type=JSON)

    async def show_metrics(self, request: Request) -> Response:
        """Show the registry in the format that the client asks for: ``GET /metrics``."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._metrics.registry), media_type=content_type)


def create_app(faults: Faults) -> ASGIApp:
    """Build the application with its own store, cache and registry.

    The faults are injected into the shop's own routes, within what is measured.
    """
    metrics = Metrics()
    shop = Shop(metrics)
    app = Starlette(
        routes=[
            Route("/items/{id}", _planted(shop.item, faults)),
            Route("/items", _planted(shop.items, faults)),
            Route("/checkout", _planted(shop.checkout, faults), methods=["POST"]),
            Route("/", shop.index),
            Route("/health", shop.health),
            Route("/metrics", shop.show_metrics),
        ],
        max_body_size=LARGEST_BODY,
    )
    app.router.redirect_slashes = False
    return Measured(app, metrics)


def read_order(body: bytes) -> tuple[int, int]:
    """Read an order into the item's id and the quantity.

    Raises:
        ValueError: The body is not an order; the message says what is wrong with it.
    """
    try:
        order = json.loads(body)
        item, quantity = order["item"], order["quantity"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError("write {item, quantity}") from None
    # bool is an int to Python
    if type(item) is not int or type(quantity) is not int or not 1 <= quantity <= LARGEST_ORDER:
        raise ValueError(f"item must be an id, and quantity 1..{LARGEST_ORDER}")
    return item, quantity


def whole_number(text: str) -> int | None:
    """Read a short whole number in ASCII digits; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def _planted(handler: _Handler, faults: Faults) -> _Handler:
    """Inject `faults` before a handler."""
    if not faults.any:
        return handler

    async def faulty(request: Request) -> Response:
        # drawn before the wait, so that the n-th request to arrive gets the n-th fault
        fault = faults.next()
        if fault.delay:
            await asyncio.sleep(fault.delay)
        if fault.fail:
            return JSONResponse({"error": "planted"}, status_code=500)
        return await handler(request)

    return faulty
