"""Faults that the reference API can be started with, so that a test can plant a known truth."""

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one request before it is served.

    Attributes:
        delay: Seconds to wait first.
        fail: Answer 500 instead of serving.
    """

    delay: float = 0.0
    fail: bool = False


class Faults:
    """A reproducible series of faults: the n-th request of a process meets the n-th fault.

    Args:
        delays_ms: Latencies to plant, drawn evenly; empty: none.
        error_rate: Share of requests to fail, 0..1.
        seed: Of both.
    """

    def __init__(self, delays_ms: Sequence[float] = (), error_rate: float = 0.0, seed: int = 0) -> None:
        self._delays = tuple(value / 1000 for value in delays_ms)
        self._error_rate = error_rate
        self._random = random.Random(seed)  # noqa: S311 - shapes load, guards nothing

    @property
    def any(self) -> bool:
        """Whether there is anything to plant."""
        return bool(self._delays) or self._error_rate > 0

    def next(self) -> Fault:
        """Return the next request's fault."""
        delay = self._random.choice(self._delays) if self._delays else 0.0
        return Fault(delay, self._random.random() < self._error_rate)
