"""Columns that grow: rows are appended at a cost that does not depend on how many there are."""

import numpy as np
from numpy.typing import NDArray

from slocheck.evidence.columns import TIMES, WIDTH, Columns, Counts, Sparse, narrowest


class Growing:
    """An array that rows are appended to; what was handed out of it never changes."""

    def __init__(self, *shape: int, kind: type[np.generic]) -> None:
        """Begin with no row of this shape."""
        self._held = np.zeros((64, *shape), dtype=kind)
        self._size = 0

    def extend(self, rows: NDArray[np.generic]) -> None:
        """Append rows, in a wider type if they need one."""
        size = self._size + len(rows)
        kind = self._held.dtype
        if rows.size and kind.itemsize < rows.dtype.itemsize:
            kind = max(kind, np.dtype(narrowest(int(rows.max()))), key=lambda each: each.itemsize)
        if size > len(self._held) or kind != self._held.dtype:
            length = len(self._held) if size <= len(self._held) else max(size, len(self._held) * 3 // 2)
            held = np.zeros((length, *self._held.shape[1:]), dtype=kind)
            held[: self._size] = self._held[: self._size]
            self._held = held
        self._held[self._size : size] = rows
        self._size = size

    def __len__(self) -> int:
        return self._size

    def array(self) -> NDArray[np.generic]:
        """Return all rows until now."""
        return self._held[: self._size]


class _GrowingSparse:
    def __init__(self) -> None:
        self._ends = Growing(kind=np.int64)
        self._keys = Growing(kind=np.uint16)
        self._counts = Growing(kind=np.uint16)

    def extend(self, sparse: Sparse) -> None:
        self._ends.extend(sparse.ends + len(self._keys))
        self._keys.extend(sparse.keys)
        self._counts.extend(sparse.counts)

    def sparse(self) -> Sparse:
        return Sparse(self._ends.array(), self._keys.array(), self._counts.array())  # type: ignore[arg-type] # as made


class GrowingColumns:
    """Columns that rows are appended to, at a cost that does not grow with what is there."""

    def __init__(self, thresholds: int) -> None:
        """Begin with nothing."""
        self._thresholds = thresholds
        self._begin()

    def _begin(self) -> None:
        self._seconds = Growing(kind=np.int64)
        self._wide = Growing(len(TIMES), kind=np.int64)
        self._narrow = Growing(WIDTH + self._thresholds, kind=np.uint16)
        self._sparse = [_GrowingSparse() for _ in range(4)]
        self._different: set[int] = set()

    def extend(self, columns: Columns) -> None:
        """Append rows; if most of them repeat a second, they are added up."""
        self._put(columns)
        if len(self._seconds) > 2 * len(self._different) + 64:
            whole = self.columns().added_up()
            self._begin()
            self._put(whole)

    def _put(self, columns: Columns) -> None:
        self._different.update(columns.seconds.tolist())
        self._seconds.extend(columns.seconds)
        self._wide.extend(columns.counts.wide)
        self._narrow.extend(columns.counts.narrow)
        for growing, sparse in zip(self._sparse, columns.sparse, strict=True):
            growing.extend(sparse)

    def columns(self) -> Columns:
        """Return all rows until now; nothing is copied."""
        return Columns(
            self._seconds.array(),  # type: ignore[arg-type] # as made
            Counts(self._wide.array(), self._narrow.array()),  # type: ignore[arg-type] # as made
            tuple(growing.sparse() for growing in self._sparse),
        )
