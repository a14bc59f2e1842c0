"""A service's runs in their order, and which of them stand out."""

from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest
from scipy import stats

from slocheck.comparison.history import histories
from slocheck.comparison.model import RunRecord
from slocheck.spec.model import IndicatorKind
from tests.builders.records import CONDITIONS, latency, rate, record, runs, share

STEADY = (0.1, 0.101, 0.099, 0.1, 0.102)


def outliers(*records: RunRecord) -> list[tuple[str, bool]]:
    """Return the runs with a value that stands out, and whether for the worse."""
    (history,) = histories(records, 50)
    return [
        (run.run_id[9:13], point.expected.worse)
        for run in history.runs
        for _, point in history.outliers(run.run_id)
        if point.expected
    ]


def test_the_interval_is_that_of_the_runs_before() -> None:
    """Student's t on logarithms, at 99 %, from the sixth run on."""
    (history,) = histories(runs(*STEADY, 0.2, 0.1), 50)
    (series,) = history.series
    assert [point.expected is None for point in series.points] == [True] * 5 + [False] * 2
    expected = series.points[5].expected
    assert expected is not None
    logs = np.log(STEADY)
    ends = stats.t.interval(0.99, 4, loc=logs.mean(), scale=float(np.std(logs, ddof=1)) * sqrt(1.2))
    assert (log(expected.low), log(expected.high)) == pytest.approx(ends, rel=1e-9)
    assert (expected.outside, expected.worse) == (True, True)
    after = series.points[6].expected
    assert after is not None
    assert not after.outside


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        pytest.param(latency(0.1), latency(0.2), [("0350", True)], id="slower"),
        pytest.param(latency(0.1), latency(0.05), [("0350", False)], id="faster"),
        pytest.param(latency(0.1), latency(0.101), [], id="as before"),
        pytest.param(share(0.0), share(0.01), [("0350", True)], id="failures"),
        pytest.param(
            share(0.9, IndicatorKind.CACHE_HIT_RATE),
            share(0.95, IndicatorKind.CACHE_HIT_RATE),
            [("0350", False)],
            id="more cache hits",
        ),
        pytest.param(rate(100.0), rate(50.0), [("0350", True)], id="a lower rate"),
        pytest.param(latency(0.1), replace(latency(0.2), quantile=0.99), [], id="another percentile"),
        pytest.param(latency(0.1), replace(latency(0.2), observed=None), [], id="no value"),
    ],
)
def test_a_run_that_stands_out_is_marked(before: object, now: object, found: list[tuple[str, bool]]) -> None:
    """In its indicator's direction."""
    old = [record(number, before) for number in range(5)]  # type: ignore[arg-type]  # of the table
    assert outliers(*old, record(50, now)) == found  # type: ignore[arg-type]  # as above


def test_runs_that_cannot_be_compared_are_shown_and_held_against_nothing() -> None:
    """An invalid run, or one with another load, has no expectation and adds to none."""
    other = replace(CONDITIONS, workload="9/s", workload_sha256="9")
    wild = [record(number, latency(9.0), conditions=other) for number in range(10, 20)]
    invalid = [record(20, latency(9.0), valid=False)]
    assert outliers(*runs(*STEADY), *wild, *invalid, record(30, latency(0.1))) == []
    (history,) = histories([*runs(*STEADY), *invalid], 50)
    assert (history.series[0].points[-1].value, history.series[0].points[-1].verdict) == (None, "")


def test_each_service_has_its_own_history() -> None:
    """In the order of names; older runs count, and are not shown."""
    cart = [record(number, conditions=replace(CONDITIONS, service="cart")) for number in range(20, 22)]
    found = histories([*runs(*STEADY, 0.3), *cart], 2)
    assert [history.service for history in found] == ["cart", "shop-api"]
    assert [len(history.runs) for history in found] == [2, 2]
    assert found[1].outliers(found[1].runs[-1].run_id)
    assert histories([], 5) == []


def test_objectives_that_came_and_went_have_their_own_series() -> None:
    """The newest run's first; a run without the objective has no value."""
    old = [record(0, latency(0.1, name="gone"), latency(0.1))]
    (history,) = histories([*old, record(1, latency(0.2), rate(5.0))], 5)
    assert [series.objective.name for series in history.series] == ["latency_p95", "rps_per_instance", "gone"]
    assert [[point.value is None for point in series.points] for series in history.series] == [
        [False, False],
        [True, False],
        [False, True],
    ]
