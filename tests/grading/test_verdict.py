"""One sample against one limit, on, just inside and just outside."""

import re
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.documents.position import Position
from slocheck.documents.units import ComparisonOperator
from slocheck.grading.assessment import Side, SideResult, Verdict
from slocheck.grading.verdict import grade_sample
from slocheck.indicators.samples import Display, NoData, Rate, Sample, Scalar, Share, Slices, shortfall
from slocheck.spec.model import Indicator, IndicatorKind, Limit
from slocheck.statistics.confidence import criterion_for
from tests.builders.criteria import at
from tests.builders.specs import make_spec

MET, BREACHED, UNDECIDED = Verdict.MET, Verdict.BREACHED, Verdict.UNDECIDED
NOWHERE = Display(0.0, 0.0)


def _grade(objective: str, sample: Sample, alpha: float | None = None) -> SideResult:
    parsed = make_spec(f"  {objective}\n").objectives[0]
    criterion = None if alpha is None else at(alpha)
    return grade_sample(Side.CLIENT, sample, parsed.indicator, parsed.limits["silver"], criterion)


def _exact(bad: int, total: int) -> Share:
    return Share(total, Fraction(bad, total), Fraction(bad, total), NOWHERE)


@pytest.mark.parametrize(
    ("objective", "bad", "total", "verdict"),
    [
        pytest.param('latency_p95: {silver: "< 200ms"}', 50, 1000, MET, id="p95: the 950th is fast"),
        pytest.param('latency_p95: {silver: "< 200ms"}', 51, 1000, BREACHED, id="p95: the 950th is slow"),
        pytest.param('latency_p99: {silver: "< 1s"}', 1, 99, BREACHED, id="p99 of 99 is the slowest"),
        pytest.param('latency_p99: {silver: "< 1s"}', 1, 100, MET, id="p99 of 100 is the slowest but one"),
        pytest.param('error_rate: {silver: "< 0.1%"}', 1, 1000, BREACHED, id="errors on a strict limit"),
        pytest.param('error_rate: {silver: "<= 0.1%"}', 1, 1000, MET, id="errors on a limit that includes"),
        pytest.param('error_rate: {silver: "< 0.1%"}', 1, 1001, MET, id="errors just under"),
        pytest.param('availability: {silver: ">= 99.9%"}', 1, 1000, MET, id="availability on the limit"),
        pytest.param('availability: {silver: ">= 99.9%"}', 1, 999, BREACHED, id="availability just under"),
        pytest.param('cache_hit_rate: {silver: "> 90%"}', 1, 10, BREACHED, id="hit rate on a strict limit"),
        pytest.param('cache_hit_rate: {silver: "> 90%"}', 1, 11, MET, id="hit rate just over"),
    ],
)
def test_observed_shares(objective: str, bad: int, total: int, verdict: Verdict) -> None:
    """Exact arithmetic, nothing rounded before the comparison."""
    assert _grade(objective, _exact(bad, total)).verdict is verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        pytest.param(0, 50, MET, id="the worst case is met"),
        pytest.param(0, 51, UNDECIDED, id="the limit lies between"),
        pytest.param(51, 60, BREACHED, id="the best case fails"),
    ],
)
def test_bounds_decide_only_where_both_ends_agree(low: int, high: int, verdict: Verdict) -> None:
    """A bucket that straddles the limit leaves it open."""
    sample = Share(1000, Fraction(low, 1000), Fraction(high, 1000), NOWHERE, notes=("inside a bucket",))
    graded = _grade('latency_p95: {silver: "< 200ms"}', sample)
    assert graded.verdict is verdict
    assert graded.reason == ("inside a bucket" if verdict is UNDECIDED else graded.reason)


@pytest.mark.parametrize(
    ("outage", "verdict", "reason"),
    [
        pytest.param(31, BREACHED, "the target was down", id="in outages alone"),
        pytest.param(5, BREACHED, "the target was down", id="just enough of them in outages"),
        pytest.param(4, UNDECIDED, "", id="the limit could be kept with the outages"),
        pytest.param(0, UNDECIDED, "", id="without outages the statistics decide, and there are none"),
    ],
)
def test_outages_break_a_limit_however_few_the_slices(outage: int, verdict: Verdict, reason: str) -> None:
    """That the target was down is an observation: 31 of 100 requests failed, and 4 of 100 may."""
    sample = replace(_exact(31, 100), outage=outage)
    found = _grade('availability: {silver: ">= 96%"}', sample, 0.05)
    assert found.verdict is verdict
    assert found.reason.startswith(reason)
    assert (found.bounds is not None) is (verdict is BREACHED)


