"""The view's grade takes at most 1% of a core: counted by a clock that only grading moves."""

from dataclasses import dataclass

import pytest

from slocheck.evidence.model import Evidence
from slocheck.grading.assessment import Assessment
from slocheck.grading.interim.live_grade import SHARE, LiveGrade
from tests.builders.evidence import make_evidence
from tests.builders.reports import report

NOW = report().assessment
EVIDENCE = make_evidence()


@dataclass
class Grader:
    """Grades at a known cost, on its own clock.

    Attributes:
        cost: CPU seconds of the first grade.
        growth: What each second of the run adds to it.
    """

    cost: float
    growth: float = 0.0
    used: float = 0.0
    grades: int = 0
    second: int = 0

    def grade(self, _evidence: Evidence) -> Assessment:
        """Return a grade, after some time."""
        self.used += self.cost + self.growth * self.second
        self.grades += 1
        return NOW

    def run(self, seconds: int) -> list[Assessment]:
        """Return the grade that a view gets in each second."""
        live, found = LiveGrade(self.grade, lambda: self.used), []
        for self.second in range(seconds):
            found.append(live.at(self.second, EVIDENCE))
        return found


@pytest.mark.parametrize(
    ("cost", "grades"),
    [
        pytest.param(0.0, 300, id="free: each second"),
        pytest.param(0.01, 300, id="its share of a core: each second"),
        pytest.param(0.011, 150, id="a little more: every other second"),
        pytest.param(0.1, 30, id="a tenth of a second: each tenth second"),
        pytest.param(7.0, 1, id="seconds: once in twelve minutes"),
    ],
)
def test_an_expensive_grade_is_made_less_often(cost: float, grades: int) -> None:
    """Over five minutes; in between the view shows the last grade."""
    grader = Grader(cost)
    assert grader.run(300) == [NOW] * 300
    assert grader.grades == grades


def test_a_grade_that_grows_with_the_run_keeps_to_its_share() -> None:
    """An hour whose grade costs half a second at its end: its share of the hour and one grade, no more."""
    grader = Grader(0.001, growth=0.5 / 3600)
    grader.run(3600)
    assert grader.used <= SHARE * 3600 + 0.501
    assert grader.grades > 100
