"""What the value of a status label stands for, as libraries, enumerations and people write it."""

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.spec.status_values import statuses_of


@pytest.mark.parametrize(
    ("value", "statuses"),
    [
        pytest.param("503", ("503",), id="a code"),
        pytest.param("200 OK", ("200",), id="Falcon and WSGI"),
        pytest.param("404 Not Found", ("404",), id="a code and its reason"),
        pytest.param("503_Service_Unavailable", ("503",), id="underscores"),
        pytest.param("HTTP/1.1 502 Bad Gateway", ("502",), id="a status line"),
        pytest.param("HTTP_404_NOT_FOUND", ("404",), id="Django REST framework"),
        pytest.param("HTTPStatus.OK", ("2xx", "3xx"), id="Python's enumeration"),
        pytest.param("HTTPStatus.NOT_FOUND", ("404",), id="Python's enumeration, a failure"),
        pytest.param("HttpStatusCode.TooManyRequests", ("429",), id=".NET's enumeration"),
        pytest.param("INTERNAL_SERVER_ERROR", ("500",), id="Java's enumeration"),
        pytest.param("StatusBadGateway", ("502",), id="Go's constant"),
        pytest.param("200.0", ("200",), id="a float"),
        pytest.param("5xx", ("5xx",), id="a group"),
        pytest.param("2XX", ("2xx",), id="a group in capitals"),
        pytest.param("5XX Server Error", ("5xx",), id="a group with words"),
        pytest.param("400-499", ("4xx",), id="a range"),
        pytest.param("4**", ("4xx",), id="asterisks"),
        pytest.param("success", ("2xx", "3xx"), id="success"),
        pytest.param("OK", ("2xx", "3xx"), id="ok"),
        pytest.param("STATUS_CODE_UNSET", ("2xx", "3xx"), id="a span without an error"),
        pytest.param("error", ("4xx", "5xx"), id="error"),
        pytest.param("Failed", ("4xx", "5xx"), id="failed"),
        pytest.param("CLIENT_ERROR", ("4xx",), id="Micrometer's outcome, theirs"),
        pytest.param("SERVER_ERROR", ("5xx",), id="Micrometer's outcome, ours"),
        pytest.param("REDIRECTION", ("3xx",), id="Micrometer's outcome, elsewhere"),
    ],
)
def test_statuses_are_read_as_they_are_written(value: str, statuses: tuple[str, ...]) -> None:
    """Code, reason phrase, name or outcome: an exact status where the value has one."""
    assert statuses_of(value) == statuses


@pytest.mark.parametrize(
    "value", ["", "0", "000", "600", "99", "1000", "total", "UNKNOWN", "PERMISSION_DENIED", "200-499", "http"]
)
def test_what_is_not_a_status_is_not_read(value: str) -> None:
    """Nor is a part of it: what it stands for is not known."""
    assert statuses_of(value) == ()


def test_every_reason_of_python_is_read() -> None:
    """The reason phrase, the name, and the phrase after the code; the phrase of 200 means any success."""
    for status in HTTPStatus:
        if status <= HTTPStatus.OK:
            continue
        for text in (status.phrase, status.name, f"{status.value} {status.phrase}", f"{status!s}"):
            assert statuses_of(text) == (str(status.value),)


@given(st.integers(100, 599), st.sampled_from(["", " ", ": ", "_", " - "]), st.text(max_size=12))
def test_a_code_in_front_is_the_status_or_none(code: int, between: str, text: str) -> None:
    """Whatever follows, it is never read as another status."""
    assert statuses_of(f"{code}{between}{text}") in ((str(code),), ())
