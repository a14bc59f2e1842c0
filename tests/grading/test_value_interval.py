"""The interval of an observed value in its own unit never contradicts the verdict."""

from dataclasses import replace

import pytest

from slocheck.grading.assessment import Bounds, Cause, ObjectiveResult, Side, SideResult, Verdict
from slocheck.grading.value_interval import value_interval
from slocheck.indicators.samples import Display
from slocheck.spec.model import Confidence
from tests.builders.recordings import ITEM, steady
from tests.builders.reports import parsed, report

SURE = parsed().confidence


def test_the_sample_run_has_an_interval_around_each_value_of_the_client() -> None:
    """It holds the value, and lies on the verdict's side of every limit that was decided."""
    found = report()
    shares = 0
    for result in found.assessment.objectives:
        for level in result.levels:
            for side in (side for side in level.sides if side.side is Side.CLIENT):
                interval = value_interval(result, side, found.evidence.recording, SURE)
                assert interval is not None
                assert side.display is not None
                low, high = interval
                assert low <= (side.display.low or 0) <= (side.display.high or 0) <= high
                limit = float(level.limit.value)
                inside = low < limit < high
                assert not inside or side.verdict is Verdict.UNDECIDED
                shares += 1
    assert shares > 8


def latency(verdict: Verdict, cause: Cause | None = None) -> tuple[ObjectiveResult, SideResult]:
    """Return the p95 of the sample run with one verdict of the client on each limit."""
    result = report().assessment.objectives[0]
    bounds = Bounds(0.01, 0.09, effective_sample_size=400.0)
    side = SideResult(Side.CLIENT, verdict, Display(0.02, 0.02), 1000, bounds=bounds, cause=cause)
    levels = tuple(replace(level, sides=(side,), verdict=verdict) for level in result.levels)
    return replace(result, objective=replace(result.objective, endpoint=ITEM), levels=levels), side


@pytest.mark.parametrize(
    ("verdict", "cause", "low", "high"),
    [
        pytest.param(Verdict.MET, None, 0.02, 0.02, id="as it is"),
        pytest.param(Verdict.BREACHED, None, 0.02, 0.5, id="no lower than a limit that is broken"),
        pytest.param(Verdict.UNDECIDED, Cause.TOO_CLOSE, 0.02, 0.5, id="as far as a limit that is open"),
        pytest.param(Verdict.UNDECIDED, None, 0.02, 0.02, id="open for another reason than chance"),
    ],
)
def test_a_percentile_is_moved_to_the_side_of_its_verdict(
    verdict: Verdict, cause: Cause | None, low: float, high: float
) -> None:
    """The interval of a rank uses another method than grading; if they differ, the verdict stands."""
    result, side = latency(verdict, cause)
    found = value_interval(result, side, steady(60, {20: 100}), SURE)
    assert found is not None
    assert list(found) == pytest.approx([low, high], rel=0.01)


@pytest.mark.parametrize("sure", [None, SURE])
def test_there_is_none_without_statistics(sure: Confidence | None) -> None:
    """Not with `confidence: none`, not without bounds, and not for buckets, which already are a range."""
    result, side = latency(Verdict.MET)
    if sure is None:
        assert value_interval(result, side, steady(60, {20: 100}), None) is None
    assert value_interval(result, replace(side, bounds=None), steady(60, {20: 100}), sure) is None
    assert value_interval(result, replace(side, side=Side.SERVER), steady(60, {20: 100}), sure) is None
