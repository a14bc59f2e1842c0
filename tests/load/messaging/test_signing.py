"""Sealed messages: what a stranger sends changes nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.load.messaging.signing import Signer

TOKEN = b"t" * 32


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_sealed_messages_arrive(payloads: list[bytes]) -> None:
    """Everything is opened once, in order."""
    sender, receiver = Signer(TOKEN), Signer(TOKEN)
    assert [receiver.open(sender.close(payload)) for payload in payloads] == payloads
    assert receiver.rejected == 0


@given(st.binary(max_size=200))
def test_junk_is_rejected(junk: bytes) -> None:
    """Bytes that were not sealed are nothing."""
    receiver = Signer(TOKEN)
    assert receiver.open(junk) is None
    assert receiver.rejected == 1


@given(st.binary(min_size=1, max_size=20), st.data())
def test_every_byte_is_sealed(payload: bytes, data: st.DataObject) -> None:
    """A message changed anywhere is rejected, and the true one is still taken."""
    sender, receiver = Signer(TOKEN), Signer(TOKEN)
    message = bytearray(sender.close(payload))
    place = data.draw(st.integers(0, len(message) - 1))
    message[place] ^= data.draw(st.integers(1, 255))
    assert receiver.open(bytes(message)) is None
    message = bytearray(sender.close(payload))
    assert receiver.open(bytes(message)) == payload


@pytest.mark.parametrize(
    "case",
    ["replayed", "out of order", "another token", "our own"],
)
def test_what_was_sealed_is_not_always_taken(case: str) -> None:
    """Replays, old messages, foreign seals and reflections are rejected."""
    sender, receiver = Signer(TOKEN), Signer(TOKEN)
    first, second = sender.close(b"1"), sender.close(b"2")
    receiver.open(second)
    message = {
        "replayed": second,
        "out of order": first,
        "another token": Signer(b"x" * 32).close(b"1"),
        "our own": receiver.close(b"1"),
    }[case]
    assert receiver.open(message) is None
    assert receiver.open(sender.close(b"3")) == b"3"
