"""Responses whose end Content-Length alone does not tell, read by httptools.

Chunked and split ones, interim ones, those to HEAD, 204 and 304, those that end with the connection,
and garbage.
"""

import httptools

from slocheck.load.lean.errors import protocol_error
from slocheck.load.lean.heads import FIRST_FINAL_STATUS, MAX_HEAD_BYTES, Head

_MAX_INTERIM = 16


class Framing:
    """One response, fed as it comes.

    Attributes:
        head: Its head; None until it is whole.
        done: The response is whole.
        size: Bytes of the body so far.
    """

    def __init__(self, *, no_body: bool, keep: bool, limit: int) -> None:
        self.head: Head | None = None
        self.done = False
        self.size = 0
        self._no_body, self._keep, self._limit = no_body, keep, limit
        self._parts: list[bytes] = []
        self._lines: list[bytes] = []
        self._reason = b""
        self._head_bytes = 0
        self._interim = 0
        self._sized = False
        self._extra = False
        self._parser = httptools.HttpResponseParser(self)

    @property
    def body(self) -> bytes:
        """The body as it came, where it is kept."""
        return b"".join(self._parts)

    @property
    def reusable(self) -> bool:
        """Whether the connection may carry another request."""
        return not self._extra and self.head is not None and not self.head.close and self._sized

    def feed(self, data: bytes) -> None:
        """Take in what was received; raises TransportError for what is no HTTP response."""
        if self.head is None:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            raise protocol_error("the server switches to another protocol") from None
        except httptools.HttpParserError as error:
            if not self.done:
                cause = error.__context__ if error.__context__ is not None else error
                raise protocol_error(f"no valid HTTP response: {cause}") from None
            self._extra = True
        if self.head is None and self._head_bytes > MAX_HEAD_BYTES:
            raise protocol_error(f"the response's head is longer than {MAX_HEAD_BYTES} bytes")
        if self.size > self._limit and self._keep:
            raise protocol_error(f"the response's body is larger than {self._limit} bytes")

    def end(self) -> bool:
        """Take in the connection's end; tells whether that makes the response whole."""
        if self.head is not None and not self.done and not self._sized:
            self.done = True
        return self.done

    # httptools calls these by their names

    def on_message_begin(self) -> None:
        """Start a response; behind a whole one, nobody has asked for it."""
        self._extra |= self.done

    def on_status(self, status: bytes) -> None:
        """Take in the reason phrase, or a part of it."""
        self._reason += status

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a field; a trailer comes this way, too, and is let go."""
        if self.head is not None or self.done:
            return
        self._lines.append(name + b": " + value + b"\r\n")
        self._sized |= name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        """Make the head; an interim response's is forgotten when its message ends."""
        if self.done:
            return
        status = self._parser.get_status_code()
        version = self._parser.get_http_version().encode()
        line = b"HTTP/%s %d %s\r\n" % (version, status, self._reason)
        self.head = Head(line + b"".join(self._lines) + b"\r\n")
        self._sized |= self._no_body or status in (204, 304)
        self.done = self._no_body and status >= FIRST_FINAL_STATUS

    def on_body(self, part: bytes) -> None:
        """Take in a part of the body."""
        if self.done:
            return
        self.size += len(part)
        if self._keep and self.size <= self._limit:
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
        self.head, self._lines, self._reason, self._sized, self._head_bytes = None, [], b"", False, 0
