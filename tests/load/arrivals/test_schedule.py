"""The open model's schedule: absolute, reproducible, the same for any number of workers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slocheck.load.arrivals.schedule import arrivals
from slocheck.spec.model import load_profile
from slocheck.spec.model.load_profile import ArrivalProcess, Stage

S = 1_000_000_000


def schedule(stages: list[Stage], spread: ArrivalProcess = ArrivalProcess.EVEN, seed: int = 1) -> list[int]:
    """Return a lone worker's arrivals."""
    return list(arrivals(stages, spread, seed=seed, index=0, processes=1))


def test_a_constant_rate_is_evenly_spread() -> None:
    """At 100/s an arrival comes every 10 ms, the first at once, exactly as many as the time allows."""
    assert schedule([Stage(100, 100, 3)]) == [number * 10_000_000 for number in range(300)]


def test_a_ramp_comes_as_fast_as_its_level() -> None:
    """From 0 to 200/s in 10 s arrival k comes at the square root of k / 10."""
    found = schedule([Stage(0, 200, 10)])
    assert len(found) == 1000
    assert found == [round((number / 10) ** 0.5 * S) for number in range(1000)]


def test_a_stage_without_load_sends_nothing() -> None:
    """A pause in the middle is a pause, and what follows keeps its time."""
    found = schedule([Stage(10, 10, 1), Stage(0, 0, 5), Stage(10, 10, 1)])
    assert [second for second in range(7) if any(second * S <= at < (second + 1) * S for at in found)] == [
        0,
        6,
    ]
    assert len(found) == 20


STAGES = st.lists(
    st.builds(Stage, st.integers(0, 300), st.integers(0, 300), st.integers(1, 20)), min_size=1, max_size=4
)


@settings(deadline=None)
@given(STAGES, st.sampled_from(ArrivalProcess), st.integers(0, 2**63), st.integers(1, 5))
def test_many_workers_send_what_one_would(
    stages: list[Stage], spread: ArrivalProcess, seed: int, processes: int
) -> None:
    """The workers' arrivals together are exactly those of one, in order, within the stages."""
    alone = schedule(stages, spread, seed)
    parts = [
        list(arrivals(stages, spread, seed=seed, index=index, processes=processes))
        for index in range(processes)
    ]
    assert sorted(at for part in parts for at in part) == alone
    assert [part for part in parts if part != sorted(part)] == []
    assert all(0 <= at <= load_profile.length(stages) * S for at in alone)
    if spread is not ArrivalProcess.POISSON:
        assert len(alone) == pytest.approx(
            load_profile.expected_arrivals(stages, 0, load_profile.length(stages)), abs=1
        )


@settings(deadline=None)
@given(STAGES, st.integers(0, 2**63))
def test_jittered_arrivals_keep_to_their_intervals(stages: list[Stage], seed: int) -> None:
    """Arrival k comes between the even moments of k and k + 1: every count is that of even arrivals."""
    even, jittered = schedule(stages), schedule(stages, ArrivalProcess.JITTERED, seed)
    until = [*even, round(load_profile.length(stages) * S)][1:]
    assert all(begin <= at <= end for begin, at, end in zip(even, jittered, until, strict=True))


def test_jittered_arrivals_come_at_every_phase() -> None:
    """At 100/s in a rhythm of 100 ms the moments fill the whole of it, where even ones have ten places."""
    stages = [Stage(100, 100, 100)]
    places = {
        spread: len(np.unique(np.array(schedule(stages, spread)) % (S // 10) // 1_000_000))
        for spread in (ArrivalProcess.EVEN, ArrivalProcess.JITTERED)
    }
    assert places == {ArrivalProcess.EVEN: 10, ArrivalProcess.JITTERED: 100}
    offsets = np.array(schedule(stages, ArrivalProcess.JITTERED)) % 10_000_000 / 1e7
    assert np.abs(np.histogram(offsets, bins=10)[0] - 1000).max() < 150
    assert abs(np.corrcoef(offsets[:-1], offsets[1:])[0, 1]) < 0.05


def test_poisson_arrivals_are_poisson() -> None:
    """Gaps are exponential: mean and standard deviation are 1 / rate, and counts vary as their mean."""
    found = np.array(schedule([Stage(1000, 1000, 100)], ArrivalProcess.POISSON, seed=7))
    gaps = np.diff(found) / S
    assert gaps.mean() == pytest.approx(1e-3, rel=0.02)
    assert gaps.std() == pytest.approx(1e-3, rel=0.02)
    counts = np.bincount(found // S, minlength=100)
    assert counts.var() == pytest.approx(counts.mean(), rel=0.5)
    assert found.tolist() != schedule([Stage(1000, 1000, 100)], ArrivalProcess.POISSON, seed=8)
