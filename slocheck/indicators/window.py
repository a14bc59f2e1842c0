"""The window's seconds as series of counts, each made once for all objectives and limits of a scope."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from slocheck.evidence.columns import Whole
from slocheck.evidence.recording import FailureClass
from slocheck.evidence.scope import Scope

Counts = tuple[int, ...]
"""One number for each second of the window."""


class Window:
    """The window's seconds in order, endpoints added up, without requests that failed on this machine.

    Those say nothing about the target. Each series is made once, for all objectives and limits.
    """

    def __init__(self, scope: Scope, thresholds_ns: tuple[int, ...]) -> None:
        self._scope = scope
        self._counts = scope.counts
        self._generator = scope.counts.of_class(FailureClass.GENERATOR)
        self._over: dict[int, Counts] = {}
        self.thresholds_ns = thresholds_ns

    def __len__(self) -> int:
        """Return the number of seconds."""
        return len(self._scope)

    @property
    def attempted(self) -> int:
        """All requests, also those that failed on this machine."""
        return int(self._counts.sent.sum())

    @cached_property
    def sent(self) -> Counts:
        """Requests that reached the target, or should have."""
        return _tuple(self._counts.sent - self._generator)

    @cached_property
    def ok(self) -> Counts:
        """Requests that neither failed nor had an unexpected response."""
        return _tuple(self._counts.ok)

    @cached_property
    def failed(self) -> Counts:
        """Failures; an unexpected response is not one."""
        return _tuple(self._counts.failed - self._generator)

    @cached_property
    def unserved(self) -> Counts:
        """Requests that were not served."""
        return _tuple(self._counts.unserved_by_target)

    @cached_property
    def unexpected(self) -> Counts:
        """Requests whose response had an unexpected status."""
        return _tuple(self._counts.unexpected)

    @cached_property
    def all_unexpected(self) -> int:
        """Their number in the whole window."""
        return sum(self.unexpected)

    def with_unexpected(self, surely: Counts) -> Counts:
        """Return what is possibly bad, if unexpected responses are all that is uncertain."""
        if not self.all_unexpected:
            return surely
        return tuple(bad + more for bad, more in zip(surely, self.unexpected, strict=True))

    @cached_property
    def cache(self) -> tuple[Counts, Counts, Counts]:
        """Lookups with a known result, their misses, and failed requests that may have been misses."""
        counts = self._counts
        told = counts.cache_hits + counts.cache_misses
        unknown = np.minimum(counts.failed - self._generator, counts.sent - told)
        return _tuple(told), _tuple(counts.cache_misses), _tuple(unknown)

    @cached_property
    def slowest_ns(self) -> int:
        """The largest latency of all."""
        return int(self._counts.max_ns.max(initial=0))

    def over(self, index: int) -> Counts:
        """Requests at or over a threshold, failures included."""
        if index not in self._over:
            known = index < self._counts.thresholds
            over = self._counts.over[:, index] if known else np.zeros(len(self), dtype=np.int64)
            self._over[index] = _tuple(over + self._counts.failed - self._generator)
        return self._over[index]

    def slow(self, first_bad: int) -> tuple[Counts, Counts]:
        """Return how many requests are surely and possibly too slow or failed."""
        if first_bad in self.thresholds_ns:
            exact = self.over(self.thresholds_ns.index(first_bad))
            return exact, exact
        failed = self._counts.failed - self._generator
        low, high = self._scope.at_or_over(first_bad)
        return _tuple(low + failed), _tuple(high + failed)

    @property
    def latencies(self) -> Mapping[int, int]:
        """The histogram of the successful requests."""
        return self._scope.latencies


def _tuple(counts: Whole) -> Counts:
    return tuple(counts.tolist())
