"""The phases of a run: warm-up, window, drain, in whole seconds. No Locust here."""

from math import ceil, floor

from slocheck.plan.load_plan import LoadPlan

ON_START_S = 30.0
"""Users that take longer in their `on_start` become available when they finish it, in the window."""


class Phases:
    """When each phase begins, in seconds since the load began; parts of a second are rounded up.

    Attributes:
        warmup_s: Whole seconds of warm-up.
        window_s: Whole seconds of the window.
        end_s: When the last request is sent.
    """

    def __init__(self, plan: LoadPlan) -> None:
        self.warmup_s = ceil(plan.warmup_s)
        self.window_s = max(1, ceil(plan.duration_s))
        self.end_s = self.warmup_s + self.window_s

    def finish(self, elapsed: float) -> None:
        """End the window with the second that runs after `elapsed` seconds, unless it ends earlier."""
        self.end_s = min(self.end_s, max(self.warmup_s + 1, ceil(elapsed)))
        self.window_s = self.end_s - self.warmup_s

    @property
    def window(self) -> range:
        """The window's seconds."""
        return range(self.warmup_s, self.end_s)

    def name(self, elapsed: float) -> str:
        """Return the phase at a time: ``warm-up``, ``window`` or ``drain``."""
        if elapsed < self.warmup_s:
            return "warm-up"
        return "window" if elapsed < self.end_s else "drain"

    def measured(self, elapsed: float) -> int:
        """Return how many whole seconds of the window have passed after `elapsed` seconds."""
        return min(max(0, floor(elapsed) - self.warmup_s), self.window_s)

    def until_next(self, elapsed: float) -> float:
        """Return how long it is until the next full second or the end, whichever comes first; seconds."""
        return max(0.0, min(floor(elapsed) + 1, self.end_s) - elapsed)
