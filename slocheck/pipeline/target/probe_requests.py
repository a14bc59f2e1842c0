"""Requests of a probe: each GET step once, and again where their counts need to be confirmed."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from slocheck.pipeline.target.first_requests import FirstResponse
from slocheck.spec.model import Endpoint


class ProbeRequests:
    """Sends a scenario's GET steps, each once a round, and keeps what came back.

    Args:
        send: Sends one round.

    Attributes:
        responses: Of the first round.
        begun: When the first round began, epoch seconds; 0 before it.
        ended: When the last round ended.
    """

    def __init__(self, send: Callable[[], Sequence[FirstResponse]]) -> None:
        self._send = send
        self._all: list[FirstResponse] = []
        self.responses: tuple[FirstResponse, ...] = ()
        self.begun = self.ended = 0.0

    def round(self) -> tuple[FirstResponse, ...]:
        """Send each step once; returns the responses."""
        begun = time.time()
        found = tuple(self._send())
        self.ended = time.time()
        if not self.begun:
            self.begun, self.responses = begun, found
        self._all += found
        return found

    def once(self) -> tuple[FirstResponse, ...]:
        """Send the first round, unless it was sent; returns its responses."""
        return self.responses if self.begun else self.round()

    @property
    def asked(self) -> tuple[Endpoint, ...]:
        """The endpoints that a request was sent to."""
        return tuple(response.endpoint for response in self.responses)

    @property
    def served(self) -> Mapping[Endpoint, int]:
        """How many requests each endpoint responded to."""
        return Counter(response.endpoint for response in self._all if not response.error)

    @property
    def mean(self) -> Fraction:
        """The mean time of a response, seconds; 0 without any."""
        times = [Fraction(response.seconds) for response in self._all if not response.error]
        return sum(times, Fraction(0)) / len(times) if times else Fraction(0)