@pytest.mark.parametrize(
    ("served", "offered", "verdict"),
    [
        pytest.param(500, 500, MET, id="on the limit"),
        pytest.param(499, 499, UNDECIDED, id="load-limited"),
        pytest.param(499, 500, BREACHED, id="enough was offered"),
        pytest.param(500, 900, MET, id="overloaded but enough"),
    ],
)
def test_a_rate_that_was_not_offered_is_no_breach(served: int, offered: int, verdict: Verdict) -> None:
    """Nothing can serve what nobody asked for."""
    sample = Rate(Fraction(served), Fraction(served), Fraction(offered))
    graded = _grade('rps_per_instance: {silver: ">= 500/s"}', sample)
    assert graded.verdict is verdict
    assert ("load-limited" in graded.reason) == (verdict is UNDECIDED)


@pytest.mark.parametrize(
    ("limit", "doubt", "verdict"),
    [
        pytest.param(500, 0, UNDECIDED, id="exactly the limit"),
        pytest.param(490, 9, MET, id="the doubt fits"),
        pytest.param(490, 11, UNDECIDED, id="without what is in doubt it is too little"),
        pytest.param(510, 9, BREACHED, id="with all that is in doubt still too little"),
        pytest.param(510, 11, UNDECIDED, id="with it it may be enough"),
    ],
)
def test_doubt_and_chance_add_up_for_a_rate(limit: int, doubt: int, verdict: Verdict) -> None:
    """A rate of 500/s in every slice, with an uncertainty of that many per second."""
    rate, offered = Fraction(500), Fraction(600)
    slices = shortfall([500_000] * 30, [600_000] * 30)
    sample = Rate(rate - doubt, rate + doubt, offered, offered, slices)
    objective = f'rps_per_instance: {{silver: ">= {limit}/s"}}'
    assert _grade(objective, sample, alpha=0.01).verdict is verdict


@pytest.mark.parametrize(("count", "verdict"), [(0, UNDECIDED), (9, UNDECIDED), (10, MET)])
def test_a_rate_needs_ten_slices(count: int, verdict: Verdict) -> None:
    """With fewer, or none, nothing is known of how it varies: five times the limit is not enough then."""
    slices = shortfall([500] * count, [600] * count) if count else None
    sample = Rate(Fraction(500), Fraction(500), Fraction(600), Fraction(600), slices)
    found = _grade('rps_per_instance: {silver: ">= 100/s"}', sample, alpha=0.01)
    assert found.verdict is verdict
    assert found.reason.startswith("fewer than 10 slices") is (verdict is UNDECIDED)


@pytest.mark.parametrize("bursts_s", [0.0, 0.5, 2.0])
def test_what_is_needed_and_how_much_longer_say_the_same(bursts_s: float) -> None:
    """A minute of good requests that are correlated, or bounded by the bursts: 50 of 59, and 1.2 times."""
    slices = Slices((10,) * 100, (0,) * 100, references=((10, 10, *(0,) * 18) * 5,))
    spec = make_spec(
        '  latency_p95: {silver: "< 200ms"}\n' if bursts_s < 1 else '  error_rate: {silver: "< 5%"}\n'
    )
    [objective] = spec.objectives
    found = grade_sample(
        Side.CLIENT,
        Share(1000, Fraction(0), Fraction(0), NOWHERE, slices),
        objective.indicator,
        objective.limits["silver"],
        criterion_for(Fraction(19, 20), (100.0,), bursts_s),
    )
    numbers = re.search(
        r"is (\d+) of 1,000, and (\d+) are needed; a run at least ([\d.]+) times", found.reason
    )
    assert numbers, found.reason
    size, needed, factor = map(float, numbers.groups())
    assert size < needed
    assert size * factor == pytest.approx(needed, rel=0.1)


def test_a_condition_on_bursts_is_named_as_the_reason() -> None:
    """Requests that are not correlated, and a minute that holds 30 bursts."""
    [objective] = make_spec('  error_rate: {silver: "< 5%"}\n').objectives
    found = grade_sample(
        Side.CLIENT,
        _spread([0] * 60),
        objective.indicator,
        objective.limits["silver"],
        criterion_for(Fraction(19, 20), (60.0,), 2.0),
    )
    assert found.reason.startswith(
        "a burst of up to 2s counts once: the effective sample size is 30 of 6,000"
    )


