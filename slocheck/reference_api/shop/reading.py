"""The shop's interface to a cache, and its handlers' responses: JSON, with the level that served it.

Projection is here, too. The idea: a client that shows a name asks for the name (``?fields=id,name``), so
that only this is read and sent.

What goes wrong with the naive form: field names of the client's that reach the query are an injection, and
those that reach the row may show private fields (here each route lists its own); and a cache with an entry
for each choice of fields has few hits, and no writer knows what to drop (here it keeps whole rows).

In production: the same for clients on slow networks; GraphQL if each screen needs other fields.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from http import HTTPStatus
from typing import Protocol, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slocheck.reference_api.settings import Settings
from slocheck.reference_api.shop.repository import Row

JSON = "application/json"
_MOST_DIGITS = 9

Load = Callable[[], Awaitable[bytes | None]]
"""Reads one value from the database as JSON, or changes it there; None if there is none."""
Result = TypeVar("Result")

Span = Callable[..., AbstractContextManager[None]]
"""Times a step of a request: its name, and what it is about as keywords (``order__user=7``)."""


class Served(Protocol):
    """A value and whether a cache had it."""

    @property
    def value(self) -> bytes | None:
        """The value, None if there is none."""

    @property
    def hit(self) -> bool:
        """Whether it came without a database query."""


class Cached(Protocol):
    """Reads and writes through the cache, if there is one."""

    async def read(self, key: str, load: Load) -> Served:
        """Return what is cached under `key`, else what `load` returns."""

    async def write(self, change: Load, key: str) -> bytes | None:
        """Run `change`, which returns the new value of `key`."""

    async def drop(self, change: Callable[[], Awaitable[Result]], *keys: str) -> Result:
        """Run `change`, which makes the values of `keys` stale."""

    async def close(self) -> None:
        """Close the connections."""


def whole_number(text: str) -> int | None:
    """Read a short whole number in ASCII digits; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def refusal(why: str, status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY) -> Response:
    """Return the response for a request that is not served."""
    return JSONResponse({"error": why}, status_code=status)


def as_json(row: object | None) -> bytes | None:
    """Write a row as it is cached and sent."""
    return None if row is None else json.dumps(row, separators=(",", ":")).encode()


def read_fields(request: Request, known: Sequence[str]) -> tuple[str, ...]:
    """Read ``?fields=id,name``; nothing means all.

    Raises:
        ValueError: A field is unknown; the message lists those that there are.
    """
    given = ",".join(request.query_params.getlist("fields"))
    names = tuple(dict.fromkeys(filter(None, given.split(","))))
    if set(names) - set(known):
        raise ValueError(f"fields may be some of {','.join(known)}")
    return names


async def answer_with_row(
    request: Request,
    row: Callable[[tuple[str, ...]], Awaitable[object | None]],
    cached: Cached,
    settings: Settings,
    *,
    key: str,
    known: Sequence[str],
    missing: str,
) -> Response:
    """Respond with one row through the cache, or with the fields of it that ``?fields=`` names.

    Args:
        request: What was asked.
        row: Queries these columns of the row; none of them means all.
        cached: The cache.
        settings: The switches.
        key: Of the row in the cache.
        known: The fields that a row has.
        missing: What to say if there is no such row.
    """
    try:
        fields = read_fields(request, known) if settings.projection else ()
    except ValueError as error:
        return refusal(str(error))
    # the cache has whole rows, so a change drops one key, not one for each choice of fields
    columns = () if settings.cache_aside else fields

    async def load() -> bytes | None:
        return as_json(await row(columns))

    return one(await cached.read(key, load), missing, fields)


def one(served: Served, missing: str, fields: Sequence[str] = ()) -> Response:
    """Respond with one row, or only `fields` of it; 404 with `missing` if there is none."""
    headers = {"x-cache": "hit" if served.hit else "miss"}
    if served.value is None:
        return JSONResponse({"error": missing}, status_code=404, headers=headers)
    body = served.value
    if fields:
        row: Row = json.loads(body)
        body = as_json({name: row[name] for name in fields}) or b""
    return Response(body, media_type=JSON, headers=headers)
