"""Interim results, in case the master is lost: as often as a share of a core allows."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
SHARE = 0.01
"""Share of one core, on average."""


class Interim:
    """Makes a result at every call while that is cheap, and less often later."""

    def __init__(
        self, spent: Callable[[], float] = time.process_time, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the clocks: the process's CPU seconds, and seconds that pass."""
        self._spent, self._now = spent, now
        self._due = float("-inf")

    def made(self, make: Callable[[], T]) -> T | None:
        """Return the result; None if it has to wait."""
        if self._now() < self._due:
            return None
        before = self._spent()
        result = make()
        self._due = self._now() + (self._spent() - before) / SHARE
        return result
