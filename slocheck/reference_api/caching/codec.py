"""How an entry is written in Redis: a version, its expiry and the cost of loading it, then the value.

Every strategy writes the same format, so they can be switched while Redis keeps its content.
"""

import struct

from slocheck.reference_api.caching import Entry

_HEAD = struct.Struct(">BBdd")
_VERSION = 1


def encode(entry: Entry) -> bytes:
    """Write an entry as bytes."""
    present = entry.value is not None
    return _HEAD.pack(_VERSION, present, entry.expiry, entry.delta) + (entry.value or b"")


def decode(stored: bytes) -> Entry | None:
    """Read an entry; None for what another version or another program wrote, which is then reloaded."""
    if len(stored) < _HEAD.size:
        return None
    version, present, expiry, delta = _HEAD.unpack_from(stored)
    if version != _VERSION or present > 1 or not delta >= 0 or expiry != expiry:  # noqa: PLR0124 - NaN
        return None
    return Entry(stored[_HEAD.size :] if present else None, expiry, delta)
