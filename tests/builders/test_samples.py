"""The sample runs are possible ones: each is consistent with itself and with its recording."""

from collections.abc import Callable
from functools import partial

import pytest

from slocheck.evidence.recording import FailureClass, SliceCounts
from slocheck.grading.assessment import Outcome, Side, SideResult, Verdict
from slocheck.grading.report import Report
from slocheck.spec.model import IndicatorKind
from tests.builders.reports import (
    HOSTILE,
    hostile_report,
    of_recording,
    report,
    target_lost,
    unbounded,
    unsteady,
)
from tests.builders.traffic import recording

SAMPLES: dict[str, Callable[[], Report]] = {
    **{str(outcome): partial(report, outcome=outcome) for outcome in Outcome},
    "unsteady": unsteady,
    "unsteady, without confidence": partial(unsteady, confidence=False),
    "unbounded": unbounded,
    "target lost": target_lost,
    "without a server side": lambda: of_recording(recording()),
    **{f"hostile {number}": partial(hostile_report, text) for number, text in enumerate(HOSTILE)},
}
ROUNDING = 1e-9


@pytest.fixture(params=SAMPLES)
def sample(request: pytest.FixtureRequest) -> Report:
    """Return each sample in turn."""
    return SAMPLES[request.param]()


def sides_of(found: Report) -> list[tuple[IndicatorKind, SideResult]]:
    """Return every side of every level with its kind of indicator."""
    return [
        (result.objective.indicator.kind, side)
        for result in found.assessment.objectives
        for level in result.levels
        for side in level.sides
    ]


def slices_of(found: Report) -> list[SliceCounts]:
    """Return all slices of the window."""
    recorded = found.evidence.recording
    begin, end = recorded.warmup_s, recorded.warmup_s + recorded.window_s
    return [part for item in recorded.endpoints for part in item.slices if begin <= part.second < end]


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_sample_ends_as_it_is_asked_to(outcome: Outcome) -> None:
    """The grader comes to the outcome that the sample is named after."""
    assert report(outcome=outcome).assessment.outcome is outcome


def test_each_observed_share_lies_within_its_interval(sample: Report) -> None:
    """The bad requests that were counted are not fewer or more than the bounds allow."""
    for _, side in sides_of(sample):
        if side.bounds is not None and side.bad is not None:
            assert side.bounds.low <= side.bad / side.total, side
        if side.bounds is not None and side.bad_upper is not None:
            assert side.bad_upper / side.total <= side.bounds.high, side


def test_each_value_follows_from_its_counts(sample: Report) -> None:
    """A ratio is the share of its bad requests or its complement; a percentile is not above the maximum.

    If some requests may or may not be bad, it lies within what that allows.
    """
    slowest = max((part.max_ns for part in slices_of(sample)), default=0) / 1e9
    for kind, side in sides_of(sample):
        if side.side is not Side.CLIENT or side.display is None or side.bad is None:
            continue
        low, high = side.display.low, side.display.high
        assert low is not None
        assert high is not None
        assert low <= high
        if kind is IndicatorKind.LATENCY:
            assert low <= slowest or low == float("inf")
        else:
            assert side.bad_upper is not None
            share, most = side.bad / side.total, side.bad_upper / side.total
            least, largest = (share, most) if kind is IndicatorKind.ERROR_RATE else (1 - most, 1 - share)
            assert least - ROUNDING <= low <= largest + ROUNDING


def test_percentiles_rise(sample: Report) -> None:
    """The 95th is not above the 99th if both are about all requests."""
    found = {
        result.objective.indicator.quantile: result.levels[0].sides[0].display
        for result in sample.assessment.objectives
        if result.objective.indicator.kind is IndicatorKind.LATENCY and result.objective.endpoint is None
    }
    lows = [found[q].low for q in sorted(q for q in found if q is not None)]  # type: ignore[union-attr]
    assert lows == sorted(lows, key=lambda low: float("-inf") if low is None else low)


def test_the_counts_of_each_second_add_up(sample: Report) -> None:
    """Statuses, histogram, failures and what is over each threshold are about the same requests."""
    for part in slices_of(sample):
        assert sum(part.statuses.values()) == part.sent
        assert sum(part.latencies.values()) == part.ok
        assert list(part.over) == sorted(part.over, reverse=True)
        assert all(count <= part.ok for count in part.over)
        assert part.cache_hits + part.cache_misses <= part.sent
        assert part.unserved <= part.failed


def test_the_examples_of_failures_are_those_that_were_counted(sample: Report) -> None:
    """An endpoint has as many examples of a class as it has failures of that class."""
    recorded = sample.evidence.recording
    counted = {
        (item.endpoint, why): sum(part.failures.get(why, 0) for part in item.slices)
        for item in recorded.endpoints
        for why in FailureClass
    }
    assert {(e.endpoint, e.failure): e.count for e in recorded.errors} == {
        key: count for key, count in counted.items() if count
    }


def test_the_server_counts_no_request_that_was_not_sent(sample: Report) -> None:
    """Both sides are about the same traffic."""
    sent = sum(part.sent for part in slices_of(sample))
    assert all(side.total <= sent for _, side in sides_of(sample))


def test_a_run_with_a_fault_has_met_nothing(sample: Report) -> None:
    """Without a level or a side there is no tier."""
    if all(check.valid for check in sample.assessment.findings):
        return
    levels = [level for result in sample.assessment.objectives for level in result.levels]
    assert Verdict.MET not in {level.verdict for level in levels}
    assert Verdict.MET not in {side.verdict for _, side in sides_of(sample)}
    assert sample.assessment.tier is None


def test_the_invalid_sample_is_among_those_with_a_fault() -> None:
    """The test above has something to check."""
    checks = report(outcome=Outcome.INVALID).assessment.findings
    assert [check.code for check in checks if not check.valid] == ["generator-cpu"]
