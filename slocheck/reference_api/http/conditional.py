"""Cache headers, and 304 for what the client already has.

The idea: ``Cache-Control`` says how long a response may be used without asking, and an ``ETag`` names its
content. When the time is over the client asks again with ``If-None-Match``; if nothing has changed, the
response is a 304 without a body.

What goes wrong with the naive form: a validator made of the time or the process differs on each replica, so
nothing ever matches; a strong one lies once something compresses the body on the way; comparing the header
as one string misses lists, ``W/`` and ``*``; and one person's response marked ``public`` is shown to others.

In production: the same, with a version of the row as the validator, which saves the query and not only the
bytes; ``stale-while-revalidate`` and a CDN in front for what is public.
"""

import hashlib
import re
from collections.abc import Mapping
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOT_STORED = "no-store"
PRIVATE = "private, no-cache"
"""Kept only by the client, and never used without revalidation."""

_MEMBER = re.compile(r'[ \t]*+(?:(?:W/)?("[^"]*"))?[ \t]*+(?:,|$)')
"""A tag of a list, without its ``W/``, and the comma after it; empty members are allowed."""
_READS = frozenset({"GET", "HEAD"})
_OF_THE_BODY = ("content-length", "content-type", "content-encoding")


def public(seconds: int) -> str:
    """Return the header for what any cache may keep for a time."""
    return f"public, max-age={seconds}"


def entity_tag(body: bytes) -> str:
    """Return the weak validator of a body: the same on every replica, whatever encodes the body later."""
    return f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def matches(header: str, tag: str) -> bool:
    """Say whether ``If-None-Match`` names the entity tag, by weak comparison (RFC 9110, 13.1.2)."""
    header = header.strip()
    if header == "*":
        return True
    named, place = set(), 0
    while place < len(header):
        member = _MEMBER.match(header, place)
        if member is None:
            return False  # it is not a list of tags
        named.add(member[1])
        place = member.end()
    return tag.removeprefix("W/") in named


class Conditional:
    """ASGI middleware: gives successful reads their headers, and sends 304 if the client has the body.

    Args:
        app: The application; its responses of one piece get an entity tag, streamed ones none.
        policies: ``Cache-Control`` by the path of a route, such as ``/items/{id}``; any other: `NOT_STORED`.
    """

    def __init__(self, app: ASGIApp, policies: Mapping[str, str]) -> None:
        self._app = app
        self._policies = policies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what is not a read passes unchanged."""
        if scope["type"] != "http" or scope["method"] not in _READS:
            await self._app(scope, receive, send)
            return
        start: Message | None = None

        async def conditional_send(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            elif start is None:
                await send(message)
            else:
                begun, start = start, None
                for part in self._headed(scope, begun, message):
                    await send(part)

        await self._app(scope, receive, conditional_send)

    def _headed(self, scope: Scope, start: Message, body: Message) -> tuple[Message, Message]:
        """Return the first two messages of a response as they are to be sent."""
        route = getattr(scope.get("route"), "path", "")
        policy = self._policies.get(route, NOT_STORED) if start["status"] == HTTPStatus.OK else NOT_STORED
        headers = MutableHeaders(scope=start)
        headers.setdefault("cache-control", policy)
        whole = body["type"] == "http.response.body" and not body.get("more_body", False)
        if policy == NOT_STORED or not whole:
            return start, body
        tag = headers.setdefault("etag", entity_tag(body.get("body", b"")))
        asked = ",".join(Headers(scope=scope).getlist("if-none-match"))
        if not asked or not matches(asked, tag):
            return start, body
        for name in _OF_THE_BODY:
            del headers[name]
        return {**start, "status": HTTPStatus.NOT_MODIFIED.value}, {"type": "http.response.body", "body": b""}
