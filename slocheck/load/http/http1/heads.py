"""Heads of HTTP/1.1 responses, parsed once and cached by their bytes.

Most responses of a target within a second have the same head, so a lookup replaces parsing.
"""

import re
from collections.abc import Iterator

from slocheck.documents.http import TOKEN_CHARACTER

MAX_HEAD_BYTES = 1 << 16
FIRST_FINAL_STATUS = 200
_MAX_CACHED = 512
_NOT_SIMPLE = -1
_WELL_FORMED = re.compile(
    rb"HTTP/1\.[01] [1-9][0-9]{2}(?: [^\r\n\0]*+)?+\r\n"
    rb"(?:%b++:[^\r\n\0]*+\r\n)*+\r\n" % TOKEN_CHARACTER.encode()
)
_FIELD = re.compile(rb"([^:\r\n]+):[ \t]*([^\r\n]*?)[ \t]*\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n")
_CONNECTION = re.compile(rb"\r\nconnection:([^\r\n]*)")
_ENCODING = re.compile(rb"\r\ncontent-encoding:[ \t]*([^\r\n]*?)[ \t]*\r\n")


class Head:
    """The head of one response.

    Attributes:
        raw: Status line and fields, including the empty line.
        status: The status code.
        length: Bytes of the body if Content-Length alone decides; -1 for every other framing.
        close: The connection closes after this response.
        cookies: It sets cookies.
        encoding: Content-Encoding, lower case; empty for none.
        outcome: What `cache_outcome` returns for it; None: not asked yet.
    """

    __slots__ = ("close", "cookies", "encoding", "length", "outcome", "raw", "status")

    def __init__(self, raw: bytes) -> None:
        lowered = raw.lower()
        self.raw = raw
        self.status = int(raw[9:12])
        self.length = _length(lowered, self.status) if _WELL_FORMED.fullmatch(raw) else _NOT_SIMPLE
        self.close = _closes(lowered)
        self.cookies = b"\r\nset-cookie:" in lowered
        found = _ENCODING.search(lowered)
        self.encoding = found[1] if found else b""
        self.outcome: int | None = None

    def fields(self) -> Iterator[tuple[str, str]]:
        """Yield names and values in order; bytes beyond ASCII are decoded as Latin-1."""
        fields = self.raw.partition(b"\r\n")[2]
        for name, value in _FIELD.findall(fields):
            yield name.decode("latin-1"), value.decode("latin-1")

    @property
    def location(self) -> str:
        """Where a redirect leads, as written; empty if the head does not say."""
        return next((value for name, value in self.fields() if name.lower() == "location"), "")


def _length(lowered: bytes, status: int) -> int:
    """Return the body's length, or -1 if Content-Length alone does not decide."""
    if status < FIRST_FINAL_STATUS or status in (204, 304) or b"\r\ntransfer-encoding:" in lowered:
        return _NOT_SIMPLE
    found = _LENGTH.search(lowered)
    if found is None or lowered.count(b"\r\ncontent-length:") != 1:
        return _NOT_SIMPLE
    return int(found[1])


def _closes(lowered: bytes) -> bool:
    tokens = {token.strip() for value in _CONNECTION.findall(lowered) for token in value.split(b",")}
    if lowered.startswith(b"http/1.0"):
        return b"keep-alive" not in tokens
    return b"close" in tokens


_heads: dict[bytes, Head] = {}


def head_of(raw: bytes) -> Head:
    """Return the head with these bytes; `raw` starts with ``HTTP/1.`` and a status of three digits."""
    head = _heads.get(raw)
    if head is None:
        if len(_heads) >= _MAX_CACHED:
            _heads.clear()
        head = _heads[raw] = Head(raw)
    return head


def simple_head(data: bytes) -> Head | None:
    """Return the head of a response whose end follows from its Content-Length alone."""
    blank = data.find(b"\r\n\r\n")
    if blank < 0 or not data.startswith(b"HTTP/1.") or not data[9:12].isdigit():
        return None
    head = head_of(data[: blank + 4])
    return head if head.length >= 0 else None
