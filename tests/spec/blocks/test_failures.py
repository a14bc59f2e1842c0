"""The ``failures`` block: which statuses are failures, fine, or unexpected."""

import pytest

from slocheck.errors import UsageError
from slocheck.spec.model import FailureRule
from tests.builders.specs import make_spec

FAILS, UNEXPECTED, FINE = "fails", "unexpected", "fine"


@pytest.mark.parametrize(
    ("block", "judged"),
    [
        pytest.param(
            "",
            {200: FINE, 204: FINE, 304: FINE, 404: UNEXPECTED, 401: UNEXPECTED, 301: UNEXPECTED,
             101: UNEXPECTED, 429: FAILS, 500: FAILS, 503: FAILS},
            id="nothing written",
        ),
        pytest.param("failures: {expected: [404]}\n", {404: FINE, 410: UNEXPECTED, 500: FAILS}, id="a code"),
        pytest.param("failures: {expected: [3xx, '410']}\n", {301: FINE, 410: FINE}, id="a class"),
        pytest.param("failures: {statuses: [5xx]}\n", {429: UNEXPECTED, 500: FAILS}, id="429 left out"),
        pytest.param("failures: {statuses: [4xx]}\n", {404: FAILS, 500: UNEXPECTED}, id="5xx left out"),
        pytest.param("failures: {statuses: [500], expected: [503]}\n", {500: FAILS, 503: FINE}, id="one"),
    ],
)  # fmt: skip
def test_each_status_has_one_of_three_meanings(block: str, judged: dict[int, str]) -> None:
    """A status is a failure, fine, or neither: then it is not named anywhere."""
    rule = make_spec(more=block).failures
    found = {
        status: FAILS if rule.fails(status) else UNEXPECTED if rule.unexpected(status) else FINE
        for status in judged
    }
    assert found == judged


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        pytest.param("/home", True, id="the path"),
        pytest.param("/home?from=a#top", True, id="with a query"),
        pytest.param("home", True, id="relative"),
        pytest.param("../home", True, id="from the top"),
        pytest.param("http://shop.example/home", True, id="whole"),
        pytest.param("https://SHOP.example:8443/home", True, id="the same host by another scheme"),
        pytest.param("//shop.example/home", True, id="without a scheme"),
        pytest.param("/login", False, id="another path"),
        pytest.param("/home/", False, id="with a slash"),
        pytest.param("http://sso.example/home", False, id="another host"),
        pytest.param("http://shop.example@sso.example/home", False, id="another host in disguise"),
        pytest.param("", False, id="nowhere"),
        pytest.param("http://[::1/home", False, id="not an address"),
    ],
)
def test_a_redirect_is_expected_where_it_leads_to_a_named_path(location: str, *, expected: bool) -> None:
    """The path decides, on the same host only; the query does not."""
    rule = FailureRule(redirects=("/home",))
    assert rule.expects_redirect("//shop.example/orders", location) is expected
    assert not FailureRule().expects_redirect("//shop.example/orders", location)


def test_the_defaults_are_the_models() -> None:
    """Without a block the rule is the model's own."""
    assert make_spec().failures == FailureRule(("5xx", "429"), (), ())


@pytest.mark.parametrize(
    ("block", "text"),
    [
        pytest.param(
            "{statuses: [5xx], expected: [503]}", "503 cannot be expected: 5xx is a failure", id="in a class"
        ),
        pytest.param(
            "{statuses: [404], expected: [4xx]}", "4xx cannot be expected: 404 is a failure", id="a class"
        ),
        pytest.param(
            "{statuses: [404], expected: [404]}", "404 cannot be expected: 404 is a failure", id="the same"
        ),
        pytest.param("{expected: [429]}", "whose default is 5xx, 429", id="a default"),
        pytest.param("{expected: [4o4]}", "is not a status code or class", id="not a status"),
        pytest.param("{redirects: [home]}", "is not a path", id="not a path"),
        pytest.param("{redirects: ['/home?x=1']}", "is not a path", id="with a query"),
    ],
)
def test_contradictions_and_typos_are_refused(block: str, text: str) -> None:
    """An impossible rule is reported with its position."""
    with pytest.raises(UsageError, match=r"slo\.yaml:\d+:\d+") as refused:
        make_spec(more=f"failures: {block}\n")
    assert text in str(refused.value)
