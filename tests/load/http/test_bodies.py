"""Decoding bodies: what was asked for, whole, and within bounds."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.recording import FailureClass
from slocheck.load.http import bodies
from slocheck.load.http.bodies import decoded
from slocheck.load.http.errors import TransportError


def raw_deflate(data: bytes) -> bytes:
    """Compress without zlib's head, as some servers do."""
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush()


@given(st.binary(max_size=2000))
def test_what_was_encoded_is_decoded(data: bytes) -> None:
    """All spellings of the encodings that the client asks for."""
    assert decoded(gzip.compress(data), b"gzip") == data
    assert decoded(gzip.compress(data), b"x-gzip") == data
    assert decoded(zlib.compress(data), b"deflate") == data
    assert decoded(raw_deflate(data), b"deflate") == data
    assert decoded(data, b"identity") == data
    assert decoded(gzip.compress(zlib.compress(data)), b"deflate, gzip") == data
    assert decoded(gzip.compress(data) + gzip.compress(data), b"gzip") == data + data


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        pytest.param(b"plain text", b"gzip", id="no gzip"),
        pytest.param(gzip.compress(b"x" * 1000)[:-9], b"gzip", id="cut"),
        pytest.param(gzip.compress(b"x") + b"more", b"gzip", id="bytes behind"),
        pytest.param(gzip.compress(b"x")[:-8] + bytes(8), b"gzip", id="wrong checksum"),
        pytest.param(b"\xff\xff\xff", b"deflate", id="no deflate"),
        pytest.param(b"x", b"br", id="not asked for"),
    ],
)
def test_a_broken_body_is_a_protocol_error(body: bytes, encoding: bytes) -> None:
    """It cannot be read."""
    with pytest.raises(TransportError) as caught:
        decoded(body, encoding)
    assert caught.value.failure is FailureClass.PROTOCOL


def test_a_bomb_is_not_blown_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding stops at the bound, in each layer."""
    monkeypatch.setattr(bodies, "MAX_BODY_BYTES", 1000)
    assert len(decoded(gzip.compress(bytes(1000)), b"gzip")) == 1000
    for body, encoding in (
        (gzip.compress(bytes(1001)), b"gzip"),
        (gzip.compress(bytes(600)) * 2, b"gzip"),
        (gzip.compress(gzip.compress(bytes(10_000_000))), b"gzip, gzip"),
    ):
        with pytest.raises(TransportError, match="larger than 1000 bytes"):
            decoded(body, encoding)


def test_an_empty_body_stays_empty() -> None:
    """A response to HEAD, or a 304, names the encoding of a body that did not come."""
    assert decoded(b"", b"gzip") == b""
