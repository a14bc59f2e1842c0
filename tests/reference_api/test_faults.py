"""Planted faults: exactly what was asked for, and nothing that cannot be planted."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.errors import UsageError
from slocheck.reference_api.faults import Faults


def test_nothing_is_planted_unless_asked() -> None:
    """The default leaves every request alone."""
    faults = Faults()
    assert not faults.any
    assert (faults.next().delay, faults.next().fail) == (0.0, False)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=30), st.integers(), st.integers(1, 4))
def test_whole_decks_deal_each_latency_equally_often(deck: list[int], seed: int, rounds: int) -> None:
    """The distribution over whole decks is the list itself, whatever the seed."""
    faults = Faults(deck, seed=seed)
    dealt = Counter(faults.next().delay for _ in range(rounds * len(deck)))
    assert dealt == Counter([delay / 1000 for delay in deck] * rounds)


def test_another_seed_deals_another_order() -> None:
    """The seed decides the order of latencies and which requests fail."""

    def series(seed: int) -> list[tuple[float, bool]]:
        faults = Faults(range(1, 20), error_rate=0.5, seed=seed)
        return [(fault.delay, fault.fail) for fault in (faults.next() for _ in range(40))]

    assert series(1) == series(1)
    assert series(1) != series(2)


def test_errors_do_not_change_the_order_of_latencies() -> None:
    """A test may add errors, and each request is as slow as before."""
    plain, failing = Faults(range(50), seed=3), Faults(range(50), error_rate=0.5, seed=3)
    assert [plain.next().delay for _ in range(100)] == [failing.next().delay for _ in range(100)]


@pytest.mark.parametrize(("rate", "failures"), [(0.0, 0), (1.0, 500)], ids=["never", "always"])
def test_error_rates_at_the_ends_are_exact(rate: float, failures: int) -> None:
    """0 fails no request and 1 fails all."""
    faults = Faults([1], error_rate=rate)
    assert sum(faults.next().fail for _ in range(500)) == failures


@pytest.mark.parametrize(
    ("delays_ms", "error_rate", "message"),
    [
        pytest.param([-1], 0, "0 to 600000", id="negative delay"),
        pytest.param([1, 600_001], 0, "0 to 600000", id="delay too long"),
        pytest.param([float("nan")], 0, "0 to 600000", id="delay is not a number"),
        pytest.param([], -0.1, "0 to 1", id="negative rate"),
        pytest.param([], 1.1, "0 to 1", id="rate over 1"),
        pytest.param([], float("nan"), "0 to 1", id="rate is not a number"),
    ],
)
def test_faults_that_cannot_be_planted_are_refused(
    delays_ms: list[float], error_rate: float, message: str
) -> None:
    """The message says what to write instead."""
    with pytest.raises(UsageError, match=message):
        Faults(delays_ms, error_rate)
