"""What an unsteady window does to a verdict."""

from collections.abc import Sequence
from dataclasses import replace
from math import exp

import numpy as np
import pytest

from slocheck.evidence.model import Evidence
from slocheck.evidence.recording import FailureClass, Recording
from slocheck.grading.advice import advice
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome, Verdict
from slocheck.grading.interim.early_stopping import decides
from slocheck.spec.model import Spec
from tests.builders.evidence import make_evidence
from tests.builders.recordings import MS, make_recording, make_slice
from tests.builders.specs import make_spec

EASY = '  latency_p50: {bronze: "< 50ms", silver: "< 45ms"}\n'
"""Met by all windows here, but broken by the last seconds of the one that becomes slower."""

SURE = make_spec(EASY, more="confidence: 95%\n")


def _noisy(shape: list[float], seed: int = 1) -> list[float]:
    """A series of this shape, with 10 % noise."""
    noise = np.random.default_rng(seed).normal(1, 0.1, len(shape))
    return [float(value * factor) for value, factor in zip(shape, noise, strict=True)]


SETTLING = [1 + 2 * exp(-t / 5) for t in range(60)]
WORSE = [1.0] * 54 + [3.0] * 6


def _recorded(shape: list[float], *, failed: int = 0, warmup_s: int = 0) -> Recording:
    failures = {FailureClass.STATUS: failed} if failed else None
    statuses = {200: 400, 500: failed}
    parts = [
        make_slice(t, {20.0 * factor: 400}, failures=failures, statuses=statuses)
        for t, factor in enumerate(shape)
    ]
    return make_recording(parts, warmup_s=warmup_s)


SETTLED = make_evidence(_recorded(_noisy(SETTLING)))
UNSTEADY = make_evidence(_recorded(_noisy(WORSE)))
STEADY = make_evidence(_recorded(_noisy([1.0] * 60)))


@pytest.mark.parametrize(
    ("runs", "outcome"),
    [
        pytest.param((STEADY,), Outcome.PASS, id="steady"),
        pytest.param((UNSTEADY,), Outcome.UNDECIDED, id="worse at its end"),
        pytest.param((SETTLED,), Outcome.PASS, id="worse at its beginning"),
        pytest.param((STEADY, STEADY, STEADY), Outcome.PASS, id="three steady runs"),
        pytest.param((STEADY, UNSTEADY, STEADY, STEADY, STEADY), Outcome.UNDECIDED, id="one of five"),
    ],
)
def test_what_the_last_part_does_not_show_is_not_met(runs: tuple[Evidence, ...], outcome: Outcome) -> None:
    """No tier either; each limit names the cause in a few words, and the warning says it in full."""
    assessment = assess(SURE, *runs)
    assert assessment.outcome is outcome
    assert [item.steady for item in assessment.steady_states] == [run is STEADY for run in runs]
    assert [item.withheld for item in assessment.steady_states] == [
        ("latency_p50",) if run is UNSTEADY else () for run in runs
    ]
    warnings = [item.text for item in assessment.warnings if item.code == "unsteady"]
    if outcome is Outcome.UNDECIDED:
        assert assessment.tier is None
        for level in assessment.objectives[0].levels:
            assert (level.verdict, level.sides[0].verdict) == (Verdict.UNDECIDED, Verdict.UNDECIDED)
            assert level.reason == (
                "the window is unsteady, and its last 6 s alone do not show that it is met"
            )
        (text,) = warnings
        assert (
            "not counted as met, because the window's last part alone does not show it: latency_p50" in text
        )
        assert ("run 2: " in text) == (len(runs) > 1)
    elif runs == (SETTLED,):
        (text,) = warnings
        assert "no verdict depends on it; try workload.warmup: 15s" in text


def _spec_of(*lines: str) -> Spec:
    return make_spec("".join(f"  {line}\n" for line in lines), more="confidence: 95%\n")


@pytest.mark.parametrize(
    ("line", "met"),
    [
        pytest.param('latency_p50: {silver: "< 400ms"}', True, id="no request came near the limit"),
        pytest.param('latency_p50: {silver: "< 90ms"}', False, id="six seconds are too few to show it"),
        pytest.param('error_rate: {silver: "< 1%"}', True, id="failures were counted, and there are none"),
        pytest.param('availability: {silver: ">= 99%"}', True, id="likewise"),
    ],
)
def test_a_drift_concerns_what_it_is_about(line: str, *, met: bool) -> None:
    """The latency triples in the last tenth: what is far from its limit, or of another kind, stays met."""
    assessment = assess(_spec_of(line), UNSTEADY)
    assert (assessment.outcome is Outcome.PASS) == met
    assert [item.steady for item in assessment.steady_states] == [False]


def _drifting(
    seconds: int, *, failed: list[int], slow: list[int], sent: Sequence[int] | None = None
) -> Evidence:
    """100 requests a second, or as many as given: some fail, some take 150 ms, the others 10 ms."""
    parts = [
        make_slice(
            second,
            {10.0: count - failed[second] - slow[second], 150.0: slow[second]},
            failures={FailureClass.STATUS: failed[second]},
            statuses={200: count - failed[second], 500: failed[second]},
        )
        for second, count in enumerate(sent or [100] * seconds)
    ]
    return make_evidence(make_recording(parts))


