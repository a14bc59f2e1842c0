"""Signed messages between master and workers: without the run's token, none can be forged or replayed.

A signed message is: sender (16 bytes, random for each process) | counter (8) | HMAC-SHA256 (32) | payload.
A receiver accepts each sender's counters in ascending order only, and never its own messages.
"""

import hashlib
import hmac
import secrets
import struct

MAX_MESSAGE_BYTES = 1 << 26
"""Largest message, with its signature, that receivers accept."""
_SENDER = 16
_MAC = 32
_HEAD = _SENDER + 8 + _MAC


class Signer:
    """Signs what a process sends, and verifies what it receives."""

    def __init__(self, token: bytes) -> None:
        self._keyed = hmac.new(token, digestmod=hashlib.sha256)
        self._sender = secrets.token_bytes(_SENDER)
        self._sent = 0
        self._last: dict[bytes, int] = {}

    def sign(self, payload: bytes) -> bytes:
        """Return `payload`, signed."""
        self._sent += 1
        head = self._sender + struct.pack(">Q", self._sent)
        return head + self._mac(head, payload) + payload

    def verify(self, message: bytes) -> bytes | None:
        """Return a signed message's payload; None if it is malformed, forged, replayed or our own."""
        head, mac, payload = message[: _SENDER + 8], message[_SENDER + 8 : _HEAD], message[_HEAD:]
        if len(message) < _HEAD or not hmac.compare_digest(mac, self._mac(head, payload)):
            return None
        sender, (counter,) = head[:_SENDER], struct.unpack(">Q", head[_SENDER:])
        if sender == self._sender or counter <= self._last.get(sender, 0):
            return None
        self._last[sender] = counter
        return payload

    def _mac(self, head: bytes, payload: bytes) -> bytes:
        mac = self._keyed.copy()
        mac.update(head)
        mac.update(payload)
        return mac.digest()
