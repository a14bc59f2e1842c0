"""Secrets never show."""

import base64
import html
import json
import os
import re
import string
from collections.abc import Callable
from urllib.parse import quote, quote_plus
from xml.sax import saxutils

import markupsafe
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck.documents.texts import shorten
from slocheck.evidence.series import RawSeries
from slocheck.masking import (
    MASK,
    environment_secrets,
    mask,
    mask_urls,
    masked,
    option_secrets,
    secrets_of,
    strip_url,
)
from tests.builders.specs import make_spec


def yaml_quoted(text: str) -> str:
    """Return a text in YAML's single quotes."""
    return text.replace("'", "''")


FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, not in ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text, ensure_ascii=False), ensure_ascii=False),
    "JSON in a script": lambda text: json.dumps(text).replace("<", "\\u003c").replace("&", "\\u0026"),
    "YAML, double quotes": lambda text: yaml.dump(text, default_style='"', width=10**6),
    "YAML, single quotes": yaml_quoted,
    "Python": repr,
    "Python, in ASCII": ascii,
    "shell": lambda text: "".join(f"\\{c}" if not c.isalnum() else c for c in text),
    "URL": lambda text: quote(text, safe=""),
    "URL, lower case": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "URL, a path": quote,
    "form": quote_plus,
    "HTML": html.escape,
    "HTML, numbers": lambda text: "".join(f"&#{ord(c)};" if not c.isalnum() else c for c in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(c):X};" if not c.isalnum() else c for c in text),
    "Jinja": lambda text: str(markupsafe.escape(text)),
    "XML": saxutils.escape,
    "XML, an attribute": saxutils.quoteattr,
    "Latin-1": lambda text: text.encode().decode("latin-1"),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "URL, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "hexadecimal": lambda text: text.encode().hex(),
    "hexadecimal, in capitals": lambda text: text.encode().hex().upper(),
    "base64 in a URL": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
}
MARKS = 8
"""The most characters around a secret that may be left: quotes, base64 padding."""
SECRETS = st.text(
    alphabet=st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"])
    | st.sampled_from("\\'\"&<>%+/= "),
    min_size=8,
    max_size=40,
).filter(lambda text: text == text.strip() and len(set(text)) > 3)


@pytest.mark.parametrize("form", list(FORMS))
@settings(max_examples=50)
@given(secret=SECRETS, before=st.sampled_from(["", "Authorization: Bearer ", "<td>", "\\", "%5C"]))
def test_a_secret_is_masked_in_every_form(form: str, secret: str, before: str) -> None:
    """Nothing of it is left but the quotes around it, and what is around it stays."""
    written = FORMS[form](secret)
    shown = mask(f"{before}{written} after", [secret])
    assert secret not in shown
    assert written not in shown
    assert shown.endswith(" after")
    assert len(shown) <= len(before) + len("*** after") + MARKS


@given(
    user=st.text(alphabet="abc", max_size=9),
    secret=st.text(alphabet=string.printable.strip(), min_size=8, max_size=40),
    after=st.sampled_from(["", "x", "xy"]),
)
def test_a_secret_is_masked_within_base64(user: str, secret: str, after: str) -> None:
    """Whatever name precedes the password, nothing that could be decoded is left of it."""
    shown = mask(f"Basic {base64.b64encode(f'{user}:{secret}{after}'.encode()).decode()}", [secret])
    assert MASK in shown
    assert len(shown) <= len("Basic ***") + (len(user) + len(after) + 4) * 2


@pytest.mark.parametrize(
    "form", ["as it is", "JSON", "Python", "URL", "form", "HTML", "base64", "base64 for URLs", "hexadecimal"]
)
@settings(max_examples=25)
@given(secret=SECRETS, share=st.floats(0, 1))
def test_a_cut_leaves_no_beginning_of_a_secret(form: str, secret: str, share: float) -> None:
    """Workers bound their messages before the secrets are known: what a cut leaves of one goes as well."""
    written = FORMS[form](secret)
    kept = 6 + int(share * (len(written) - 7))
    shown = mask(shorten(f"denied: {written}", len("denied: ") + kept), [secret])
    assert shown.startswith("denied: ")
    assert MASK in shown
    assert len(shown) <= len(f"denied: '{MASK}=…")


def test_each_line_of_a_secret_is_one() -> None:
    """A private key is printed by its lines; what is as short as a word is left alone."""
    key = "-----BEGIN KEY-----\n  MIIEvQIBADANBg\nend\n"
    assert mask("key: MIIEvQIBADANBg, end", [key]) == "key: ***, end"
    assert mask(key, [key]) == MASK
    assert "MIIE" not in mask(json.dumps(key), [key])


def test_what_is_not_a_secret_stays() -> None:
    """A part of it, or a similar word, is not masked."""
    secret = "s3cr\\et/value"
    for text in ("s3cr", "et/value", "S3CR\\ET/VALUE", "s3cr et/value", "s3cr\\et%2gvalue"):
        assert mask(text, [secret]) == text


