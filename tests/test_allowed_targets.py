"""The one rule of which hosts a run may connect to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.allowed_targets import AllowedTargets, address_of, host_name, is_localhost_name
from slocheck.errors import UsageError

ADDRESSES = st.ip_addresses()


@pytest.mark.parametrize(
    ("text", "free"),
    [
        pytest.param("127.0.0.1", True, id="loopback"),
        pytest.param("127.8.9.1", True, id="the rest of 127.0.0.0/8"),
        pytest.param("128.0.0.1", False, id="just beyond it"),
        pytest.param("126.255.255.255", False, id="just before it"),
        pytest.param("::1", True, id="loopback of IPv6"),
        pytest.param("[::1]", True, id="as it is written in a URL"),
        pytest.param("::2", False, id="next to it"),
        pytest.param("0.0.0.0", True, id="unspecified: Linux connects to loopback"),
        pytest.param("0.0.0.1", False, id="next to it: it leads nowhere, and not to loopback"),
        pytest.param("::", True, id="unspecified, in IPv6"),
        pytest.param("::ffff:127.0.0.1", True, id="loopback, mapped"),
        pytest.param("::ffff:0.0.0.0", True, id="unspecified, mapped"),
        pytest.param("::ffff:10.0.0.1", False, id="a private address, mapped"),
        pytest.param("::127.0.0.1", False, id="an old form of IPv6 that is not loopback"),
        pytest.param("64:ff9b::7f00:1", False, id="loopback behind a translator is another machine's"),
        pytest.param("10.0.0.1", False, id="private"),
        pytest.param("169.254.169.254", False, id="link-local: a cloud's metadata"),
        pytest.param("fe80::1%lo", False, id="link-local with a scope"),
        pytest.param("224.0.0.1", False, id="multicast"),
        pytest.param("255.255.255.255", False, id="broadcast"),
        pytest.param("localhost", False, id="a name is not an address"),
        pytest.param("2130706433", False, id="a number is a name that is looked up"),
        pytest.param("127.1", False, id="so is a short form"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_loopback_alone_is_free(text: str, *, free: bool) -> None:
    """Where an address leads decides, however it is spelt."""
    assert AllowedTargets().allows_address(text) == free


@given(ADDRESSES)
def test_an_address_is_allowed_in_every_spelling_and_no_other_is(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """What is named as an address is that address; without it only loopback is allowed."""
    spellings = [str(address), address.exploded, f"[{address}]"]
    if isinstance(address, ipaddress.IPv4Address):
        spellings += [f"::ffff:{address}"]
    for spelling in spellings:
        rule = AllowedTargets.of([spelling])
        assert all(rule.allows_address(other) and rule.names_host(other) for other in spellings)
        leads_to = address_of(spelling)
        assert leads_to is not None
        assert AllowedTargets().allows_address(spelling) == leads_to.is_loopback


@pytest.mark.parametrize(
    ("named", "host", "same"),
    [
        ("Shop.Example", "shop.example.", True),
        (" shop.example ", "SHOP.EXAMPLE", True),
        ("bücher.example", "xn--bcher-kva.example", True),
        ("shop.example", "www.shop.example", False),
        ("shop.example", "shop.example.evil.example", False),
        ("shop.example", "10.0.0.1", False),
        ("10.0.0.1", "::ffff:10.0.0.1", True),
        ("localhost", "api.localhost", False),
    ],
)
def test_a_name_is_allowed_as_dns_reads_it(named: str, host: str, *, same: bool) -> None:
    """Without regard to case, a final dot or its spelling in Unicode; names below it are others."""
    assert AllowedTargets.of([named]).names_host(host) == same


@pytest.mark.parametrize(
    "host",
    ["http://shop.example", "shop.example:80", "shop.example/x", "*.example", "a b", "-x", "user@host"],
)
def test_what_is_not_a_host_is_refused(host: str) -> None:
    """Silently allowing nothing would leave the user guessing."""
    with pytest.raises(UsageError, match="without scheme, port and path"):
        AllowedTargets.of([host])


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    """A host comes from a URL, a redirect or a command line: none breaks the rule."""
    try:
        AllowedTargets.of([text])
    except UsageError:
        assert address_of(text) is None
    assert host_name(host_name(text)) == host_name(text)
    if AllowedTargets().allows_address(text):
        assert address_of(text) is not None


def test_names_for_this_machine() -> None:
    """They are reserved for it; still, they are resolved."""
    assert all(map(is_localhost_name, ("localhost", "LOCALHOST.", "api.localhost")))
    assert not any(map(is_localhost_name, ("localhost.example", "mylocalhost", "127.0.0.1")))
