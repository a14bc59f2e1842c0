"""What a client has written, as a position in the primary's log; it travels in a cookie, or in a header.

Kept in the process it would be unknown to the other workers and machines behind the balancer;
kept in the client it is known wherever the next request goes. It is not a secret: a made-up position only
sends its owner's reads to the primary. Two devices of one user are two sessions; one may see an old row
that the other has changed, for as long as the replica lags.

A copy in the process that serves the next request may be older than the change, too: so a client that has
written recently reads past such copies (`caching.past_copies`).
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slocheck.reference_api.caching import past_copies
from slocheck.reference_api.database.lsn import read_position, show_position
from slocheck.reference_api.shop.reading import Cached, Load, Served

HEADER = "x-read-after"
COOKIE = "read-after"
REMEMBERED_S = 60
"""Seconds for which the position is sent along: longer than a replica that is read may lag."""


class Session:
    """What the client of the current request may expect to read.

    Attributes:
        position: Its reads show at least this position of the primary's log; 0: it wrote nothing recently.
    """

    def __init__(self, position: int = 0) -> None:
        self.position = position

    def wrote(self, position: int) -> None:
        """Note that a change is at this position."""
        self.position = max(self.position, position)


_CURRENT: ContextVar[Session] = ContextVar("session")
_ASKS_PRIMARY: ContextVar[bool] = ContextVar("asks_primary", default=False)


def current_session() -> Session:
    """Return the current request's session; outside of requests one that wrote nothing."""
    return _CURRENT.get(None) or Session()


def primary_is_asked() -> bool:
    """Say whether reads go to the primary here, whatever was written."""
    return _ASKS_PRIMARY.get()


@contextmanager
def session(position: int = 0) -> Iterator[Session]:
    """Use a session for everything inside of the block."""
    opened = Session(position)
    token = _CURRENT.set(opened)
    try:
        yield opened
    finally:
        _CURRENT.reset(token)


@contextmanager
def reads_on_primary() -> Iterator[None]:
    """Read from the primary inside of the block, whatever was written."""
    token = _ASKS_PRIMARY.set(True)
    try:
        yield
    finally:
        _ASKS_PRIMARY.reset(token)


class FilledFromPrimary:
    """A cache that only the primary fills.

    Filled from a replica, it may keep a row from before a change for the whole time to live, put there after
    the change has dropped the entry: then a user never sees their own change.
    """

    def __init__(self, cached: Cached) -> None:
        self._cached = cached
        self.write = cached.write
        self.drop = cached.drop
        self.close = cached.close

    async def read(self, key: str, load: Load) -> Served:
        """Return what is cached under `key`, else what `load` returns from the primary."""

        async def load_from_primary() -> bytes | None:
            with reads_on_primary():
                return await load()

        return await self._cached.read(key, load_from_primary)


class Sessions:
    """ASGI middleware: reads the position from each request, and sends it back when it grew."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request in its own session."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        before = position_of(Headers(scope=scope))
        with session(before) as own, past_copies() if before else nullcontext():

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start" and own.position > before:
                    _tell(MutableHeaders(scope=message), own.position)
                await send(message)

            await self._app(scope, receive, sending)


def position_of(headers: Headers) -> int:
    """Return the position that a request sends along, 0 if there is none or it cannot be read."""
    if HEADER in headers:
        return read_position(headers[HEADER]) or 0
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return 0
    return 0 if cookie is None else read_position(cookie.value) or 0


def _tell(headers: MutableHeaders, position: int) -> None:
    text = show_position(position)
    headers[HEADER] = text
    headers.append("set-cookie", f"{COOKIE}={text}; Max-Age={REMEMBERED_S}; Path=/; HttpOnly; SameSite=Lax")
