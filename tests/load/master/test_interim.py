"""The master's interim results take a small share of its core, however many workers there are."""

import pytest

from slocheck.load.master.interim import SHARE, Interim


@pytest.mark.parametrize(
    ("cost_s", "made"),
    [
        pytest.param(0.001, 100, id="cheap: each second"),
        pytest.param(0.02, 50, id="each other second"),
        pytest.param(5.0, 1, id="a stall is not repeated soon"),
    ],
)
def test_its_cost_is_a_share_of_a_core(cost_s: float, made: int) -> None:
    """One is made in a second only if the cost of the earlier ones allows it."""
    clock = [0.0, 0.0]
    interim = Interim(lambda: clock[0], lambda: clock[1])

    def make() -> bool:
        clock[0] += cost_s
        return True

    found = []
    for second in range(100):
        clock[1] = float(second)
        found.append(interim.made(make))
    assert sum(each is True for each in found) == made
    assert clock[0] <= 100 * SHARE + cost_s
