"""Heads: what they say about framing, and nothing if they are not well-formed."""

import pytest

from slocheck.load.http.http1.heads import Head, head_of


def head(*fields: str, line: str = "HTTP/1.1 200 OK") -> Head:
    """Return the head of a status line and fields."""
    return Head("".join(f"{text}\r\n" for text in (line, *fields, "")).encode("latin-1"))


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        pytest.param(["Content-Length: 5"], 5, id="plain"),
        pytest.param(["CONTENT-LENGTH:5  "], 5, id="case and blanks"),
        pytest.param(["Content-Length: 0"], 0, id="nothing"),
        pytest.param([], -1, id="none"),
        pytest.param(["Content-Length: 5", "Content-Length: 5"], -1, id="twice"),
        pytest.param(["Content-Length: 5", "content-length: 6"], -1, id="differing"),
        pytest.param(["Content-Length: 5, 5"], -1, id="a list"),
        pytest.param(["Content-Length: +5"], -1, id="a sign"),
        pytest.param(["Content-Length: 5x"], -1, id="no number"),
        pytest.param(["Content-Length: " + "9" * 19], -1, id="too long a number"),
        pytest.param(["Content-Length: 5", "Transfer-Encoding: chunked"], -1, id="next to chunked"),
        pytest.param(["Content-Length : 5"], -1, id="a blank before the colon"),
        pytest.param(["X: a", " folded", "Content-Length: 5"], -1, id="a folded line"),
        pytest.param(["X: a\rContent-Length: 5", "Content-Length: 6"], -1, id="a bare carriage return"),
        pytest.param(["X: a\nContent-Length: 5", "Content-Length: 6"], -1, id="a bare line feed"),
        pytest.param(["X: a\0", "Content-Length: 5"], -1, id="a null"),
        pytest.param(["X-Content-Length: 7", "Content-Length: 5"], 5, id="a name that ends alike"),
    ],
)
def test_the_short_way_is_for_one_plain_content_length(fields: list[str], length: int) -> None:
    """Anything doubtful is left to the parser."""
    assert head(*fields).length == length


@pytest.mark.parametrize(
    "line", ["HTTP/1.1 204 No", "HTTP/1.1 304 Not", "HTTP/1.1 100 Go", "HTTP/1.1 099 No"]
)
def test_statuses_without_a_body_are_left_to_the_parser(line: str) -> None:
    """Their Content-Length says nothing about the bytes that follow."""
    assert head("Content-Length: 5", line=line).length == -1


@pytest.mark.parametrize(
    ("line", "fields", "close"),
    [
        pytest.param("HTTP/1.1 200 OK", [], False, id="1.1 stays"),
        pytest.param("HTTP/1.1 200 OK", ["Connection: close"], True, id="1.1 closes"),
        pytest.param("HTTP/1.1 200 OK", ["connection: x, CLOSE"], True, id="in a list"),
        pytest.param("HTTP/1.1 200 OK", ["Connection: closed"], False, id="another word"),
        pytest.param(
            "HTTP/1.1 200 OK", ["Connection: a", "Connection: close"], True, id="in the second field"
        ),
        pytest.param("HTTP/1.0 200 OK", [], True, id="1.0 closes"),
        pytest.param("HTTP/1.0 200 OK", ["Connection: keep-alive"], False, id="1.0 stays where it says so"),
    ],
)
def test_whether_the_connection_ends(line: str, fields: list[str], *, close: bool) -> None:
    """Version and Connection decide."""
    assert head(*fields, line=line).close is close


def test_fields_in_their_order() -> None:
    """Blanks around values are removed, bytes beyond ASCII are Latin-1, names keep their case."""
    found = head("Content-Type:  text/plain ", "X-Name: caf\xe9", "Set-Cookie: a=1", "Content-Encoding: GZIP")
    assert list(found.fields()) == [
        ("Content-Type", "text/plain"),
        ("X-Name", "caf\xe9"),
        ("Set-Cookie", "a=1"),
        ("Content-Encoding", "GZIP"),
    ]
    assert found.cookies
    assert found.encoding == b"gzip"


def test_the_same_bytes_are_read_once_and_memory_is_bounded() -> None:
    """A head is remembered by its bytes; an endless supply of different ones is forgotten again."""
    raw = b"HTTP/1.1 200 OK\r\nX-Same: 1\r\n\r\n"
    assert head_of(raw) is head_of(raw)
    first = head_of(raw)
    for number in range(2000):
        head_of(b"HTTP/1.1 200 OK\r\nX-Number: %d\r\n\r\n" % number)
    assert head_of(raw) is not first


@pytest.mark.parametrize(
    ("fields", "whole"),
    [
        pytest.param(["Content-Length: 5"], 5, id="plain"),
        pytest.param(["Content-Length: 5", "Connection: close"], None, id="closes"),
        pytest.param(["Content-Length: 5", "Content-Encoding: gzip"], None, id="encoded"),
        pytest.param(["Transfer-Encoding: chunked"], None, id="chunked"),
    ],
)
def test_what_is_whole_by_its_size(fields: list[str], whole: int | None) -> None:
    """Head and body together, if nothing is left to do once they are here."""
    found = head(*fields)
    assert found.whole == (-1 if whole is None else len(found.raw) + whole)
