"""The machine's clocks during the load: jumps of the wall clock, and time in which it was suspended."""

import time


class ClockWatch:
    """Compares the monotonic clock, which paces the load, with the machine's other clocks.

    Attributes:
        jump: Largest difference between the progress of the wall clock and of the monotonic clock, seconds.
        suspended: Seconds that the machine was suspended, which the monotonic clock does not count.
    """

    def __init__(self) -> None:
        self.jump = self.suspended = 0.0
        self._began: tuple[float, float, float] | None = None

    def begin(self, *, wall: float, monotonic: float) -> None:
        """Begin to watch, from a time given on both clocks."""
        self._began = wall, monotonic, _boot_ahead()

    def look(self) -> None:
        """Compare the clocks; called several times a second."""
        if self._began is None:
            return
        wall, monotonic, boot_ahead = self._began
        self.suspended = max(self.suspended, _boot_ahead() - boot_ahead)
        drift = (time.time() - wall) - (time.monotonic() - monotonic)
        self.jump = max(self.jump, abs(drift))


def _boot_ahead() -> float:
    """Return how far the clock that counts suspended time is ahead of the one that does not, seconds."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
