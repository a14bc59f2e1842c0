"""The reference API: Starlette, with the parts and strategies that the settings name."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from http import HTTPStatus

from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from slocheck.reference_api.cached import cached_by
from slocheck.reference_api.caching.single_flight import OverloadedError
from slocheck.reference_api.database.sessions import FilledFromPrimary, Sessions
from slocheck.reference_api.events import Events, Handler
from slocheck.reference_api.faults import Faults
from slocheck.reference_api.jobs import Jobs, QueueUnavailable
from slocheck.reference_api.jobs.opening import opened_jobs
from slocheck.reference_api.observability.exposition import page_registry
from slocheck.reference_api.observability.metrics import Measured, Metrics
from slocheck.reference_api.observability.tracing import open_tracing
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.shop.followups import FULFIL, job_of
from slocheck.reference_api.shop.items import Items
from slocheck.reference_api.shop.orders import Completed, Orders
from slocheck.reference_api.shop.reading import JSON, Cached, Span, refusal
from slocheck.reference_api.shop.repository import Repository, Row, Unavailable
from slocheck.reference_api.shop.users import Users
from slocheck.reference_api.stored import open_repository
from slocheck.reference_api.wrapped import wrapped

LARGEST_BODY = 16_384
ORDER_COMPLETED = "order.completed"
"""The event's name; its payload is what `Repository.create_order` returned."""

_Handler = Callable[[Request], Awaitable[Response]]
Handlers = list[tuple[str, _Handler, list[str]]]
"""Path, handler and methods of each route."""


@asynccontextmanager
async def opened(settings: Settings, faults: Faults) -> AsyncIterator[ASGIApp]:
    """Open all parts, yield the application, and close them again.

    Args:
        settings: The parts and the strategies.
        faults: Injected into the shop's own routes, within what is measured.

    Raises:
        UsageError: A part's address cannot be used, or its library is not installed.
    """
    metrics = Metrics()
    async with AsyncExitStack() as parts:
        tracing = open_tracing(settings.otlp_url)
        parts.push_async_callback(asyncio.to_thread, tracing.close)
        repository = await open_repository(settings, metrics.pool)
        parts.push_async_callback(repository.close)
        cached = cached_by(settings, metrics.cache, tracing.span)
        parts.push_async_callback(cached.close)
        jobs = await parts.enter_async_context(opened_jobs(settings, repository.followups, metrics.jobs))
        events = Events(metrics.events, isolated=settings.events)
        parts.push_async_callback(events.close)
        events.on(ORDER_COMPLETED, _followed_by(jobs))
        completed = partial(events.emit, ORDER_COMPLETED)
        shop = _shop(settings, repository, _fresh(cached, settings), completed, tracing.span)
        yield Measured(tracing.traced(create_app(settings, faults, metrics, shop)), metrics)


def create_app(settings: Settings, faults: Faults, metrics: Metrics, shop: Handlers) -> ASGIApp:
    """Put together the routes and their middleware."""
    app = Starlette(
        routes=[*_planted_routes(shop, faults), *_about(metrics)],
        exception_handlers={
            **dict.fromkeys((Unavailable, OverloadedError, QueueUnavailable), _unavailable),
            HTTPException: _refused,
        },
        max_body_size=LARGEST_BODY,
    )
    app.router.redirect_slashes = False
    around = wrapped(app, settings)
    return Sessions(around) if _has_replica(settings) else around


def _has_replica(settings: Settings) -> bool:
    return settings.replica and bool(settings.replica_url)


def _fresh(cached: Cached, settings: Settings) -> Cached:
    """Make sure that caches are filled with rows not older than the last change."""
    return FilledFromPrimary(cached) if settings.cache_aside and _has_replica(settings) else cached


def _followed_by(jobs: Jobs) -> Handler:
    async def follow(order: Row) -> None:
        """Start what follows from an order."""
        await jobs.submit(FULFIL, job_of(order["id"]))

    return follow


def _shop(
    settings: Settings, repository: Repository, cached: Cached, completed: Completed, span: Span
) -> Handlers:
    """Return the handlers of the shop's own routes."""
    items = Items(repository, cached, settings)
    users = Users(repository, cached, settings)
    orders = Orders(repository, cached, completed, span)
    return [
        ("/items/{id}", items.item, ["GET"]),
        ("/items", items.page, ["GET"]),
        ("/search", items.search, ["GET"]),
        ("/users/{id}", users.user, ["GET", "PATCH", "DELETE"]),
        ("/users/{id}/orders", users.orders, ["GET"]),
        ("/checkout", orders.checkout, ["POST"]),
    ]


def _planted_routes(handlers: Handlers, faults: Faults) -> list[Route]:
    """Return the routes of handlers, with faults before each."""
    return [Route(path, _planted(serve, faults), methods=methods) for path, serve, methods in handlers]


def _about(metrics: Metrics) -> list[Route]:
    """Return the routes about the API itself, which no fault reaches."""

    async def index(request: Request) -> Response:
        """List the routes, for someone who opens the address in a browser: ``GET /``."""
        return JSONResponse({"routes": [route.path for route in request.app.routes if route.path != "/"]})

    async def health(_: Request) -> Response:
        """Say that the process is up: ``GET /health``."""
        return Response(b'{"status": "ok"}', media_type=JSON)

    async def show_metrics(request: Request) -> Response:
        """Show the registry in the format that the client asks for: ``GET /metrics``."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(page_registry(metrics.registry)), media_type=content_type)

    return [Route("/", index), Route("/health", health), Route("/metrics", show_metrics)]


async def _refused(_: Request, error: Exception) -> Response:
    """Report in JSON what Starlette itself refuses: a path that is not a route, another method."""
    assert isinstance(error, HTTPException)
    response = refusal(error.detail, HTTPStatus(error.status_code))
    response.headers.update(error.headers or {})
    return response


async def _unavailable(_: Request, __: Exception) -> Response:
    """Report that database or queue is unavailable, or that too many requests wait."""
    response = refusal("try again later", HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["retry-after"] = "1"
    return response


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
