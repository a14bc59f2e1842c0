"""Responses whose end does not follow from Content-Length alone, read by httptools.

They are chunked, split or interim, answer a HEAD, have status 204 or 304, end with the connection, or are
malformed.
"""

import re
from collections.abc import Iterator

import httptools

from slocheck.load.http.bodies import over_limit
from slocheck.load.http.errors import protocol_error
from slocheck.load.http.http1.heads import FIRST_FINAL_STATUS, MAX_HEAD_BYTES, Head, head_of
from slocheck.spec.model.workload import DEFAULT_MAX_BODY

_MAX_INTERIM = 16
_VERSIONS = ("1.0", "1.1")
_FIRST_STATUS = 100
_FOLD = re.compile(rb"[ \t]*\r\n[ \t]+")
_END_OF_HEAD = b"\r\n\r\n"


class Framing:
    """One response, fed as it arrives.

    Attributes:
        head: Its head; None until it is complete.
        done: The response is complete.
        size: Bytes of the body so far.
    """

    def __init__(self, *, no_body: bool, keep: bool, max_body: int = DEFAULT_MAX_BODY) -> None:
        self.head: Head | None = None
        self.done = False
        self.size = 0
        self._no_body, self._keep, self._max_body = no_body, keep, max_body
        self._parts: list[bytes] = []
        self._lines: list[bytes] = []
        self._reason = b""
        self._overhead = 0
        self._interim = 0
        self._sized = False
        self._extra = False
        self._held = b""
        self._in_fields = False
        self._parser = httptools.HttpResponseParser(self)

    @property
    def body(self) -> bytes:
        """The body as received, if it is kept."""
        return b"".join(self._parts)

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request."""
        return not self._extra and self.head is not None and not self.head.close and self._sized

    def feed(self, data: bytes) -> None:
        """Parse what was received; raises TransportError if it is not an HTTP response."""
        self._overhead += len(data)
        try:
            for part in self._unfolded(data):
                self._parser.feed_data(part)
        except httptools.HttpParserUpgrade:
            raise protocol_error("the server switches to another protocol") from None
        except httptools.HttpParserError as error:
            if not self.done:
                cause = error.__context__ if error.__context__ is not None else error
                raise protocol_error(f"not a valid HTTP response: {cause}") from None
            self._extra = True
        if self._overhead > MAX_HEAD_BYTES and not self.done:
            what = "head is" if self.head is None else "trailers are"
            raise protocol_error(f"the response's {what} longer than {MAX_HEAD_BYTES} bytes")
        if self.size > self._max_body:
            raise over_limit(self._max_body)

    def _unfolded(self, data: bytes) -> Iterator[bytes]:
        """Yield what was received, with folded header lines joined by a space (RFC 9112, section 5.2).

        The end of a line, with the spaces around it, is held back until the start of the next line is known.
        """
        data, self._held = self._held + data, b""
        while data and self.head is None:
            end = data.find(_END_OF_HEAD) + len(_END_OF_HEAD)
            if end < len(_END_OF_HEAD):
                end = len(data.rstrip(b"\r\n \t"))
                self._held, data = data[end:], data[:end]
            piece, data = data[:end], data[end:]
            yield self._joined(piece)
        if data:
            yield data

    def _joined(self, piece: bytes) -> bytes:
        """Join the folded lines in a piece of a head; the line after the status line is never a fold."""
        fields = 0
        if not self._in_fields:
            fields = piece.find(b"\r\n") + 2
            if fields == 1:
                return piece
            self._in_fields = True
        return piece[:fields] + _FOLD.sub(b" ", piece[fields:])

    def end(self) -> bool:
        """Note that the connection ended; return whether that completes the response."""
        if self.head is not None and not self.done and not self._sized:
            self.done = True
        return self.done

    # httptools calls these by their names

    def on_message_begin(self) -> None:
        """Start a response; one that follows a complete response was not asked for."""
        self._extra |= self.done

    def on_status(self, status: bytes) -> None:
        """Add the reason phrase, or a part of it."""
        self._reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a field; trailers are ignored."""
        if self.head is not None or self.done:
            return
        self._lines.append(name + b": " + value + b"\r\n")
        key = name.lower()
        if key == b"transfer-encoding":  # the last coding decides: any but chunked ends with the connection
            self._sized = value.lower().rstrip().endswith(b"chunked")
        self._sized |= key == b"content-length"

    def on_headers_complete(self) -> None:
        """Build the head; that of an interim response is dropped when its message ends."""
        if self.done:
            return
        status = self._parser.get_status_code()
        version = self._parser.get_http_version()
        if version not in _VERSIONS or status < _FIRST_STATUS:
            raise ValueError(f"HTTP/{version} with status {status}")
        line = b"HTTP/%s %d %s\r\n" % (version.encode(), status, self._reason)
        self.head = head_of(line + b"".join(self._lines) + b"\r\n")
        self._keep |= self.head.encoding != b""  # only decoding shows whether the body is malformed
        self._sized |= self._no_body or status in (204, 304)
        self.done = self._no_body and status >= FIRST_FINAL_STATUS

    def on_body(self, part: bytes) -> None:
        """Add a part of the body."""
        if self.done:
            self._extra = True
            return
        self._overhead = 0
        self.size += len(part)
        if self._keep and self.size <= self._max_body:
            self._parts.append(part)

    def on_message_complete(self) -> None:
        """End the response, or an interim one before it."""
        if self.done or self.head is None:
            return
        if self.head.status >= FIRST_FINAL_STATUS:
            self.done = True
            return
        self._interim += 1
        if self._interim > _MAX_INTERIM:
            raise ValueError(f"more than {_MAX_INTERIM} interim responses")
        self.head, self._lines, self._reason, self._sized, self._overhead = None, [], b"", False, 0
        self._in_fields = False
