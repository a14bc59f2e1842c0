"""Positions in PostgreSQL's write-ahead log, and how far behind a replica is."""

import re
from collections import deque

_HALF = 32
_TEXT = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}", re.ASCII)


def read_position(text: str) -> int | None:
    """Read a position as PostgreSQL writes it, ``16/B374D848``, into a number; None for anything else."""
    if not _TEXT.fullmatch(text):
        return None
    high, _, low = text.partition("/")
    return int(high, 16) << _HALF | int(low, 16)


def show_position(position: int) -> str:
    """Write a position as PostgreSQL does."""
    return f"{position >> _HALF:X}/{position & (1 << _HALF) - 1:X}"


class Lag:
    """How many seconds a replica is behind, from positions that were seen on both servers.

    The usual query, ``now() - pg_last_xact_replay_timestamp()``, grows on an idle primary, and its usual
    fix, 0 if all that was received is replayed, says 0 on a replica that no longer receives. Here the
    lag is the age of the oldest position of the primary that the replica has not replayed: right in both.
    """

    def __init__(self) -> None:
        self._ahead: deque[tuple[float, int]] = deque()

    def seen(self, now: float, primary: int, replayed: int) -> float:
        """Take one sample of both servers.

        Args:
            now: Seconds of a clock that only moves forward.
            primary: The primary's position, read before the replica's.
            replayed: Up to where the replica has replayed.

        Returns:
            Seconds, 0 if the replica has all of the primary's position.
        """
        if not self._ahead or primary > self._ahead[-1][1]:
            self._ahead.append((now, primary))
        while self._ahead and self._ahead[0][1] <= replayed:
            self._ahead.popleft()
        return now - self._ahead[0][0] if self._ahead else 0.0
