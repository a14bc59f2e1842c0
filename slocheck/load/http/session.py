"""The client of a `LeanHttpUser`: turns the calls of a Locust file into requests on connections."""

import base64
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import gevent

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.recording import FailureClass
from slocheck.load.drain import SENDS_NO_MORE, is_leaving, refuse_at_end
from slocheck.load.file_calls.home_thread import HomeThread
from slocheck.load.http.cookies import Cookies
from slocheck.load.http.errors import TransportError
from slocheck.load.http.http1.connection import Connection
from slocheck.load.http.http1.heads import Head
from slocheck.load.http.http1.messages import (
    DEFAULT_FIELDS,
    UnsendableRequestError,
    body_of,
    head_bytes,
    merged,
    request_bytes,
    request_target,
)
from slocheck.load.http.http1.tls import connect_to
from slocheck.load.http.origin import Origin
from slocheck.load.http.response import CaughtResponse, LeanResponse
from slocheck.load.http.sink import PendingRequest, Sink
from slocheck.load.network.connect_guard import ForbiddenConnectionError
from slocheck.load.recording.outcome import is_cut_off, leaves_block, message_of
from slocheck.load.recording.redirects import REDIRECT_STATUSES
from slocheck.load.schedule_lag import take_schedule_lag
from slocheck.masking import strip_url

MAX_REDIRECTS = 10
_SEE_OTHER, _MOVED = 303, (301, 302)
_MAX_CACHED = 4096
_ABSOLUTE = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//")

Request = tuple[str, str, Mapping[str, Any]]
"""Method, target and content."""
Redirected = tuple[Head | None, bytes, TransportError | None, Head | None, bool]
"""The last head and body, or why there is none; the head that counts, and whether its status is expected."""


