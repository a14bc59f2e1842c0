"""Faults with which the reference API can be started, so that a test knows the true values."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from slocheck.errors import UsageError

MAX_DELAY_MS = 600_000.0
_MS_PER_S = 1000


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to one request before it is served.

    Attributes:
        delay: Seconds to wait first.
        fail: Return 500 instead of serving.
    """

    delay: float = 0.0
    fail: bool = False


class Faults:
    """A reproducible series of faults: the n-th request of a process gets the n-th fault.

    Latencies are dealt like the cards of a shuffled deck, which is shuffled again when it is used up.
    Each whole deck holds every latency exactly once, so the distribution over whole decks is exactly
    the list. A single latency is a fixed delay.

    Args:
        delays_ms: Latencies to inject, milliseconds; empty: none.
        error_rate: Share of requests to fail, 0..1, each drawn independently.
        seed: Seed of both.

    Raises:
        UsageError: A delay or a rate is out of range.
    """

    def __init__(self, delays_ms: Sequence[float] = (), error_rate: float = 0.0, seed: int = 0) -> None:
        # written so that NaN is refused, too
        if not all(0 <= delay <= MAX_DELAY_MS for delay in delays_ms):
            raise UsageError(f"--delays-ms: each delay is 0 to {MAX_DELAY_MS:.0f} milliseconds")
        if not 0 <= error_rate <= 1:
            raise UsageError(f"--error-rate: {error_rate} is not a share; write a number from 0 to 1")
        self._delays = tuple(value / _MS_PER_S for value in delays_ms)
        self._error_rate = error_rate
        self._deck: list[float] = []
        self._shuffling = random.Random(seed)  # noqa: S311 - shapes load, guards nothing
        # a separate generator, so that the rate of errors does not change the order of the deck
        self._failing = random.Random(seed)  # noqa: S311 - the same

    @property
    def any(self) -> bool:
        """Whether there is anything to inject."""
        return bool(self._delays) or self._error_rate > 0

    def next(self) -> Fault:
        """Return the next request's fault."""
        return Fault(self._next_delay(), self._failing.random() < self._error_rate)

    def _next_delay(self) -> float:
        if not self._delays:
            return 0.0
        if not self._deck:
            self._deck = list(self._delays)
            self._shuffling.shuffle(self._deck)
        return self._deck.pop()
