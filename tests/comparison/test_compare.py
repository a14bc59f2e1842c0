"""What a comparison says, and what it refuses to say."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.comparison.compare import MOST_RUNS, comparable, compare
from slocheck.comparison.model import Form, Method, ObjectiveRecord, Observed, RunRecord, Trend
from slocheck.spec.model import IndicatorKind
from tests.builders.records import CONDITIONS, latency, rate, record, runs, share

STEADY = (0.1, 0.101, 0.099, 0.1, 0.102)
"""Runs that differ by a percent or so."""
VALUES = st.lists(st.floats(0.09, 0.11), min_size=5, max_size=12)


def one(objective: ObjectiveRecord) -> list[RunRecord]:
    """Return a new run of one objective."""
    return [record(50, objective)]


@pytest.mark.parametrize(
    ("new", "trend"),
    [
        pytest.param(0.150, Trend.WORSE, id="half as slow again"),
        pytest.param(0.120, Trend.WORSE, id="20 % slower, where runs differ by 1 %"),
        pytest.param(0.112, Trend.UNDECIDED, id="12 %: beyond the margin, but not for certain"),
        pytest.param(0.101, Trend.WITHIN, id="as before"),
        pytest.param(0.080, Trend.BETTER, id="faster"),
    ],
)
def test_one_run_against_five(new: float, trend: Trend) -> None:
    """The lower end of the prediction interval decides, not the value."""
    found = compare(one(latency(new)), runs(*STEADY))
    (change,) = found.changes
    assert (found.method, found.gates, found.confidence) == (Method.PREDICTION, True, 0.99)
    assert (change.trend, change.form, change.endpoint) == (trend, Form.RATIO, "GET /items")
    assert change.amount == pytest.approx(new / 0.1004, rel=1e-3)
    assert change.low is not None
    assert change.high is not None
    assert change.low < (change.amount or 0) < change.high
    assert (change.trend is Trend.WORSE) == (change.low > 1.1)
    assert change.recent == pytest.approx((*STEADY, new))


def test_a_run_that_hides_its_own_spread_is_not_proven_worse() -> None:
    """A part of it had no percentile at all; the server's side never has an error, and is tested."""
    (change,) = compare(one(latency(0.150, error=None)), runs(*STEADY)).changes
    assert change.trend is Trend.UNDECIDED
    assert "varies within itself" in change.reason
    short = [
        replace(run, objectives=(latency(value, error=None),))
        for run, value in zip(runs(*STEADY), STEADY, strict=True)
    ]
    assert compare(one(latency(0.150, error=None)), short).changes[0].trend is Trend.WORSE
    hidden = latency(0.150, error=None)
    assert hidden.observed is not None
    server = replace(hidden, observed=replace(hidden.observed, side="server"))
    old = [
        replace(
            run,
            objectives=tuple(
                replace(item, observed=replace(item.observed, side="server"))
                for item in run.objectives
                if item.observed
            ),
        )
        for run in runs(*STEADY)
    ]
    assert compare(one(server), old).changes[0].trend is Trend.WORSE


@pytest.mark.parametrize("count", [1, 2, 4])
def test_fewer_than_five_are_information(count: int) -> None:
    """However large the change is: one pair of runs cannot show how much runs differ."""
    found = compare(one(latency(0.9)), runs(*STEADY[:count]))
    assert (found.method, found.gates) == (Method.WITHIN_RUNS, False)
    assert [change.trend for change in found.changes] == [Trend.UNTESTED]
    assert found.regressions == ()
    assert found.changes[0].amount == pytest.approx(0.9 / STEADY[count - 1])
    assert found.changes[0].low == pytest.approx(
        0.9 / STEADY[count - 1] * np.exp(-2.024 * 0.01 * 2**0.5), rel=1e-3
    )


def test_five_against_five_is_welch() -> None:
    """Both sides vary; the interval is that of the ratio of their geometric means."""
    slower = [1.3 * value for value in STEADY]
    found = compare(runs(*slower, first=20), runs(*STEADY))
    (change,) = found.changes
    assert (found.method, found.gates, change.trend) == (Method.WELCH, True, Trend.WORSE)
    assert change.amount == pytest.approx(1.3)
    assert compare(runs(*STEADY, first=20), runs(*STEADY)).changes[0].trend is Trend.WITHIN