@pytest.mark.parametrize("secret", ["\\" * 40, "'" * 40, "a" * 400, "&#x" * 20])
def test_no_text_takes_long_to_search(secret: str) -> None:
    """A text of many near matches is still read once."""
    text = (secret[:-1] + "!") * 500
    assert mask(f"{text}{secret}.", [secret]).endswith("***.")


def test_a_variable_that_is_not_text_is_masked() -> None:
    """A byte of the environment that is not UTF-8 comes as a lone surrogate."""
    assert mask("key: abc\udcffdef, &quot;", ["abc\udcffdef"]) == "key: ***, &quot;"


@pytest.mark.parametrize(
    ("words", "secrets"),
    [
        pytest.param(["--password", "hunter2", "--region", "eu"], ("hunter2",), id="two words"),
        pytest.param(["--api-key=abcd", "--user=ann"], ("abcd",), id="one word"),
        pytest.param(["--auth-token", "--verbose", "abcd"], (), id="a flag"),
        pytest.param(["--keyboard", "qwertz", "--monkey", "yes"], (), id="names that only contain it"),
        pytest.param(["--password="], (), id="nothing"),
    ],
)
def test_options_that_are_named_after_secrets_hold_some(words: list[str], secrets: tuple[str, ...]) -> None:
    """Their values are masked like the spec's credentials."""
    assert option_secrets(words) == secrets


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        pytest.param("SHOP_TOKEN", "abcdef-1", "abcdef-1", id="a token"),
        pytest.param("db_password", "hunter22", "hunter22", id="in small letters"),
        pytest.param("MYSQL_PWD", "hunter22", "hunter22", id="pwd"),
        pytest.param("APIKEY", "hunter22", "hunter22", id="in one word"),
        pytest.param("AWS_SECRET_ACCESS_KEY", " hunter22\n", "hunter22", id="spaces around it"),
        pytest.param("BASIC_AUTH", "ann:hunter22", "ann:hunter22", id="auth"),
        pytest.param("DATABASE_URL", "postgres://ann:hunter22@db/x", "hunter22", id="in an address"),
        pytest.param("PWD", "/home/ann/shop", None, id="a folder"),
        pytest.param("MONKEY", "banana-1", None, id="a name that only contains it"),
        pytest.param("TOKEN_URL", "https://idp.example", None, id="what is not the secret itself"),
        pytest.param("AUTH", "true", None, id="a word"),
        pytest.param("SHOP_LICENCE", "hunter22", None, id="another name"),
    ],
)
def test_variables_that_are_named_after_secrets_hold_some(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, secret: str | None
) -> None:
    """A Locust file may read any of them without declaring it; others are listed in the spec."""
    for known in list(os.environ):
        monkeypatch.delenv(known)
    monkeypatch.setenv(name, value)
    assert environment_secrets() == ((secret,) if secret else ())
    listed = make_spec(more=f"secrets: [{name}]\n")
    assert secrets_of(listed) == tuple(dict.fromkeys((value.strip(), *filter(None, [secret]))))


def test_labels_are_masked_and_their_series_stay_apart() -> None:
    """Secrets, and the values of queries; the numbers are untouched, and the same label stays the same."""
    paths = ("/a?id=7", "/a?id=8", "/of/hunter22", "/a?id=7", "/plain")
    series = tuple(RawSeries("m_total", {"path": path}, (1.0,), (2.0,)) for path in paths)
    shown = masked(series, ("hunter22",))
    assert [one.labels["path"] for one in shown] == [
        "/a?id=***", "/a?id=*** (2)", "/of/***", "/a?id=***", "/plain"
    ]  # fmt: skip
    assert masked(shown, ("hunter22",)) == shown
    assert shown[4] is series[4]


def test_short_values_do_not_mask_half_of_the_report() -> None:
    """Masking a secret of one or two characters would only make the text unreadable."""
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
        [("", ""), ("no response from ", " within 5 s"), ("GET '", "'"), ('{"url": "', '"}')]
    ),
)
def test_a_query_keeps_its_keys_and_loses_its_values(
    pairs: list[tuple[str, str]], path: str, around: tuple[str, str]
) -> None:
    """In a name that comes from an address, and wherever an address is in a text."""
    url = f"{path}?{'&'.join(f'{key}={value}' for key, value in pairs)}"
    shown = f"{path.replace('me:secret@', '')}?{'&'.join(f'{key}={MASK}' for key, _ in pairs)}"
    assert strip_url(url) == strip_url(shown) == shown
    text = mask_urls(f"{around[0]}{url}{around[1]}")
    assert text.startswith(around[0] + shown)
    assert "\N{SNOWMAN}" not in text
    assert mask_urls(text) == text


@given(text=st.text(st.characters(exclude_characters="?@")))
def test_a_text_without_addresses_stays(text: str) -> None:
    """Nothing is lost if there is nothing to hide."""
    assert mask_urls(text) == text
