"""Values of options, as typed."""

import os
from secrets import randbelow
from urllib.parse import urlsplit

from slocheck.allowed_targets import AllowedTargets
from slocheck.documents.units import parse_duration, shown
from slocheck.errors import UsageError

MAX_PROCESSES = 64
LARGEST_SEED = 10**18 - 1
"""Fits the 64 bits of the archive."""
_DRAWN_BELOW = 10**9
"""A seed that is drawn is short enough to be typed."""


def worker_count(text: str) -> int:
    """Return the number of worker processes: as typed, or with ``auto`` all cores but one."""
    if text == "auto":
        return max(1, len(os.sched_getaffinity(0)) - 1)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_PROCESSES:
        raise UsageError(f"--processes: {shown(text)} is not a count; write 1 to {MAX_PROCESSES}, or auto")
    return int(text)


def seed_typed(seed: int | None) -> int:
    """Return a seed as typed, or one that is drawn; raises UsageError."""
    if seed is None:
        return randbelow(_DRAWN_BELOW)
    if not 0 <= seed <= LARGEST_SEED:
        raise UsageError(
            f"--seed: {shown(str(seed))} is not a seed; write a whole number from 0 to {LARGEST_SEED}"
        )
    return seed


def address_typed(flag: str, text: str) -> tuple[str, int]:
    """Return host and port as typed; port 0 means any free one; raises UsageError."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "", parts.port
        AllowedTargets.of((host,))  # raises for what is neither a name nor an address
    except (ValueError, UsageError):
        host, port = "", None
    if not host or port is None or parts.netloc != text or "@" in text:
        raise UsageError(
            f"{flag}: {shown(text)} is not HOST:PORT; write one such as 10.0.0.5:5557 or [::1]:5557"
        )
    return host, port


def seconds_typed(flag: str, text: str) -> float:
    """Return a duration as typed, seconds; raises UsageError."""
    try:
        return float(parse_duration(text))
    except ValueError as error:
        raise UsageError(f"{flag}: {error}") from error