@pytest.mark.parametrize(
    ("before", "now", "trend"),
    [
        pytest.param(share(0.0), share(0.002), Trend.WORSE, id="60 failures after none"),
        pytest.param(share(0.0), share(0.0001), Trend.UNDECIDED, id="3 failures after none"),
        pytest.param(share(0.0), share(0.01, size=100), Trend.UNDECIDED, id="one burst after none"),
        pytest.param(
            share(0.0), share(0.0), Trend.UNDECIDED, id="none after none: 10 % of nothing is nothing"
        ),
        pytest.param(share(0.01), share(0.02), Trend.WORSE, id="twice as many"),
        pytest.param(share(0.02), share(0.01), Trend.BETTER, id="half as many"),
        pytest.param(
            share(0.999, IndicatorKind.AVAILABILITY),
            share(0.99, IndicatorKind.AVAILABILITY),
            Trend.WORSE,
            id="fewer served",
        ),
        pytest.param(
            share(0.9, IndicatorKind.CACHE_HIT_RATE),
            share(0.95, IndicatorKind.CACHE_HIT_RATE),
            Trend.BETTER,
            id="more hits",
        ),
        pytest.param(rate(100.0), rate(50.0), Trend.WORSE, id="half the rate"),
        pytest.param(rate(100.0), rate(150.0), Trend.BETTER, id="a higher rate"),
        pytest.param(rate(100.0), rate(99.0), Trend.WITHIN, id="nearly the same rate"),
    ],
)
def test_each_indicator_has_its_direction(
    before: ObjectiveRecord, now: ObjectiveRecord, trend: Trend
) -> None:
    """Shares are compared as differences, by their effective sample sizes; the rest as ratios."""
    (change,) = compare(one(now), [record(number, before) for number in range(5)]).changes
    assert change.trend is trend
    old, new = before.observed, now.observed
    assert old is not None
    assert new is not None
    difference = change.form is Form.DIFFERENCE
    assert change.amount == pytest.approx(new.low - old.low if difference else new.low / old.low)
    assert change.low is not None
    assert change.high is not None
    assert change.low <= change.high


@pytest.mark.parametrize(
    ("now", "why"),
    [
        pytest.param(replace(latency(0.1), observed=None), "has no value", id="no data"),
        pytest.param(
            replace(latency(0.1), observed=Observed("client", 0.1, None)), "unbounded", id="failures"
        ),
        pytest.param(
            replace(latency(0.1), observed=Observed("client", 0.1, 0.25)),
            "100ms and 250ms",
            id="wide buckets",
        ),
        pytest.param(
            replace(latency(0.1), observed=Observed("server", 0.1, 0.1)), "the server side", id="another side"
        ),
        pytest.param(replace(latency(0.1), quantile=0.99), "no such objective", id="another percentile"),
        pytest.param(replace(latency(0.1), endpoint="GET /"), "no such objective", id="another endpoint"),
        pytest.param(latency(0.1, name="new"), "no such objective", id="another name"),
    ],
)
def test_what_cannot_be_compared_says_why(now: ObjectiveRecord, why: str) -> None:
    """No data is never a pass, and never a regression either."""
    (change,) = compare(one(now), runs(*STEADY)).changes
    assert (change.trend, change.p_worse, change.low) == (Trend.UNTESTED, 1.0, None)
    assert why in change.reason


@pytest.mark.parametrize(
    "objective",
    [
        pytest.param(
            replace(share(0.1), observed=Observed("client", 0.1, 0.2, None, 9, 9.0)), id="possibly bad"
        ),
        pytest.param(replace(share(0.1), observed=Observed("client", 0.1, 0.1)), id="no confidence"),
        pytest.param(rate(0.0), id="a rate of 0"),
        pytest.param(rate(-3.0, IndicatorKind.PROMQL), id="a query below 0"),
    ],
)
def test_values_without_a_scale_are_shown_and_not_tested(objective: ObjectiveRecord) -> None:
    """A ratio of values that are not positive, or a share that is not exactly known, proves nothing."""
    (change,) = compare(one(objective), [record(number, objective) for number in range(5)]).changes
    assert change.trend is Trend.UNTESTED
    assert change.reason


def test_of_many_objectives_the_surest_fails_first() -> None:
    """A change that is significant alone may not be so among forty."""
    before = [
        record(number, *(latency(value, name=f"p{index}") for index in range(40)))
        for number, value in enumerate((0.1, 0.104, 0.096, 0.1, 0.107))
    ]
    new = [latency(0.1, name=f"p{index}") for index in range(40)]
    alone = compare(one(latency(0.145, name="p0")), before)
    assert alone.changes[0].trend is Trend.WORSE
    among = compare([record(50, latency(0.145, name="p0"), *new[1:])], before)
    assert among.changes[0].trend is Trend.UNDECIDED
    assert "40 objectives" in among.changes[0].reason
    sure = compare([record(50, latency(0.9, name="p0"), *new[1:])], before)
    assert [change.objective for change in sure.regressions] == ["p0"]


