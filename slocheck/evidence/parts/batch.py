"""What several endpoints were sent, as one set of columns: what workers report and the master adds up."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from slocheck.evidence.columns import Columns, Counts, Sparse, Whole, rows_of
from slocheck.evidence.recording import SliceCounts, columns_of, slices_of
from slocheck.spec.model import Endpoint


def _no_rows() -> Columns:
    return columns_of(())


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Counts of several endpoints, a row for each endpoint and second; both may repeat.

    Attributes:
        endpoints: What was asked.
        places: The endpoint of each row, by its place in `endpoints`, shape (R,).
        columns: As many rows.
    """

    endpoints: tuple[Endpoint, ...] = ()
    places: Whole = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    columns: Columns = field(default_factory=_no_rows)

    @classmethod
    def of(cls, counts: Iterable[tuple[Endpoint, SliceCounts]]) -> Self:
        """Return slices of endpoints as one batch, in their order."""
        listed = list(counts)
        places: dict[Endpoint, int] = {}
        of_rows = [places.setdefault(endpoint, len(places)) for endpoint, _ in listed]
        columns = columns_of(part for _, part in listed)
        return cls(tuple(places), np.asarray(of_rows, dtype=np.int64), columns)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.places)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Batch):
            return NotImplemented
        arrays = zip(_arrays(self), _arrays(other), strict=True)
        return self.endpoints == other.endpoints and all(np.array_equal(one, two) for one, two in arrays)

    __hash__ = None  # type: ignore[assignment] # arrays have none

    @property
    def slices(self) -> tuple[tuple[Endpoint, SliceCounts], ...]:
        """The rows as slices, made when they are asked for."""
        endpoints = (self.endpoints[place] for place in self.places.tolist())
        return tuple(zip(endpoints, slices_of(self.columns), strict=True))

    def parts(self) -> Iterator[tuple[Endpoint, Columns]]:
        """Yield the rows of each endpoint that has some."""
        order = np.argsort(self.places, kind="stable")
        places = self.places[order]
        starts = np.flatnonzero(np.diff(places, prepend=-1)).tolist()
        for start, end in pairwise([*starts, len(order)]):
            yield self.endpoints[places[start]], rows_of(self.columns, order[start:end])

    def chosen(self, rows: NDArray[np.bool_]) -> "Batch":
        """Return the rows for which an array of shape (R,) says so."""
        if rows.all():
            return self
        kept = np.flatnonzero(rows)
        return Batch(self.endpoints, self.places[kept], rows_of(self.columns, kept))


NO_COUNTS = Batch()
"""Nothing was sent."""


def joined(batches: Sequence[Batch]) -> Batch:
    """Return batches as one: an endpoint occurs once, and once for each second if it does in each of them.

    Raises:
        ValueError: They were counted against different numbers of thresholds, if that is not 0.
    """
    filled = [each for each in batches if len(each)]
    return added_up(in_one(filled)) if len(filled) > 1 else in_one(filled)


def in_one(batches: Sequence[Batch]) -> Batch:
    """Return the rows of all batches, one after the other; raises ValueError as `joined`."""
    filled = [each for each in batches if len(each)]
    if len(filled) <= 1:
        return filled[0] if filled else NO_COUNTS
    known: dict[Endpoint, int] = {}
    places = []
    for each in filled:
        own = [known.setdefault(endpoint, len(known)) for endpoint in each.endpoints]
        places.append(np.asarray(own, dtype=np.int64)[each.places])
    return Batch(tuple(known), np.concatenate(places), concatenated([each.columns for each in filled]))


def added_up(batch: Batch) -> Batch:
    """Return a batch with one row for each endpoint and second."""
    if len(batch) <= 1:
        return batch
    columns = batch.columns
    rows, groups = _groups(batch.places, columns.seconds)
    size = len(rows)
    added = Columns(
        rows[:, 1],
        columns.counts.added(groups, size),
        tuple(sparse.added(groups, size) for sparse in columns.sparse),
    )
    return Batch(batch.endpoints, rows[:, 0], added)


def _groups(places: Whole, seconds: Whole) -> tuple[Whole, Whole]:
    """Return the different pairs of endpoint and second, shape (G, 2), and the number of each row's pair."""
    lowest = int(seconds.min())
    span = int(seconds.max()) - lowest + 1
    ids, groups = np.unique(places * span + (seconds - lowest), return_inverse=True)
    return np.stack((ids // span, ids % span + lowest), axis=1), groups


def concatenated(parts: Sequence[Columns]) -> Columns:
    """Return the rows of all parts, one part after the other; raises ValueError as `joined`."""
    thresholds = {part.counts.thresholds for part in parts} - {0}
    if len(thresholds) > 1:
        raise ValueError(f"counts for {min(thresholds)} and for {max(thresholds)} thresholds cannot be added")
    most = max(thresholds, default=0)
    wide = [
        part.counts if part.counts.thresholds == most else part.with_thresholds(most).counts for part in parts
    ]
    return Columns(
        np.concatenate([part.seconds for part in parts]),
        Counts(np.concatenate([part.wide for part in wide]), np.concatenate([part.narrow for part in wide])),
        tuple(in_a_row(sparse) for sparse in zip(*(part.sparse for part in parts), strict=True)),
    )


def in_a_row(parts: Sequence[Sparse]) -> Sparse:
    """Return the rows of all parts, one part after the other."""
    before = np.cumsum([0, *(len(part.keys) for part in parts[:-1])])
    return Sparse(
        np.concatenate([part.ends + shift for part, shift in zip(parts, before, strict=True)]),
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )


def _arrays(batch: Batch) -> Iterator[NDArray[Any]]:
    columns = batch.columns
    yield from (batch.places, columns.seconds, columns.counts.wide, columns.counts.narrow)
    for sparse in columns.sparse:
        yield from (sparse.ends, sparse.keys, sparse.counts)
