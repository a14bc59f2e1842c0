"""Counts as columns: a row for each second in which an endpoint was sent something, in numpy.

A run of a day has millions of seconds times endpoints. As objects they take kilobytes each and are added up
one by one; as columns they take a hundred bytes and are added up as fast as memory is read. All counts are
exact.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]
Narrow = NDArray[np.integer[Any]]
"""Counts in the smallest of `_LADDER` that holds them."""

CLASSES = (
    *("dns", "refused", "reset", "timeout", "tls", "protocol"),
    *("status", "expectation", "unexpected", "generator"),
)
"""The classes of failure, in the order of their columns."""

PLAIN = ("ok", "unserved", "cache_hits", "cache_misses")
"""The first columns of `Counts.narrow`; then come the classes of failure, then the thresholds."""

TIMES = ("total_ns", "max_ns", "bytes_received")
"""The columns of `Counts.wide`."""

WIDTH = len(PLAIN) + len(CLASSES)
"""Columns of `Counts.narrow` that are there without any threshold."""

_DENSE = 4
"""Rows are added up in a table of all keys if it has at most so many places for each count."""

_LADDER = (np.uint16, np.uint32, np.int64)


def narrowest(most: int) -> type[np.uint16] | type[np.uint32] | type[np.int64]:
    """Return the smallest type of a column for counts up to `most`."""
    return next(kind for kind in _LADDER if most <= np.iinfo(kind).max)


def narrowed(values: Narrow) -> Narrow:
    """Return counts in the smallest type that holds them."""
    kind = narrowest(int(values.max(initial=0)))
    return values if values.dtype == kind else values.astype(kind)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Counts of requests, one row each for a second.

    Attributes:
        wide: `TIMES`, shape (R, 3). Of several rows the largest latency is the largest; all else adds up.
        narrow: `PLAIN`, classes of failure, and thresholds, shape (R, `WIDTH` + T).
    """

    wide: Whole
    narrow: Narrow

    @property
    def ok(self) -> Whole:
        """Requests that neither failed nor had an unexpected response, shape (R,)."""
        return self._plain(0)

    @property
    def unserved(self) -> Whole:
        """No response at all, or 502, 503, 504, shape (R,)."""
        return self._plain(1)

    @property
    def unserved_by_target(self) -> Whole:
        """The same without requests that failed on this machine, shape (R,)."""
        unserved: Whole = np.maximum(0, self.unserved - self.of_class("generator"))
        return unserved

    @property
    def cache_hits(self) -> Whole:
        """Hits, by response header, shape (R,)."""
        return self._plain(2)

    @property
    def cache_misses(self) -> Whole:
        """Misses, by response header, shape (R,)."""
        return self._plain(3)

    @property
    def failures(self) -> Whole:
        """Failed requests by class, and those with an unexpected response, shape (R, len(`CLASSES`))."""
        return self.narrow[:, len(PLAIN) : WIDTH].astype(np.int64)

    def of_class(self, name: str) -> Whole:
        """Return the requests of one class of failure, shape (R,)."""
        return self._plain(len(PLAIN) + CLASSES.index(name))

    @property
    def unexpected(self) -> Whole:
        """Requests whose response had an unexpected status, shape (R,)."""
        return self.of_class("unexpected")

    @property
    def failed(self) -> Whole:
        """Failed requests of all classes; an unexpected response is not a failure, shape (R,)."""
        total: Whole = self.failures.sum(axis=1) - self.unexpected
        return total

    @property
    def thresholds(self) -> int:
        """How many thresholds there are counts for."""
        return int(self.narrow.shape[1]) - WIDTH

    @property
    def over(self) -> Narrow:
        """The ok requests at or over each threshold, shape (R, T)."""
        return self.narrow[:, WIDTH:]

    @property
    def sent(self) -> Whole:
        """Requests attempted, shape (R,)."""
        total: Whole = self.ok + self.failures.sum(axis=1)
        return total

    @property
    def total_ns(self) -> Whole:
        """Sum of the ok requests' latencies, shape (R,)."""
        return self.wide[:, 0]

    @property
    def max_ns(self) -> Whole:
        """Largest of the ok requests' latencies; 0 if there is none, shape (R,)."""
        return self.wide[:, 1]

    @property
    def bytes_received(self) -> Whole:
        """Body bytes, shape (R,)."""
        return self.wide[:, 2]

    def _plain(self, column: int) -> Whole:
        return self.narrow[:, column].astype(np.int64)

    def added(self, groups: Whole, size: int) -> "Counts":
        """Return `size` rows: the sums of those that `groups`, shape (R,), gives the same number."""
        shape = self.narrow.shape[1]
        wide, narrow = np.zeros((size, 3), dtype=np.int64), np.zeros((size, shape), dtype=np.int64)
        if not len(groups):
            return Counts(wide, narrow)
        order: slice | NDArray[np.intp] = slice(None)
        if np.any(groups[1:] < groups[:-1]):
            order = np.argsort(groups, kind="stable")
            groups = groups[order]
        starts = np.concatenate(([0], np.flatnonzero(np.diff(groups)) + 1))
        at = groups[starts]
        if len(at) == len(groups):  # nothing to add up, as where an endpoint has a row a second
            wide[at], narrow[at] = self.wide[order], self.narrow[order]
            return Counts(wide, narrow)
        narrow[at] = np.add.reduceat(self.narrow[order], starts, axis=0, dtype=np.int64)
        wide[at] = np.add.reduceat(self.wide[order], starts, axis=0)
        wide[at, 1] = np.maximum.reduceat(self.wide[order, 1], starts)
        return Counts(wide, narrow)


