"""Grading as a whole: tiers, gate, validity, exit codes."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.errors import UsageError
from slocheck.evidence.forbidden import ForbiddenConnection
from slocheck.evidence.machines import MachineHealth
from slocheck.evidence.model import ArrivalStats, Ending, Evidence, FileResult
from slocheck.evidence.recording import ErrorExample, FailureClass
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome, Verdict
from tests.builders.evidence import HEALTH, WORKER, make_evidence
from tests.builders.recordings import make_recording, make_slice, steady
from tests.builders.specs import make_spec

SPEC = make_spec()
ELSEWHERE = ForbiddenConnection("auth.example.com", "93.184.216.34", 443)


def _at(ms: float, *, failed: int = 0) -> Evidence:
    failures = {FailureClass.STATUS: failed} if failed else None
    statuses = {200: 1000 - failed, 500: failed}
    return make_evidence(steady(60, {ms: 1000 - failed}, failures=failures, statuses=statuses))


@pytest.mark.parametrize(
    ("evidence", "tier", "outcome", "following"),
    [
        pytest.param(_at(20), "gold", Outcome.PASS, None, id="all is well"),
        pytest.param(_at(99.999999), "gold", Outcome.PASS, None, id="just under gold"),
        pytest.param(_at(100), "silver", Outcome.PASS, "gold", id="on gold's limit"),
        pytest.param(_at(200), "bronze", Outcome.FAIL, "silver", id="on silver's limit"),
        pytest.param(_at(500), None, Outcome.FAIL, "bronze", id="misses every tier"),
        pytest.param(_at(20, failed=1), "bronze", Outcome.FAIL, "silver", id="one objective holds it back"),
    ],
)
def test_the_achieved_tier(
    evidence: Evidence, tier: str | None, outcome: Outcome, following: str | None
) -> None:
    """The highest tier whose objectives are all met, and the one above it."""
    assessment = assess(SPEC, evidence)
    assert (assessment.tier, assessment.outcome, assessment.next_tier) == (tier, outcome, following)


def test_the_gap_to_the_next_tier_names_objective_and_distance() -> None:
    """Worst first, in base units."""
    (gap,) = assess(SPEC, _at(150)).gaps
    assert (gap.objective, gap.tier, gap.verdict) == ("latency_p95", "gold", Verdict.BREACHED)
    assert gap.distance_to_limit is not None
    assert float(gap.distance_to_limit) == pytest.approx(0.05, rel=0.01)


@pytest.mark.parametrize(
    ("level", "outcome", "warned"),
    [
        pytest.param('critical: "< 10ms"', Outcome.FAIL, False, id="a breach of critical fails every gate"),
        pytest.param('target: "< 10ms"', Outcome.PASS, True, id="a missed target alone warns"),
    ],
)
def test_levels_beside_the_tiers(level: str, outcome: Outcome, warned: bool) -> None:
    """`critical` and `target` are not tiers."""
    spec = make_spec(f'  latency_p50: {{{level}}}\n  latency_p95: {{silver: "< 200ms"}}\n')
    assessment = assess(spec, _at(20))
    assert assessment.outcome is outcome
    assert bool(assessment.warnings) is warned


def test_a_run_that_goes_on_has_no_health_of_workers_yet() -> None:
    """It comes with their last reports; the view grades without it."""
    evidence = replace(_at(20), health=replace(HEALTH, workers=()))
    assert assess(SPEC, evidence).outcome is Outcome.PASS


def test_a_tier_that_nobody_speaks_of_is_not_achieved() -> None:
    """With silver limits alone a perfect run is silver, not gold."""
    assessment = assess(make_spec('  latency_p95: {silver: "< 200ms"}\n'), _at(1))
    assert (assessment.tier, assessment.next_tier) == ("silver", None)


@pytest.mark.parametrize(
    ("health", "finding"),
    [
        pytest.param(replace(HEALTH, users=9), "users", id="a user is missing"),
        pytest.param(replace(HEALTH, workers=(replace(WORKER, cpu=0.91),)), "generator-cpu", id="busy"),
        pytest.param(replace(HEALTH, workers=(replace(WORKER, loop_lag_p99=0.2),)), "loop-lag", id="late"),
        pytest.param(replace(HEALTH, workers=(replace(WORKER, loop_lag_max=1.1),)), "stall", id="stalled"),
        pytest.param(replace(HEALTH, suspended=1.1), "stall", id="suspended"),
        pytest.param(replace(HEALTH, workers=(replace(WORKER, complete=False),)), "workers", id="incomplete"),
        pytest.param(replace(HEALTH, workers=(replace(WORKER, unreadable=1),)), "workers", id="damaged"),
        pytest.param(replace(HEALTH, unrecorded=1), "recording", id="a request is lost"),
        pytest.param(replace(HEALTH, exceptions={"KeyError: 'x'": 3}), "scenario", id="the scenario raises"),
        pytest.param(replace(HEALTH, forbidden=(ELSEWHERE,)), "allowed-targets", id="it went elsewhere"),
    ],
)
def test_a_fault_of_the_generator_is_never_a_pass(health: object, finding: str) -> None:
    """Each fault alone makes a perfect run invalid, exit 4, and is named."""
    assessment = assess(SPEC, make_evidence(health=health))
    assert (assessment.outcome, assessment.exit_code, assessment.tier) == (Outcome.INVALID, 4, None)
    (fault,) = [check for check in assessment.findings if not check.valid]
    assert fault.code == finding
    levels = [level for result in assessment.objectives for level in result.levels]
    assert {level.verdict for level in levels} == {Verdict.UNDECIDED}
    assert all(level.reason.endswith(f"the run is invalid ({finding})") for level in levels)


LOST_TO_US = make_evidence(
    steady(60, {20: 98}, failures={FailureClass.GENERATOR: 2}, statuses={200: 98}), planned_window_s=61.0
)


@pytest.mark.parametrize(
    ("evidence", "limit", "outcome"),
    [
        pytest.param(
            make_evidence(health=replace(HEALTH, exceptions={"KeyError: 'x'": 3})),
            f"max_exceptions: {allowed}",
            outcome,
            id=f"3 exceptions, {allowed} allowed",
        )
        for allowed, outcome in ((2, Outcome.INVALID), (3, Outcome.PASS))
    ]
    + [
        pytest.param(
            LOST_TO_US, f"max_generator_failures: {few}, min_window: {part}", outcome, id=f"{few}, {part}"
        )
        for few, part, outcome in (
            (120, "98%", Outcome.PASS),
            (119, "98%", Outcome.INVALID),
            (120, "99%", Outcome.INVALID),
        )
    ],
)
def test_each_bound_of_validity_is_the_specs_to_say(evidence: Evidence, limit: str, outcome: Outcome) -> None:
    """As many as are tolerated count as good, and not one more."""
    assert assess(make_spec(more=f"validity: {{{limit}}}\n"), evidence).outcome is outcome


def test_a_breach_that_the_fault_cannot_have_caused_stands() -> None:
    """A busy generator makes latencies longer; it does not make a server return 500."""
    busy = replace(HEALTH, workers=(replace(WORKER, cpu=2.0),))
    assert assess(SPEC, replace(_at(20, failed=100), health=busy)).exit_code == 1
    assert assess(SPEC, replace(_at(700), health=busy)).exit_code == 4


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"ending": Ending.GENERATOR_LOST}, id="a worker was lost"),
        pytest.param({"health": replace(HEALTH, workers=(replace(WORKER, complete=False),))}, id="a report"),
        pytest.param({"health": replace(HEALTH, unrecorded=1)}, id="a request"),
        pytest.param({"health": replace(HEALTH, machines=(MachineHealth("a", "", ()),))}, id="a clock"),
        pytest.param({"ending": Ending.SCENARIO}, id="the file ended the run"),
        pytest.param({"health": replace(HEALTH, exceptions={"E": 1})}, id="exceptions"),
    ],
)
def test_what_is_missing_explains_a_low_rate_and_nothing_else(changes: dict[str, Any]) -> None:
    """With a machine, a part of the rate is lost; the responses that the others got still count."""
    spec, failing = make_spec('  rps_per_instance: {silver: ">= 500/s"}\n'), _at(20, failed=600)
    assert assess(spec, failing).exit_code == 1
    assert assess(spec, replace(failing, **changes)).exit_code == 4
    assert assess(SPEC, replace(_at(700), **changes)).exit_code == 1


def test_a_connection_that_was_not_allowed_explains_any_breach() -> None:
    """Without its token host the file has no token: the target is not to blame for what it then returned."""
    run = replace(_at(700, failed=100), health=replace(HEALTH, forbidden=(ELSEWHERE,)))
    graded = assess(SPEC, replace(run, ending=Ending.FORBIDDEN_CONNECTION))
    assert (graded.outcome, graded.exit_code) == (Outcome.INVALID, 4)
    assert "auth.example.com (93.184.216.34:443)" in graded.headline
    assert "--allow-target auth.example.com" in graded.headline


def test_a_fault_leaves_no_tier_achieved_beside_a_breach() -> None:
    """300 ms breach silver whatever was dropped; whether the dropped ones keep bronze is unknown."""
    whole = replace(HEALTH, arrivals=ArrivalStats(planned=6000, dropped=0, lag_p99=0.0, lag_max=0.0))
    assert assess(SPEC, replace(_at(300), health=whole)).tier == "bronze"
    dropping = replace(HEALTH, arrivals=ArrivalStats(planned=6000, dropped=3000, lag_p99=0.0, lag_max=0.0))
    graded = assess(SPEC, replace(_at(300), health=dropping))
    assert (graded.outcome, graded.exit_code, graded.tier) == (Outcome.FAIL, 1, None)


@pytest.mark.parametrize(
    ("changes", "outcome", "code"),
    [
        pytest.param({"ending": Ending.INTERRUPTED, "signal": "SIGINT"}, Outcome.INTERRUPTED, 130, id="INT"),
        pytest.param(
            {"ending": Ending.INTERRUPTED, "signal": "SIGTERM"}, Outcome.INTERRUPTED, 143, id="TERM"
        ),
        pytest.param({"ending": Ending.INTERRUPTED, "signal": "SIGHUP"}, Outcome.INTERRUPTED, 129, id="HUP"),
        pytest.param({"ending": Ending.GENERATOR_LOST}, Outcome.INVALID, 4, id="generator lost"),
        pytest.param(
            {"ending": Ending.TARGET_DOWN}, Outcome.UNDECIDED, 3, id="target down, nothing breached"
        ),
        pytest.param({"planned_window_s": 61.0}, Outcome.INVALID, 4, id="cut short"),
        pytest.param({"ending": Ending.SCENARIO}, Outcome.INVALID, 4, id="ended by the Locust file"),
        pytest.param(
            {"health": replace(HEALTH, file=FileResult(listener_errors={"E: no (f.py:1)": 1}))},
            Outcome.INVALID,
            4,
            id="a listener raised",
        ),
    ],
)
def test_a_run_that_did_not_end_well_is_never_met(
    changes: dict[str, Any], outcome: Outcome, code: int
) -> None:
    """However good its numbers are."""
    assessment = assess(SPEC, make_evidence(**changes))
    assert (assessment.outcome, assessment.exit_code, assessment.tier) == (outcome, code, None)


def test_a_locust_files_own_gate_fails_a_valid_run() -> None:
    """Its exit code is 1 however good the numbers are; an invalid run stays invalid."""
    gate = FileResult(exit_code=7, exit_place="scenario.py:12", warnings=("slow teardown",))
    failed = assess(SPEC, make_evidence(health=replace(HEALTH, file=gate)))
    assert (failed.outcome, failed.exit_code, failed.tier) == (Outcome.FAIL, 1, "gold")
    assert failed.headline.startswith("The Locust file set exit code 7 in scenario.py:12; ")
    texts = [warning.text for warning in failed.warnings if warning.code == "locust-file"]
    assert texts == ["slow teardown"], "the headline says the other"
    both = make_evidence(health=replace(HEALTH, file=gate), ending=Ending.GENERATOR_LOST)
    assert assess(SPEC, both).exit_code == 4
    breached = assess(SPEC, replace(_at(300), health=replace(HEALTH, file=gate)))
    assert breached.exit_code == 1
    assert next(warning.text for warning in breached.warnings if warning.code == "locust-file") == (
        "the Locust file set exit code 7 in scenario.py:12"
    ), "the headline says the breach"


def test_a_breach_stands_though_the_locust_file_ended_the_run() -> None:
    """What was measured until then is proof enough."""
    assert assess(SPEC, replace(_at(2000), ending=Ending.SCENARIO, generator_error="quit")).exit_code == 1


def test_requests_that_failed_on_this_machine_make_the_run_invalid() -> None:
    """The target did not see them, so its responses are unknown."""
    steadily = steady(60, {20: 99}, failures={FailureClass.GENERATOR: 1})
    endpoint = steadily.endpoints[0].endpoint
    errors = (
        ErrorExample(endpoint, FailureClass.STATUS, 60, "the target's own", 0),
        ErrorExample(endpoint, FailureClass.GENERATOR, 60, "no port is left", 0),
    )
    assessment = assess(SPEC, make_evidence(replace(steadily, errors=errors)))
    assert assessment.exit_code == 4
    (fault,) = (finding for finding in assessment.findings if not finding.valid)
    assert "60 requests failed in the load generator itself (no port is left)" in fault.message


def test_a_short_window_is_invalid() -> None:
    """Nine seconds are fewer slices than the spec demands."""
    assert assess(SPEC, make_evidence(steady(9, {20: 1000}))).exit_code == 4


def test_a_source_that_failed_leaves_its_objectives_undecided() -> None:
    """The client's side is kept and shown, but does not count for both."""
    spec = make_spec(more='scrape: ["http://127.0.0.1:8000/metrics"]\n')
    assessment = assess(spec, make_evidence(server=None, server_error="Prometheus went away"))
    assert (assessment.outcome, assessment.exit_code) == (Outcome.UNDECIDED, 3)
    assert "Prometheus went away" in assessment.objectives[0].levels[0].reason


