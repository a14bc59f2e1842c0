"""The items for sale: one, a page of them, and a search; a list is bounded, and its pages are found by key.

The idea: a client shows twenty rows, so it gets twenty, and the id after which the next ones begin. However
far it pages, a page costs the same.

What goes wrong with the naive form: a list without an end grows with the table, until one request fills the
memory of server and client; an offset reads and drops every row before the page, and shows a row twice if
one is inserted meanwhile.

In production: the same; if the order is not that of a unique key, the key breaks the ties and is part of
the position that the client sends back. A total would then cost most: leave it out, or estimate it.
"""

from functools import partial
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slocheck.reference_api.caching.invalidation import KeyFamily
from slocheck.reference_api.settings import Settings
from slocheck.reference_api.shop.reading import Cached, answer_with_row, refusal, whole_number
from slocheck.reference_api.shop.repository import PAGE, Repository

FIELDS = ("id", "name", "price_cents", "about")
MOST_WORDS = 3
ITEMS = KeyFamily("item")
_NO_ITEM = "no such item"


class Items:
    """Handlers of ``/items`` and ``/search``."""

    def __init__(self, repository: Repository, cached: Cached, settings: Settings) -> None:
        self._repository = repository
        self._cached = cached
        self._settings = settings

    async def page(self, request: Request) -> Response:
        """List a page: ``GET /items?page=N``, or ``?after=ID`` as the previous one's ``next`` says.

        Without `bounded` the list goes on to the end of the table. With `keyset` a page is found by the id
        before it, which is known here, as ids have no gaps; elsewhere a client sends the last id it got.
        """
        after = whole_number(request.query_params.get("after", "0"))
        page = whole_number(request.query_params.get("page", "0"))
        if page is None or after is None:
            return refusal("page and after must be whole numbers")
        if {"page", "after"} <= request.query_params.keys():
            return refusal("write page or after, not both")
        if not self._settings.bounded:
            rows = (await self._repository.items_page(0, None))[after or page * PAGE :]
        elif after or self._settings.keyset:
            rows = await self._repository.items(after or page * PAGE, PAGE)
        else:
            rows = await self._repository.items_page(page, PAGE)
        following = rows[-1]["id"] if len(rows) == PAGE else None
        return JSONResponse({"items": rows, "total": self._settings.items, "next": following})

    async def item(self, request: Request) -> Response:
        """Show one item: ``GET /items/{id}``, or ``?fields=`` of it."""
        number = whole_number(request.path_params["id"])
        if number is None:
            return refusal(_NO_ITEM, HTTPStatus.NOT_FOUND)
        return await answer_with_row(
            request,
            partial(self._repository.item, number),
            self._cached,
            self._settings,
            key=ITEMS.key(number),
            known=FIELDS,
            missing=_NO_ITEM,
        )

    async def search(self, request: Request) -> Response:
        """Find the items that have all of some words: ``GET /search?q=oak+lamp``."""
        words = request.query_params.get("q", "").lower().split()
        if not 1 <= len(words) <= MOST_WORDS:
            return refusal(f"q must be 1 to {MOST_WORDS} words")
        limit = PAGE if self._settings.bounded else self._settings.items
        return JSONResponse({"items": await self._repository.search(words, limit)})
