"""Cookies: kept for one host, sent where they belong, and never a way into a request's head."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.load.http.cookies import MAX_COOKIES, Cookies
from slocheck.load.http.http1.heads import Head


def jar_after(
    *fields: str, target: str = "/shop/cart?x=1", host: str = "shop.example", tls: bool = False
) -> Cookies:
    """Return a jar that took in one response."""
    jar = Cookies(host, tls=tls)
    take(jar, *fields, target=target)
    return jar


def take(jar: Cookies, *fields: str, target: str = "/shop/cart") -> None:
    """Give a jar one response."""
    lines = [f"Set-Cookie: {field}\r\n" for field in fields]
    jar.store(Head(("HTTP/1.1 200 OK\r\n" + "".join(lines) + "\r\n").encode("latin-1")), target)


@pytest.mark.parametrize(
    ("field", "target", "sent"),
    [
        pytest.param("a=b", "/shop/x", "a=b", id="default path: the folder"),
        pytest.param("a=b", "/shop", "a=b", id="the folder itself"),
        pytest.param("a=b", "/shopping", "", id="not a name that begins alike"),
        pytest.param("a=b", "/", "", id="not above"),
        pytest.param("a=b; Path=/", "/", "a=b", id="a path"),
        pytest.param("a=b; path=/x/; HttpOnly; SameSite=Lax", "/x/y", "a=b", id="a path with a slash"),
        pytest.param("a=b; Path=/x", "/xy", "", id="another path"),
        pytest.param("a=b; Path=nowhere", "/shop/x", "a=b", id="no path"),
        pytest.param("a=b=c; Path=/", "/", "a=b=c", id="an equals sign in the value"),
        pytest.param(" a = b ; Path=/", "/", "a=b", id="blanks"),
        pytest.param('a="b c"; Path=/', "/", 'a="b c"', id="quotes stay"),
        pytest.param("a=; Path=/", "/", "a=", id="an empty value"),
        pytest.param("a; Path=/", "/", "", id="no value"),
        pytest.param("=b; Path=/", "/", "", id="no name"),
        pytest.param("", "/", "", id="nothing"),
        pytest.param("a=b; Path=/; Secure", "/", "", id="secure, over plain HTTP"),
        pytest.param("a=b; Path=/; Domain=shop.example", "/", "a=b", id="its own domain"),
        pytest.param("a=b; Path=/; Domain=.Example", "/", "a=b", id="a domain above"),
        pytest.param("a=b; Path=/; Domain=other.example", "/", "", id="another domain"),
        pytest.param("a=b; Path=/; Domain=op.example", "/", "", id="a domain that ends alike"),
        pytest.param("a=b; Path=/; Max-Age=100", "/", "a=b", id="alive"),
        pytest.param("a=b; Path=/; Max-Age=0", "/", "", id="ended"),
        pytest.param("a=b; Path=/; Max-Age=-1", "/", "", id="ended before"),
        pytest.param("a=b; Path=/; Max-Age=" + "9" * 500, "/", "a=b", id="as good as for ever"),
        pytest.param("a=b; Path=/; Max-Age=²", "/", "a=b", id="no number"),
        pytest.param(
            "a=b; Path=/; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/", "a=b", id="age first"
        ),
        pytest.param("a=b; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "/", "", id="expired"),
        pytest.param("a=b; Path=/; Expires=Fri, 31 Dec 9998 23:59:59 GMT", "/", "a=b", id="not expired"),
        pytest.param("a=b; Path=/; Expires=soon", "/", "a=b", id="no date"),
    ],
)
def test_where_a_cookie_is_sent(field: str, target: str, sent: str) -> None:
    """By RFC 6265, for one host."""
    assert jar_after(field).header(target) == sent


def test_under_tls_secure_cookies_are_sent() -> None:
    """Together with the others, longer paths first."""
    jar = jar_after("a=1; Path=/; Secure", "b=2; Path=/shop", tls=True)
    assert jar.header("/shop/x") == "b=2; a=1"


def test_a_cookie_is_replaced_by_name_and_path() -> None:
    """A later one wins; an expired one also removes the earlier one."""
    jar = jar_after("a=1; Path=/", "a=2; Path=/", "a=3; Path=/x")
    assert (jar.header("/"), len(jar), jar.get("a")) == ("a=2", 2, "3")
    take(jar, "a=; Path=/; Max-Age=0")
    assert (jar.header("/"), jar.get("b", "none")) == ("", "none")
    jar.clear()
    assert not jar


def test_the_jar_is_bounded() -> None:
    """A server that keeps setting new names does not fill the memory."""
    jar = jar_after(*(f"n{number}=v; Path=/" for number in range(MAX_COOKIES + 50)))
    assert len(jar) == MAX_COOKIES


@given(
    st.lists(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=60), max_size=4)
)
def test_nothing_that_a_server_sets_breaks_a_request(fields: list[str]) -> None:
    """Whatever it sends, the Cookie field is one line."""
    jar = Cookies("h", tls=False)
    for tail in ("", "; Expires=", "; Max-Age="):
        take(jar, *(f"a=b{tail}{field}" for field in fields), *fields)
    sent = jar.header("/shop/cart")
    assert not {"\r", "\n", "\0"} & set(sent)


@pytest.mark.parametrize(
    ("name", "value"), [("a", "b\r\nX: y"), ("a\n", "b"), ("a", "b; c=d"), ("a=b", "c"), ("a", "\0")]
)
def test_nothing_that_a_task_sets_breaks_a_request(name: str, value: str) -> None:
    """The error says so at the line that does it."""
    jar = Cookies("h", tls=False)
    with pytest.raises(ValueError, match="of one line"):
        jar.set(name, value)
    jar.set("a", "b")
    assert jar.header("/") == "a=b"
