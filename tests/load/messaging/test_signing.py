"""Signed messages: what a stranger sends has no effect."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.load.messaging.signing import Signer

TOKEN = b"t" * 32


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_signed_messages_arrive(payloads: list[bytes]) -> None:
    """Each payload is returned once, in order."""
    sender, receiver = Signer(TOKEN), Signer(TOKEN)
    assert [receiver.verify(sender.sign(payload)) for payload in payloads] == payloads


@given(st.binary(max_size=200))
def test_junk_is_rejected(junk: bytes) -> None:
    """Bytes that were not signed are rejected."""
    assert Signer(TOKEN).verify(junk) is None


@given(st.binary(min_size=1, max_size=20), st.data())
def test_every_byte_is_signed(payload: bytes, data: st.DataObject) -> None:
    """A message changed anywhere is rejected, and the genuine one is still accepted."""
    sender, receiver = Signer(TOKEN), Signer(TOKEN)
    message = bytearray(sender.sign(payload))
    place = data.draw(st.integers(0, len(message) - 1))
    message[place] ^= data.draw(st.integers(1, 255))
    assert receiver.verify(bytes(message)) is None
    message = bytearray(sender.sign(payload))
    assert receiver.verify(bytes(message)) == payload


@pytest.mark.parametrize(
    "case",
    ["replayed", "out of order", "another token", "our own"],
)
def test_what_was_signed_is_not_always_taken(case: str) -> None:
    """Replays, old messages, foreign signatures and reflections are rejected."""
    sender, receiver = Signer(TOKEN), Signer(TOKEN)
    first, second = sender.sign(b"1"), sender.sign(b"2")
    receiver.verify(second)
    message = {
        "replayed": second,
        "out of order": first,
        "another token": Signer(b"x" * 32).sign(b"1"),
        "our own": receiver.sign(b"1"),
    }[case]
    assert receiver.verify(message) is None
    assert receiver.verify(sender.sign(b"3")) == b"3"
