"""What a proven change for the worse does to a verdict, and what has no effect."""

from dataclasses import replace

import pytest

from slocheck.comparison.compare import compare
from slocheck.grading.assessment import Outcome
from slocheck.grading.regression import with_regressions
from tests.builders.records import runs
from tests.builders.reports import report

BEFORE = runs(0.1, 0.101, 0.099, 0.1, 0.102)


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.PASS, 1),
        (Outcome.UNDECIDED, 1),
        (Outcome.FAIL, 1),
        (Outcome.INVALID, 4),
        (Outcome.INTERRUPTED, 130),
    ],
)
def test_a_proven_regression_fails_what_would_not_fail(outcome: Outcome, code: int) -> None:
    """0 and 3 become 1; what failed, was invalid or was interrupted keeps its code and its reason."""
    worse = compare(runs(0.2, first=30), BEFORE)
    before = report(outcome).assessment
    after = with_regressions(before, worse)
    assert after.exit_code == code
    if outcome in (Outcome.PASS, Outcome.UNDECIDED):
        assert after.outcome is Outcome.FAIL
        assert after.headline.startswith(
            "Worse than in 5 earlier runs: latency_p95 of GET /items 100ms -> 200ms"
        )
        assert after.headline.endswith("; 10% is allowed.")
        assert (after.objectives, after.tier) == (before.objectives, before.tier)
    else:
        assert after == before


@pytest.mark.parametrize("outcome", list(Outcome))
def test_nothing_else_changes_a_verdict(outcome: Outcome) -> None:
    """Neither a single earlier run, nor one that did not ask for it, nor a change for the better."""
    before = report(outcome).assessment
    for harmless in (
        compare(runs(0.2, first=30), BEFORE[:4]),
        replace(compare(runs(0.2, first=30), BEFORE), gates=False),
        compare(runs(0.05, first=30), BEFORE),
        compare(runs(0.1, first=30), BEFORE),
    ):
        assert with_regressions(before, harmless) == before