def test_who_does_not_know_what_was_offered_assumes_slow_phases() -> None:
    """Five minutes in which one scrape shows a tenth less: met only if the offered rate is known."""
    served = [500] * 30 + [450] + [500] * 29
    rate, best = Fraction(sum(served), 300), Fraction(100)
    known = Rate(rate, rate, best, best, shortfall(served, [500] * 60, slice_s=5.0))
    alone = replace(known, server_alone=True)
    spec = make_spec('  rps_per_instance: {bronze: ">= 60/s", silver: ">= 95/s"}\n')
    [objective], criterion = spec.objectives, criterion_for(Fraction(19, 20), (300.0,))

    def graded(sample: Rate, level: str) -> SideResult:
        return grade_sample(Side.SERVER, sample, objective.indicator, objective.limits[level], criterion)

    near = graded(alone, "silver")
    assert near.verdict is UNDECIDED
    assert graded(known, "silver").verdict is graded(alone, "bronze").verdict is MET
    assert near.reason.endswith("; source: client would decide sooner")


def _alone(missed: int, limit: str) -> SideResult:
    """Grade what a server alone counts in five minutes: 100/s, and in every other slice this many less."""
    served = [500, 500 - missed] * 30
    rate = Fraction(sum(served), 300)
    sample = Rate(rate, rate, Fraction(100), Fraction(100), shortfall(served, slice_s=5.0), server_alone=True)
    [objective] = make_spec(f'  rps_per_instance: {{silver: "{limit}"}}\n').objectives
    criterion = criterion_for(Fraction(19, 20), (300.0,))
    return grade_sample(Side.SERVER, sample, objective.indicator, objective.limits["silver"], criterion)


@pytest.mark.parametrize(("missed", "verdict"), [(100, UNDECIDED), (149, UNDECIDED), (150, BREACHED)])
def test_such_a_rate_is_breached_at_a_fifth_of_the_nominal_rate_only(missed: int, verdict: Verdict) -> None:
    """At the whole of it, the first two would be breached as well, although slow phases may last longer."""
    assert _alone(missed, ">= 97/s").verdict is verdict


def test_a_rate_that_is_met_needs_no_longer_run() -> None:
    """What would decide the other end, that it could be breached, is not said."""
    found = _alone(300, ">= 60/s")
    assert found.verdict is MET
    assert found.bounds is not None
    assert found.bounds.needed_duration_factor is None


@pytest.mark.parametrize("missed", [30, 40, 50, 60, 80])
def test_a_rate_that_a_server_alone_counts_is_breached_where_its_p_value_says_so(missed: int) -> None:
    """At a fifth of the nominal rate, on the scale of all other tests, so Holm's correction applies."""
    found, criterion = _alone(missed, ">= 97/s"), criterion_for(Fraction(19, 20), (300.0,))
    assert found.bounds is not None
    assert (found.verdict is BREACHED) is (found.bounds.p_breach < criterion.breached)


def test_doubt_widens_the_interval_of_a_rate() -> None:
    """Variation and uncertainty are two things, and both count; no rate is below zero."""
    slices = shortfall([490, 510] * 20, [600] * 40)
    sure, unsure, unknown = (
        _grade(
            'rps_per_instance: {silver: ">= 400/s"}',
            Rate(Fraction(500 - doubt), Fraction(500 + doubt), Fraction(600), Fraction(600), slices),
            alpha=0.01,
        ).bounds
        for doubt in (0, 20, 499)
    )
    assert sure is not None
    assert unsure is not None
    assert unknown is not None
    assert unknown.low == 0
    assert (unsure.low, unsure.high) == pytest.approx((sure.low - 20, sure.high + 20))
    assert sure.low < 500 < sure.high


@pytest.mark.parametrize(("doubt", "significant"), [(0, True), (50, True), (200, False)])
def test_doubt_makes_a_breach_of_a_rate_less_significant(doubt: int, *, significant: bool) -> None:
    """500/s were served and 600/s are required: 50/s more would still be too few, 200/s more would do."""
    sample = Rate(
        Fraction(500),
        Fraction(500 + doubt),
        Fraction(1000),
        Fraction(1000),
        shortfall([500] * 60, [1000] * 60),
    )
    graded = _grade('rps_per_instance: {silver: ">= 600/s"}', sample, alpha=0.01)
    assert graded.bounds is not None
    assert (graded.bounds.p_breach < 0.01) is significant


