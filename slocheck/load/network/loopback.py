"""Which loopback a process sees: its machine's, or that of its container or network namespace."""

import hashlib
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/net")


def loopback_id() -> str:
    """Return an id that two processes share if 127.0.0.1 is the same place for both; empty without Linux.

    A connection to a loopback address does not show that: it may be the end of a tunnel.
    """
    try:
        boot, namespace = _BOOT.read_text(encoding="ascii"), _NAMESPACE.stat().st_ino
    except OSError:
        return ""
    return hashlib.sha256(f"{boot} {namespace}".encode()).hexdigest()
