"""Heads of HTTP/1.1 responses, parsed once and cached by their bytes.

Most responses of a target within a second have the same head, so a lookup replaces parsing. Where each has
its own, as with a request id, its lines are looked up one by one: nearly all of them were seen before.
"""

import re
from collections.abc import Iterator, Sequence

from slocheck.documents.http import TOKEN_CHARACTER

MAX_HEAD_BYTES = 1 << 16
FIRST_FINAL_STATUS = 200
_MAX_CACHED = 512
_NOT_SIMPLE = -1
_TOKEN = TOKEN_CHARACTER.encode()
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] [1-9][0-9]{2}(?: [^\r\n\0]*)?")
_LINE = re.compile(rb"%b++:[^\r\n\0]*+" % _TOKEN)
_FIELD = re.compile(rb"([^:\r\n]+):[ \t]*([^\r\n]*?)[ \t]*\r\n")
_MAX_DIGITS = 18
_LENGTH, _TRANSFER, _CONNECTION, _COOKIE, _ENCODING = (
    b"content-length",
    b"transfer-encoding",
    b"connection",
    b"set-cookie",
    b"content-encoding",
)
_MALFORMED = (b"", b"")
_Field = tuple[bytes, bytes]


class _Lines(dict[bytes, _Field | None]):
    """Lines that were seen: name and value in lower case if a client acts on them, else None."""

    def __missing__(self, line: bytes) -> _Field | None:
        if len(self) >= _MAX_CACHED:
            self.clear()
        name, _, value = line.partition(b":")
        field: _Field | None = (name.lower(), value.strip(b" \t").lower())
        if not _LINE.fullmatch(line):
            field = _MALFORMED
        elif name.lower() not in (_LENGTH, _TRANSFER, _CONNECTION, _COOKIE, _ENCODING):
            field = None
        self[line] = field
        return field


class Traits:
    """What a head tells of how to read its response, and what it counts as; the same object for the same.

    Attributes:
        status: The status code.
        length: Bytes of the body if Content-Length alone decides; -1 for every other framing.
        close: The connection closes after this response.
        cookies: It sets cookies.
        encoding: Content-Encoding, lower case; empty for none.
    """

    __slots__ = ("close", "cookies", "encoding", "length", "status")

    def __init__(self, status_line: bytes, fields: Sequence[_Field]) -> None:
        self.status = int(status_line[9:12])
        well_formed = _STATUS_LINE.fullmatch(status_line) and _MALFORMED not in fields
        self.length = _length(fields, self.status) if well_formed else _NOT_SIMPLE
        self.close = _closes(fields, old=status_line.startswith(b"HTTP/1.0"))
        self.cookies = bool(_values(fields, _COOKIE))
        self.encoding = next(iter(_values(fields, _ENCODING)), b"")


class Head:
    """The head of one response.

    Attributes:
        raw: Status line and fields, including the empty line.
        traits: What follows from it; its parts have their names here as well.
        whole: Bytes of head and body together if the response leaves nothing to do but to count it: its
            length is known, its body is not encoded and the connection stays open; -1 otherwise.
        outcome: What `cache_outcome` returns for it; None: not asked yet.
    """

    __slots__ = ("close", "cookies", "encoding", "length", "outcome", "raw", "status", "traits", "whole")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.traits = traits = _traits_of(raw)
        self.status, self.length, self.close = traits.status, traits.length, traits.close
        self.cookies, self.encoding = traits.cookies, traits.encoding
        simple = self.length >= 0 and not self.close and not self.encoding
        self.whole = len(raw) + self.length if simple else _NOT_SIMPLE
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


def _values(fields: Sequence[_Field], wanted: bytes) -> list[bytes]:
    return [value for name, value in fields if name == wanted]


def _length(fields: Sequence[_Field], status: int) -> int:
    """Return the body's length, or -1 if Content-Length alone does not decide."""
    lengths = _values(fields, _LENGTH)
    if status < FIRST_FINAL_STATUS or status in (204, 304) or _values(fields, _TRANSFER) or len(lengths) != 1:
        return _NOT_SIMPLE
    (digits,) = lengths
    return int(digits) if digits.isdigit() and len(digits) <= _MAX_DIGITS else _NOT_SIMPLE


def _closes(fields: Sequence[_Field], *, old: bool) -> bool:
    tokens = {token.strip() for value in _values(fields, _CONNECTION) for token in value.split(b",")}
    return b"keep-alive" not in tokens if old else b"close" in tokens


_lines = _Lines()
_traits: dict[tuple[bytes, tuple[_Field, ...]], Traits] = {}
_heads: dict[bytes, Head] = {}


def _traits_of(raw: bytes) -> Traits:
    """Return what a head tells; `raw` as for `head_of`."""
    status_line, *lines = raw.split(b"\r\n")
    fields = tuple(filter(None, map(_lines.__getitem__, lines[:-2])))
    key = status_line, fields
    traits = _traits.get(key)
    if traits is None:
        if len(_traits) >= _MAX_CACHED:
            _traits.clear()
        traits = _traits[key] = Traits(status_line, fields)
    return traits


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
