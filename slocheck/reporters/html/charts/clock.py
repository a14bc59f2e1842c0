"""Moments of a run, as time of day and as time since the load began."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Clock:
    """Names seconds of a run.

    Attributes:
        start: When the load began, UTC; None if that cannot be read.
    """

    start: datetime | None

    def time_of_day(self, second: float) -> str:
        """Return the time of day, UTC, to the second: ``14:03:10``; empty if it is not known."""
        return f"{self.start + timedelta(seconds=second):%H:%M:%S}" if self.start else ""

    def elapsed(self, second: float) -> str:
        """Return the time since the load began: ``0:45``, ``1:02:03``."""
        minutes, rest = divmod(int(second), 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

    def moment(self, second: float) -> str:
        """Return how a sentence names a moment: by the time of day, or else since the load began."""
        return self.time_of_day(second) or self.elapsed(second)


def clock_of(started: str) -> Clock:
    """Return the clock of a run that began at an ISO 8601 time."""
    try:
        start = datetime.fromisoformat(started)
    except ValueError:
        return Clock(None)
    return Clock(start.astimezone(UTC) if start.tzinfo else start)
