"""The users: read, changed and deleted through the cache."""

import json
from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from slocheck.reference_api.caching.invalidation import KeyFamily
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.shop.reading import (
    JSON,
    Cached,
    answer_with_row,
    as_json,
    one,
    refusal,
    whole_number,
)
from slocheck.reference_api.shop.repository import Repository, Row

FIELDS = ("id", "name", "email", "address", "about")
CHANGEABLE = FIELDS[1:]
LONGEST = 1_000
"""Characters of one value."""

USERS = KeyFamily("user", ("orders",))
"""What is cached about a user, and deleted with the user."""

_NO_USER = "no such user"


class Users:
    """Handlers of ``/users``."""

    def __init__(self, repository: Repository, cached: Cached, settings: Settings) -> None:
        self._repository = repository
        self._cached = cached
        self._settings = settings

    async def user(self, request: Request) -> Response:
        """Show, change or delete a user: ``GET``, ``PATCH`` or ``DELETE /users/{id}``."""
        number = whole_number(request.path_params["id"])
        if number is None:
            return refusal(_NO_USER, HTTPStatus.NOT_FOUND)
        if request.method == "PATCH":
            return await self._change(number, request)
        if request.method == "DELETE":
            return await self._delete(number)
        return await answer_with_row(
            request,
            partial(self._repository.user, number),
            self._cached,
            self._settings,
            key=USERS.key(number),
            known=FIELDS,
            missing=_NO_USER,
        )

    async def orders(self, request: Request) -> Response:
        """List a user's orders: ``GET /users/{id}/orders``."""
        number = whole_number(request.path_params["id"])
        if number is None:
            return refusal(_NO_USER, HTTPStatus.NOT_FOUND)

        async def load() -> bytes | None:
            return as_json({"orders": await self._repository.orders_of(number)})

        return one(await self._cached.read(orders_key(number), load), _NO_USER)

    async def _change(self, number: int, request: Request) -> Response:
        try:
            changes = read_changes(await request.body())
        except ValueError as error:
            return refusal(str(error))

        async def change() -> bytes | None:
            return as_json(await self._repository.update_user(number, changes))

        body = await self._cached.write(change, USERS.key(number))
        return refusal(_NO_USER, HTTPStatus.NOT_FOUND) if body is None else Response(body, media_type=JSON)

    async def _delete(self, number: int) -> Response:
        gone = await self._cached.drop(lambda: self._repository.delete_user(number), *USERS.keys(number))
        return Response(status_code=204) if gone else refusal(_NO_USER, HTTPStatus.NOT_FOUND)


def orders_key(number: int) -> str:
    """Return the cache's key of a user's orders."""
    return USERS.key(number, "orders")


def read_changes(body: bytes) -> Row:
    """Read ``{"name": "…"}``: some of `CHANGEABLE`, as text.

    Raises:
        ValueError: It is something else; the message says what to write.
    """
    try:
        changes = json.loads(body)
    except (ValueError, RecursionError):
        changes = None
    if not isinstance(changes, dict) or not changes or set(changes) - set(CHANGEABLE):
        raise ValueError(f"write an object of some of {', '.join(CHANGEABLE)}")
    if not all(isinstance(value, str) and is_storable(value) for value in changes.values()):
        raise ValueError(f"each value must be text of at most {LONGEST} characters")
    return changes


def is_storable(text: str) -> bool:
    """Whether every database can keep a text: short, valid Unicode, and without the character 0."""
    return (
        len(text) <= LONGEST and "\0" not in text and not any("\ud800" <= each <= "\udfff" for each in text)
    )
