"""The dispatcher's counts: each arrival once, in the second in which it was due."""

from itertools import repeat
from time import monotonic_ns

from slocheck.documents.units import NS_PER_SECOND
from slocheck.load.arrivals.dispatcher import Dispatcher

LATE_S = 5
DUE_S = [0.1, 0.9, 1.0, 1.2, 2.5, 2.6, 4.0]


def test_lags_and_drops_belong_to_the_second_in_which_they_were_due() -> None:
    """Also if the counts are taken within a second, and whoever is idle."""
    offsets = [round(second * NS_PER_SECOND) for second in DUE_S]
    dispatcher = Dispatcher(iter(offsets), zip(repeat(0), repeat(None), strict=False))
    begun: list[tuple[int, object]] = []
    origin_ns = monotonic_ns() - LATE_S * NS_PER_SECOND
    dispatcher.begin(origin_ns)
    for _ in range(4):
        dispatcher.wait(0, begun.append)
    dispatcher._on_time()
    first = dispatcher.take()
    assert [due_ns - origin_ns for due_ns, _ in begun] == offsets[:4]
    assert first.lag.seconds.tolist() == [0, 1]
    assert [sum(first.lag.counts.row(row).values()) for row in range(2)] == [2, 2]
    assert dict(first.dropped) == {2: 2, 4: 1}
    dispatcher.stop()


def test_counts_taken_within_a_second_lose_no_arrival() -> None:
    """What is due after it is in the next counts."""
    offsets = [round(second * NS_PER_SECOND) for second in (0.1, 0.2, 0.3)]
    dispatcher = Dispatcher(iter(offsets), zip(repeat(0), repeat(None), strict=False))
    dispatcher._origin_ns = monotonic_ns() - LATE_S * NS_PER_SECOND
    for offset in offsets:
        dispatcher.wait(0, id)
        dispatcher._hand_out(dispatcher._origin_ns + offset)
        taken = dispatcher.take()
        assert taken.lag.seconds.tolist() == [0]
        assert sum(taken.lag.counts.row(0).values()) == 1
