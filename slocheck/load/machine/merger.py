"""Merges the reports of a machine's workers into one message per second. No Locust here."""

from collections.abc import Mapping
from dataclasses import replace

from slocheck.evidence.merge import Delta, together
from slocheck.load.messaging.messages import MachineReport, WorkerReport
from slocheck.load.recording.lags import NO_LAGS, lags_together

HOLD_S = 0.1
"""Longest time that the first report of a second waits for those of the other workers."""
BEAT_S = 1.3
"""Signs of life are passed on this often; with a report, which comes each second, they go at once."""


class ReportMerger:
    """Holds reports and signs of life until they are passed on together."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._reports: list[tuple[str, WorkerReport]] = []
        self._alive: dict[str, str] = {}
        self._reporting: set[str] = set()
        self._waiting_since = 0.0
        self._passed_on = float("-inf")

    def add(self, worker: str, report: WorkerReport, now: float) -> None:
        """Hold a report; `now` is the monotonic clock, seconds."""
        if not self._reports:
            self._waiting_since = now
        self._reports.append((worker, report))
        (self._reporting.discard if report.final else self._reporting.add)(worker)

    def beat(self, worker: str, state: str) -> None:
        """Note that a worker is alive, in which of Locust's states."""
        self._alive[worker] = state

    def due(self, now: float) -> bool:
        """Tell whether something is to be passed on: all have reported, or it has waited long enough."""
        if self._reports:
            reported = {worker for worker, _ in self._reports}
            return reported >= self._reporting or now >= self._waiting_since + HOLD_S
        return bool(self._alive) and now >= self._passed_on + BEAT_S

    def take(self, now: float) -> MachineReport:
        """Return all that is held, as one: counts added up, everything else as each worker reported it."""
        reports, self._reports = self._reports, []
        alive, self._alive = self._alive, {}
        self._passed_on = now
        return merged(reports, alive)


def merged(reports: list[tuple[str, WorkerReport]], alive: Mapping[str, str]) -> MachineReport:
    """Return reports as one message.

    Counts against different numbers of thresholds cannot be added up: a damaged report stays as it is.
    """
    sizes = [report.delta.batch.columns.counts.thresholds for _, report in reports]
    usual = max(sizes, key=sizes.count, default=0)
    fits = [size in (0, usual) for size in sizes]
    deltas = [report.delta for (_, report), fit in zip(reports, fits, strict=True) if fit]
    kept = tuple(
        (worker, replace(_without_lag(report), delta=Delta() if fit else report.delta))
        for (worker, report), fit in zip(reports, fits, strict=True)
    )
    lag = lags_together([report.arrivals.lag for _, report in reports])
    return MachineReport(together(deltas) if deltas else Delta(), kept, dict(alive), lag)


def _without_lag(report: WorkerReport) -> WorkerReport:
    return replace(report, arrivals=replace(report.arrivals, lag=NO_LAGS))
