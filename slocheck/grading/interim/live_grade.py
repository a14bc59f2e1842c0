"""The live view's grade of a run in progress: computed as often as a small share of one core allows."""

from collections.abc import Callable

from slocheck.evidence.model import Evidence
from slocheck.grading.assessment import Assessment

SHARE = 0.01
"""Share of one core: CPU time spent on grading is missing for sending and serving. With the rest of what the
command line does during the load, this stays below 2%."""


class LiveGrade:
    """Grades each second of a run while that is cheap, and less often later; make one for each run."""

    def __init__(self, grade: Callable[[Evidence], Assessment], cpu: Callable[[], float]) -> None:
        """Take what grades, and the clock of the CPU seconds that this thread has used."""
        self._grade = grade
        self._cpu = cpu
        self._last: Assessment | None = None
        self._due = 0.0

    def at(self, second: int, evidence: Evidence) -> Assessment:
        """Return the grade at a second of the load: a new one, or the last one until the next is due."""
        if self._last is None or second >= self._due:
            begun = self._cpu()
            self._last = self._grade(evidence)
            self._due = second + (self._cpu() - begun) / SHARE
        return self._last
