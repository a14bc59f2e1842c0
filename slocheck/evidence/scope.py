"""What was sent to one or more endpoints in some seconds: added up once, for all who ask."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from slocheck.evidence.columns import WIDTH, Columns, Counts, Narrow, Sparse, Whole, added_keys
from slocheck.evidence.histogram import bucket_bounds, bucket_index, merge

_ROWS = 256
"""Histograms that are added up at once: a few tens of megabytes."""

_LATENCIES, _STATUSES = "latencies", "statuses"


class Scope:
    """Endpoints added up, one row for each second, those without a request included.

    Attributes:
        seconds: That it is of.
    """

    def __init__(self, parts: Sequence[Columns], seconds: range) -> None:
        """Take the columns of each endpoint; nothing is computed before it is asked for."""
        self.seconds = seconds
        self._parts = [(part, part.within(seconds)) for part in parts]

    def __len__(self) -> int:
        """Return the number of seconds."""
        return len(self.seconds)

    @cached_property
    def counts(self) -> Counts:
        """All counts, a row for each second; an endpoint without thresholds has nothing over any."""
        return self._added(self._places, len(self.seconds))

    @cached_property
    def total(self) -> Counts:
        """All counts of all seconds together, one row."""
        return self._added(lambda _part, rows: np.zeros_like(rows), 1)

    def _added(self, groups: Callable[[Columns, Whole], Whole], size: int) -> Counts:
        """Add up the endpoints, one after the other, as each may be large."""
        width = max((part.counts.narrow.shape[1] for part, _ in self._parts), default=WIDTH)
        wide, narrow = np.zeros((size, 3), dtype=np.int64), np.zeros((size, width), dtype=np.int64)
        for part, rows in self._parts:
            chosen = Counts(part.counts.wide[rows], part.counts.narrow[rows])
            added = chosen.added(groups(part, rows), size)
            slowest = np.maximum(wide[:, 1], added.max_ns)
            wide += added.wide
            wide[:, 1] = slowest
            narrow[:, : added.narrow.shape[1]] += added.narrow
        return Counts(wide, narrow)

    @property
    def total_ns(self) -> int:
        """Sum of the ok requests' latencies, nanoseconds, which may take more than 64 bits."""
        return sum(self.counts.total_ns.tolist())

    def _places(self, part: Columns, rows: Whole) -> Whole:
        places: Whole = part.seconds[rows] - self.seconds.start
        return places

    def _entries(self, name: str) -> Iterator[tuple[Whole, NDArray[np.uint16], Narrow]]:
        """Yield the entries of a sparse column for each endpoint: place among the seconds, key, count."""
        for part, rows in self._parts:
            sparse: Sparse = getattr(part, name)
            places, keys, counts = sparse.entries(rows)
            yield self._places(part, rows)[places], keys, counts

    @cached_property
    def latencies(self) -> dict[int, int]:
        """The histogram of the ok requests: bucket index to count."""
        return self._merged(_LATENCIES)

    @cached_property
    def statuses(self) -> dict[int, int]:
        """Requests by status code; 0 stands for no response at all."""
        return self._merged(_STATUSES)

    def _merged(self, name: str) -> dict[int, int]:
        return merge(added_keys(keys, counts) for _, keys, counts in self._entries(name))

    @cached_property
    def by_status(self) -> dict[int, Whole]:
        """The requests of each second by status code, which ascends; 0: no response at all."""
        found: dict[int, Whole] = {}
        for places, keys, counts in self._entries(_STATUSES):
            for status in np.unique(keys).tolist():
                more = self._per_second(places, np.where(keys == status, counts, 0))
                found[status] = found[status] + more if status in found else more
        return {status: counts for status, counts in sorted(found.items()) if np.any(counts)}

    @property
    def is_unanswered(self) -> bool:
        """Whether requests of some second got no response at all, but for what failed on this machine."""
        none = self.by_status.get(0, np.zeros(len(self.seconds), dtype=np.int64))
        return bool(np.any(none > self.counts.of_class("generator")))

    def histograms(self, step: int) -> Iterator[tuple[int, int, Whole]]:
        """Yield the histograms of the ok requests by row of `step` seconds, some rows at a time.

        That is the number of the first row, the first bucket's index, and counts of shape (rows, buckets).
        """
        for first in range(0, -(-len(self.seconds) // step), _ROWS):
            within = self.seconds[first * step : (first + _ROWS) * step]
            part = Scope([part for part, _ in self._parts], within)
            found = list(part._entries(_LATENCIES))
            keys = np.concatenate([keys for _, keys, _ in found]) if found else np.zeros(0, dtype=np.uint16)
            if len(keys):
                lowest, width = int(keys.min()), int(keys.max()) - int(keys.min()) + 1
                rows = np.concatenate([places // step for places, _, _ in found])
                counts = np.concatenate([counts for _, _, counts in found])
                size = -(-len(within) // step)
                flat = np.bincount(rows * width + keys - lowest, weights=counts, minlength=size * width)
                yield first, lowest, flat.astype(np.int64).reshape(size, width)

    def at_or_over(self, ns: int) -> tuple[Whole, Whole]:
        """Return, for each second, the fewest and the most ok requests that can have taken `ns` or more.

        For a threshold that was counted while recording, use that exact count instead.
        """
        possibly = bucket_index(ns)
        surely = possibly + (bucket_bounds(possibly)[0] < ns)
        low, high = (np.zeros(len(self.seconds), dtype=np.int64) for _ in range(2))
        for places, keys, counts in self._entries(_LATENCIES):
            low += self._per_second(places, np.where(keys >= surely, counts, 0))
            high += self._per_second(places, np.where(keys >= possibly, counts, 0))
        return low, high

    def _per_second(self, places: Whole, counts: Whole) -> Whole:
        found: Whole = np.bincount(places, weights=counts, minlength=len(self.seconds)).astype(np.int64)
        return found
