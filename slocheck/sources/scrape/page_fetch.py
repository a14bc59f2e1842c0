"""Fetches one metrics page within limits of size and time; each failure becomes a `PageError`."""

import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from slocheck.documents.texts import shorten
from slocheck.masking import strip_url
from slocheck.sources.scrape.exposition import PageError

MAX_PAGE = 64 * 1024 * 1024
ACCEPT = "text/plain;version=0.0.4;q=1,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1"
"""The text format comes first: every library writes it, and it is cheaper for both sides."""
HEADERS = {"Accept": ACCEPT, "Accept-Encoding": "gzip", "Connection": "close", "User-Agent": "slocheck"}
_TLS_SIGNS = (r"\x15\x03", "without sending a response", "reset by peer")
"""In errors of the client when a port that speaks TLS refuses a plain request."""
LONGEST_REASON = 160
_PROTOBUF = (
    "the page is in the protobuf format although text was asked for, and slocheck reads text alone; "
    "let the service serve text, or let a Prometheus scrape it and name that under prometheus"
)
GZIP_WINDOW = zlib.MAX_WBITS | 16


@dataclass(frozen=True, slots=True)
class Page:
    """A metrics page.

    Attributes:
        text: Its content.
        openmetrics: Whether it is in that format.
        sent: Our wall clock before the request, epoch seconds.
        received: The same after the last byte.
    """

    text: str
    openmetrics: bool
    sent: float
    received: float

    @property
    def midpoint(self) -> float:
        """The time its samples are stamped with."""
        return (self.sent + self.received) / 2


def fetch_page(
    url: str, context: ssl.SSLContext, timeout: float, *, headers: Mapping[str, str] | None = None
) -> Page:
    """Fetch a page over a fresh connection.

    A persistent connection would stick to one of several workers, or to one replica behind a balancer, and
    hide the others.

    Args:
        url: The page's URL.
        context: How its certificate is checked.
        timeout: Seconds for the whole request.
        headers: Request headers, such as credentials.

    Raises:
        PageError: Why the page is missing: refused, timeout, status, too large, damaged.
    """
    sent, begun = time.time(), time.monotonic()
    limits = httpx.Limits(max_keepalive_connections=0)
    try:
        with (
            httpx.Client(
                verify=context,
                timeout=timeout,
                headers={**HEADERS, **(headers or {})},
                limits=limits,
                trust_env=False,
            ) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code != HTTPStatus.OK:
                raise PageError(_status(response))
            content_type = response.headers.get("Content-Type", "").lower()
            if "protobuf" in content_type:
                raise PageError(_PROTOBUF)
            body = _body(response, begun + timeout)
            _refuse_cut_off(response, body)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError) as error:
        raise PageError(_cause(error, timeout)) from None
    received = sent + time.monotonic() - begun
    return Page(_text(body), "openmetrics" in content_type, sent, received)


def _status(response: httpx.Response) -> str:
    if response.is_redirect:
        leads_to = shorten(strip_url(response.headers.get("Location", "")) or "nowhere", LONGEST_REASON)
        return f"HTTP {response.status_code} redirects to {leads_to}, which is not followed; write that URL"
    if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"HTTP {response.status_code}: the page asks for credentials; write or correct scrape's auth"
    if response.is_server_error:
        return f"HTTP {response.status_code}: the service failed to serve its metrics page; see its log"
    if response.status_code == HTTPStatus.BAD_REQUEST:
        return "HTTP 400; check the address of the metrics page, and http against https"
    return f"HTTP {response.status_code}; check the path of the metrics page"


def _body(response: httpx.Response, deadline: float) -> bytes:
    """Read and unpack the body, at most `MAX_PAGE` bytes of it."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("gzip", "identity", ""):
        raise PageError(f"the page is compressed with {encoding[:20]!r}, which was not asked for")
    unpacker = zlib.decompressobj(GZIP_WINDOW) if encoding == "gzip" else None
    body = bytearray()
    try:
        for chunk in response.iter_raw():
            body += unpacker.decompress(chunk, MAX_PAGE + 1 - len(body)) if unpacker else chunk
            if len(body) > MAX_PAGE:
                raise PageError(f"the page is larger than {MAX_PAGE >> 20} MiB")
            if time.monotonic() > deadline:
                raise PageError("the page took longer than its time limit")
    except zlib.error as error:
        raise PageError(f"the page's gzip is damaged: {error}") from None
    if unpacker and not unpacker.eof:
        raise PageError("the page's gzip is cut off")
    return bytes(body)


def _refuse_cut_off(response: httpx.Response, body: bytes) -> None:
    """Refuse half a number: only the end of its last line shows where a page ends that says no length."""
    told = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
    if not told and body and not body.endswith(b"\n"):
        raise PageError(
            "the page is cut off: it states no length, and its last line has no line break; "
            "let the service send a Content-Length, or end the page with a line break"
        )


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise PageError("the page is not UTF-8 text") from None


def _cause(error: Exception, timeout: float) -> str:
    """Say what went wrong, and what to do, from httpx's exception."""
    text = str(error)
    shown = shorten(text, LONGEST_REASON)
    if isinstance(error, httpx.TimeoutException):
        return f"no response within {timeout:g} s"
    if isinstance(error, httpx.ConnectError):
        if "CERTIFICATE" in text.upper():
            return f"TLS failed ({shown}); set scrape's tls.ca to the certificate authority's file"
        if "SSL" in text.upper() or "TLS" in text.upper():
            return f"TLS failed ({shown}); write http:// if the port does not speak TLS"
        if "refused" in text:
            return "connection refused; start the service there, or correct the URL"
        if "Name or service" in text or "resolution" in text or "No address" in text:
            return "unknown host; check the name in the URL"
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError)):
        return f"the URL cannot be used ({shown}); write http://HOST:PORT/metrics"
    broke = f"the connection broke ({shown or type(error).__name__})"
    tls = any(sign in text for sign in _TLS_SIGNS)
    return f"{broke}; write https:// if the port speaks TLS" if tls else broke
