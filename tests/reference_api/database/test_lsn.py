"""Positions in the log, and the lag that follows from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.reference_api.database.lsn import Lag, read_position, show_position

positions = st.integers(0, 2**64 - 1)


@given(positions)
def test_a_position_is_read_as_it_is_written(position: int) -> None:
    """What is shown is read back as the same number."""
    assert read_position(show_position(position)) == position


def test_positions_are_written_as_postgresql_does() -> None:
    """The two halves are hexadecimal without leading zeros."""
    assert show_position(0x16_B374_D848) == "16/B374D848"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("16", id="one half"),
        pytest.param("16/b374d848", id="lower case"),
        pytest.param("1/123456789", id="too long"),
        pytest.param("-1/0", id="sign"),
        pytest.param("1/0\n", id="line break"),
        pytest.param("٣/0", id="digits of another script"),
    ],
)
def test_anything_else_is_not_a_position(text: str) -> None:
    """A client may send anything."""
    assert read_position(text) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.floats(0.01, 10)), min_size=1))
def test_lag_is_the_age_of_what_is_not_replayed(steps: list[tuple[int, int, float]]) -> None:
    """It is 0 with everything replayed, else the time since the oldest unreplayed position was seen."""
    lag, now, primary, replayed = Lag(), 0.0, 0, 0
    seen: list[tuple[float, int]] = []
    for written, caught_up, passed in steps:
        now += passed
        primary += written
        replayed = min(primary, replayed + caught_up)
        if not seen or primary > seen[-1][1]:
            seen.append((now, primary))
        open_since = [when for when, position in seen if position > replayed]
        assert lag.seen(now, primary, replayed) == (now - min(open_since) if open_since else 0)


def test_an_idle_primary_is_no_lag_and_a_cut_replica_is() -> None:
    """What the usual queries get wrong: no writes for a minute; writes that the replica never received."""
    lag = Lag()
    assert lag.seen(0, 100, 100) == lag.seen(60, 100, 100) == 0
    assert [lag.seen(61, 200, 100), lag.seen(75, 300, 100), lag.seen(76, 300, 250)] == [0, 14, 1]
