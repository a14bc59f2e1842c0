"""Reading responses: the short way and the parser agree, however the bytes arrive, and garbage is named."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.load.lean.bodies import decoded
from slocheck.load.lean.errors import TransportError
from slocheck.load.lean.framing import Framing
from slocheck.load.lean.heads import Head, head_of

LIMIT = 1000
OK = b"HTTP/1.1 200 OK\r\n"


def framed(data: bytes, *, no_body: bool = False, step: int = 0) -> Framing:
    """Feed a response, whole or in steps, until it is whole."""
    framing = Framing(no_body=no_body, keep=True, limit=LIMIT)
    step = step or len(data)
    for at in range(0, len(data), step):
        if framing.done:
            break
        framing.feed(data[at : at + step])
    return framing


@pytest.mark.parametrize(
    ("head", "length", "close"),
    [
        pytest.param(OK + b"Content-Length: 5\r\n\r\n", 5, False, id="the usual one"),
        pytest.param(OK + b"content-length:5 \r\nX-A: b\r\n\r\n", 5, False, id="small letters, odd blanks"),
        pytest.param(OK + b"Content-Length: 5\r\nConnection: Close\r\n\r\n", 5, True, id="the last one"),
        pytest.param(OK + b"Content-Length: 5\r\nConnection: x, close\r\n\r\n", 5, True, id="in a list"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", 5, True, id="HTTP/1.0 closes"),
        pytest.param(
            b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", 5, False, id="or stays"
        ),
        pytest.param(b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\n", 5, False, id="no reason phrase"),
        pytest.param(OK + b"\r\n", -1, False, id="no length"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n", -1, False, id="chunked"),
        pytest.param(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", -1, False, id="two lengths"),
        pytest.param(
            OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", -1, False, id="length and chunks"
        ),
        pytest.param(OK + b"Content-Length: +5\r\n\r\n", -1, False, id="a length with a sign"),
        pytest.param(OK + b"Content-Length: 5, 5\r\n\r\n", -1, False, id="a list of lengths"),
        pytest.param(OK + b"X: a\nContent-Length: 5\r\n\r\n", -1, False, id="a bare line feed"),
        pytest.param(OK + b"X : a\r\nContent-Length: 5\r\n\r\n", -1, False, id="a blank in a name"),
        pytest.param(OK + b" folded\r\nContent-Length: 5\r\n\r\n", -1, False, id="a folded line"),
        pytest.param(b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", -1, False, id="204 has no body"),
        pytest.param(b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n", -1, False, id="interim"),
    ],
)
def test_only_what_content_length_alone_decides_goes_the_short_way(
    head: bytes, length: int, *, close: bool
) -> None:
    """Everything that is in any way odd is left to the parser."""
    found = head_of(head)
    assert (found.length, found.close) == (length, close)
    assert head_of(head) is found, "it is remembered"


TOKENS = st.sampled_from(["X-A", "Date", "etag", "Content-Type", "Set-Cookie"])
VALUES = st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), max_size=10)
HEADS = st.lists(st.tuples(TOKENS, VALUES), max_size=4)


@given(
    st.integers(200, 599).filter(lambda code: code not in (204, 304)),
    HEADS,
    st.binary(max_size=60),
    st.integers(1, 99),
)
def test_the_short_way_and_the_parser_agree(
    status: int, fields: list[tuple[str, str]], body: bytes, step: int
) -> None:
    """Status, fields, length and keep-alive are the same, and so is the body, in pieces of any size."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
    raw = f"HTTP/1.1 {status} Why\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode()
    head = Head(raw)
    framing = framed(raw + body, step=step)
    assert framing.done
    assert framing.head is not None
    assert (head.status, head.length) == (framing.head.status, framing.size) == (status, len(body))
    assert framing.body == body
    assert list(framing.head.fields()) == list(head.fields())
    assert framing.reusable is not head.close


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=5), st.integers(1, 40))
def test_chunks_are_put_together(chunks: list[bytes], step: int) -> None:
    """However they are cut, with an interim response before and a trailer behind."""
    coded = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    head = b"HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n" + OK + b"Transfer-Encoding: chunked\r\n\r\n"
    framing = framed(head + coded + b"0\r\nX-Trailer: 1\r\n\r\n", step=step)
    assert framing.done
    assert framing.reusable
    assert framing.body == b"".join(chunks)
    assert framing.head is not None
    assert framing.head.status == 200
    assert dict(framing.head.fields()) == {"Transfer-Encoding": "chunked"}


