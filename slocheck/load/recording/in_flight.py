"""Requests that were sent and not yet recorded: none is lost, none counted twice. No Locust here."""

import time
import weakref
from collections.abc import Callable, Iterator
from typing import Protocol

from slocheck.load.recording.recorder import Result


class Timer(Protocol):
    """Something that can be cancelled."""

    def close(self) -> None:
        """Cancel it."""


class InFlightRequest:
    """One request that was sent and is not recorded yet.

    Attributes:
        method: As the client names it.
        name: The endpoint's name.
        url_name: The name that the client itself makes of the URL, query values included; None if the
            scenario wrote a name.
        start_ns: When it was due, on the monotonic clock.
        sent_ns: When it was sent.
        by_scenario: The scenario marked the response as a failure.
        approved: The scenario marked the response as a success.
        provisional: What is recorded if the scenario does not decide; None without a response.
        holder: Weak reference to the response that the scenario may still judge; dead when it no longer can.
        timer: The request's deadline.
        under_way: A connection is being made for it, or its client waits for its response.
        give_back: Returns its connection if it cannot be built and the client itself does not.
    """

    __slots__ = (
        "approved", "by_scenario", "give_back", "holder", "method", "name", "provisional", "sent_ns",
        "start_ns", "timer", "under_way", "url_name",
    )  # fmt: skip

    def __init__(self, method: str, name: str, start_ns: int, sent_ns: int) -> None:
        self.method = method
        self.name = name
        self.url_name: str | None = None
        self.start_ns = start_ns
        self.sent_ns = sent_ns
        self.by_scenario = self.approved = False
        self.provisional: Result | None = None
        self.holder: weakref.ref[object] | None = None
        self.timer: Timer | None = None
        self.under_way = False
        self.give_back: Callable[[], object] | None = None

    @property
    def forgotten(self) -> bool:
        """Whether it got a response and the scenario can no longer decide about it."""
        return self.provisional is not None and self.holder is not None and self.holder() is None

    @property
    def age_ns(self) -> int:
        """Nanoseconds since it was due."""
        return time.monotonic_ns() - self.start_ns


class InFlightTable:
    """All requests in flight of a process, oldest first."""

    def __init__(self) -> None:
        self._open: dict[int, InFlightRequest] = {}

    def __len__(self) -> int:
        return len(self._open)

    def __iter__(self) -> Iterator[InFlightRequest]:
        return iter(list(self._open.values()))

    def __contains__(self, request: InFlightRequest) -> bool:
        return id(request) in self._open

    def begin(self, method: str, name: str, late_ns: int = 0) -> InFlightRequest:
        """Add a request that is sent now; `late_ns`: how long ago it was due."""
        now_ns = time.monotonic_ns()
        request = InFlightRequest(method, name, now_ns - late_ns, now_ns)
        self._open[id(request)] = request
        return request

    def close(self, request: InFlightRequest) -> bool:
        """Remove a request that is recorded or was never sent; False if it was removed before."""
        if request.timer is not None:
            request.timer.close()
            request.timer = None
        return self._open.pop(id(request), None) is not None
