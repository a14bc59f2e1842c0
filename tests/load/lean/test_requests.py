"""Requests as bytes, and cookies: nothing that a scenario brings can break a message's frame."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.load.lean.cookies import MAX_COOKIES, Cookies
from slocheck.load.lean.heads import Head
from slocheck.load.lean.messages import (
    UnsendableError,
    body_of,
    head_bytes,
    merged,
    request_bytes,
    request_target,
)
from slocheck.load.lean.origin import OriginError, make_origin
from slocheck.spec.model import Tls


@given(st.text(max_size=40), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3))
def test_a_target_is_one_word(path: str, params: dict[str, str]) -> None:
    """Whatever a path holds, the request line has three words."""
    target = request_target(path, params)
    assert target.startswith("/")
    line = head_bytes("GET", target, "a:1", {}).split(b"\r\n")[0]
    assert len(line.split(b" ")) == 3
    assert line.isascii()


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/a?b=c&d=%20", "/a?b=c&d=%20"),
        ("items/1", "/items/1"),
        ("/a b/ü#part", "/a%20b/%C3%BC"),
        ("/a\r\nX: y", "/a%0D%0AX:%20y"),
    ],
)
def test_targets_are_encoded_once(path: str, target: str) -> None:
    """What is encoded stays so; what has to be, is."""
    assert request_target(path) == target


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_field_is_one_line_or_refused(name: str, value: str) -> None:
    """A value with a line break would be a field, or a request, of its own."""
    try:
        head = head_bytes("GET", "/", "a", {name: value})
    except UnsendableError:
        return
    assert head.count(b"\r\n") == head.count(b"\n") == head.count(b"\r") == 3


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding", "Connection", "a b", ""])
def test_fields_that_frame_the_message_are_the_clients(name: str) -> None:
    """Two of a kind would end the request in two places."""
    with pytest.raises(UnsendableError):
        head_bytes("GET", "/", "a", {name: "1"})
    with pytest.raises(UnsendableError, match="no HTTP method"):
        head_bytes("GET /", "/", "a", {})


@pytest.mark.parametrize(
    ("data", "json_value", "expected"),
    [
        pytest.param(None, {"a": [1, "ü"]}, (b'{"a":[1,"\\u00fc"]}', "application/json"), id="JSON"),
        pytest.param({"a": "b c"}, None, (b"a=b+c", "application/x-www-form-urlencoded"), id="form"),
        pytest.param("ü", None, ("ü".encode(), ""), id="text"),
        pytest.param(b"\0", None, (b"\0", ""), id="bytes"),
        pytest.param(None, None, (b"", ""), id="none"),
    ],
)
def test_bodies(data: object, json_value: object, expected: tuple[bytes, str]) -> None:
    """As FastHttpUser takes them; anything else is refused."""
    assert body_of(data, json_value) == expected
    with pytest.raises(UnsendableError):
        body_of(object(), None)


def test_a_whole_request() -> None:
    """A body has its length, a POST without one too; fields of the same name replace the defaults."""
    head = head_bytes(
        "POST", "/a", "h:1", merged({"Accept": "*/*", "A": "1"}, {"accept": "text/html", "A": None})
    )
    assert request_bytes(head, "POST", b"xy", cookie="k=v") == (
        b"POST /a HTTP/1.1\r\nHost: h:1\r\naccept: text/html\r\nCookie: k=v\r\nContent-Length: 2\r\n\r\nxy"
    )
    assert request_bytes(head, "POST", b"").endswith(b"Content-Length: 0\r\n\r\n")
    assert b"Content-Length" not in request_bytes(head, "GET", b"")


def jar(*set_cookies: str, path: str = "/shop/cart", tls: bool = False) -> Cookies:
    """Return the cookies after a response that sets these."""
    cookies = Cookies("api.example", tls=tls)
    lines = "".join(f"Set-Cookie: {text}\r\n" for text in set_cookies)
    cookies.store(Head(f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode()), path)
    return cookies


@pytest.mark.parametrize(
    ("written", "target", "sent"),
    [
        pytest.param("a=1; Path=/", "/", "a=1", id="everywhere"),
        pytest.param("a=1", "/shop/x?y", "a=1", id="beside where it was set"),
        pytest.param("a=1", "/shopping", "", id="not for a longer name"),
        pytest.param("a=1; Path=/shop/", "/shop/cart", "a=1", id="below its path"),
        pytest.param("a=1; Path=/; Secure", "/", "", id="secure, without TLS"),
        pytest.param("a=1; Path=/; Max-Age=0", "/", "", id="ended at once"),
        pytest.param(
            "a=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/", "a=1", id="age first"
        ),
        pytest.param("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/", "", id="in the past"),
        pytest.param("a=1; Path=/; Domain=example", "/", "a=1", id="a parent domain"),
        pytest.param("a=1; Path=/; Domain=elsewhere.example", "/", "", id="another domain"),
        pytest.param("=1; Path=/", "/", "", id="no name"),
        pytest.param("a=1=2; Path=/", "/", "a=1=2", id="an equals sign in the value"),
    ],
)
def test_cookies_go_where_they_belong(written: str, target: str, sent: str) -> None:
    """After RFC 6265, for the one host that a user talks to."""
    assert jar(written).header(target) == sent


def test_cookies_are_replaced_ordered_and_bounded() -> None:
    """A new value replaces the old one, longer paths come first, and a flood ends."""
    cookies = jar("a=1; Path=/", "a=2; Path=/", "b=3; Path=/shop", "c=4; Path=/; Secure", tls=True)
    assert cookies.header("/shop") == "b=3; a=2; c=4"
    assert (cookies.get("a"), cookies.get("z", "none"), len(cookies)) == ("2", "none", 3)
    flood = jar(*(f"k{number}=1; Path=/" for number in range(2 * MAX_COOKIES)))
    assert len(flood) == MAX_COOKIES
    flood.clear()
    assert not flood


@pytest.mark.parametrize(
    ("url", "authority", "base"),
    [
        ("http://api.example", "api.example", ""),
        ("http://api.example:8000/v1/", "api.example:8000", "/v1"),
        ("https://[::1]:8443", "[::1]:8443", ""),
        ("https://api.example:443", "api.example", ""),
    ],
)
def test_an_origin_is_named_as_in_its_url(url: str, authority: str, base: str) -> None:
    """The default port is left out of the Host field, brackets stay."""
    origin = make_origin(url, Tls())
    assert (origin.authority, origin.base) == (authority, base)


def test_a_proxy_of_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Going around it would measure another way than clients take; this machine needs none."""
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(OriginError, match=r"unset http_proxy, or add api\.example to no_proxy"):
        make_origin("http://api.example", Tls())
    make_origin("http://127.0.0.1:8000", Tls())
    monkeypatch.setenv("no_proxy", "api.example")
    make_origin("http://api.example", Tls())
    with pytest.raises(OriginError, match="write http://HOST:PORT"):
        make_origin("ftp://api.example", Tls())