def test_another_failure_rule_needs_a_new_run() -> None:
    """What was counted as failed cannot be told apart afterwards."""
    spec = make_spec(more="failures: {statuses: [5xx, 404]}\n")
    with pytest.raises(UsageError, match="needs a new run"):
        assess(spec, make_evidence())


@given(st.integers(0, 20), st.sampled_from(list(Ending)))
def test_no_data_is_never_a_pass(seconds: int, ending: Ending) -> None:
    """Whatever its length and the ending, a window without a request is never met."""
    recording = make_recording([make_slice(t, {}) for t in range(seconds)])
    assessment = assess(SPEC, make_evidence(recording, ending=ending))
    assert assessment.outcome is not Outcome.PASS
    assert assessment.tier is None


@given(st.lists(st.sampled_from([10.0, 150.0, 300.0, 700.0]), min_size=20, max_size=20))
def test_tiers_nest(latencies: list[float]) -> None:
    """A run that achieves a tier achieves all looser ones."""
    recording = make_recording([make_slice(t, {ms: 100}) for t, ms in enumerate(latencies)])
    order = {None: 0, "bronze": 1, "silver": 2, "gold": 3}
    achieved = assess(SPEC, make_evidence(recording)).tier
    for gate in ("bronze", "silver", "gold"):
        outcome = assess(make_spec(gate=gate), make_evidence(recording)).outcome
        assert (outcome is Outcome.PASS) == (order[gate] <= order[achieved])


