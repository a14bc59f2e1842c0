"""Responses that are incomplete, or not HTTP, and what each counts as; and odd ones that are good."""

import gzip

import brotli

from slocheck.evidence.recording import FailureClass

PROTOCOL, RESET = FailureClass.PROTOCOL, FailureClass.RESET
MAX_BODY = 1 << 20
"""The largest body that the tests allow."""
OK = b"HTTP/1.1 200 OK\r\n"


def _sized(body: bytes, *fields: bytes) -> bytes:
    lines = b"".join(field + b"\r\n" for field in fields)
    return OK + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
BOMB = gzip.compress(bytes(4 * MAX_BODY))
GZIP = b"Content-Encoding: gzip"
BROKEN: dict[str, tuple[bytes, FailureClass]] = {
    "head cut after the status line": (OK, RESET),
    "head cut after a field": (OK + b"Server: x\r\n", RESET),
    "negative length": (OK + b"Content-Length: -2\r\n\r\nok", PROTOCOL),
    "two lengths": (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", PROTOCOL),
    "length beside chunks": (
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        PROTOCOL,
    ),
    "length is a word": (OK + b"Content-Length: two\r\n\r\nok", PROTOCOL),
    "body cut": (OK + b"Content-Length: 9\r\n\r\nok", RESET),
    "chunk with a sign": (CHUNKED + b"+2\r\nok\r\n0\r\n\r\n", PROTOCOL),
    "chunk without its end": (CHUNKED + b"2\r\nokXX0\r\n\r\n", PROTOCOL),
    "last chunk missing": (CHUNKED + b"2\r\nok\r\n", RESET),
    "trailers cut": (CHUNKED + b"2\r\nok\r\n0\r\n", RESET),
    "field without a colon": (OK + b"Server\r\nContent-Length: 2\r\n\r\nok", PROTOCOL),
    "not HTTP": (b"220 mail ESMTP\r\n\r\n", PROTOCOL),
    "too large": (OK + b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1), PROTOCOL),
    "too large by chunks": (CHUNKED + b"110000\r\n" + bytes(0x110000) + b"\r\n0\r\n\r\n", PROTOCOL),
    "bomb": (_sized(BOMB, GZIP), PROTOCOL),
    "bomb in chunks": (
        OK + GZIP + b"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BOMB) + BOMB + b"\r\n0\r\n\r\n",
        PROTOCOL,
    ),
    "bomb in brotli": (_sized(brotli.compress(bytes(4 * MAX_BODY)), b"Content-Encoding: br"), PROTOCOL),
    "half a gzip body": (_sized(gzip.compress(bytes(1000))[:-9], GZIP), PROTOCOL),
    "not gzip": (_sized(b"plain", GZIP), PROTOCOL),
    "unknown encoding": (_sized(b"plain", b"Content-Encoding: compress"), PROTOCOL),
}
WHOLE = {
    "plain": _sized(b"ok"),
    "chunks": CHUNKED + b"2\r\nok\r\n0\r\n\r\n",
    "gzip": _sized(gzip.compress(bytes(MAX_BODY)), GZIP),
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + _sized(b"ok"),
    "until closed": OK + b"\r\nok",
    "empty gzip": _sized(b"", GZIP),
}
