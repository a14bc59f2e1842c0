"""The alarms of an unsteady window, and what they do to a verdict."""

from dataclasses import replace
from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.evidence.model import Evidence
from slocheck.evidence.recording import FailureClass, Recording
from slocheck.grading.advice import advice
from slocheck.grading.assess import assess
from slocheck.grading.assessment import Outcome, Verdict
from slocheck.grading.early_stopping import decided
from slocheck.grading.steady_state import detect_drift
from slocheck.spec.model import Spec
from tests.builders.evidence import make_evidence
from tests.builders.recordings import MS, make_recording, make_slice
from tests.builders.specs import make_spec

EASY = '  error_rate: {bronze: "< 2%", silver: "< 1%"}\n'
"""Met by 24,000 flawless requests, whatever their latencies."""

SURE = make_spec(EASY, more="confidence: 95%\n")


def _noisy(shape: list[float], seed: int = 1) -> list[float]:
    """A series of this shape, with 10 % of noise."""
    noise = np.random.default_rng(seed).normal(1, 0.1, len(shape))
    return [float(value * factor) for value, factor in zip(shape, noise, strict=True)]


SETTLING = [1 + 2 * exp(-t / 5) for t in range(60)]


@pytest.mark.parametrize(
    ("series", "differs", "trend", "cut"),
    [
        pytest.param(_noisy([1.0] * 120), False, 0, 0, id="steady"),
        pytest.param(_noisy(SETTLING), True, -1, 15, id="settles in the first quarter"),
        pytest.param(_noisy([1 + t / 300 for t in range(300)]), True, 1, None, id="rises throughout"),
        pytest.param(_noisy([2 - t / 300 for t in range(300)]), True, -1, None, id="falls throughout"),
        pytest.param(
            _noisy([1.0] * 12 + [0.5] * 48), True, 0, 15, id="a step after 12 s, cut with the block it is in"
        ),
        pytest.param([1.0 + t / 10_000 for t in range(300)], False, 0, 0, id="certain, and immaterial"),
        pytest.param([60.0] * 5 + [5.1] * 5 + [5.2] * 5 + [5.2] * 5, True, 0, 5, id="no more than is needed"),
        pytest.param(_noisy([1.0] * 2 + [3.0] * 8), True, 0, None, id="ten seconds are enough for a step"),
    ],
)
def test_alarms(series: list[float], *, differs: bool, trend: int, cut: int | None) -> None:
    """Both alarms and the cut, on shapes that tell them apart."""
    drift = detect_drift(series)
    assert drift is not None
    assert (drift.differs, drift.trend, drift.cut) == (differs, trend, cut)


def test_vector_of_a_step() -> None:
    """First part 10 s of 50: means 2.2 and 1.2, found by hand; the alternation is too small to hide it."""
    drift = detect_drift([2.1 + 0.2 * (t % 2) if t < 10 else 1.1 + 0.2 * (t % 2) for t in range(50)])
    assert drift is not None
    assert (drift.seconds, drift.first, drift.rest) == pytest.approx((10, 2.2, 1.2))
    assert (drift.differs, drift.cut) == (True, 10)


def test_a_slow_start_within_what_chance_does_is_no_alarm() -> None:
    """One slow second at the start, in a series that has such seconds elsewhere too."""
    spikes = [5.0 if t in (1, 17, 31, 48) else 1.0 for t in range(60)]
    drift = detect_drift(spikes)
    assert drift is not None
    assert drift.steady


@pytest.mark.parametrize("length", [0, 1, 9])
def test_too_few_seconds_are_not_tested(length: int) -> None:
    """Nothing is said of them."""
    assert detect_drift([1.0] * length) is None


def test_seconds_without_a_success_are_left_out_and_the_cut_counts_them() -> None:
    """A slow start, a gap of 5 s in it: the cut is in seconds of the window."""
    whole = _noisy([3.0] * 10 + [1.0] * 50)
    drift = detect_drift([*whole[:5], *[None] * 5, *whole[5:]])
    assert drift is not None
    assert (drift.seconds, drift.cut, drift.differs) == (17, 15, True)


series_of_means = st.lists(st.floats(0.001, 1000), min_size=10, max_size=130)


@given(series_of_means, st.integers(-8, 8))
def test_the_unit_does_not_matter(series: list[float], power: int) -> None:
    """Latencies times a power of two (exact in binary) raise the same alarms."""
    drift, scaled = detect_drift(series), detect_drift([value * 2.0**power for value in series])
    assert drift is not None
    assert scaled is not None
    assert (drift.differs, drift.trend, drift.cut) == (scaled.differs, scaled.trend, scaled.cut)


@given(st.floats(1e-6, 1e9), st.integers(10, 1500))
def test_a_constant_series_never_alarms(value: float, length: int) -> None:
    """Whatever rounding does."""
    drift = detect_drift([value] * length)
    assert drift is not None
    assert drift.steady


