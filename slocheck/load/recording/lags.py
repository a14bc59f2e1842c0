"""How late arrivals began, by second: a histogram each, as columns. No Locust here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from slocheck.evidence.columns import Sparse, Whole, sparse_of
from slocheck.evidence.histogram import MAX_INDEX
from slocheck.evidence.parts.batch import in_a_row


@dataclass(frozen=True, slots=True, eq=False)
class Lags:
    """Histograms of delays, nanoseconds.

    Attributes:
        seconds: Seconds since the load began, one for each histogram, shape (R,).
        counts: Bucket index to count, as many rows.
    """

    seconds: Whole = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    counts: Sparse = field(default_factory=lambda: sparse_of(()))

    @classmethod
    def of(cls, by_second: Mapping[int, Mapping[int, int]]) -> Self:
        """Return histograms by second as columns."""
        return cls(np.asarray(list(by_second), dtype=np.int64), sparse_of(by_second.values()))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Lags):
            return NotImplemented
        return self._rows() == other._rows()

    __hash__ = None  # type: ignore[assignment] # arrays have none

    def _rows(self) -> list[tuple[int, dict[int, int]]]:
        return [(second, self.counts.row(row)) for row, second in enumerate(self.seconds.tolist())]


NO_LAGS = Lags()
"""No arrival began."""


def lags_together(parts: Sequence[Lags]) -> Lags:
    """Return histograms of several workers as one for each second."""
    filled = [each for each in parts if len(each.seconds)]
    if len(filled) <= 1:
        return filled[0] if filled else NO_LAGS
    seconds, groups = np.unique(np.concatenate([each.seconds for each in filled]), return_inverse=True)
    return Lags(seconds, in_a_row([each.counts for each in filled]).added(groups, len(seconds)))


class LagTotal:
    """All delays of the window's seconds together."""

    def __init__(self, window: range) -> None:
        """Begin with none."""
        self._window = window
        self._counts = np.zeros(MAX_INDEX + 1, dtype=np.int64)

    def add(self, lags: Lags) -> None:
        """Add those of some arrivals."""
        if not len(lags.seconds):
            return
        inside = (lags.seconds >= self._window.start) & (lags.seconds < self._window.stop)
        rows = np.flatnonzero(inside)
        _, keys, counts = lags.counts.entries(rows, rows)
        np.add.at(self._counts, keys, counts.astype(np.int64))

    def histogram(self) -> dict[int, int]:
        """Return bucket index to count."""
        found = np.flatnonzero(self._counts)
        return dict(zip(found.tolist(), self._counts[found].tolist(), strict=True))
