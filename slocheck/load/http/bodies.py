"""Decoding bodies as they arrive, never beyond a limit: one decoder for all clients."""

import zlib
from collections.abc import Iterator
from typing import Any, Protocol

import brotli

from slocheck.documents.units import format_size
from slocheck.load.http.errors import TransportError, protocol_error

_EITHER_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32
_MAX_CODINGS = 5
_MAX_MEMBERS = 10_000
_STEP = 1 << 12
"""Bytes given to zlib at a time; small, because the rest is copied after each member of a gzip body."""
_GZIP_HEAD = 0x1F8B
_GZIP, _DEFLATE, _BROTLI, _IDENTITY = (b"gzip", b"x-gzip"), (b"deflate",), (b"br",), b"identity"


class _Coding(Protocol):
    """Decodes one content coding."""

    def feed(self, data: bytes, room: int) -> Iterator[bytes]:
        """Yield what the next bytes decode to, in pieces of at most `room` bytes or a step."""

    def end(self) -> None:
        """Raise TransportError if the body ends too early."""


class BodyDecoder:
    """Decodes the Content-Encoding of one body, in pieces.

    Raises TransportError for an unknown encoding, and for a body that is malformed, ends too early, or
    exceeds the limit when decoded, in any layer.
    """

    def __init__(self, encoding: bytes, limit: int) -> None:
        names = [part for part in (item.strip() for item in encoding.lower().split(b",")) if part]
        codings = [name for name in names if name != _IDENTITY]
        if len(codings) > _MAX_CODINGS:
            raise protocol_error(f"the body has more than {_MAX_CODINGS} encodings")
        self._layers = [_coding(name) for name in reversed(codings)]
        self._sizes = [0] * len(self._layers)
        self._limit = limit

    def feed(self, data: bytes) -> bytes:
        """Return what the next bytes decode to."""
        return b"".join(self._pieces(data, 0)) if data else b""

    def _pieces(self, data: bytes, layer: int) -> Iterator[bytes]:
        if layer == len(self._layers):
            yield data
            return
        room = self._limit + 1 - self._sizes[layer]
        for piece in filter(None, self._layers[layer].feed(data, room)):
            self._sizes[layer] += len(piece)
            if self._sizes[layer] > self._limit:
                raise over_limit(self._limit, decoded=True)
            yield from self._pieces(piece, layer + 1)

    def end(self) -> None:
        """Note that the body is complete."""
        for layer in self._layers:
            layer.end()


def decoded(body: bytes, encoding: bytes, limit: int) -> bytes:
    """Return a whole body without its Content-Encoding; raises TransportError as `BodyDecoder` does.

    An empty body stays empty: a response to HEAD names the encoding of a body that did not come.
    """
    if not body:
        return b""
    decoder = BodyDecoder(encoding, limit)
    plain = decoder.feed(body)
    decoder.end()
    return plain


def over_limit(limit: int, *, decoded: bool = False) -> TransportError:
    """Return the error for a body of more than `limit` bytes."""
    when = ", decoded" if decoded else ""
    return protocol_error(f"the body is larger than workload.max_body ({format_size(limit)}{when})")


def _coding(name: bytes) -> _Coding:
    if name in _GZIP + _DEFLATE:
        return _Inflated(name)
    if name in _BROTLI:
        return _Brotli()
    raise protocol_error(f"the body's encoding {name.decode('latin-1')!r} is not known")


class _Inflated:
    """gzip, of one or more members, or deflate, whose zlib header some servers leave out."""

    def __init__(self, name: bytes) -> None:
        self._name = name.decode()
        self._stream: Any = None
        self._first = b""
        self._members = 0

    def feed(self, data: bytes, room: int) -> Iterator[bytes]:
        view = memoryview(self._first + data)
        self._first = b""
        for start in range(0, len(view), _STEP):
            rest = bytes(view[start : start + _STEP])
            while rest:
                if self._stream is None and not self._begin(rest):
                    return
                try:
                    piece = self._stream.decompress(rest, max(1, room))
                except zlib.error as error:
                    raise protocol_error(f"the body is not valid {self._name}: {error}") from None
                room -= len(piece)
                yield piece
                rest = self._stream.unconsumed_tail or self._stream.unused_data
                if self._stream.eof:
                    self._stream = None

    def _begin(self, rest: bytes) -> bool:
        """Start a member; tells whether the two bytes that identify it have arrived."""
        if len(rest) == 1 and not self._members:
            self._first = rest
            return False
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise protocol_error(f"the body has more than {_MAX_MEMBERS} members")
        bare = self._name == "deflate" and not _has_head(rest)
        self._stream = zlib.decompressobj(-zlib.MAX_WBITS if bare else _EITHER_ZLIB_OR_GZIP)
        return True

    def end(self) -> None:
        if self._stream is not None or self._first:
            raise protocol_error(f"the body is not valid {self._name}: it ends too early")


def _has_head(data: bytes) -> bool:
    """Tell whether these bytes begin with zlib's header (RFC 1950, section 2.2) or gzip's."""
    head = int.from_bytes(data[:2])
    return head == _GZIP_HEAD or (head >> 8 & 15 == zlib.DEFLATED and head % 31 == 0)


class _Brotli:
    """Brotli, sent only to clients that ask for it."""

    def __init__(self) -> None:
        self._stream: Any = None

    def feed(self, data: bytes, room: int) -> Iterator[bytes]:
        del room
        self._stream = self._stream or brotli.Decompressor()
        try:
            if self._stream.is_finished():
                raise protocol_error("the body is not valid br: bytes follow its end")
            piece = self._stream.process(data, output_buffer_limit=_STEP * 16)
            while piece or not self._stream.can_accept_more_data():
                yield piece
                piece = self._stream.process(b"", output_buffer_limit=_STEP * 16)
        except brotli.error as error:
            raise protocol_error(f"the body is not valid br: {error}") from None

    def end(self) -> None:
        if self._stream is not None and not self._stream.is_finished():
            raise protocol_error("the body is not valid br: it ends too early")
