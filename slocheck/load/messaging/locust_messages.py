"""Locust's messages between master and workers, sealed; and what slocheck adds to them."""

from collections.abc import Callable, Sequence

from locust.rpc.protocol import Message

from slocheck.load.messaging.signing import Signer

PREPARE = "slocheck_prepare"
PREPARED = "slocheck_prepared"
UNPREPARED = "slocheck_unprepared"
BEGIN = "slocheck_begin"
REPORT = "slocheck_report"
MAX_MESSAGE_BYTES = 1 << 26

_serialize: Callable[[Message], bytes] = Message.serialize


def sign_messages(seal: Signer) -> None:
    """Make every message that this process sends a sealed one."""

    def sealed(self: Message) -> bytes:
        return seal.close(_serialize(self))

    Message.serialize = sealed  # type: ignore[method-assign] # Locust has no other way in


def open_message(seal: Signer, frames: Sequence[bytes]) -> Message | None:
    """Return the message of a worker (identity and body) or of the master (body alone).

    None for anything that is not sealed with this run's token, or was received before, or carries
    another identity than the one that sealed it.
    """
    packed = seal.open(frames[-1])
    if packed is None:
        return None
    message: Message = Message.unserialize(packed)
    if len(frames) > 1 and frames[0] != message.node_id.encode():
        return None
    return message
