"""Deadlines of many connections, checked together."""

import time
from dataclasses import dataclass, field

from slocheck.load.http.deadline_timer import NEVER_NS, DeadlineTimer

PAST_NS, LATER_NS = 1, 1 << 61


@dataclass(eq=False)
class FakeConnection:
    """A connection that notes when it is timed out, and then waits until `then_ns`."""

    waiting: bool
    deadline_ns: int
    then_ns: int = NEVER_NS
    expired: int = field(default=0)

    def expire(self) -> None:
        """Time out."""
        self.expired += 1
        self.deadline_ns = self.then_ns


def checked(*connections: FakeConnection, soonest_ns: int) -> DeadlineTimer:
    """Return a timer that has checked these connections once."""
    timer = DeadlineTimer()
    timer.connections = set(connections)
    timer.soonest_ns = soonest_ns
    timer._check()
    return timer


def test_only_what_waits_beyond_its_deadline_is_timed_out() -> None:
    """One that does not wait is left alone, and checked again next time."""
    late, busy = (
        FakeConnection(waiting=True, deadline_ns=PAST_NS),
        FakeConnection(waiting=False, deadline_ns=PAST_NS),
    )
    timer = checked(late, busy, FakeConnection(waiting=True, deadline_ns=LATER_NS), soonest_ns=PAST_NS)
    assert (late.expired, busy.expired, timer.soonest_ns) == (1, 0, PAST_NS)
    busy.waiting = True
    timer._check()
    assert (late.expired, busy.expired, timer.soonest_ns, timer.checks) == (1, 1, LATER_NS, 2)


def test_the_earliest_deadline_left_is_known() -> None:
    """Also that of a connection that tries another address when it times out."""
    assert checked(soonest_ns=PAST_NS).soonest_ns == NEVER_NS
    again = FakeConnection(waiting=True, deadline_ns=PAST_NS, then_ns=LATER_NS)
    assert checked(again, soonest_ns=PAST_NS).soonest_ns == LATER_NS


def test_connections_are_not_gone_through_before_a_deadline_can_have_passed() -> None:
    """With thousands of them, that would hold up the requests that are due."""
    late = FakeConnection(waiting=True, deadline_ns=PAST_NS)
    timer = checked(late, soonest_ns=time.monotonic_ns() + (1 << 50))
    assert (late.expired, timer.checks) == (0, 1)
