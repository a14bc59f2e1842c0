"""Locust's messages between master and workers, signed. slocheck's own travel in them as one type."""

from collections.abc import Callable, Sequence

from locust.rpc.protocol import Message

from slocheck.load.messaging.signing import Signer

SLOCHECK = "slocheck"
"""The type of a message whose data is one of slocheck's own, as `protocol.encode` returns it."""
MAX_MESSAGE_BYTES = 1 << 26

_serialize: Callable[[Message], bytes] = Message.serialize


def sign_messages(signer: Signer) -> None:
    """Sign every message that this process sends."""

    def signed(self: Message) -> bytes:
        return signer.sign(_serialize(self))

    Message.serialize = signed  # type: ignore[method-assign] # Locust has no other way in


def open_message(signer: Signer, frames: Sequence[bytes]) -> Message | None:
    """Return the message of a worker (identity and body) or of the master (body alone).

    None for anything that is not signed with this run's token, or was received before, is not a message
    of Locust's, or carries another identity than that of its sender.
    """
    packed = signer.verify(frames[-1])
    if packed is None:
        return None
    try:
        message: Message = Message.unserialize(packed)
    except (TypeError, ValueError):
        return None
    if len(frames) > 1 and frames[0] != str(message.node_id).encode():
        return None
    return message
