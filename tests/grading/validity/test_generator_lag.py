"""A generator's own lag: when a breached latency limit is the target's fault, and when that is unknown."""

from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.evidence.model import ArrivalStats, Evidence, LoadHealth
from slocheck.grading.assess import assess
from slocheck.grading.assessment import LevelResult, ObjectiveResult, Outcome, Side, SideResult, Verdict
from slocheck.grading.validity.generator_lag import unexplained_by_target, with_generator_lag
from slocheck.indicators.samples import Display
from tests.builders.evidence import HEALTH, WORKER, make_evidence
from tests.builders.recordings import steady
from tests.builders.specs import make_spec

SPEC = make_spec()  # gate silver: p95 below 200 ms
LATE_92 = "the load generator was late by up to 92ms"
LATE_LOOP = replace(HEALTH, workers=(WORKER, replace(WORKER, loop_lag_p99=0.03)))
LATE_SCHEDULE = replace(HEALTH, arrivals=ArrivalStats(planned=6000, dropped=0, lag_p99=0.03, lag_max=0.05))


def _run(ms: float, health: LoadHealth = HEALTH, *, failures: int = 0) -> Evidence:
    statuses = {200: 100 - failures, 500: failures}
    return make_evidence(
        steady(60, {ms: 100 - failures}, failures={"status": failures}, statuses=statuses), health=health
    )


@pytest.mark.parametrize("health", [LATE_LOOP, LATE_SCHEDULE], ids=["event loop", "schedule"])
@pytest.mark.parametrize(
    ("ms", "outcome"),
    [
        pytest.param(210, Outcome.INVALID, id="over by 10 ms, 30 ms late: nobody knows"),
        pytest.param(260, Outcome.FAIL, id="over by twice the lag"),
        pytest.param(190, Outcome.PASS, id="lag breaks no limit that is kept all the same"),
    ],
)
def test_a_breach_that_lag_explains_is_not_the_targets(
    health: LoadHealth, ms: float, outcome: Outcome
) -> None:
    """30 ms of lag on a limit of 200 ms: only what is over by more is a breach."""
    assessment = assess(SPEC, _run(ms, health))
    assert assessment.outcome is outcome
    named = [check for check in assessment.findings if check.code == "generator-lag"]
    assert bool(named) is (outcome is Outcome.INVALID)
    for check in named:
        assert check.affects == {"latency_p95"}
        assert "latency_p95 (lag 30ms, " in check.message
        assert "allowed 10% of the limit" in check.message


def test_little_lag_explains_nothing() -> None:
    """2 ms are not an excuse at a limit of 200 ms, however narrow the breach."""
    assert assess(SPEC, _run(200)).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("percentile", "outcome"),
    [("p99", Outcome.FAIL), ("p99.9", Outcome.INVALID), ("p99.99", Outcome.INVALID)],
)
def test_a_rare_lag_explains_the_rare_latencies(percentile: str, outcome: Outcome) -> None:
    """One moment of 50 ms is in no p99 of lag, and may yet be all that is in a p99.9 of latency."""
    spec = make_spec(f'  latency_{percentile}: {{silver: "< 200ms"}}\n')
    rare = replace(HEALTH, workers=(replace(WORKER, loop_lag_max=0.05),))
    assert assess(spec, _run(210, rare)).outcome is outcome


def test_the_share_is_the_specs_to_say() -> None:
    """With 20 % allowed the same lag counts as small."""
    spec = make_spec(more="validity: {max_lag_share: 20%}\n")
    assert assess(spec, _run(210, LATE_LOOP)).outcome is Outcome.FAIL


def test_other_breaches_stand() -> None:
    """Lag does not make a server return 500."""
    assert assess(SPEC, _run(210, LATE_LOOP, failures=4)).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("server", "explained"), [(Verdict.BREACHED, False), (Verdict.MET, True), (Verdict.UNDECIDED, True)]
)
def test_what_the_server_saw_as_well_is_not_our_lag(server: Verdict, explained: bool) -> None:
    """The server's own clock knows nothing of the generator's queue."""
    objective = SPEC.objectives[0]
    sides = tuple(
        SideResult(side, verdict, Display(0.21, 0.21), 6000)
        for side, verdict in ((Side.CLIENT, Verdict.BREACHED), (Side.SERVER, server))
    )
    limit = objective.limits["silver"]
    assert limit.value == Fraction(1, 5)
    level = LevelResult("silver", limit, Verdict.BREACHED, "", sides, needed=True)
    found = unexplained_by_target([ObjectiveResult(objective, (level,))], SPEC, [_run(210, LATE_LOOP)])
    assert bool(found) is explained


@pytest.mark.parametrize(
    ("lag_ms", "server_high", "begins"),
    [
        pytest.param(
            92,
            0.01,
            f"{LATE_92}; the server's p95 is at most 10ms: ",
            id="both",
        ),
        pytest.param(92, 0.25, f"{LATE_92}: ", id="late, and a bucket of no use"),
        pytest.param(2, 0.01, "the server's p95 is at most 10ms: ", id="a fast server"),
        pytest.param(2, 0.25, "", id="neither"),
    ],
)
def test_an_undecided_latency_says_first_what_was_late(lag_ms: int, server_high: float, begins: str) -> None:
    """A longer run or another bucket would not help while this machine is late."""
    objective = SPEC.objectives[0]
    sides = (
        SideResult(Side.CLIENT, Verdict.UNDECIDED, Display(0.199, 0.199), 6000),
        SideResult(Side.SERVER, Verdict.UNDECIDED, Display(0.0, server_high), 6000),
    )
    level = LevelResult(
        "silver", objective.limits["silver"], Verdict.UNDECIDED, "too close", sides, needed=True
    )
    health = replace(HEALTH, workers=(replace(WORKER, loop_lag_max=lag_ms / 1000),))
    (result,) = with_generator_lag([ObjectiveResult(objective, (level,))], SPEC, [_run(199, health)])
    assert result.levels[0].reason == f"{begins}too close"
