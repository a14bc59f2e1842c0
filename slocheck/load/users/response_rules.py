"""Makes Locust's clients accept only the responses that the lean client accepts.

`requests` accepts truncated heads, contradictory lengths and malformed chunks, `FastHttpUser` decodes a body
of any size, and both decode half a body. So both pass the bytes that they read to the lean client's parser
and use its decoder. What these refuse, they report as a failed request.
"""

import functools
import http.client
import io
from collections.abc import Iterator
from typing import Any

import geventhttpclient.response
import geventhttpclient.useragent
import urllib3.connection
import urllib3.exceptions
import urllib3.response

from slocheck.load.http.bodies import BodyDecoder, decoded
from slocheck.load.http.errors import TransportError
from slocheck.load.users.response_check import ResponseCheck

_SWITCHING, _FIRST_FINAL = 101, 200


class MalformedResponseError(http.client.HTTPException):
    """What `HttpUser` received is not a response."""


class FastMalformedResponseError(geventhttpclient.response.HTTPParseError):
    """What `FastHttpUser` received is not a response."""


def install(max_body: int) -> None:
    """Make all clients of this process check responses in the same way, for the life of the process.

    Args:
        max_body: Limit of a decoded body, bytes.
    """
    connection: Any = urllib3.connection.HTTPConnection
    connection.response_class = functools.partial(_CheckedResponse, max_body)
    response: Any = urllib3.response.HTTPResponse
    response._init_decoder = _decodes(max_body)  # noqa: SLF001 - there is no other way in
    response.stream = _to_its_end(response.stream)
    fast: Any = geventhttpclient.response.HTTPResponse
    fast.feed = _checked_feed(max_body, fast.feed)
    content: Any = geventhttpclient.useragent.CompatResponse
    content._content = _bounded_content(max_body)  # noqa: SLF001 - as above


class _CheckedBytes(io.RawIOBase):
    """The socket of one response; what is read from it is checked."""

    def __init__(self, raw: io.RawIOBase, check: ResponseCheck) -> None:
        self._raw, self._check = raw, check

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count = self._raw.readinto(buffer)
        if count is not None:
            try:
                self._check.feed(bytes(memoryview(buffer)[:count]))
            except TransportError as error:
                raise MalformedResponseError(error.message) from error
        return count

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        super().close()
        self._raw.close()


class _CheckedResponse(http.client.HTTPResponse):
    """A response of `HttpUser`; interim ones before it are read and dropped."""

    def __init__(
        self, max_body: int, sock: Any, debuglevel: int = 0, method: str | None = None, url: str | None = None
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        check = ResponseCheck(no_body=method == "HEAD", max_body=max_body)
        received: Any = self.fp
        self.fp = io.BufferedReader(_CheckedBytes(received.detach(), check))

    def begin(self) -> None:
        super().begin()
        while _SWITCHING < self.status < _FIRST_FINAL:
            unread: Any = None
            self.headers = self.msg = unread
            super().begin()


class _Decoder:
    """The decoder of one body, with the methods that urllib3 calls."""

    has_unconsumed_tail = False

    def __init__(self, encoding: str, max_body: int) -> None:
        self._encoding, self._max_body = encoding.encode("latin-1", "replace"), max_body
        self._decoder: BodyDecoder | None = None

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        del max_length  # urllib3 keeps what exceeds this, which is never more than the limit
        if not data:
            return b""
        try:
            self._decoder = self._decoder or BodyDecoder(self._encoding, self._max_body)
            return self._decoder.feed(data)
        except TransportError as error:
            raise urllib3.exceptions.DecodeError(error.message) from error

    def flush(self) -> bytes:
        try:
            if self._decoder is not None:
                self._decoder.end()
        except TransportError as error:
            raise urllib3.exceptions.DecodeError(error.message) from error
        return b""


def _decodes(max_body: int) -> Any:
    """Make `HttpUser` decode every body with the lean client's decoder."""

    def init_decoder(self: Any) -> None:
        encoding = self.headers.get("content-encoding", "")
        if encoding and self._decoder is None:
            self._decoder = _Decoder(encoding, max_body)
        self._decoder_initialized = True

    return init_decoder


def _to_its_end(original: Any) -> Any:
    """Make urllib3 notice a body that ends before its encoded content does."""

    @functools.wraps(original)
    def stream(self: Any, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        yield from original(self, *args, **kwargs)
        if isinstance(self._decoder, _Decoder):
            self._decoder.flush()

    return stream


def _checked_feed(max_body: int, original: Any) -> Any:
    """Pass what `FastHttpUser` receives to the lean client's parser."""

    @functools.wraps(original)
    def feed(self: Any, data: bytes | str) -> None:
        check = self.__dict__.get("slocheck_check")
        if check is None:
            check = ResponseCheck(no_body=self.method == "HEAD", max_body=max_body)
            self.slocheck_check = check
        try:
            check.feed(data.encode() if isinstance(data, str) else data)
        except TransportError as error:
            raise FastMalformedResponseError(error.message) from error
        original(self, data)

    return feed


def _bounded_content(max_body: int) -> Any:
    """Make `FastHttpUser` decode a body as the lean client does."""

    def content(self: Any) -> bytes:
        body = self._response.read()
        self.release()
        encoding = ",".join(self.headers.getlist("content-encoding"))
        if not encoding:
            return body  # type: ignore[no-any-return] # geventhttpclient's, patched in place
        try:
            return decoded(body, encoding.encode("latin-1", "replace"), max_body)
        except TransportError as error:
            raise FastMalformedResponseError(error.message) from error

    return content