@pytest.mark.parametrize(("value", "verdict"), [(99, MET), (100, BREACHED), (101, BREACHED)])
def test_one_value_of_a_query(value: int, verdict: Verdict) -> None:
    """A scalar has no sample size, so confidence does not apply to it."""
    limit = Limit(ComparisonOperator.LT, Fraction(100), "< 100", Position(1, 1))
    indicator = Indicator(IndicatorKind.PROMQL, promql="max(queue_depth)")
    graded = grade_sample(Side.SERVER, Scalar(Fraction(value)), indicator, limit, at(0.01))
    assert graded.verdict is verdict


def test_no_data_is_undecided_with_its_reason() -> None:
    """Whether the source broke is kept."""
    graded = _grade('error_rate: {silver: "< 1%"}', NoData("Prometheus is gone", source_failed=True))
    assert (graded.verdict, graded.reason, graded.source_failed) == (
        UNDECIDED,
        "no data: Prometheus is gone",
        True,
    )


def _spread(bad: list[int], size: int = 100) -> Share:
    total = size * len(bad)
    share = Fraction(sum(bad), total)
    return Share(total, share, share, NOWHERE, Slices((size,) * len(bad), tuple(bad)))


CONFIDENT = 0.01


@pytest.mark.parametrize(
    ("objective", "bad", "verdict", "reason"),
    [
        pytest.param('error_rate: {silver: "< 1%"}', [0] * 60, MET, "", id="6,000 without an error"),
        pytest.param(
            'error_rate: {silver: "< 0.01%"}', [0] * 60, UNDECIDED, "46,050", id="too few for four nines"
        ),
        pytest.param('error_rate: {silver: "< 1%"}', [5] * 60, BREACHED, "", id="plainly too many"),
        pytest.param('error_rate: {silver: "< 1%"}', [1] * 59 + [0], UNDECIDED, "times longer", id="close"),
        pytest.param('error_rate: {silver: "< 1%"}', [0] * 9, UNDECIDED, "too few", id="nine slices"),
        pytest.param(
            'error_rate: {silver: "< 2%"}', [0] * 55 + [19] * 5, UNDECIDED, "longer", id="one burst"
        ),
    ],
)
def test_confidence_takes_back_what_chance_explains(
    objective: str, bad: list[int], verdict: Verdict, reason: str
) -> None:
    """Met and breached have to hold beyond chance; otherwise the reason says what would decide."""
    graded = _grade(objective, _spread(bad), CONFIDENT)
    assert graded.verdict is verdict
    assert reason in graded.reason


@pytest.mark.parametrize("objective", ['error_rate: {silver: "<= 0%"}', 'availability: {silver: ">= 100%"}'])
def test_that_nothing_is_ever_bad_is_not_too_close_but_beyond_proof(objective: str) -> None:
    """More of the same would not help, and the reason says what would."""
    graded = _grade(objective, _spread([0] * 60), CONFIDENT)
    assert graded.verdict is UNDECIDED
    assert "no number of requests" in graded.reason


def test_clusters_are_named_as_the_cause() -> None:
    """Enough requests, but in bursts: the reason states the effective sample size."""
    slices = Slices((100,) * 60, (0,) * 60, references=((0,) * 55 + (90,) * 5,))
    graded = _grade(
        'error_rate: {silver: "< 5%"}', Share(6000, Fraction(0), Fraction(0), NOWHERE, slices), CONFIDENT
    )
    assert graded.verdict is UNDECIDED
    assert "the effective sample size is" in graded.reason


@given(st.integers(1, 5000), st.data())
def test_confidence_never_decides_against_the_observation(total: int, data: st.DataObject) -> None:
    """With confidence a verdict is the observed one or undecided, never the other one."""
    size = max(1, total // 20)
    bad = data.draw(st.lists(st.integers(0, size), min_size=20, max_size=20))
    sample = _spread(bad, size)
    objective = 'error_rate: {silver: "< 10%"}'
    assert _grade(objective, sample, CONFIDENT).verdict in (UNDECIDED, _grade(objective, sample).verdict)


@given(
    st.integers(0, 999), st.sampled_from(["latency_p95: {silver: '< 1s'}", "error_rate: {silver: '< 5%'}"])
)
def test_one_more_bad_request_never_helps(bad: int, objective: str) -> None:
    """Worse evidence cannot turn a breach into met."""
    order = {MET: 0, UNDECIDED: 1, BREACHED: 2}
    fewer, more = _grade(objective, _exact(bad, 1000)), _grade(objective, _exact(bad + 1, 1000))
    assert order[more.verdict] >= order[fewer.verdict]