@dataclass(frozen=True, slots=True, eq=False)
class Sparse:
    """A count for a few of many keys in each row: a histogram's buckets, or status codes.

    Attributes:
        ends: Where each row's entries end; they begin where those of the row before end, shape (R,).
        keys: Of all entries, row after row, shape (E,).
        counts: As many.
    """

    ends: Whole
    keys: NDArray[np.uint16]
    counts: Narrow

    @property
    def rows(self) -> Whole:
        """The row of each entry, shape (E,)."""
        return np.repeat(np.arange(len(self.ends)), np.diff(self.ends, prepend=0))

    def entries(self, rows: Whole, labels: Whole) -> tuple[Whole, NDArray[np.uint16], Narrow]:
        """Return the entries of some rows: for each the label of its row, its key, and its count.

        Args:
            rows: Numbers of rows, shape (N,).
            labels: What each of them is called, shape (N,).
        """
        lengths = self.ends[rows] - np.where(rows > 0, self.ends[rows - 1], 0)
        labelled = np.repeat(labels, lengths)
        if len(rows) and rows[-1] - rows[0] + 1 == len(rows) and np.all(np.diff(rows) == 1):
            last = int(self.ends[rows[-1]])
            chosen = slice(last - int(lengths.sum()), last)
            return labelled, self.keys[chosen], self.counts[chosen]
        begins = self.ends[rows] - lengths
        at = np.arange(len(labelled)) + np.repeat(begins - np.cumsum(lengths) + lengths, lengths)
        return labelled, self.keys[at], self.counts[at]

    def added(self, groups: Whole, size: int) -> "Sparse":
        """Return `size` rows: the sums of those that `groups`, shape (R,), gives the same number.

        The keys of each row are in order, and no count is 0.
        """
        width = int(self.keys.max(initial=0)) + 1
        if size * width <= _DENSE * len(self.keys):
            return self._added_densely(groups, (size, width))
        kept = np.flatnonzero(self.counts)
        ids = (groups[self.rows][kept] << 16) + self.keys[kept]
        counts = self.counts[kept].astype(np.int64)
        if np.any(ids[1:] <= ids[:-1]):
            order = np.argsort(ids, kind="stable")
            ids, counts = ids[order], counts[order]
            starts = np.concatenate(([0], np.flatnonzero(np.diff(ids)) + 1))
            ids, counts = ids[starts], np.add.reduceat(counts, starts)
        ends = np.searchsorted(ids, np.arange(1, size + 1) << 16)
        return Sparse(ends.astype(np.int64), (ids & 0xFFFF).astype(np.uint16), narrowed(counts))

    def _added_densely(self, groups: Whole, shape: tuple[int, int]) -> "Sparse":
        """Do the same by a table of all rows and keys, which is fast if it is full."""
        places = np.repeat(groups * shape[1], np.diff(self.ends, prepend=0))
        places += self.keys
        flat = np.zeros(shape[0] * shape[1], dtype=np.int64)
        np.add.at(flat, places, self.counts.astype(np.int64))
        found = np.flatnonzero(flat)
        ends = np.searchsorted(found, np.arange(1, shape[0] + 1) * shape[1])
        return Sparse(ends.astype(np.int64), (found % shape[1]).astype(np.uint16), narrowed(flat[found]))

    def total(self) -> dict[int, int]:
        """Return the count of each key in all rows together."""
        return added_keys(self.keys, self.counts)

    def of_key(self, key: int) -> Whole:
        """Return the count of one key in each row, shape (R,)."""
        found = np.flatnonzero(self.keys == key)
        rows = np.searchsorted(self.ends, found, side="right")
        counts: Whole = np.zeros(len(self.ends), dtype=np.int64)
        np.add.at(counts, rows, self.counts[found].astype(np.int64))
        return counts

    def row(self, row: int) -> dict[int, int]:
        """Return the count of each key of a row."""
        chosen = slice(int(self.ends[row - 1]) if row else 0, int(self.ends[row]))
        return dict(zip(self.keys[chosen].tolist(), self.counts[chosen].tolist(), strict=True))


