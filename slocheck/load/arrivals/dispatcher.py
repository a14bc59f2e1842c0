"""The open model: arrivals are handed to idle virtual users when they are due, whatever the target does."""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from time import monotonic_ns
from typing import Any

import gevent
import numpy as np
from gevent import getcurrent

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.columns import Whole, stacked
from slocheck.evidence.histogram import bucket_indices
from slocheck.load.arrivals.timerfd import KernelTimer
from slocheck.load.messaging.messages import ArrivalCounts
from slocheck.load.recording.lags import Lags

_BURST = 64
"""Arrivals handed out before the event loop may read responses again: a backlog must not starve it."""


Begin = Callable[[tuple[int, Any]], object]


class Dispatcher:
    """Walks one worker's schedule.

    Users wait in `next`. The last user to become idle is served first, which keeps open only the
    connections that the load needs.
    """

    def __init__(self, schedule: Iterator[int], work: Iterator[tuple[int, Any]]) -> None:
        """Take the schedule and the work.

        Args:
            schedule: Arrivals, nanoseconds since the load began.
            work: For each arrival the user class (its index) that serves it, and what its user does.
        """
        self._schedule = schedule
        self._work = work
        self._idle: defaultdict[int, list[Begin]] = defaultdict(list)
        self._origin_ns = 0
        self._next_ns: int | None = None
        self._timer: KernelTimer | None = None
        self._lag: defaultdict[int, array[int]] = defaultdict(lambda: array("q"))
        self._note_lag: Callable[[int], object] = id
        self._second_end_ns = 0
        self._dropped: defaultdict[int, int] = defaultdict(int)
        self._hub = gevent.get_hub()

    @property
    def idle(self) -> int:
        """Users that wait for an arrival."""
        return sum(len(users) for users in self._idle.values())

    def begin(self, origin_ns: int) -> None:
        """Start the schedule at this time of the monotonic clock."""
        self._origin_ns = origin_ns
        self._timer = KernelTimer(self._on_time)
        self._advance()
        self._arm(monotonic_ns())

    def stop(self) -> None:
        """Hand out no more arrivals; overdue ones count as dropped."""
        now_ns = monotonic_ns()
        while self._next_ns is not None and self._next_ns < now_ns:
            self._dropped[self._second_of(self._next_ns)] += 1
            self._advance()
        self._next_ns = None
        self._idle.clear()  # or each of thousands of users would look for its own place when it ends
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def next(self, user_class: int) -> tuple[int, Any]:
        """Block until an arrival is due for the calling user, whose class has this index.

        Returns:
            When it was due, on the monotonic clock, and its work: the class and what to do.
        """
        resume = getcurrent().switch
        self.wait(user_class, resume)
        try:
            arrival: tuple[int, Any] = self._hub.switch()
        except BaseException:
            self.leave(user_class, resume)
            raise
        return arrival

    def wait(self, user_class: int, begin: Begin) -> None:
        """Call `begin` in the hub, once, when an arrival of this class is due; with what `next` returns."""
        self._idle[user_class].append(begin)

    def leave(self, user_class: int, begin: Begin) -> None:
        """Do not call this any more."""
        idle = self._idle[user_class]
        if begin in idle:
            idle.remove(begin)

    def _advance(self) -> None:
        offset = next(self._schedule, None)
        self._next_ns = None if offset is None else self._origin_ns + offset

    def _arm(self, now_ns: int) -> None:
        if self._timer is None:
            return
        if self._next_ns is None:
            self._timer.rest()
        else:
            self._timer.at(self._next_ns, now_ns)

    def _on_time(self) -> None:
        """Hand out the arrivals that are due; runs in the hub."""
        now_ns = monotonic_ns()
        for _ in range(_BURST):
            due_ns = self._next_ns
            if due_ns is None or due_ns > now_ns:
                break
            self._hand_out(due_ns)
            offset = next(self._schedule, None)
            self._next_ns = None if offset is None else self._origin_ns + offset
            now_ns = monotonic_ns()
        self._arm(now_ns)

    def _hand_out(self, due_ns: int) -> None:
        user_class, _ = work = next(self._work)
        idle = self._idle[user_class]
        if not idle:
            self._dropped[self._second_of(due_ns)] += 1
            return
        if due_ns >= self._second_end_ns:
            self._begin_second(self._second_of(due_ns))
        self._note_lag(monotonic_ns() - due_ns)
        idle.pop()((due_ns, work))

    def _second_of(self, due_ns: int) -> int:
        return (due_ns - self._origin_ns) // NS_PER_SECOND

    def _begin_second(self, second: int) -> None:
        """Note the lags of this second from now on."""
        self._second_end_ns = self._origin_ns + (second + 1) * NS_PER_SECOND
        self._note_lag = self._lag[second].append

    def take(self) -> ArrivalCounts:
        """Return what happened since the last call."""
        lag, self._lag = self._lag, defaultdict(lambda: array("q"))
        self._second_end_ns = 0  # so that the next arrival begins a second in the new counts
        dropped, self._dropped = self._dropped, defaultdict(int)
        rows = stacked([_histogram(values) for values in lag.values()])
        return ArrivalCounts(dropped, Lags(np.asarray(list(lag), dtype=np.int64), rows))


def _histogram(values: "array[int]") -> tuple[Whole, Whole]:
    """Return the buckets that hold some of these delays, in order, and their counts."""
    delays = np.maximum(np.frombuffer(values, dtype=np.int64), 0)
    return np.unique(bucket_indices(delays), return_counts=True)