def test_failures_that_ramp_are_seen() -> None:
    """From none to 2 %, half of what the limit allows in the mean: the next minute would break it."""
    drawn = np.random.default_rng(5).binomial(100, np.linspace(0, 0.02, 300))
    spec = make_spec('  error_rate: {silver: "< 2%"}\n', more="confidence: 95%\n")
    assessment = assess(spec, _drifting(300, failed=drawn.tolist(), slow=[0] * 300))
    (item,) = assessment.steady_states
    assert (assessment.outcome, item.steady) == (Outcome.UNDECIDED, False)
    assert "share of bad requests for error_rate < 2%" in item.message


def test_failures_that_grow_with_the_rate_alone_are_steady() -> None:
    """Their share is tested, not their number: 1 % of 50 requests a second, and of 1,545 at the end."""
    sent = [50 + 5 * second for second in range(300)]
    failed = np.random.default_rng(7).binomial(sent, 0.01).tolist()
    spec = make_spec('  error_rate: {silver: "< 2%"}\n', more="confidence: 95%\n")
    assessment = assess(spec, _drifting(300, failed=failed, slow=[0] * 300, sent=sent))
    (item,) = assessment.steady_states
    assert (assessment.outcome, item.steady) == (Outcome.PASS, True)


def test_a_tail_that_trebles_at_the_end_is_seen() -> None:
    """2 % are slow, and 6 % in the last tenth, with 5 % allowed; the mean hardly moves."""
    share = [0.02] * 270 + [0.06] * 30
    drawn = np.random.default_rng(6).binomial(100, share)
    spec = make_spec('  latency_p95: {silver: "< 100ms"}\n', more="confidence: 95%\n")
    assessment = assess(spec, _drifting(300, failed=[0] * 300, slow=drawn.tolist()))
    (item,) = assessment.steady_states
    assert (assessment.outcome, item.steady) == (Outcome.UNDECIDED, False)
    assert "in the window's last 30 s" in item.message


def test_a_warmup_that_was_too_short_is_added_to() -> None:
    """5 s were cut already; the suggestion is the whole warm-up."""
    evidence = make_evidence(_recorded([3.0] * 5 + _noisy(SETTLING), warmup_s=5))
    (item,) = assess(SURE, evidence).steady_states
    assert item.suggested_warmup_s == 20


def test_a_breach_stays_a_breach() -> None:
    """A tenth of all requests fails; that the latency settled does not excuse it."""
    assessment = assess(
        _spec_of('error_rate: {silver: "< 1%"}'), make_evidence(_recorded(_noisy(SETTLING), failed=40))
    )
    assert (assessment.outcome, assessment.exit_code) == (Outcome.FAIL, 1)


def test_without_a_confidence_it_is_only_said() -> None:
    """The observed values are graded, which claim nothing; the warning is there all the same."""
    assessment = assess(make_spec(EASY), UNSTEADY)
    assert assessment.outcome is Outcome.PASS
    (warning,) = assessment.warnings
    assert warning.code == "unsteady"
    assert "confidence: none" in warning.text


def test_the_spec_can_switch_it_off() -> None:
    """Then nothing is tested and nothing reported."""
    spec: Spec = replace(SURE, validity=replace(SURE.validity, steady=False))
    assessment = assess(spec, UNSTEADY)
    assert (assessment.outcome, assessment.steady_states, assessment.warnings) == (Outcome.PASS, (), ())


def test_an_interim_analysis_does_not_end_an_unsteady_run_as_met() -> None:
    """Nor does it keep a breach from ending it."""
    assert decides(0.28, SURE, STEADY)
    assert not decides(0.28, SURE, UNSTEADY)
    assert decides(0.28, make_spec('  latency_p95: {silver: "< 5ms"}\n', more="confidence: 95%\n"), UNSTEADY)


def test_a_warmup_is_advised_where_it_would_help() -> None:
    """In the words of slo.yaml; a window that is worse at its end has none, and no steadier beginning."""
    spec = _spec_of('latency_p50: {silver: "< 42ms"}', 'latency_p95: {silver: "< 200ms"}')
    assessment = assess(spec, make_evidence(_recorded(_noisy([1.0] * 12 + [2.0] * 48))))
    assert assessment.steady_states[0].withheld == ("latency_p50",)
    assert advice(assessment, spec) == "silver needs: a warm-up of 15s"


def test_latencies_are_counted_once_whatever_the_endpoints() -> None:
    """A second's mean is that of its successful requests: 300 at 10 ms and 100 at 50 ms are 20 ms."""
    recording = make_recording([make_slice(t, {10: 300, 50: 100}) for t in range(20)])
    (item,) = assess(SURE, make_evidence(recording)).steady_states
    assert item.message == "mean latency 20ms in the window's first 4 s, 20ms after"
    assert recording.endpoints[0].slices[0].total_ns == 8000 * MS
