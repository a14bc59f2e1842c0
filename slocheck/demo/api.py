"""The reference API itself: Starlette over SQLite with a cache, measured as the shipped spec expects."""

import json

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from slocheck.demo.faults import Faults
from slocheck.demo.metrics import MeasuringMiddleware, Metrics
from slocheck.demo.store import ItemCache, Store

JSON = "application/json"
LARGEST_ORDER = 100


class Shop:
    """The handlers, over one store, one cache and one registry."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._store = Store()
        self._cache = ItemCache(self._store)

    async def items(self, request: Request) -> Response:
        """List one page of items: ``GET /items?page=N``."""
        page = request.query_params.get("page", "0")
        if not page.isdecimal() or len(page) > len("1000000"):
            return JSONResponse({"error": "page must be a whole number"}, status_code=422)
        return JSONResponse({"items": self._store.page(int(page))})

    async def item(self, request: Request) -> Response:
        """Show one item, from the cache where it can: ``GET /items/{id}``."""
        body, hit = self._cache.get(request.path_params["number"])
        (self._metrics.hits if hit else self._metrics.misses).inc()
        headers = {"x-cache": "hit" if hit else "miss"}
        if body is None:
            return JSONResponse({"error": "no such item"}, status_code=404, headers=headers)
        return Response(body, media_type=JSON, headers=headers)

    async def checkout(self, request: Request) -> Response:
        """Order an item: ``POST /checkout`` with ``{"item": 1, "quantity": 2}``."""
        try:
            order = json.loads(await request.body())
            item, quantity = order["item"], order["quantity"]
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": "write {item, quantity}"}, status_code=422)
        if type(item) is not int or type(quantity) is not int or not 1 <= quantity <= LARGEST_ORDER:
            return JSONResponse({"error": f"quantity must be 1..{LARGEST_ORDER}"}, status_code=422)
        if self._store.item(item) is None:
            return JSONResponse({"error": "no such item"}, status_code=404)
        return JSONResponse({"order": self._store.order(item, quantity)}, status_code=201)

    async def health(self, _request: Request) -> Response:
        """Say that the process is up."""
        return Response(b'{"status": "ok"}', media_type=JSON)

    async def show_metrics(self, _request: Request) -> Response:
        """Show the metrics page."""
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)


def create_app(faults: Faults) -> Starlette:
    """Build the application with a store, cache and registry of its own."""
    metrics = Metrics()
    shop = Shop(metrics)
    return Starlette(
        routes=[
            Route("/items", shop.items),
            Route("/items/{number:int}", shop.item),
            Route("/checkout", shop.checkout, methods=["POST"]),
            Route("/health", shop.health),
            Route("/metrics", shop.show_metrics),
        ],
        middleware=[Middleware(MeasuringMiddleware, metrics=metrics, faults=faults)],
    )
