"""Locust's messages between master and workers, signed. One type of them carries slocheck's own messages."""

from collections.abc import Mapping, Sequence
from math import copysign, inf
from typing import Any

import msgpack  # type: ignore[import-untyped]  # ships no types; comes with Locust
from locust.rpc.protocol import Message, decode, encode

from slocheck.load.messaging.signing import MAX_MESSAGE_BYTES, Signer

SLOCHECK = "slocheck"
"""The type of a message whose data is one of slocheck's own, as `protocol.encode` returns it."""
_LARGEST = MAX_MESSAGE_BYTES - 1024
"""Bytes of a message without its signature; the master's socket would drop a worker that sends more."""
_ANY_TEXT = "surrogatepass"
"""A Locust file's messages and options may hold texts that are not valid Unicode."""


def sign_messages(signer: Signer) -> None:
    """Sign every message that this process sends."""

    def signed(self: Message) -> bytes:
        return signer.sign(packed((self.type, self.data, self.node_id)))

    Message.serialize = signed  # type: ignore[method-assign] # Locust has no other way in


def sendable(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Exception]]:
    """Return the entries of some data that can be sent together, and by key why the others cannot."""
    good, bad, left = {}, {}, _LARGEST - 1024
    for key, value in data.items():
        try:
            size = len(packed((key, value)))
        except Exception as error:  # noqa: BLE001 - whatever a listener of the Locust file has put there
            bad[str(key)] = error
            continue
        if size <= left:
            good[key], left = value, left - size
        else:
            bad[str(key)] = ValueError(f"{size:,} bytes are too many")
    return good, bad


def packed(plain: object) -> bytes:
    """Return a message, or an entry of one, as bytes; raises ValueError if the receiver would refuse it."""
    packed: bytes = msgpack.dumps(plain, default=_encoded, unicode_errors=_ANY_TEXT)
    if len(packed) > _LARGEST:
        raise ValueError(f"{len(packed):,} bytes are too many, at most {_LARGEST:,} can be sent")
    return packed


def _encoded(value: object) -> object:
    """Return a substitute for a value that msgpack does not know; for a number beyond 64 bits, a float."""
    if not isinstance(value, int):
        return encode(value)
    try:
        return float(value)
    except OverflowError:
        return copysign(inf, value)


def open_message(signer: Signer, frames: Sequence[bytes]) -> Message | None:
    """Return the message of a worker (identity and body) or of the master (body alone).

    None if it is not signed with this run's token, was received before, is not one of Locust's messages, or
    carries another identity than its sender's.
    """
    packed = signer.verify(frames[-1])
    if packed is None:
        return None
    try:
        parts = msgpack.loads(
            packed, raw=False, strict_map_key=False, object_hook=decode, unicode_errors=_ANY_TEXT
        )
        message = Message(*parts)
    except Exception:  # noqa: BLE001 - Locust's own decoding raises whatever a damaged value leads to
        return None
    if len(frames) > 1 and frames[0] != str(message.node_id).encode():
        return None
    return message
