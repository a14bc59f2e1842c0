"""How far another machine's clock is ahead: within its bound, however asymmetric the round trip."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.load.master.remote.clock_offset import ROUNDS, ClockOffset, RoundTrip, clock_offset

MS = 1_000_000


def trip(ahead: int, there: int, back: int, asked: int = 0) -> RoundTrip:
    """Return a round trip to a machine whose clock is ahead; times there and back in nanoseconds."""
    return RoundTrip(asked, asked + there + ahead, asked + there + back)


@pytest.mark.parametrize(
    ("trips", "ahead", "bound"),
    [
        pytest.param([(0, 5 * MS, 5 * MS)], 0, 5 * MS, id="the same clock"),
        pytest.param([(-(10**18), 5 * MS, 5 * MS)], -(10**18), 5 * MS, id="years behind"),
        pytest.param([(70, 10 * MS, 0)], 70 + 5 * MS, 5 * MS, id="all of the time on the way there"),
        pytest.param([(70, 0, 10 * MS)], 70 - 5 * MS, 5 * MS, id="all of the time on the way back"),
        pytest.param(
            [(70, 90 * MS, 8 * MS), (70, MS, MS), (70, 3 * MS, MS)], 70, MS, id="the shortest counts"
        ),
        pytest.param([(7, 1, 0)], 8, 1, id="an odd nanosecond"),
    ],
)
def test_the_shortest_round_trip_tells_the_offset(
    trips: list[tuple[int, int, int]], ahead: int, bound: int
) -> None:
    """Half of its length is the bound of the error."""
    assert clock_offset([trip(*each) for each in trips]) == ClockOffset(ahead, bound)


DELAYS = st.integers(0, 400 * MS)


@given(
    st.integers(-(1 << 60), 1 << 60),
    st.lists(st.tuples(DELAYS, DELAYS, st.integers(0, 1 << 60)), min_size=1, max_size=ROUNDS),
)
def test_the_true_offset_lies_within_the_bound(ahead: int, trips: list[tuple[int, int, int]]) -> None:
    """Whatever the delays in both directions; and no single round trip has a smaller bound."""
    found = clock_offset([trip(ahead, there, back, asked) for there, back, asked in trips])
    assert found is not None
    assert abs(found.ahead - ahead) <= found.bound
    assert found.bound == min(-(-(there + back) // 2) for there, back, _ in trips)


def test_without_an_answer_nothing_is_known() -> None:
    """Nor by an answer that came before its question."""
    assert clock_offset([]) is None
    assert clock_offset([RoundTrip(5, 9, 4)]) is None
