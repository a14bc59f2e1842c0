"""Whether a series is steady: two tests and a cut, on shapes that tell them apart."""

from math import exp
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from slocheck.statistics.blocking import Floats
from slocheck.statistics.trend import detect_drift, least_known_cut, mann_kendall


def _noisy(shape: list[float], seed: int = 1) -> list[float]:
    """A series of this shape, with 10 % noise."""
    noise = np.random.default_rng(seed).normal(1, 0.1, len(shape))
    return [float(value * factor) for value, factor in zip(shape, noise, strict=True)]


SETTLING = [1 + 2 * exp(-t / 5) for t in range(60)]


@pytest.mark.parametrize(
    ("series", "differs", "trend", "cut"),
    [
        pytest.param(_noisy([1.0] * 120), False, 0, 0, id="steady"),
        pytest.param(_noisy(SETTLING), True, 0, 15, id="settles in the first quarter"),
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
def test_shapes(series: list[float], *, differs: bool, trend: int, cut: int | None) -> None:
    """Start, trend and cut, on shapes that tell them apart."""
    drift = detect_drift(series)
    assert drift is not None
    assert (drift.begin.differs, drift.trend, drift.cut) == (differs, trend, cut)


@pytest.mark.parametrize("seconds", [60, 300, 3600])
def test_a_change_in_the_last_tenth_is_seen(seconds: int) -> None:
    """It triples there; neither the start nor a trend shows it."""
    last = seconds // 10
    drift = detect_drift(_noisy([1.0] * (seconds - last) + [3.0] * last))
    assert drift is not None
    assert drift.end.differs
    assert (drift.end.seconds, drift.trend, drift.steady) == (last, 0, False)
    assert drift.end.mean == pytest.approx(3, rel=0.1)
    assert drift.end.rest == pytest.approx(1, rel=0.1)


def test_the_error_rate_is_shared_by_all_series() -> None:
    """A change that one series alone shows well enough is not enough among two hundred."""
    series = _noisy([1.1] * 12 + [1.0] * 48)
    alone, among = detect_drift(series), detect_drift(series, series=200)
    assert alone is not None
    assert among is not None
    assert (alone.begin.differs, among.begin.differs) == (True, False)


def test_what_does_not_matter_is_said_by_the_caller() -> None:
    """A share that doubles, far below what is allowed."""
    series = _noisy([0.002] * 30 + [0.001] * 120)
    relative, absolute = detect_drift(series), detect_drift(series, material=0.005)
    assert relative is not None
    assert absolute is not None
    assert (relative.steady, absolute.steady) == (False, True)


def test_vector_of_a_step() -> None:
    """First part 10 s of 50: means 2.2 and 1.2, found by hand; the alternation is too small to hide it."""
    drift = detect_drift([2.1 + 0.2 * (t % 2) if t < 10 else 1.1 + 0.2 * (t % 2) for t in range(50)])
    assert drift is not None
    assert (drift.begin.seconds, drift.begin.mean, drift.begin.rest) == pytest.approx((10, 2.2, 1.2))
    assert (drift.begin.differs, drift.cut) == (True, 10)


def test_a_slow_start_within_what_chance_does_is_steady() -> None:
    """One slow second at the start, in a series that has such seconds elsewhere too."""
    spikes = [5.0 if t in (1, 17, 31, 48) else 1.0 for t in range(60)]
    drift = detect_drift(spikes)
    assert drift is not None
    assert drift.steady


@pytest.mark.parametrize("length", [0, 1, 9])
def test_too_few_seconds_are_not_tested(length: int) -> None:
    """They give no result."""
    assert detect_drift([1.0] * length) is None


def test_seconds_without_a_success_are_left_out_and_the_cut_counts_them() -> None:
    """A slow start, a gap of 5 s in it: the cut is in seconds of the window."""
    whole = _noisy([3.0] * 10 + [1.0] * 50)
    drift = detect_drift([*whole[:5], *[None] * 5, *whole[5:]])
    assert drift is not None
    assert (drift.begin.seconds, drift.cut, drift.begin.differs) == (17, 15, True)


series_of_means = st.lists(st.floats(0.001, 1000), min_size=10, max_size=130)


@given(series_of_means, st.integers(-8, 8))
def test_the_unit_does_not_matter(series: list[float], power: int) -> None:
    """Latencies times a power of two (exact in binary) change nothing."""
    drift, scaled = detect_drift(series), detect_drift([value * 2.0**power for value in series])
    assert drift is not None
    assert scaled is not None
    assert (drift.begin.differs, drift.end.differs) == (scaled.begin.differs, scaled.end.differs)
    assert (drift.trend, drift.cut) == (scaled.trend, scaled.cut)


@given(st.floats(1e-6, 1e9), st.integers(10, 1500))
def test_a_constant_series_is_steady(value: float, length: int) -> None:
    """It holds however the numbers are rounded."""
    drift = detect_drift([value] * length)
    assert drift is not None
    assert drift.steady


@given(series_of_means)
def test_a_series_backwards_has_the_opposite_trend(series: list[float]) -> None:
    """If it is a whole number of the longest blocks, so that the same seconds meet."""
    series = series[: len(series) // 40 * 40] or [1.0] * 40
    forward, backward = detect_drift(series), detect_drift(series[::-1])
    assert forward is not None
    assert backward is not None
    assert forward.trend == -backward.trend


def test_a_day_takes_little_time_and_memory() -> None:
    """86,400 seconds: the pairs of the trend test stay bounded."""
    drift = detect_drift(_noisy([1 + t / 86_400 for t in range(86_400)]))
    assert drift is not None
    assert drift.trend == 1


@pytest.mark.parametrize(
    ("values", "trend"),
    [
        pytest.param([4, 3, 2, 1, 0, 7, 6, 5, 8, 9, 10, 11], 1, id="score 40 of 66: 2.67 deviations"),
        pytest.param([4, 3, 2, 1, 0, 7, 6, 5, 9, 8, 10, 11], 0, id="score 38 of 66: 2.54 deviations"),
    ],
)
def test_a_trend_begins_where_the_corrected_score_does(values: list[int], trend: int) -> None:
    """The continuity correction takes one from the score: it makes the test more cautious, not less."""
    assert mann_kendall(np.array(values, dtype=float), 0.01) == trend
    assert mann_kendall(-np.array(values, dtype=float), 0.01) == -trend


@given(
    arrays(
        np.float64,
        st.integers(12, 300),
        elements=st.sampled_from([0.0, 0.1, 3.3, 1e-9, 1.0, 1e6, 1e6 + 1e-9]),
    ),
    st.sampled_from([0.0, 1.0, 1e6]),
)
def test_the_cut_is_the_one_that_a_search_of_all_finds(values: Floats, shift: float) -> None:
    """Equal values, and values whose variance is lost in rounding, included."""
    shifted, last = values + shift, len(values) // 2
    scores = [float(np.var(shifted[cut:])) / (len(shifted) - cut) for cut in range(last + 1)]
    assert least_known_cut(shifted, last) == int(np.argmin(scores))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5])
def test_the_cut_of_a_day_is_found_with_few_exact_variances(
    monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    """The variance of every tail of 17,280 blocks would take the square of the run's length."""
    values = (np.random.default_rng(3).random(17_280) < share).astype(np.float64)
    asked: list[int] = []
    var = np.var

    def counted(tail: Floats) -> np.floating[Any]:
        asked.append(len(tail))
        return var(tail)

    monkeypatch.setattr(np, "var", counted)
    least_known_cut(values, len(values) // 2)
    assert 1 <= len(asked) <= 10