@pytest.mark.parametrize(
    ("data", "no_body"),
    [
        pytest.param(OK + b"Content-Length: 5\r\n\r\n", True, id="HEAD"),
        pytest.param(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", False, id="304"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", False, id="204"),
    ],
)
def test_a_response_without_a_body_ends_with_its_head(data: bytes, *, no_body: bool) -> None:
    """Whatever its Content-Length says."""
    framing = framed(data, no_body=no_body)
    assert framing.done
    assert framing.reusable
    assert framing.body == b""


def test_a_body_may_end_with_the_connection() -> None:
    """Without a length the end of the connection is the body's; with one it comes too early."""
    open_ended = framed(OK + b"\r\nabc")
    assert not open_ended.done
    assert open_ended.end()
    assert (open_ended.body, open_ended.reusable) == (b"abc", False)
    assert not framed(OK + b"Content-Length: 5\r\n\r\nabc").end()
    assert not framed(b"HTTP/1.1 2").end()


def test_bytes_behind_a_response_end_the_connection() -> None:
    """Nobody has asked for them; the response itself is whole."""
    framing = framed(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n")
    assert framing.done
    assert not framing.reusable


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"\x00\x01 no HTTP\r\n\r\n", "no valid HTTP response", id="garbage"),
        pytest.param(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", "no valid HTTP response", id="an HTTP/2 frame"),
        pytest.param(
            b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "another protocol",
            id="101",
        ),
        pytest.param(
            OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "no valid HTTP", id="two lengths"
        ),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "no valid HTTP", id="a broken chunk"),
        pytest.param(OK + b"X-A: " + b"a" * 70_000, "head is longer", id="a head without end"),
        pytest.param(OK + b"\r\n" + b"a" * (LIMIT + 1), "body is larger", id="too much"),
        pytest.param(b"HTTP/1.1 100 C\r\n\r\n" * 20, "no valid HTTP", id="interim responses without end"),
    ],
)
def test_what_is_no_response_is_a_protocol_failure(data: bytes, says: str) -> None:
    """The reason is the same for the same cause."""
    with pytest.raises(TransportError, match=says) as caught:
        framed(data, step=4096)
    assert caught.value.failure == "protocol"


TEXT = b"shoes and hats" * 3


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        pytest.param(gzip.compress(TEXT), b"gzip", id="gzip"),
        pytest.param(gzip.compress(TEXT[:10]) + gzip.compress(TEXT[10:]), b"gzip", id="two members"),
        pytest.param(zlib.compress(TEXT), b"deflate", id="deflate"),
        pytest.param(zlib.compress(TEXT)[2:-4], b"deflate", id="deflate as some servers have it"),
        pytest.param(gzip.compress(zlib.compress(TEXT)), b"deflate, gzip", id="one around the other"),
        pytest.param(TEXT, b"identity", id="as it is"),
    ],
)
def test_bodies_are_decoded(body: bytes, encoding: bytes) -> None:
    """As the server encoded them."""
    assert decoded(body, encoding) == TEXT


@pytest.mark.parametrize(
    ("body", "encoding", "says"),
    [
        pytest.param(b"nonsense", b"gzip", "no valid gzip", id="no gzip"),
        pytest.param(gzip.compress(TEXT)[:-9], b"gzip", "ends too early", id="cut"),
        pytest.param(gzip.compress(bytes(70_000_000), 1), b"gzip", "larger than", id="a bomb"),
        pytest.param(TEXT, b"br", "was not asked for", id="brotli"),
    ],
)
def test_a_body_that_cannot_be_decoded_is_a_protocol_failure(body: bytes, encoding: bytes, says: str) -> None:
    """And costs bounded memory."""
    with pytest.raises(TransportError, match=says):
        decoded(body, encoding)