def test_the_same_evidence_gives_the_same_assessment() -> None:
    """Nothing in grading depends on time, order or chance."""
    evidence = _at(150, failed=3)
    assert assess(SPEC, evidence) == assess(SPEC, evidence)


def test_noise_far_below_a_limit_takes_nothing_from_it() -> None:
    """Swings between 1 and 3 ms, 10 s long each: 24,000 flawless requests prove a p99 below a second."""
    slices = [make_slice(t, {3 if t // 10 % 2 else 1: 400}) for t in range(60)]
    spec = make_spec(
        '  latency_p99: {silver: "< 1s", gold: "< 5ms"}\n',
        more="confidence: 95%\nvalidity: {steady: false}\n",
    )
    silver, gold = assess(spec, make_evidence(make_recording(slices))).objectives[0].levels
    assert (silver.verdict, gold.verdict) == (Verdict.MET, Verdict.UNDECIDED)


def test_complaints_of_the_generator_are_warnings_once_and_few() -> None:
    """A worker's messages may concern the numbers; many messages become one warning."""
    worker = replace(HEALTH.workers[0], messages=("slow", "slow", *(f"text {number}" for number in range(9))))
    found = assess(
        make_spec(), make_evidence(steady(60, {20: 100}), health=replace(HEALTH, workers=(worker,)))
    )
    told = [item.text for item in found.warnings if item.code == "load-generator"]
    assert told == [f"load generator: {text}" for text in ("slow", "text 0", "text 1", "text 2", "text 3")]


@pytest.mark.parametrize(
    ("load", "codes"),
    [
        pytest.param("rate: 100/s, arrivals: uniform", ["old-word", "even-arrivals"], id="the old word"),
        pytest.param("rate: 100/s, arrivals: even", ["even-arrivals"], id="even"),
        pytest.param("rate: 2000/s, arrivals: even", [], id="dense"),
        pytest.param("rate: 100/s", [], id="jittered"),
    ],
)
def test_a_report_warns_of_arrivals_that_may_meet_a_rhythm(load: str, codes: list[str]) -> None:
    """And of a word that has a new name."""
    found = [warning.code for warning in assess(make_spec(load=load), make_evidence()).warnings]
    assert [code for code in found if code in ("old-word", "even-arrivals")] == codes
