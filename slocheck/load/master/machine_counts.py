"""What each machine sent in the window, in addition to the recording of all. No Locust here."""

from collections.abc import Iterable

import numpy as np

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import MAX_INDEX, quantile_bounds
from slocheck.evidence.machines import MachineLoad
from slocheck.evidence.model import LAG_QUANTILE
from slocheck.evidence.parts.batch import Batch
from slocheck.load.messaging.messages import WorkerReport
from slocheck.load.recording.lags import Lags, LagTotal

MOST_BLOCKS = 60
"""Parts of the window that are counted separately."""


class MachineCounts:
    """The counts of one machine.

    Attributes:
        targets: Addresses of the target that its workers connected to.
    """

    def __init__(self, window: range, thresholds: int) -> None:
        """Begin with nothing."""
        self.targets: set[str] = set()
        self._window = window
        self._counts = np.zeros((len(window), 2 + thresholds), dtype=np.int64)
        self._latencies = np.zeros(MAX_INDEX + 1, dtype=np.int64)
        self._lag = LagTotal(window)

    def add(self, report: WorkerReport) -> None:
        """Add what one of its workers reports besides its counts and its delays."""
        self.targets.update(report.health.targets)

    def add_lag(self, lag: Lags) -> None:
        """Add how late arrivals of its workers were handed out."""
        self._lag.add(lag)

    def count(self, batch: Batch) -> None:
        """Add what its workers recorded."""
        rows = batch.columns.within(self._window)
        if not len(rows):
            return
        counts = batch.columns.counts
        at = batch.columns.seconds[rows] - self._window.start
        sent, ok = counts.sent[rows], counts.ok[rows]
        found = np.zeros((len(rows), self._counts.shape[1]), dtype=np.int64)
        found[:, 0], found[:, 1] = sent, sent - ok
        found[:, 2 : 2 + counts.thresholds] = counts.over[rows]
        np.add.at(self._counts, at, found)
        _, keys, times = batch.columns.latencies.entries(rows, rows)
        np.add.at(self._latencies, keys, times.astype(np.int64))

    def load(self, measured_s: int) -> MachineLoad:
        """Return what was sent in the measured seconds of the window."""
        step = max(1, -(-measured_s // MOST_BLOCKS))
        counts = self._counts[:measured_s]
        blocks = np.add.reduceat(counts, np.arange(0, len(counts), step)) if len(counts) else counts
        lag = self._lag.histogram()
        return MachineLoad(
            block_s=step,
            sent=tuple(blocks[:, 0].tolist()),
            not_ok=tuple(blocks[:, 1].tolist()),
            over=tuple(map(tuple, blocks[:, 2:].tolist())),
            latencies=_by_index(np.flatnonzero(self._latencies).tolist(), self._latencies.tolist()),
            schedule_lag_p99=quantile_bounds(lag, LAG_QUANTILE)[1] / NS_PER_SECOND if lag else 0.0,
        )


def _by_index(indices: Iterable[int], counts: list[int]) -> dict[int, int]:
    return {index: counts[index] for index in indices}
