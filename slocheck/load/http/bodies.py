"""Decoding bodies: only when the scenario reads them, and never beyond a limit."""

import zlib

from slocheck.load.http.errors import protocol_error
from slocheck.load.http.framing import MAX_BODY_BYTES

_EITHER_ZLIB_OR_GZIP = zlib.MAX_WBITS | 32


def decoded(body: bytes, encoding: bytes) -> bytes:
    """Return a body without its Content-Encoding; raises TransportError where that fails."""
    for coding in reversed([part.strip() for part in encoding.split(b",") if part.strip()]):
        if coding in (b"gzip", b"x-gzip", b"deflate"):
            body = _inflated(body, coding)
        elif coding != b"identity":
            raise protocol_error(f"the body's encoding {coding.decode('latin-1')!r} was not asked for")
    return body


def _inflated(body: bytes, coding: bytes) -> bytes:
    try:
        return _inflate(body, _EITHER_ZLIB_OR_GZIP)
    except zlib.error as error:
        if coding != b"deflate":
            raise protocol_error(f"the body is not valid {coding.decode()}: {error}") from None
    try:
        return _inflate(body, -zlib.MAX_WBITS)  # some servers leave out zlib's header
    except zlib.error as error:
        raise protocol_error(f"the body is not valid deflate: {error}") from None


def _inflate(body: bytes, bits: int) -> bytes:
    whole, rest = b"", body
    while rest:  # a gzip body may have several members
        stream = zlib.decompressobj(bits)
        whole += stream.decompress(rest, MAX_BODY_BYTES + 1 - len(whole))
        if len(whole) > MAX_BODY_BYTES:
            raise protocol_error(f"the body is larger than {MAX_BODY_BYTES} bytes when it is decoded")
        if not stream.eof:
            raise zlib.error("it ends too early")
        rest = stream.unused_data
    return whole
