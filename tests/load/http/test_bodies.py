"""Decoding bodies: only the requested encodings, complete, and within bounds."""

import gzip
import zlib
from functools import partial

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.recording import FailureClass
from slocheck.load.http.bodies import BodyDecoder
from slocheck.load.http.bodies import decoded as decoded_within
from slocheck.load.http.errors import TransportError

LIMIT = 1 << 20
decoded = partial(decoded_within, limit=LIMIT)


def raw_deflate(data: bytes) -> bytes:
    """Compress without zlib's header, as some servers do."""
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
    assert decoded(brotli.compress(data), b"br") == data
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
        pytest.param(b"\xff", b"deflate", id="one byte"),
        pytest.param(brotli.compress(b"x" * 1000)[:-3], b"br", id="brotli, cut"),
        pytest.param(b"not brotli", b"br", id="no brotli"),
        pytest.param(b"x", b"compress", id="unknown"),
        pytest.param(b"x", b"gzip," * 6, id="six encodings"),
        pytest.param(gzip.compress(b"") * 10_001, b"gzip", id="very many members"),
    ],
)
def test_a_broken_body_is_a_protocol_error(body: bytes, encoding: bytes) -> None:
    """Such a file cannot be read."""
    with pytest.raises(TransportError) as caught:
        decoded(body, encoding)
    assert caught.value.failure is FailureClass.PROTOCOL


def test_a_bomb_is_not_blown_up() -> None:
    """Decoding stops at the bound, in each layer."""
    assert len(decoded_within(gzip.compress(bytes(1000)), b"gzip", 1000)) == 1000
    for body, encoding in (
        (gzip.compress(bytes(1001)), b"gzip"),
        (gzip.compress(bytes(600)) * 2, b"gzip"),
        (gzip.compress(gzip.compress(bytes(10_000_000))), b"gzip, gzip"),
        (brotli.compress(bytes(10_000_000)), b"br"),
    ):
        with pytest.raises(TransportError, match=r"larger than workload.max_body \(1000 B, decoded\)"):
            decoded_within(body, encoding, 1000)


def test_an_empty_body_stays_empty() -> None:
    """A response to HEAD, or a 304, names the encoding of a body that is not sent."""
    assert decoded(b"", b"gzip") == b""


@given(st.binary(max_size=3000), st.integers(1, 50), st.sampled_from(["gzip", "deflate", "br", "br, gzip"]))
def test_a_body_may_come_in_pieces(data: bytes, size: int, encoding: str) -> None:
    """However it is split, it decodes to the same."""
    packers = {"gzip": gzip.compress, "deflate": raw_deflate, "br": brotli.compress}
    body = data
    for name in encoding.split(", "):
        body = packers[name](body)
    decoder = BodyDecoder(encoding.encode(), LIMIT)
    pieces = [decoder.feed(body[start : start + size]) for start in range(0, len(body), size)]
    decoder.end()
    assert b"".join(pieces) == data
