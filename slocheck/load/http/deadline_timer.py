"""Deadlines of requests, checked by one timer for all connections instead of one for each request."""

import time
from typing import Any

CHECK_S = 0.05
NEVER_NS = 1 << 62


class DeadlineTimer:
    """Times out the connections that wait beyond their deadline, at most `CHECK_S` later.

    Going through thousands of connections takes milliseconds, in which no request is sent. So it is done only
    once the earliest deadline has passed.

    Attributes:
        connections: All connections of this process.
        checks: How often it has compared deadlines with the clock.
        soonest_ns: No deadline is earlier, on the monotonic clock. Who sets an earlier one lowers it.
    """

    def __init__(self) -> None:
        self.connections: set[Any] = set()
        self.checks = 0
        self.soonest_ns = NEVER_NS
        self._timer: Any = None

    def add(self, connection: Any) -> None:
        """Watch a connection's deadline from now on."""
        self.connections.add(connection)
        if self._timer is None:
            import gevent  # noqa: PLC0415 - counting alone does not need it

            self._timer = gevent.get_hub().loop.timer(CHECK_S, CHECK_S)
            self._timer.start(self._check)

    def discard(self, connection: Any) -> None:
        """Stop watching a connection."""
        self.connections.discard(connection)

    def _check(self) -> None:
        self.checks += 1
        if time.monotonic_ns() > self.soonest_ns:
            self._expire()

    def _expire(self) -> None:
        """Time out what is late, and find the earliest deadline that is left."""
        now_ns = time.monotonic_ns()
        for connection in list(self.connections):
            if connection.waiting and connection.deadline_ns < now_ns:
                connection.expire()
        self.soonest_ns = min((connection.deadline_ns for connection in self.connections), default=NEVER_NS)