def added_keys(keys: NDArray[np.uint16], counts: Narrow) -> dict[int, int]:
    """Return the count of each key; floats add whole numbers exactly up to 2^53."""
    total = np.bincount(keys, weights=counts).astype(np.int64)
    found = np.flatnonzero(total)
    return dict(zip(found.tolist(), total[found].tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What one endpoint was sent, a row for each second; a recording that still grows may repeat seconds.

    Attributes:
        seconds: Seconds since the load began, shape (R,).
        counts: As many rows.
        sparse: The four columns that have few of many keys in a row, as the properties name them.
        whole: Seconds ascend and occur once, keys of a row as well, and no count of a key is 0.
    """

    seconds: Whole
    counts: Counts
    sparse: tuple[Sparse, ...]
    whole: bool = False

    @property
    def statuses(self) -> Sparse:
        """Requests by status code; 0 stands for no response at all."""
        return self.sparse[0]

    @property
    def latencies(self) -> Sparse:
        """Histogram of the ok requests: bucket index (see `histogram`) to count."""
        return self.sparse[1]

    @property
    def failed_latencies(self) -> Sparse:
        """The same of the failed ones and of those with an unexpected response."""
        return self.sparse[2]

    @property
    def service_times(self) -> Sparse:
        """Histogram of the ok requests' times from their real sending on, if that differs."""
        return self.sparse[3]

    def added_up(self) -> "Columns":
        """Return the same with one row a second, in order, in as little memory as holds it."""
        if self.whole:
            return self
        seconds, groups = np.unique(self.seconds, return_inverse=True)
        size = len(seconds)
        total = self.counts.added(groups, size)
        return Columns(
            seconds,
            Counts(total.wide, narrowed(total.narrow)),
            tuple(sparse.added(groups, size) for sparse in self.sparse),
            whole=True,
        )

    def with_only(self, thresholds: Sequence[int]) -> "Columns":
        """Return the same with counts over these thresholds alone, named by their places."""
        chosen = [*range(WIDTH), *(WIDTH + place for place in thresholds)]
        return replace(self, counts=Counts(self.counts.wide, self.counts.narrow[:, chosen]))

    def with_thresholds(self, count: int) -> "Columns":
        """Return the same with nothing over so many thresholds, if there were none."""
        narrow = self.counts.narrow
        widened = np.zeros((len(narrow), WIDTH + count), dtype=narrow.dtype)
        widened[:, : narrow.shape[1]] = narrow
        return replace(self, counts=Counts(self.counts.wide, widened))

    def within(self, seconds: range) -> Whole:
        """Return the rows that lie in these seconds."""
        if self.whole:
            begin, end = np.searchsorted(self.seconds, (seconds.start, seconds.stop))
            return np.arange(begin, end)
        inside = (self.seconds >= seconds.start) & (self.seconds < seconds.stop)
        found: Whole = np.flatnonzero(inside)
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Columns):
            return NotImplemented
        return all(np.array_equal(one, two) for one, two in zip(self._arrays(), other._arrays(), strict=True))

    __hash__ = None  # type: ignore[assignment] # arrays have none

    def _arrays(self) -> Iterator[NDArray[np.generic]]:
        one = self.added_up()
        yield from (one.seconds, one.counts.wide, one.counts.narrow)
        for sparse in one.sparse:
            yield from (sparse.ends, sparse.keys, sparse.counts)


def rows_of(columns: Columns, rows: Whole) -> Columns:
    """Return some of the rows."""
    return Columns(
        columns.seconds[rows],
        Counts(columns.counts.wide[rows], columns.counts.narrow[rows]),
        tuple(chosen_rows(sparse, rows) for sparse in columns.sparse),
        whole=columns.whole,
    )


def chosen_rows(sparse: Sparse, rows: Whole) -> Sparse:
    """Return some of the rows."""
    places, keys, counts = sparse.entries(rows, np.arange(len(rows)))
    return Sparse(np.cumsum(np.bincount(places, minlength=len(rows))), keys, counts)


def sparse_of(rows: Iterable[Mapping[int, int]]) -> Sparse:
    """Return rows of counts by key as columns; the keys of each row are in order."""
    listed = [sorted(row.items()) for row in rows]
    keys = [key for row in listed for key, _ in row]
    counts = [count for row in listed for _, count in row]
    return Sparse(
        np.cumsum([len(row) for row in listed], dtype=np.int64),
        np.asarray(keys, dtype=np.uint16),
        np.asarray(counts, dtype=np.int64),
    )


def stacked(rows: Sequence[tuple[Whole, Whole]]) -> Sparse:
    """Return rows of keys, in order, and their counts as columns."""
    return Sparse(
        np.cumsum([len(keys) for keys, _ in rows], dtype=np.int64),
        np.concatenate([np.zeros(0, dtype=np.int64), *(keys for keys, _ in rows)]).astype(np.uint16),
        np.concatenate([np.zeros(0, dtype=np.int64), *(counts for _, counts in rows)]),
    )