@given(series_of_means)
def test_a_series_backwards_has_the_opposite_trend(series: list[float]) -> None:
    """Where it is a whole number of the longest blocks, so that the same seconds meet."""
    series = series[: len(series) // 40 * 40] or [1.0] * 40
    forward, backward = detect_drift(series), detect_drift(series[::-1])
    assert forward is not None
    assert backward is not None
    assert forward.trend == -backward.trend


def test_a_day_is_judged_in_no_time_and_memory() -> None:
    """86,400 seconds: the pairs of the trend test stay bounded."""
    drift = detect_drift(_noisy([1 + t / 86_400 for t in range(86_400)]))
    assert drift is not None
    assert drift.trend == 1


def _recorded(shape: list[float], *, failed: int = 0, warmup_s: int = 0) -> Recording:
    failures = {FailureClass.STATUS: failed} if failed else None
    statuses = {200: 400, 500: failed}
    parts = [
        make_slice(t, {20.0 * factor: 400}, failures=failures, statuses=statuses)
        for t, factor in enumerate(shape)
    ]
    return make_recording(parts, warmup_s=warmup_s)


UNSTEADY = make_evidence(_recorded(_noisy(SETTLING)))
STEADY = make_evidence(_recorded(_noisy([1.0] * 60)))


@pytest.mark.parametrize(
    ("runs", "outcome"),
    [
        pytest.param((STEADY,), Outcome.PASS, id="steady"),
        pytest.param((UNSTEADY,), Outcome.UNDECIDED, id="unsteady"),
        pytest.param((STEADY, STEADY, STEADY), Outcome.PASS, id="three steady runs"),
        pytest.param((STEADY, UNSTEADY, STEADY), Outcome.UNDECIDED, id="one of three"),
    ],
)
def test_nothing_is_met_on_an_unsteady_window(runs: tuple[Evidence, ...], outcome: Outcome) -> None:
    """No tier either, and the reason stands at each limit and side."""
    assessment = assess(SURE, *runs)
    assert assessment.outcome is outcome
    assert [item.steady for item in assessment.steadiness] == [run is STEADY for run in runs]
    if outcome is Outcome.UNDECIDED:
        assert assessment.tier is None
        for level in assessment.objectives[0].levels:
            assert (level.verdict, level.sides[0].verdict) == (Verdict.UNDECIDED, Verdict.UNDECIDED)
            assert "try workload.warmup: 15s" in level.reason
        (warning,) = assessment.warnings
        assert ("run 2: " in warning.text) == (len(runs) > 1)


def test_a_warmup_that_was_too_short_is_added_to() -> None:
    """5 s were cut already; the suggestion is the whole warm-up."""
    evidence = make_evidence(_recorded([3.0] * 5 + _noisy(SETTLING), warmup_s=5))
    (item,) = assess(SURE, evidence).steadiness
    assert item.warmup_s == 20


def test_a_breach_stays_a_breach() -> None:
    """A tenth of all requests fails; that the latency settled does not excuse it."""
    assessment = assess(SURE, make_evidence(_recorded(_noisy(SETTLING), failed=40)))
    assert (assessment.outcome, assessment.exit_code) == (Outcome.FAIL, 1)


def test_without_a_confidence_it_is_only_said() -> None:
    """The observed values are graded, which claim nothing; the warning is there all the same."""
    assessment = assess(make_spec(EASY), UNSTEADY)
    assert assessment.outcome is Outcome.PASS
    (warning,) = assessment.warnings
    assert warning.code == "unsteady"
    assert "confidence: none" in warning.text


def test_the_spec_can_switch_it_off() -> None:
    """Then nothing is looked at and nothing said."""
    spec: Spec = replace(SURE, validity=replace(SURE.validity, steady=False))
    assessment = assess(spec, UNSTEADY)
    assert (assessment.outcome, assessment.steadiness, assessment.warnings) == (Outcome.PASS, (), ())


def test_a_look_does_not_end_an_unsteady_run_as_met() -> None:
    """Nor does it keep a breach from ending it."""
    assert decided(3, SURE, STEADY)
    assert not decided(3, SURE, UNSTEADY)
    assert decided(3, make_spec('  latency_p95: {silver: "< 5ms"}\n', more="confidence: 95%\n"), UNSTEADY)


def test_the_advice_is_the_warmup() -> None:
    """In the words of slo.yaml."""
    assert advice(assess(SURE, UNSTEADY), SURE) == "to prove bronze: set workload.warmup to 15s"


def test_latencies_are_counted_once_whatever_the_endpoints() -> None:
    """A second's mean is that of its successful requests: 300 at 10 ms and 100 at 50 ms are 20 ms."""
    recording = make_recording([make_slice(t, {10: 300, 50: 100}) for t in range(20)])
    (item,) = assess(SURE, make_evidence(recording)).steadiness
    assert item.message == "mean latency 20ms in the window's first 4 s, 20ms after"
    assert recording.endpoints[0].slices[0].total_ns == 8000 * MS
