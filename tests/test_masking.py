"""Secrets never show."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.masking import MASK, mask, mask_urls, strip_url


@given(
    secret=st.text(
        alphabet=st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=8, max_size=40
    ),
    before=st.sampled_from(["", "Authorization: Bearer ", "<td>"]),
)
def test_a_secret_is_masked_in_every_spelling(secret: str, before: str) -> None:
    """Plain, base64 and percent-encoded forms are all gone."""
    forms = [secret, base64.b64encode(secret.encode()).decode(), quote(secret, safe="")]
    shown = mask("\n".join(before + form for form in forms), [secret])
    for form in forms:
        assert form not in shown


def test_short_values_do_not_mask_half_of_the_report() -> None:
    """A secret of a character or two guards nothing and would make the text unreadable."""
    assert mask("gate silver", ["e"]) == "gate silver"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param("http://user:pw@host:80/a", "http://host:80/a", id="user info"),
        pytest.param("http://host/a?api_key=secret&x=", "http://host/a?api_key=***&x=***", id="query values"),
        pytest.param("http://[::1]:8000/", "http://[::1]:8000/", id="an IPv6 address stays"),
        pytest.param("http://host/a#token", "http://host/a", id="fragment"),
        pytest.param("/items?id=7&tag=a=b", "/items?id=***&tag=***", id="a path, and a value with a sign"),
        pytest.param("/items?page", "/items?page", id="a key alone"),
        pytest.param("//user@host/a?b=c?d=e", "//host/a?b=***", id="without a scheme"),
        pytest.param("/@me/items", "/@me/items", id="an at sign in a path"),
        pytest.param("http://[/?a=b", "http://[/?a=***", id="not an address"),
    ],
)
def test_urls_are_stripped(url: str, shown: str) -> None:
    """User info goes, query values are masked, the rest stays readable."""
    assert strip_url(url) == shown


VALUES = st.text(
    st.characters(exclude_characters='\t\n\r "<>&?#', categories=["L", "N", "P", "S"]), min_size=1
)
KEYS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)


@given(
    pairs=st.lists(st.tuples(KEYS, VALUES.map(lambda value: f"\N{SNOWMAN}{value}")), min_size=1, max_size=5),
    path=st.sampled_from(["/items", "http://shop.example/items", "http://me:secret@shop.example:80/a/b", ""]),
    around=st.sampled_from(
        [("", ""), ("no answer from ", " within 5 s"), ("GET '", "'"), ('{"url": "', '"}')]
    ),
)
def test_a_query_keeps_its_keys_and_loses_its_values(
    pairs: list[tuple[str, str]], path: str, around: tuple[str, str]
) -> None:
    """In a name that comes from an address, and wherever an address stands in a text."""
    url = f"{path}?{'&'.join(f'{key}={value}' for key, value in pairs)}"
    shown = f"{path.replace('me:secret@', '')}?{'&'.join(f'{key}={MASK}' for key, _ in pairs)}"
    assert strip_url(url) == strip_url(shown) == shown
    text = mask_urls(f"{around[0]}{url}{around[1]}")
    assert text.startswith(around[0] + shown)
    assert "\N{SNOWMAN}" not in text
    assert mask_urls(text) == text


@given(text=st.text(st.characters(exclude_characters="?@")))
def test_a_text_without_addresses_stays(text: str) -> None:
    """Nothing is lost where there is nothing to hide."""
    assert mask_urls(text) == text
