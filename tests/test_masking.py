"""Secrets never show."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.masking import mask, strip_url


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
    ],
)
def test_urls_are_stripped(url: str, shown: str) -> None:
    """User info goes, query values are masked, the rest stays readable."""
    assert strip_url(url) == shown
