"""Framing: where a response ends, however it is split."""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.recording import FailureClass
from slocheck.load.http.errors import TransportError
from slocheck.load.http.http1.framing import Framing
from slocheck.load.http.http1.heads import Head


@dataclass(frozen=True)
class Read:
    """A parsed response."""

    status: int
    body: bytes
    reusable: bool


def read(*parts: bytes, no_body: bool = False, ends: bool = False) -> Read | str:
    """Feed parts until the response is whole; returns it, or why there is none."""
    framing = Framing(no_body=no_body, keep=True)
    try:
        for part in parts:
            if not framing.done:
                framing.feed(part)
    except TransportError as error:
        return error.message
    if ends:
        framing.end()
    if not framing.done:
        return "more"
    assert framing.head is not None
    assert framing.size == len(framing.body)
    return Read(framing.head.status, framing.body, framing.reusable)


def feed(framing: Framing, parts: Iterable[bytes]) -> None:
    """Feed all parts."""
    for part in parts:
        framing.feed(part)


def response(*fields: str, line: str = "HTTP/1.1 200 OK", body: str = "") -> bytes:
    """Return the bytes of a response."""
    return ("".join(f"{text}\r\n" for text in (line, *fields, "")) + body).encode("latin-1")


CHUNKED = "Transfer-Encoding: chunked"
FIELDS = [
    *("Content-Length: {n}", "content-length:{n} ", "Content-Length: 0{n}", "Transfer-Encoding: chunked"),
    *("Connection: close", "Connection: keep-alive", "X: \x01", "X-A: b", "Server:", "A b: c", "X: caf\xe9"),
]
WHOLE = [
    pytest.param(response("Content-Length: 5", body="hello"), Read(200, b"hello", True), id="length"),
    pytest.param(
        response(CHUNKED, body="3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n"), Read(200, b"hello", True), id="chunks"
    ),
    pytest.param(
        response(CHUNKED, body="1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n"), Read(200, b"x", True), id="trailers"
    ),
    pytest.param(
        response(f"{CHUNKED}", "Connection: close", body="0\r\n\r\n"),
        Read(200, b"", False),
        id="chunks, then closed",
    ),
    pytest.param(
        response("Transfer-Encoding: gzip, chunked", body="0\r\n\r\n"), Read(200, b"", True), id="two codings"
    ),
    pytest.param(response(line="HTTP/1.1 204 No Content"), Read(204, b"", True), id="204"),
    pytest.param(
        response("Content-Length: 9", line="HTTP/1.1 304 Not"), Read(304, b"", True), id="304 with a length"
    ),
    pytest.param(
        response(line="HTTP/1.1 100 Continue")
        + response("Link: </a>", line="HTTP/1.1 103 Early")
        + response("Content-Length: 1", body="x"),
        Read(200, b"x", True),
        id="interim responses first",
    ),
    pytest.param(
        response("Content-Length: 1", line="HTTP/1.1 200", body="x"),
        Read(200, b"x", True),
        id="no reason phrase",
    ),
    pytest.param(
        response("Content-Length: 1", line="HTTP/1.0 200 OK", body="x"), Read(200, b"x", False), id="HTTP/1.0"
    ),
]


@pytest.mark.parametrize(("data", "expected"), WHOLE)
def test_whole_responses(data: bytes, expected: Read) -> None:
    """Status, body, and whether the connection can be used again."""
    assert read(data) == expected


@pytest.mark.parametrize(("data", "expected"), WHOLE)
@given(st.data())
def test_any_split_reads_the_same(data: bytes, expected: Read, draw: st.DataObject) -> None:
    """Packets may end anywhere."""
    cuts = sorted(draw.draw(st.sets(st.integers(1, len(data) - 1), max_size=12)))
    parts = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    assert read(*parts) == expected


@pytest.mark.parametrize(("data", "expected"), WHOLE)
def test_bytes_behind_a_response_end_the_connection(data: bytes, expected: Read) -> None:
    """A second response was not requested, and the next request must not get it."""
    for extra in (response("Content-Length: 1", body="y"), b"garbage"):
        assert read(data + extra) == Read(expected.status, expected.body, reusable=False)


@given(st.data())
def test_folded_lines_are_read_as_one(draw: st.DataObject) -> None:
    """However it is split, a folded field has its parts joined by a blank (RFC 9112, section 5.2)."""
    interim = response("X: a", " b", line="HTTP/1.1 103 Early")
    data = interim + response(
        "X-A: one \t", "  two", "\tthree", "X-B:", " four", "Content-Length:", " 2", body="ok"
    )
    cuts = sorted(draw.draw(st.sets(st.integers(1, len(data) - 1), max_size=12)))
    framing = Framing(no_body=False, keep=True)
    feed(framing, [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)])
    assert framing.head is not None
    assert dict(framing.head.fields()) == {"X-A": "one two three", "X-B": "four", "Content-Length": "2"}
    assert (framing.done, framing.body) == (True, b"ok")


