"""Requests as bytes: no foreign value can end a line, a head or a request."""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.load.http.http1.messages import (
    DEFAULT_FIELDS,
    UnsendableRequestError,
    body_of,
    head_bytes,
    merged,
    request_bytes,
    request_target,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(TEXT, st.dictionaries(TEXT, TEXT, max_size=3))
def test_a_target_is_one_word_and_means_what_was_given(path: str, params: dict[str, str]) -> None:
    """Whatever is in path or parameters, the request line has three words; the query reads back."""
    target = request_target(path, params)
    assert re.fullmatch(r"/[\x21-\x7e]*", target)
    assert "#" not in target.replace("%23", "")
    bare = path.partition("#")[0]
    if "?" not in bare and "%" not in bare:
        assert unquote(target.partition("?")[0]) == (bare if bare.startswith("/") else f"/{bare}")
        assert parse_qsl(target.partition("?")[2], keep_blank_values=True) == list(params.items())


@given(TEXT, TEXT, TEXT)
def test_no_field_can_become_two(name: str, value: str, path: str) -> None:
    """A head has as many lines as there are fields, or it is refused."""
    try:
        head = head_bytes("GET", request_target(path), "h", {name: value})
    except UnsendableRequestError:
        return
    assert head.count(b"\r\n") == head.count(b"\n") == head.count(b"\r") == 3
    assert head.split(b"\r\n")[2] == f"{name}: {value}".encode("latin-1")


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        pytest.param("GET /x HTTP/1.1\r\nA: b\r\n\r\nGET", {}, id="a method with a request in it"),
        pytest.param("G T", {}, id="a method of two words"),
        pytest.param("", {}, id="no method"),
        pytest.param("GET", {"X": "a\r\nB: c"}, id="a value of two lines"),
        pytest.param("GET", {"X": "a\n"}, id="a line feed at the end"),
        pytest.param("GET", {"X": "a\0"}, id="a null"),
        pytest.param("GET", {"X: a\r\nB": "c"}, id="a name of two lines"),
        pytest.param("GET", {"": "c"}, id="no name"),
        pytest.param("GET", {"X ": "c"}, id="a blank in a name"),
        pytest.param("GET", {"X": "5 €"}, id="beyond Latin-1"),
        pytest.param("GET", {"Content-Length": "3"}, id="the client's own: Content-Length"),
        pytest.param("GET", {"transfer-encoding": "chunked"}, id="the client's own: Transfer-Encoding"),
        pytest.param("GET", {"HOST": "other"}, id="the client's own: Host"),
        pytest.param("GET", {"Connection": "close"}, id="the client's own: Connection"),
    ],
)
def test_what_cannot_be_sent_is_refused(method: str, fields: dict[str, str]) -> None:
    """Nothing of it leaves the machine."""
    with pytest.raises(UnsendableRequestError):
        head_bytes(method, "/", "h", fields)


def test_a_path_that_is_no_text_is_refused() -> None:
    """A lone surrogate has no bytes."""
    with pytest.raises(UnsendableRequestError):
        request_target("/\ud800")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        pytest.param("/a b?c=d e", "/a%20b?c=d%20e", id="blanks"),
        pytest.param("/a%20b", "/a%20b", id="encoded before"),
        pytest.param("a", "/a", id="no slash"),
        pytest.param("/a#b", "/a", id="a fragment"),
        pytest.param("/é", "/%C3%A9", id="UTF-8"),
        pytest.param("?q=1", "/?q=1", id="a query alone"),
        pytest.param("", "/", id="nothing"),
    ],
)
def test_targets(path: str, target: str) -> None:
    """Paths as people write them."""
    assert request_target(path) == target


def test_parameters_join_those_of_the_path() -> None:
    """Lists become one parameter each."""
    assert request_target("/a?x=1", {"y": [2, "3 4"], "z": "&"}) == "/a?x=1&y=2&y=3+4&z=%26"


@pytest.mark.parametrize(
    ("data", "json", "body", "kind"),
    [
        pytest.param(None, {"a": [1, "é"]}, b'{"a": [1, "\\u00e9"]}', "application/json", id="JSON"),
        pytest.param(None, 0, b"0", "application/json", id="JSON that is false"),
        pytest.param(
            {"a": "b c", "d": 1},
            None,
            b"a=b+c&d=1",
            "application/x-www-form-urlencoded; charset=utf-8",
            id="form",
        ),
        pytest.param("é", None, "é".encode(), "text/plain; charset=utf-8", id="text"),
        pytest.param(b"\0\xff", None, b"\0\xff", "application/octet-stream", id="bytes"),
        pytest.param(bytearray(b"x"), None, b"x", "application/octet-stream", id="a bytearray"),
        pytest.param(None, None, b"", "", id="nothing"),
        pytest.param("data", {"a": 1}, b"data", "text/plain; charset=utf-8", id="data goes before JSON"),
        pytest.param({}, {"a": 1}, b'{"a": 1}', "application/json", id="empty data is none"),
    ],
)
def test_bodies(data: object, json: object, body: bytes, kind: str) -> None:
    """Body and type as Locust's clients make them."""
    assert body_of(data, json) == (body, kind)


def test_a_body_that_cannot_be_sent_is_refused() -> None:
    """Files and generators are not silently read."""
    with pytest.raises(UnsendableRequestError, match="of type list_iterator"):
        body_of(iter([b"x"]), None)


def whole(method: str, body: bytes = b"", cookie: str = "") -> bytes:
    """Return a request without fields."""
    return request_bytes(head_bytes(method, "/", "h:1", {}), method, body, cookie=cookie)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        pytest.param(lambda: whole("GET"), b"GET / HTTP/1.1\r\nHost: h:1\r\n\r\n", id="GET"),
        pytest.param(
            lambda: whole("POST"), b"POST / HTTP/1.1\r\nHost: h:1\r\nContent-Length: 0\r\n\r\n", id="POST"
        ),
        pytest.param(
            lambda: whole("GET", b"x"),
            b"GET / HTTP/1.1\r\nHost: h:1\r\nContent-Length: 1\r\n\r\nx",
            id="GET with a body",
        ),
        pytest.param(
            lambda: whole("GET", b"", "a=b"),
            b"GET / HTTP/1.1\r\nHost: h:1\r\nCookie: a=b\r\n\r\n",
            id="cookies",
        ),
    ],
)
def test_whole_requests(make: Callable[[], bytes], expected: bytes) -> None:
    """A body has a length; a request without one has none unless the method expects it."""
    assert make() == expected


def test_own_fields_replace_defaults_whatever_their_case() -> None:
    """None leaves a default out; numbers and bytes become text."""
    fields = merged(DEFAULT_FIELDS, {"accept": "text/html", "USER-AGENT": None, "X-N": 3, "X-B": b"raw"})
    assert fields == {"Accept-Encoding": "gzip, deflate", "accept": "text/html", "X-N": "3", "X-B": "raw"}
