"""What was sent to one or more endpoints in some seconds: added up once, for all who ask."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from slocheck.evidence.columns import WIDTH, Columns, Counts, Narrow, Sparse, Whole, added_keys
from slocheck.evidence.histogram import bucket_bounds, bucket_index, merge

_SECONDS = 256
"""Whose histograms are added up at once: a few megabytes for each endpoint."""

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

    def _entries(self, name: str, step: int = 1) -> Iterator[tuple[Whole, NDArray[np.uint16], Narrow]]:
        """Yield the entries of a sparse column for each endpoint: row of `step` seconds, key, count."""
        for part, rows in self._parts:
            sparse: Sparse = getattr(part, name)
            yield sparse.entries(rows, self._places(part, rows) // step)

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
        The memory that it takes does not grow with the length of the run.
        """
        at_once = max(1, _SECONDS // step)
        for first in range(0, -(-len(self.seconds) // step), at_once):
            within = self.seconds[first * step : (first + at_once) * step]
            blocks = (within[begin : begin + _SECONDS] for begin in range(0, len(within), _SECONDS))
            found = [block for block in (self._block(seconds, step) for seconds in blocks) if block]
            if found:
                yield first, *_together(found)

    def _block(self, seconds: range, step: int) -> tuple[int, Whole] | None:
        """Return the histograms of a few seconds by row of `step` seconds; None without a request."""
        part = Scope([part for part, _ in self._parts], seconds)
        found = [entries for entries in part._entries(_LATENCIES, step) if len(entries[1])]
        if not found:
            return None
        lowest = min(int(keys.min()) for _, keys, _ in found)
        width = max(int(keys.max()) for _, keys, _ in found) + 1 - lowest
        for rows, keys, _ in found:
            rows *= width  # noqa: PLW2901 - in place: the array is this call's own
            rows += keys  # noqa: PLW2901 - as above
        cells = np.concatenate([rows for rows, _, _ in found])
        cells -= lowest
        counts = np.concatenate([counts for _, _, counts in found])
        size = -(-len(seconds) // step)
        flat = np.bincount(cells, weights=counts, minlength=size * width)
        return lowest, flat.astype(np.int64).reshape(size, width)

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


def _together(found: Sequence[tuple[int, Whole]]) -> tuple[int, Whole]:
    """Add histograms of the same rows: each has its first bucket's index, and counts of its own width."""
    if len(found) == 1:
        return found[0]
    lowest = min(low for low, _ in found)
    width = max(low + counts.shape[1] for low, counts in found) - lowest
    total = np.zeros((len(found[0][1]), width), dtype=np.int64)
    for low, counts in found:
        total[:, low - lowest : low - lowest + counts.shape[1]] += counts
    return lowest, total
