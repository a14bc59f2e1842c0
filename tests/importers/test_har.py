"""HAR files with odd entries: what can be sent is taken, what cannot is counted."""

from typing import Any

import pytest

from slocheck.errors import UsageError
from slocheck.importers.har import from_har
from slocheck.importers.text import can_be_written
from tests.cli.test_init_sources import entry

HOST = "http://127.0.0.1:9"
JWT = "eyJhbGciOiJIUzI1NiJ9.e30.c2ln"


def taken(*entries: Any) -> tuple[list[str], str]:
    """Return the paths of the steps, and what is said about the rest."""
    found = from_har({"log": {"entries": [*entries]}}, what="a.har", all_methods=True)
    assert found.target == HOST
    assert all(map(can_be_written, found.steps))
    return [step.path for step in found.steps], "; ".join(found.left_out)


@pytest.mark.parametrize(
    ("odd", "paths"),
    [
        pytest.param(entry("GET", f"{HOST}/ä b\\c?q=ü|x"), ["/%C3%A4%20b%5Cc?q=%C3%BC|x"], id="not encoded"),
        pytest.param(entry("POST", f"{HOST}/a", body="a\x01b\x7f"), [], id="control characters"),
        pytest.param(entry("POST", f"{HOST}/a", body="a\r\n\tü😀"), ["/a"], id="beyond ASCII"),
        pytest.param(entry("GET", f"{HOST}/a;jsessionid=abc?x=1"), ["/a?x=1"], id="a session in the path"),
        pytest.param(entry("POST", f"{HOST}/a", body="[" * 100_000), ["/a"], id="nested too deep"),
        pytest.param(entry("GET", f"{HOST}/{'x' * 9000}"), [], id="too long"),
        pytest.param(entry("GET", f"{HOST}/{JWT}"), [], id="a token in the path"),
        pytest.param(entry("POST", f"{HOST}/a", body="\ud800"), [], id="a lone surrogate"),
        pytest.param(entry("GET", f"{HOST}/\ud800"), [], id="one in the path"),
        pytest.param(entry("GET", "http://[::1/a"), [], id="not an address"),
        pytest.param(entry("GET", "http://bücher.example/a"), [], id="a host outside ASCII"),
        pytest.param(entry("GET", f"{HOST}/a", status=float("inf")), [], id="a status without end"),  # type: ignore[arg-type]
        pytest.param(entry("GET", "data:,x"), [], id="not over HTTP"),
        pytest.param({"request": None}, [], id="not an entry"),
        pytest.param(7, [], id="a number"),
    ],
)
def test_one_odd_entry_costs_itself_at_most(odd: Any, paths: list[str]) -> None:
    """It is encoded, or counted as left out; the others stay."""
    found, said = taken(entry("GET", f"{HOST}/1"), entry("GET", f"{HOST}/2"), odd)
    assert found == ["/1", "/2", *paths]
    assert paths or "1 request " in said
    with pytest.raises(UsageError) as raised:
        from_har({"log": {"entries": []}}, what="a.har", all_methods=True)
    assert "--all-methods" not in str(raised.value)


def test_headers_are_told_apart() -> None:
    """Two spellings of one are merged; what a browser sends is not called a credential."""
    odd = entry("GET", f"{HOST}/a", Accept="a/b", accept="c/d", User_Agent="x")
    paths, said = taken(odd)
    assert paths == ["/a"]
    assert said == "headers: User-Agent"
    assert "credentials" in taken(entry("GET", f"{HOST}/a", X_Api="x"))[1]


def test_a_form_is_sent_and_a_form_of_parts_is_said() -> None:
    """The parameters of a HAR entry that has no text."""
    form = entry("POST", f"{HOST}/a")
    form["request"]["postData"] = {"params": [{"name": "a", "value": "b c"}]}
    parts = entry("POST", f"{HOST}/b")
    parts["request"]["postData"] = {"mimeType": "multipart/form-data", "params": [{"name": "a"}]}
    found = from_har({"log": {"entries": [form, parts]}}, what="a.har", all_methods=True)
    assert [step.body for step in found.steps] == ["a=b+c", ""]
    assert found.left_out == ("1 request whose body, a multipart form or a file, was not copied",)


@pytest.mark.parametrize("document", [None, [], {}, {"log": None}, {"log": {"entries": {}}}])
def test_another_document_is_refused(document: Any) -> None:
    """With a clear message."""
    with pytest.raises(UsageError, match=r"a\.har: is not a HAR file"):
        from_har(document, what="a.har", all_methods=False)
