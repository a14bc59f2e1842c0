"""The check of other clients' responses: it agrees with the lean client, however the bytes are split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.load.http.errors import TransportError
from slocheck.load.users.response_check import ResponseCheck
from tests.support.broken_responses import BROKEN, MAX_BODY, WHOLE

ENCODED = ("bomb", "gzip", "encoding")
"""Parts of the names of cases whose fault is in the encoded body, which is not checked here."""
FRAMED = {name: (data, True) for name, (data, _) in BROKEN.items() if not any(p in name for p in ENCODED)}
CASES = {**FRAMED, **{name: (data, False) for name, data in WHOLE.items()}}


def refused(pieces: list[bytes], *, no_body: bool = False) -> bool:
    """Feed the pieces of a response and the end of its connection; tells whether it was refused."""
    check = ResponseCheck(no_body=no_body, max_body=MAX_BODY)
    try:
        for piece in (*pieces, b""):
            check.feed(piece)
    except TransportError:
        return True
    return False


@pytest.mark.parametrize("name", CASES)
def test_a_response_is_judged_whole_and_in_pieces(name: str) -> None:
    """In one piece, and in two wherever its first thousand bytes are cut."""
    data, broken = CASES[name]
    assert refused([data]) is broken
    cuts = range(1, min(len(data), 200), 3)
    assert {refused([data[:cut], data[cut:]]) for cut in cuts} == {broken}


@given(st.binary(max_size=300))
def test_garbage_is_refused(data: bytes) -> None:
    """Only an HTTP response counts as one; an empty response is left to the client."""
    assert refused([data] if data else []) is bool(data)


def test_a_response_to_head_has_no_body() -> None:
    """Its Content-Length says what a GET would get."""
    assert not refused([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"], no_body=True)
    assert refused([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