def test_a_response_to_head_has_no_body() -> None:
    """Its Content-Length is another response's; a body that still comes ends the connection."""
    data = response("Content-Length: 3")
    assert read(data, no_body=True) == Read(200, b"", reusable=True)
    assert read(data + b"abc", no_body=True) == Read(200, b"", reusable=False)
    chunked = response(CHUNKED)
    assert read(chunked, no_body=True) == Read(200, b"", reusable=True)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([], id="no length"),
        pytest.param(["Connection: close"], id="announced"),
        pytest.param(["Transfer-Encoding: gzip"], id="another coding"),
        pytest.param(["Transfer-Encoding: chunked, gzip"], id="chunked inside"),
    ],
)
def test_a_body_that_ends_with_the_connection(fields: list[str]) -> None:
    """It is whole at the connection's end and not before."""
    data = response(*fields, body="to the end")
    assert read(data) == "more"
    assert read(data, ends=True) == Read(200, b"to the end", reusable=False)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="in the head"),
        pytest.param(response("Content-Length: 5", body="hell"), id="in the body"),
        pytest.param(response(CHUNKED, body="5\r\nhello\r\n"), id="before the last chunk"),
        pytest.param(response(CHUNKED, body="5\r\nhello\r\n0\r\n"), id="in the trailers"),
        pytest.param(response(line="HTTP/1.1 100 Continue"), id="after an interim response"),
    ],
)
def test_a_cut_response_is_not_whole(data: bytes) -> None:
    """The connection's end makes only those whole that end with it."""
    assert read(data, ends=True) == "more"


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64", id="HTTP/2 settings"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x46", id="a TLS alert"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="another protocol"),
        pytest.param(b"<html>no head</html>\r\n\r\n", id="no head"),
        pytest.param(b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", id="bare line feeds"),
        pytest.param(b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", id="HTTP/2.0"),
        pytest.param(b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n", id="HTTP/0.9"),
        pytest.param(b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", id="status 99"),
        pytest.param(response("Content-Length: 5", "Content-Length: 5", body="hello"), id="two lengths"),
        pytest.param(
            response("Content-Length: 5", "Content-Length: 6", body="hello"), id="differing lengths"
        ),
        pytest.param(response("Content-Length: 5", CHUNKED, body="0\r\n\r\n"), id="length and chunks"),
        pytest.param(response("Content-Length: -1"), id="negative length"),
        pytest.param(response(CHUNKED, body="x\r\n"), id="no chunk size"),
        pytest.param(response(" folded", "Content-Length: 0"), id="a folded status line"),
        pytest.param(response("Upgrade: x", "Connection: upgrade", line="HTTP/1.1 101 Switch"), id="101"),
        pytest.param(response(line="HTTP/1.1 100 Go") * 20, id="too many interim responses"),
        pytest.param(response(*(f"X-{n}: {'y' * 60}" for n in range(2000)))[:100_000], id="an endless head"),
        pytest.param(b"HTTP/1.1 200 " + b"y" * 70_000, id="an endless status line"),
    ],
)
def test_what_is_no_http_response(data: bytes) -> None:
    """It is a protocol error, and says so."""
    for parts in ((data,), tuple(data[at : at + 1000] for at in range(0, len(data), 1000))):
        framing = Framing(no_body=False, keep=True)
        with pytest.raises(TransportError) as caught:
            feed(framing, parts)
        assert caught.value.failure is FailureClass.PROTOCOL
        assert not framing.done


def test_endless_trailers_are_bounded() -> None:
    """They are not part of the body, and the parser would keep them."""
    framing = Framing(no_body=False, keep=False)
    framing.feed(response(CHUNKED, body="1\r\nx\r\n0\r\nX: "))
    with pytest.raises(TransportError, match="trailers are longer"):
        feed(framing, [b"y" * 1000] * 100)


def test_a_body_is_bounded() -> None:
    """Kept or not, a body over the limit is a failure; one of just that size is not."""
    data = response(CHUNKED, body="b\r\nhello world\r\n0\r\n\r\n")
    for keep in (True, False):
        framing = Framing(no_body=False, keep=keep, max_body=11)
        framing.feed(data)
        assert (framing.done, framing.size) == (True, 11)
        with pytest.raises(TransportError, match="the body is larger"):
            Framing(no_body=False, keep=keep, max_body=10).feed(data)


@given(
    status=st.sampled_from([200, 201, 301, 404, 500, 999]),
    version=st.sampled_from(["1.0", "1.1"]),
    names=st.lists(
        st.sampled_from(FIELDS),
        max_size=4,
    ),
    body=st.binary(max_size=40),
)
def test_the_short_way_and_the_parser_agree(status: int, version: str, names: list[str], body: bytes) -> None:
    """If both accept a response, they read the same status, body and keep-alive from it."""
    fields = [name.format(n=len(body)) for name in names]
    raw = response(*fields, line=f"HTTP/{version} {status} OK")
    head, parsed = Head(raw), read(raw + body)
    if head.length >= 0 and isinstance(parsed, Read):
        assert parsed == Read(head.status, body[: head.length], not head.close)
        assert head.length == len(body)
