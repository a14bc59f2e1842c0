"""Selectors: every label value comes through PromQL unchanged, whatever is in it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.errors import UsageError
from slocheck.promql.selectors import Matcher, SeriesQuery, matches, selector_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("shop", 'up{job="shop"}', id="plain"),
        pytest.param('a"b', r'up{job="a\"b"}', id="quote"),
        pytest.param("a\\b", r'up{job="a\\b"}', id="backslash"),
        pytest.param("a\nb", r'up{job="a\nb"}', id="newline"),
        pytest.param("/items/{id}", 'up{job="/items/{id}"}', id="braces"),
        pytest.param(".*+?|()[]^$", 'up{job=".*+?|()[]^$"}', id="regex characters are plain under ="),
        pytest.param('"} or up{a="', r'up{job="\"} or up{a=\""}', id="an attempt to leave the string"),
        pytest.param("Größe 🛒", 'up{job="Größe 🛒"}', id="beyond ASCII"),
        pytest.param("", 'up{job=""}', id="empty"),
    ],
)
def test_label_values_are_escaped(value: str, text: str) -> None:
    """A value is one PromQL string, and nothing in it ends that string."""
    assert selector_text(SeriesQuery("up", (Matcher("job", "=", value),))) == text


@pytest.mark.parametrize(
    ("query", "text"),
    [
        pytest.param(SeriesQuery("up"), "up", id="no conditions"),
        pytest.param(
            SeriesQuery("a:b", (Matcher("x", "!=", "1"), Matcher("y", "=~", "5..|4..."))),
            'a:b{x!="1",y=~"5..|4..."}',
            id="several conditions",
        ),
        pytest.param(SeriesQuery("http.server"), '{__name__="http.server"}', id="a name with a dot"),
        pytest.param(
            SeriesQuery('a"b', (Matcher("x", "!~", "1"),)), r'{__name__="a\"b",x!~"1"}', id="an odd name"
        ),
    ],
)
def test_selectors(query: SeriesQuery, text: str) -> None:
    """Names and operators stand as PromQL wants them."""
    assert selector_text(query) == text


@pytest.mark.parametrize(
    ("matcher", "message"),
    [
        pytest.param(Matcher("a-b", "=", "1"), "label 'a-b' cannot be used", id="label name"),
        pytest.param(Matcher("a", "==", "1"), "'==' is not a matching operator", id="operator"),
    ],
)
def test_what_promql_cannot_say_is_refused(matcher: Matcher, message: str) -> None:
    """A wrong label name or operator never reaches the server."""
    with pytest.raises(UsageError, match=message):
        selector_text(SeriesQuery("up", (matcher,)))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_value_survives_the_quoting(value: str) -> None:
    """Reading the string back gives the value; no raw line break or quote is left in it."""
    text = selector_text(SeriesQuery("up", (Matcher("job", "=", value),)))
    inner = text.removeprefix("up{job=").removesuffix("}")
    assert json.loads(inner) == value
    assert "\n" not in text


@pytest.mark.parametrize(
    ("matcher", "holds"),
    [
        pytest.param(Matcher("code", "=", "200"), True, id="equal"),
        pytest.param(Matcher("code", "!=", "200"), False, id="not equal"),
        pytest.param(Matcher("code", "=~", "2.."), True, id="regex"),
        pytest.param(Matcher("code", "=~", "2"), False, id="regexes are anchored"),
        pytest.param(Matcher("code", "!~", "5.."), True, id="not regex"),
        pytest.param(Matcher("route", "=", ""), True, id="an absent label is empty"),
        pytest.param(Matcher("route", "=~", ".+"), False, id="an absent label has no character"),
    ],
)
def test_conditions_on_labels_at_hand(matcher: Matcher, holds: bool) -> None:
    """The scrape source applies conditions as Prometheus would."""
    assert matches({"code": "200"}, [matcher]) is holds


def test_dotted_names_are_quoted() -> None:
    """Prometheus 3 may hold them; it wants the label in quotes and the metric as __name__."""
    query = SeriesQuery("http.server.duration_bucket", (Matcher("http.route", "=", "/orders"),))
    assert selector_text(query) == '{__name__="http.server.duration_bucket","http.route"="/orders"}'
