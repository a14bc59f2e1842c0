"""Noticing a scenario that only raises exceptions, so that its load can be ended. No Locust here."""

from slocheck.load.messaging.messages import TaskCounts

RAISING_S = 10.0
"""A run is ended after this long with exceptions and without a completed task."""
_EACH = 10
"""Exceptions required for each user whose task may still be completed."""


class TaskStreak:
    """What the tasks of all workers did since the last completed one.

    Attributes:
        gone: How the last user that ended itself did so; empty if none did.
    """

    def __init__(self, max_exceptions: int) -> None:
        """Begin with nothing; this many exceptions are tolerated."""
        self._tolerated = max_exceptions
        self._since: float | None = None
        self._raised = 0
        self._busy: dict[str, int] = {}
        self.gone = ""

    def add(self, worker: str, tasks: TaskCounts, *, now: float) -> None:
        """Add what a worker reports; `now` is the monotonic clock, seconds."""
        self.gone = tasks.gone or self.gone
        self._busy[worker] = tasks.busy
        if tasks.done:
            self._since, self._raised = None, 0
        if tasks.raised and not tasks.done:
            self._raised += tasks.raised
        if (tasks.raised or tasks.gone) and self._since is None:
            self._since = now

    def ends(self, running: int, *, now: float) -> bool:
        """Tell whether the load should end: no user is left, or tasks only raise exceptions."""
        if self._since is None or now - self._since < RAISING_S:
            return False
        if running == 0:
            return True
        needed = max(self._tolerated + 1, _EACH * (1 + sum(self._busy.values())))
        return self._raised >= needed

    def says(self, running: int) -> str:
        """Say what was noticed."""
        if running == 0:
            return "no user of the Locust file is left"
        return f"every task of the Locust file raised an exception for {RAISING_S:g} s"