class LeanHttpSession:
    """Sends requests to one origin; no two share a connection at the same time.

    Attributes:
        user: Whose client it is.
        cookies: This user's cookies.
        request_name: Name of the requests that have none; None: their URL.
    """

    def __init__(
        self, origin: Origin, sink: Sink, user: Any, *, timeout_s: float, headers: Mapping[str, str] | None
    ) -> None:
        self.user = user
        self.cookies = Cookies(origin.host, tls=origin.tls is not None)
        self.request_name: str | None = None
        self._origin, self._sink = origin, sink
        self._within_ns = _longest_ns(timeout_s, sink)
        self._fields = merged(DEFAULT_FIELDS, headers)
        self._idle: list[Connection] = []
        self._plain: dict[tuple[str, str], tuple[bytes, str]] = {}
        self._home = HomeThread()

    def request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        *,
        catch_response: bool = False,
        timeout: float | None = None,
        allow_redirects: bool = False,
        **content: Any,
    ) -> Any:
        """Send a request once and return its `LeanResponse`; without a response: status 0 and an `error`.

        Args:
            method: Such as ``GET``.
            url: A path below the host, or the whole URL on the same host.
            name: The endpoint's name in the results; without one, the URL without the query's values.
            catch_response: Return a `CaughtResponse`, for a ``with`` block that judges it.
            timeout: Seconds for the whole request; without it, the user's `network_timeout`.
            allow_redirects: Follow redirects on the same host, as one request.
            content: ``headers``, ``params``, ``json``, ``data`` and ``auth``, as FastHttpUser takes them.

        Raises:
            UnsendableRequestError: The request cannot be written, or is for another host. Neither this nor an
                error from an argument of the wrong type counts as a request.
        """
        if self._sink.draining or getattr(self.user, SENDS_NO_MORE, False):
            refuse_at_end(self.user, draining=self._sink.draining)
        name = name or self.request_name or _name_of(str(url))
        try:
            written = self._written(method, url, content)
            pending, deadline_ns = self._begin(method, name, timeout)
        except Exception as unsendable:
            self._sink.unsent(str(method), str(name), unsendable)
            raise
        head, body, error = self._exchange(method, written, pending, deadline_ns)
        counted, expected = head, False
        if head is not None and head.status in REDIRECT_STATUSES:
            request = (method, written[1], content)
            redirected = self._followed if allow_redirects else self._left
            head, body, error, counted, expected = redirected(head, body, request, pending, deadline_ns)
        end_ns = time.monotonic_ns()
        if catch_response:
            return self._caught(url, pending, (head, body, error), (counted, expected), end_ns)
        if counted is not None:
            self._sink.responded(pending, counted, len(body), end_ns, approved=expected)
        else:
            self._failed(pending, error, end_ns)
        return LeanResponse(url, head, body, error)

    def _begin(self, method: str, name: str, timeout: float | None) -> tuple[PendingRequest, int]:
        """Return the request that begins now, and its deadline on the monotonic clock."""
        if gevent.get_hub() is not self._home.hub:
            self._home.refuse_others()
        counter = self._sink.counter(method, name)
        within_ns = self._within_ns if timeout is None else _longest_ns(timeout, self._sink)
        sent_ns = time.monotonic_ns()
        pending = PendingRequest(counter, sent_ns - take_schedule_lag(self.user), sent_ns)
        return pending, sent_ns + within_ns

    def _followed(
        self, first: Head, body: bytes, request: Request, pending: PendingRequest, deadline_ns: int
    ) -> Redirected:
        """Follow a redirect."""
        last, body, error, path = self._follow(first, body, request, pending, deadline_ns)
        return last, body, error, *self._counted(first, last, error, path)

    def _left(
        self, head: Head, body: bytes, request: Request, _pending: PendingRequest, _deadline_ns: int
    ) -> Redirected:
        """Take a redirect as the response."""
        expected = self._sink.leads_as_expected(head, f"//{self._origin.authority}{request[1]}")
        return head, body, None, head, expected

    def _counted(
        self, first: Head, last: Head | None, error: TransportError | None, path: str
    ) -> tuple[Head | None, bool]:
        """Return the head that counts for a redirected request, and whether the spec expects it."""
        if last is not None:
            return (first, False) if last is first else self._sink.counted_head(first, last, path)
        elsewhere = error is not None and error.failure is FailureClass.UNEXPECTED
        return (first if elsewhere else None), False

    def _failed(self, pending: PendingRequest, error: TransportError | None, end_ns: int) -> None:
        """Count a request without a response."""
        assert error is not None
        self._sink.failed(pending, error.failure, error.message, None, size=0, end_ns=end_ns)

    def _exchange(
        self, method: str, written: tuple[bytes, str], pending: PendingRequest, deadline_ns: int
    ) -> tuple[Head | None, bytes, TransportError | None]:
        """Send a request, given its bytes and target; return the response or why there is none."""
        connection = self._idle.pop() if self._idle else self._connection()
        connection.pending = pending
        try:
            head = connection.exchange(written[0], deadline_ns, no_body=method == "HEAD")
        except TransportError as error:
            if connection.pending is None:
                raise gevent.GreenletExit from None
            return None, b"", error
        except ForbiddenConnectionError as error:
            endpoint = pending.counter.endpoint
            self._sink.unsent(endpoint.method, endpoint.name, error)
            raise
        except BaseException as error:
            if connection.pending is not None:
                self._broke_off(pending, error)
            raise
        finally:
            taken = connection.pending is None
            connection.pending = None
            self._idle.append(connection)
        if taken:
            raise gevent.GreenletExit  # counted when the drain ended: nothing may be counted twice
        if head.cookies:
            self.cookies.store(head, written[1])
        body, connection.body = connection.body, b""
        return head, body, None

    def _connection(self) -> Connection:
        return connect_to(self._origin, self._sink.deadlines, self._sink.max_body)

    def _broke_off(self, pending: PendingRequest, error: BaseException) -> None:
        """Count a request that its user abandoned in flight."""
        end_ns = time.monotonic_ns()
        if isinstance(error, gevent.GreenletExit) or is_cut_off(error, end_ns - pending.sent_ns):
            self._sink.killed(pending, leaving=is_leaving(self.user))
            return
        failure = FailureClass.TIMEOUT if isinstance(error, gevent.Timeout) else FailureClass.PROTOCOL
        self._sink.failed(pending, failure, message_of(error), None, size=0, end_ns=end_ns)

    def _follow(
        self,
        head: Head,
        body: bytes,
        first: Request,
        pending: PendingRequest,
        deadline_ns: int,
    ) -> tuple[Head | None, bytes, TransportError | None, str]:
        """Follow redirects on the same host, all within the deadline of the request.

        Returns the last head and its body, or why there is none, and the path it came from. A redirect to
        another host is not followed and ends in an error of class UNEXPECTED.

        Args:
            head: Of the first response.
            body: Of the first response.
            first: Method, target and content of the first request.
            pending: The request to count, once.
            deadline_ns: On the monotonic clock.
        """
        method, target, content = first
        content = {key: value for key, value in content.items() if key != "params"}
        for _ in range(MAX_REDIRECTS):
            location = head.location
            if head.status not in REDIRECT_STATUSES or not location:
                return head, body, None, urlsplit(target).path
            if method != "HEAD" and (
                head.status == _SEE_OTHER or (head.status in _MOVED and method == "POST")
            ):
                method, content = "GET", {"headers": content.get("headers"), "auth": content.get("auth")}
            try:
                written = self._written(method, urljoin(target, location), content, whole=True)
            except UnsendableRequestError as error:
                return None, b"", TransportError(FailureClass.UNEXPECTED, f"a redirect: {error}"), ""
            next_head, body, failed = self._exchange(method, written, pending, deadline_ns)
            if next_head is None:
                return None, b"", failed, ""
            head, target = next_head, written[1]
        text = f"more than {MAX_REDIRECTS} redirects"
        return None, b"", TransportError(FailureClass.PROTOCOL, text), ""

    def _caught(
        self,
        url: str,
        pending: PendingRequest,
        outcome: tuple[Any, ...],
        counts: tuple[Head | None, bool],
        end_ns: int,
    ) -> CaughtResponse:
        """Return a response that is counted once the scenario has judged it.

        Args:
            url: Of the request.
            pending: The request to count, once.
            outcome: Head, body, and why there is none.
            counts: The head that counts, and whether the spec expects it.
            end_ns: When the response ended, on the monotonic clock.
        """
        head, body, error = outcome
        counted, expected = counts
        sink = self._sink

        def settle(verdict: BaseException | bool | None) -> None:  # noqa: FBT001 - success, failure, or neither
            if settle not in sink.unsettled:
                return
            sink.unsettled.discard(settle)
            if counted is None:
                self._failed(pending, error, end_ns)
            elif _speaks(verdict) and error is None:
                failure, text = _why(verdict)
                sink.failed(pending, failure, text, head, size=len(body), end_ns=end_ns)
            else:
                approved = expected or (verdict is True and error is None)
                sink.responded(pending, counted, len(body), end_ns, approved=approved)

        sink.unsettled.add(settle)
        return CaughtResponse(url, head, body, error, settle)

    def _written(
        self, method: str, url: str, content: Mapping[str, Any], *, whole: bool = False
    ) -> tuple[bytes, str]:
        """Return a request's bytes and its target; requests without content are cached."""
        if not content and not self.cookies and not whole:
            known = self._plain.get((method, url))
            if known is None:
                if len(self._plain) >= _MAX_CACHED:
                    self._plain.clear()
                known = self._plain[method, url] = self._write(method, self._target(url, None, whole), {})
            return known
        return self._write(method, self._target(url, content.get("params"), whole), content)

    def _target(self, url: str, params: Mapping[str, Any] | None, whole: bool) -> str:  # noqa: FBT001
        """Return the request's target for a path below the host, or for a URL on it."""
        if not _ABSOLUTE.match(url):
            return request_target(url if whole else self._origin.base + _rooted(url), params)
        parts = urlsplit(url)
        if not self._origin.is_at(parts.scheme, parts.netloc):
            raise UnsendableRequestError(
                f"{url}: is on another host than {self._origin.authority}; this client sends to one host only"
            )
        return request_target((parts.path or "/") + (parts.query and f"?{parts.query}"), params)

    def _write(self, method: str, target: str, content: Mapping[str, Any]) -> tuple[bytes, str]:
        unknown = content.keys() - {"headers", "params", "json", "data", "auth", "context"}
        if unknown:
            raise TypeError(f"request() takes no {', '.join(sorted(unknown))}")
        body, kind = body_of(content.get("data"), content.get("json"))
        fields = {"Content-Type": kind} if kind else {}
        if kind == "application/json":
            fields["Accept"] = kind
        fields = merged(fields, content.get("headers"))
        if content.get("auth"):
            fields = merged(fields, {"Authorization": _basic(*content["auth"])})
        fields = merged(self._fields, fields)
        head = head_bytes(method, target, self._origin.authority, fields)
        own = any(name.lower() == "cookie" for name in fields)
        cookie = self.cookies.header(target) if self.cookies and not own else ""
        return request_bytes(head, method, body, cookie=cookie), target

    @contextmanager
    def rename_request(self, name: str) -> Iterator[None]:
        """Give this name to all requests of a block that have none."""
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None

    def get(self, url: str, **options: Any) -> Any:
        """Send a GET; see `request`."""
        return self.request("GET", url, **options)

    def head(self, url: str, **options: Any) -> Any:
        """Send a HEAD; see `request`."""
        return self.request("HEAD", url, **options)

    def options(self, url: str, **options: Any) -> Any:
        """Send an OPTIONS; see `request`."""
        return self.request("OPTIONS", url, **options)

    def post(self, url: str, data: Any = None, **options: Any) -> Any:
        """Send a POST; see `request`."""
        return self.request("POST", url, **_with_data(data, options))

    def put(self, url: str, data: Any = None, **options: Any) -> Any:
        """Send a PUT; see `request`."""
        return self.request("PUT", url, **_with_data(data, options))

    def patch(self, url: str, data: Any = None, **options: Any) -> Any:
        """Send a PATCH; see `request`."""
        return self.request("PATCH", url, **_with_data(data, options))

    def delete(self, url: str, **options: Any) -> Any:
        """Send a DELETE; see `request`."""
        return self.request("DELETE", url, **options)

    def close(self) -> None:
        """Close all connections."""
        while self._idle:
            self._idle.pop().dispose()


_name_of = lru_cache(_MAX_CACHED)(strip_url)


def _longest_ns(timeout_s: float, sink: Sink) -> int:
    return round(min(timeout_s, sink.longest_s) * NS_PER_SECOND)


def _with_data(data: Any, options: dict[str, Any]) -> dict[str, Any]:
    return options if data is None else {**options, "data": data}


def _basic(name: str | bytes, password: str | bytes) -> str:
    pair = b":".join(part if isinstance(part, bytes) else part.encode() for part in (name, password))
    return f"Basic {base64.b64encode(pair).decode()}"


def _rooted(url: str) -> str:
    return url if url.startswith("/") else f"/{url}"


def _why(verdict: BaseException | bool | None) -> tuple[FailureClass, str]:  # noqa: FBT001 - as above
    """Return the class and the text of what a block reported."""
    assert isinstance(verdict, BaseException)
    return FailureClass.EXPECTATION, message_of(verdict)


def _speaks(verdict: BaseException | bool | None) -> bool:  # noqa: FBT001 - success, failure, or neither
    """Tell whether the exception that left a block says that the response failed."""
    if not isinstance(verdict, BaseException):
        return False
    return not leaves_block(verdict)
