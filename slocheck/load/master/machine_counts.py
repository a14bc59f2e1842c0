"""What each machine sent in the window, in addition to the recording of all. No Locust here."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.columns import Sparse, Whole
from slocheck.evidence.histogram import MAX_INDEX, quantile_bounds
from slocheck.evidence.machines import MachineLoad
from slocheck.evidence.model import LAG_QUANTILE
from slocheck.evidence.parts.batch import Batch
from slocheck.load.recording.lags import Lags

MOST_BLOCKS = 60
"""Parts of the window that are counted separately."""


class MachineCounts:
    """The counts of all machines, in one table: what many report is added in a few numpy calls.

    Attributes:
        targets: Addresses of the target that each machine's workers connected to, by its name.
    """

    def __init__(self, machines: Iterable[str], window: range, thresholds: int) -> None:
        """Begin with nothing; a machine may be named more than once."""
        self._numbers = {name: number for number, name in enumerate(dict.fromkeys(machines))}
        self.targets: dict[str, set[str]] = {name: set() for name in self._numbers}
        self._window = window
        self._counts = np.zeros((len(self._numbers), len(window), 2 + thresholds), dtype=np.int64)
        self._latencies = np.zeros((len(self._numbers), MAX_INDEX + 1), dtype=np.int64)
        self._lags = np.zeros((len(self._numbers), MAX_INDEX + 1), dtype=np.int64)

    def numbers(self, machines: Sequence[str]) -> Whole:
        """Return the numbers by which these machines are counted."""
        return np.asarray([self._numbers[machine] for machine in machines], dtype=np.int64)

    def count(self, batch: Batch, machines: Whole) -> None:
        """Add what machines' workers recorded.

        Args:
            batch: The counts.
            machines: The machine of each row, by its number, shape (R,).
        """
        columns, counts = batch.columns, batch.columns.counts
        rows = columns.within(self._window)
        if not len(rows):
            return
        owners = machines[rows]
        cells = owners * len(self._window) + columns.seconds[rows] - self._window.start
        sent, ok = counts.sent[rows], counts.ok[rows]
        found = np.zeros((len(rows), self._counts.shape[2]), dtype=np.int64)
        found[:, 0], found[:, 1] = sent, sent - ok
        found[:, 2 : 2 + counts.thresholds] = counts.over[rows]
        order = np.argsort(cells, kind="stable")
        different, starts = np.unique(cells[order], return_index=True)
        flat = self._counts.reshape(-1, found.shape[1])
        flat[different] += np.add.reduceat(found[order], starts, axis=0)
        _add_entries(self._latencies, columns.latencies, rows, owners)

    def add_lag(self, lags: Lags, machines: Whole) -> None:
        """Add how late arrivals of machines' workers were handed out; machines as in `count`."""
        inside = (lags.seconds >= self._window.start) & (lags.seconds < self._window.stop)
        rows = np.flatnonzero(inside)
        _add_entries(self._lags, lags.counts, rows, machines[rows])

    def load(self, machine: str, measured_s: int) -> MachineLoad:
        """Return what a machine sent in the measured seconds of the window."""
        number = self._numbers[machine]
        step = max(1, -(-measured_s // MOST_BLOCKS))
        counts = self._counts[number, :measured_s]
        blocks = np.add.reduceat(counts, np.arange(0, len(counts), step)) if len(counts) else counts
        lag = _by_index(self._lags[number])
        return MachineLoad(
            block_s=step,
            sent=tuple(blocks[:, 0].tolist()),
            not_ok=tuple(blocks[:, 1].tolist()),
            over=tuple(map(tuple, blocks[:, 2:].tolist())),
            latencies=_by_index(self._latencies[number]),
            schedule_lag_p99=quantile_bounds(lag, LAG_QUANTILE)[1] / NS_PER_SECOND if lag else 0.0,
        )


def _add_entries(table: NDArray[np.int64], sparse: Sparse, rows: Whole, owners: Whole) -> None:
    """Add the entries of some rows to a table with a row for each owner and a column for each key."""
    places, keys, times = sparse.entries(rows, owners * table.shape[1])
    np.add.at(table.reshape(-1), places + keys, times.astype(np.int64))


def _by_index(counts: NDArray[np.int64]) -> dict[int, int]:
    found = np.flatnonzero(counts)
    return dict(zip(found.tolist(), counts[found].tolist(), strict=True))
