"""How often a job is tried, and how long it waits in between."""

from dataclasses import dataclass

_MOST_DOUBLINGS = 60
_SPREAD = 0.2


@dataclass(frozen=True, slots=True)
class Retries:
    """Exponential back-off: each wait is twice the one before.

    The naive form tries again at once, and adds its load to what is failing. Jobs that failed together would
    come back together, so each wait is shortened by a random share.

    Attributes:
        attempts: How often a job is tried, at least 1.
        delay_s: Wait after the first attempt.
        most_s: Bound on a wait.
    """

    attempts: int = 3
    delay_s: float = 1.0
    most_s: float = 60.0

    def after(self, attempt: int, chance: float = 0.0) -> float | None:
        """Return how many seconds to wait after a failed attempt.

        Args:
            attempt: Which one failed, from 1.
            chance: Random number, 0..1, by which the wait is shortened: at 1 by a fifth.

        Returns:
            ``min(delay_s * 2 ** (attempt - 1), most_s)``, shortened; None if it was the last attempt.
        """
        if attempt >= self.attempts:
            return None
        delay = min(self.delay_s * 2.0 ** min(attempt - 1, _MOST_DOUBLINGS), self.most_s)
        return delay * (1 - _SPREAD * chance)