def test_another_machine_proves_nothing() -> None:
    """Runs on one machine do not show how much machines differ; runs on five do."""
    new = [record(50, latency(0.2), host="other")]
    same = compare(new, runs(*STEADY))
    assert (same.gates, same.changes[0].trend) == (False, Trend.UNDECIDED)
    assert "another machine (other)" in same.changes[0].reason
    assert any("made on loader (2 cores), not other (2 cores)" in text for text in same.differences)
    many = [record(number, latency(value), host=f"h{number}") for number, value in enumerate(STEADY)]
    assert compare(new, many).changes[0].trend is Trend.WORSE
    several = [record(number, latency(0.1), host=f"h{number}") for number in range(9)]
    assert compare(new, several).differences[-1] == "and 3 more"


@given(VALUES, st.floats(0.05, 0.5), st.floats(0.0, 1.0))
def test_a_larger_margin_never_finds_more(old: list[float], new: float, margin: float) -> None:
    """What is worse by more than a margin is worse by more than a smaller one."""
    strict, loose = (compare(one(latency(new)), runs(*old), size) for size in (margin, margin + 0.1))
    if loose.regressions:
        assert strict.regressions


@given(VALUES, st.floats(0.05, 0.5), st.floats(0.1, 10.0))
def test_the_unit_does_not_matter(old: list[float], new: float, factor: float) -> None:
    """Ten times all latencies is the same comparison."""
    plain = compare(one(latency(new)), runs(*old)).changes[0]
    scaled = compare(one(latency(new * factor)), runs(*(value * factor for value in old))).changes[0]
    assert plain.p_worse == pytest.approx(scaled.p_worse, abs=1e-9)
    assert plain.low == pytest.approx(scaled.low)


def test_only_valid_runs_of_the_same_load_are_comparable() -> None:
    """Each of the others says in what it differs."""
    changed: dict[str, dict[str, Any]] = {
        "service cart-api, not shop-api": {"service": "cart-api"},
        "target http://127.0.0.1:9, not http://127.0.0.1:8000": {"target": "http://127.0.0.1:9"},
        "another scenario, or other data": {"scenario_sha256": "3" * 64},
        "a load of 100/s, not 200/s": {"workload": "100/s", "workload_sha256": "4" * 64},
        "other keys of workload or failures, or another number of instances": {"workload_sha256": "4" * 64},
        "a window of 60s, not 300s": {"window_s": 60.0},
    }
    others = [
        record(number, conditions=replace(CONDITIONS, **change))
        for number, change in enumerate(changed.values())
    ]
    invalid, good = record(20, valid=False), record(21, conditions=replace(CONDITIONS, spec_sha256="9" * 64))
    new = record(50)
    kept, left_out = comparable(new, [*others, invalid, good, new])
    assert kept == (good,)
    assert list(left_out.values())[:-1] == list(changed)
    assert "invalid" in left_out[invalid.run_id]
    assert compare([new], kept).differences == ("a different slo.yaml",)
    newer = replace(new, conditions=replace(CONDITIONS, slocheck="0.2.0", window_s=200.0))
    assert compare([newer], [record(1)]).differences == (
        "20260102T030105Z-abcdef was made by slocheck 0.1.0, not 0.2.0",
        "a window of 300s, not 200s",
    )


def test_the_newest_twenty_are_taken() -> None:
    """An older system says little about the present one."""
    kept, _ = comparable(record(59), [record(number) for number in range(30)])
    assert kept == tuple(record(number) for number in range(10, 30))
    assert len(kept) == MOST_RUNS


@pytest.mark.parametrize(
    ("kind", "value"),
    [(IndicatorKind.ERROR_RATE, 0.0), (IndicatorKind.ERROR_RATE, 1.0), (IndicatorKind.AVAILABILITY, 1.0)],
)
def test_a_share_changes_by_no_more_than_it_can(kind: IndicatorKind, value: float) -> None:
    """From 0 it cannot fall, from 1 it cannot rise; that one run proves nothing is the reason."""
    for count in (1, 5):
        old = [record(number, share(value, kind, size=500)) for number in range(count)]
        (change,) = compare([record(9, share(value, kind, size=500))], old).changes
        assert change.low is not None
        assert change.high is not None
        assert -value <= change.low <= 0 <= change.high <= 1 - value
        assert change.high > change.low
        assert (change.reason == "one run against one proves nothing") is (count == 1)


def test_a_short_window_says_how_long_it_has_to_be() -> None:
    """Of a latency; a rate has no error within a run, however long it is."""
    short = replace(CONDITIONS, window_s=10.0)
    old, new = (record(number, latency(0.1, error=None), rate(5.0), conditions=short) for number in (0, 1))
    of_latency, of_rate = compare([new], [old]).changes
    assert of_latency.reason == "how much it varies within a run shows only in a window of 20s or more"
    assert of_rate.reason == "a run does not show how much it varies within itself"
