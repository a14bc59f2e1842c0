"""Which rows of a worker's counts can be added up exactly. No Locust here."""

import numpy as np
from numpy.typing import NDArray

from slocheck.evidence.parts.batch import Batch

MAX_COUNT = 1 << 53
"""Largest number of requests, or bytes, of one second: sums of more are not exact everywhere."""
MAX_NS = 1 << 58
"""Largest sum of the latencies of one second: nine years, which leaves room for further sums."""
_MOST = np.array([MAX_NS, MAX_NS, MAX_COUNT])
"""Bounds of `TIMES`."""


def countable(batch: Batch) -> NDArray[np.bool_]:
    """Tell for each row whether its numbers can be of one second, and be added up exactly, shape (R,)."""
    counts = batch.columns.counts
    good: NDArray[np.bool_] = np.all(counts.wide <= _MOST, axis=1)
    if counts.thresholds:
        good &= counts.over.max(axis=1) <= counts.ok
    if counts.narrow.dtype.itemsize == np.dtype(np.int64).itemsize:
        good &= (counts.narrow <= MAX_COUNT).all(axis=1)
    for sparse in batch.columns.sparse:
        if sparse.counts.dtype.itemsize == np.dtype(np.int64).itemsize:
            good[np.searchsorted(sparse.ends, np.flatnonzero(sparse.counts > MAX_COUNT), side="right")] = (
                False
            )
    return good
