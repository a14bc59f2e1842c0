"""The middleware that every request passes, by the switches."""

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from slocheck.reference_api.http.batch import BatchEndpoint
from slocheck.reference_api.http.compression import Compressed
from slocheck.reference_api.http.conditional import PRIVATE, Conditional, public
from slocheck.reference_api.settings import Settings

CATALOGUE_S = 60
"""Seconds for which any cache may use a page of the catalogue without revalidation."""

POLICIES = {
    "/items": public(CATALOGUE_S),
    "/items/{id}": public(CATALOGUE_S),
    "/search": public(CATALOGUE_S),
    "/users/{id}": PRIVATE,
    "/users/{id}/orders": PRIVATE,
}
"""``Cache-Control`` by route."""


def wrapped(app: Starlette, settings: Settings) -> ASGIApp:
    """Add the batch route, cache headers and compression, each if its switch is on."""
    if settings.batch:
        app.router.routes.append(Route("/batch", BatchEndpoint(app).serve, methods=["POST"]))
    around: ASGIApp = app
    if settings.cache_headers:
        around = Conditional(around, POLICIES)
    return Compressed(around) if settings.compression else around
