"""Host and port of a URL, and tokens."""

import re

import pytest

from slocheck.documents.http import TOKEN_CHARACTER, authority, host_and_port


@pytest.mark.parametrize(
    ("url", "host", "port", "shown"),
    [
        pytest.param("http://Shop.example/a?b", "shop.example", 80, "shop.example:80", id="plain"),
        pytest.param("https://shop.example", "shop.example", 443, "shop.example:443", id="TLS"),
        pytest.param("https://shop.example:8443", "shop.example", 8443, "shop.example:8443", id="written"),
        pytest.param("http://[::1]:9090/metrics", "::1", 9090, "[::1]:9090", id="IPv6"),
        pytest.param("ftp://shop.example", "shop.example", 0, "shop.example:0", id="unknown scheme"),
    ],
)
def test_the_host_and_the_port_of_a_url(url: str, host: str, port: int, shown: str) -> None:
    """The port is the scheme's if none is written; an IPv6 address has brackets only in a URL."""
    assert host_and_port(url) == (host, port)
    assert authority(host, port) == shown


def test_a_wrong_port_is_an_error() -> None:
    """It is not replaced by the scheme's default."""
    with pytest.raises(ValueError, match="out of range"):
        host_and_port("http://shop.example:99999")


def test_a_token_has_no_separators() -> None:
    """RFC 9110: visible ASCII without delimiters."""
    found = {chr(code) for code in range(256) if re.fullmatch(TOKEN_CHARACTER, chr(code))}
    visible = {chr(code) for code in range(0x21, 0x7F)}
    assert found == visible - set('"(),/:;<=>?@[\\]{}')
