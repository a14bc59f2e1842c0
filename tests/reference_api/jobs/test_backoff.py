"""The schedule of attempts."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from slocheck.reference_api.jobs.backoff import Retries


def test_three_attempts_wait_one_second_and_two() -> None:
    """The usual schedule: there is no attempt after the third."""
    assert [Retries().after(attempt) for attempt in (1, 2, 3, 4)] == [1, 2, None, None]
    assert Retries().after(1, chance=1.0) == 0.8


@given(
    attempts=st.integers(1, 10_000),
    delay=st.floats(0.001, 100),
    most=st.floats(0.001, 10_000),
    chance=st.floats(0, 1),
)
def test_each_wait_is_twice_the_one_before_up_to_the_bound(
    attempts: int, delay: float, most: float, chance: float
) -> None:
    """There is one wait fewer than attempts; chance takes at most a fifth off each."""
    retries = Retries(attempts, delay, most)
    waits = [retries.after(attempt) for attempt in range(1, attempts + 1)]
    assert waits[-1] is None
    known = [wait for wait in waits if wait is not None]
    assert len(known) == attempts - 1
    assert all(wait <= most for wait in known)
    for before, after in pairwise(known):
        assert after == min(2 * before, most)
    if known:
        assert known[0] == min(delay, most)
        shortened = retries.after(1, chance)
        assert shortened is not None
        assert 0.8 * known[0] <= shortened * (1 + 1e-9)
        assert shortened <= known[0]
