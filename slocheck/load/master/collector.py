"""The master's knowledge of its workers: reports merged by (worker, sequence), health, a target that is down.

No Locust here.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from slocheck.documents.units import NS_PER_SECOND
from slocheck.documents.words import most_often
from slocheck.evidence.columns import Whole
from slocheck.evidence.forbidden import ForbiddenConnection, merged
from slocheck.evidence.histogram import quantile_bounds
from slocheck.evidence.machines import MachineHealth
from slocheck.evidence.merge import Delta, together
from slocheck.evidence.model import LAG_QUANTILE, FileResult, LoadHealth, WorkerHealth
from slocheck.evidence.parts.batch import Batch, added_up
from slocheck.evidence.recording import BEFORE_LOAD, all_refused
from slocheck.load.master.clock_watch import ClockWatch
from slocheck.load.master.countable import countable
from slocheck.load.master.load_model import MasterModel
from slocheck.load.master.machine_counts import MachineCounts
from slocheck.load.master.remote.gathering import Gathered, gathered, of_lags, of_one
from slocheck.load.master.task_streak import TaskStreak
from slocheck.load.messaging.messages import HealthSamples, Histograms, WorkerReport
from slocheck.load.messaging.reports import ArrivedReport
from slocheck.load.recording.lags import Lags, LagTotal

DOWN_AFTER_S = 10.0
"""A target is down after this many seconds in which all requests failed."""
MOST_UNREAD = 64
"""Reports of machines that are read at once."""
MAX_MESSAGES = 500
"""Entries kept of one worker; only damaged reports hold more."""
_ALL = Fraction(1)
_UNREADABLE = "warning: damaged in a report of this worker: "


@dataclass(slots=True)
class WorkerState:
    """What one worker has reported.

    Attributes:
        last: Sequence number of its last report.
        running: Users running at that report.
        open: Requests in flight at that report.
        final: Its final report arrived.
        gap: A report is missing.
        in_flight: Requests given up when the drain ended.
        unrecorded: Requests that were sent and have no recorded outcome.
        cpu: Share of one core, 0..1, for each second of the window.
        users: Users running, by second of the window.
        lag: How late its event loop woke in the window: bucket index to count.
        messages: What Locust or the scenario logged, without repetitions.
        memory: Resident bytes.
        forbidden: Hosts that it tried to reach and was not allowed to.
        unreadable: Damaged messages and damaged entries of its reports on which verdicts depend.
    """

    last: int = 0
    running: int = 0
    open: int = 0
    final: bool = False
    gap: bool = False
    in_flight: int = 0
    unrecorded: int = 0
    cpu: list[float] = field(default_factory=list)
    users: dict[int, int] = field(default_factory=dict)
    lag: Counter[int] = field(default_factory=Counter)
    messages: list[str] = field(default_factory=list)
    memory: int = 0
    forbidden: tuple[ForbiddenConnection, ...] = ()
    unreadable: int = 0

    def add(self, report: WorkerReport, window: range) -> None:
        """Store what a report says about its worker."""
        sequence = report.sequence or self.last + 1
        self.gap |= sequence != self.last + 1
        self.last, self.final = sequence, report.final
        self.running, self.open = report.running, report.open
        self.in_flight, self.unrecorded = report.in_flight, report.unrecorded
        self.forbidden = report.forbidden
        self._add_health(report.health, window)
        for text in (*report.unreadable, *report.unseen):
            self.say_damaged(text)
        self.unreadable += len(report.unreadable)

    def lose(self, what: str) -> None:
        """Note something from the worker that could not be read."""
        self.unreadable += 1
        self.say_damaged(what)

    def say_damaged(self, what: str) -> None:
        """Note something that could not be read and that is only shown."""
        self._say(f"{_UNREADABLE}{what}")

    def _say(self, text: str) -> None:
        if text not in self.messages and len(self.messages) < MAX_MESSAGES:
            self.messages.append(text)

    def _add_health(self, health: HealthSamples, window: range) -> None:
        self.cpu += [share for second, share in health.cpu if second in window]
        self.users.update({second: users for second, users in health.users.items() if second in window})
        _add_within(window, health.loop_lag, self.lag)
        for text in health.messages:
            self._say(text)
        self.memory = health.memory


class Collector:
    """Merges the reports of all workers.

    Attributes:
        last_end_ns: When the last response ended, on the monotonic clock; 0 before any.
        down: All requests have failed for `DOWN_AFTER_S`.
        refused: The target has responded, and every response was what `all_refused` means.
    """

    def __init__(
        self,
        workers: list[str],
        model: MasterModel,
        *,
        planned_users: int,
        window: range,
        thresholds: int = 0,
        classes: Iterable[str] = (),
        max_exceptions: int = 0,
        machines: Mapping[str, str] | None = None,
        ahead_ns: Callable[[str], int] = lambda _worker: 0,
    ) -> None:
        """Begin with nothing.

        Args:
            workers: Their names.
            model: The load model.
            planned_users: What the plan asks for.
            window: The window's seconds.
            thresholds: Latencies that requests are counted against.
            classes: User classes that are expected to run a task.
            max_exceptions: Exceptions of the scenario's code that are tolerated.
            machines: The machine of each worker, if it is not this one.
            ahead_ns: Returns how far a worker's monotonic clock is ahead of this machine's.
        """
        self._machine_of, self._ahead_ns = machines or {}, ahead_ns
        self._machines = MachineCounts(self._machine_of.values(), window, thresholds)
        self._idle_classes = dict.fromkeys(classes)
        self.last_end_ns = 0
        self.down = False
        self.refused = False
        self._served = False
        self._model = model
        self._planned_users = planned_users
        self._window = window
        self._thresholds = thresholds
        self._arrival_lag = LagTotal(window)
        self._dropped = 0
        self._workers = {worker: WorkerState() for worker in workers}
        self._exceptions: Counter[str] = Counter()
        self._waiting: list[Delta] = []
        self._unread: list[tuple[str, Any, Any]] = []
        self._unread_since = 0.0
        self._failing_since: float | None = None
        self._tasks = TaskStreak(max_exceptions)
        self._listener_errors: Counter[str] = Counter()

    @property
    def running(self) -> int:
        """Users running now."""
        return sum(state.running for state in self._workers.values())

    @property
    def all_final(self) -> bool:
        """Whether every worker has sent its last report."""
        return all(state.final for state in self._workers.values())

    @property
    def forbidden(self) -> tuple[ForbiddenConnection, ...]:
        """Hosts that the workers tried to reach and were not allowed to."""
        return merged(each for state in self._workers.values() for each in state.forbidden)

    def has_final(self, worker: str) -> bool:
        """Tell whether a worker has sent its last report."""
        return self._workers[worker].final

    def add(self, worker: str, report: WorkerReport, *, now: float) -> None:
        """Add a report, unless it was added before; `now` is the monotonic clock, seconds."""
        if self._add_all_but_counts(worker, report, now):
            self._add_counts(worker, report.delta, now)

    def add_together(self, machine: ArrivedReport, *, now: float) -> None:
        """Add what one machine's workers report, with their counts added up, unless it was added before.

        The counts are read together with those of other machines, by the next second at the latest.
        """
        added = [
            (worker, report)
            for worker, report in machine.reports
            if self._add_all_but_counts(worker, report, now)
        ]
        for worker, report in added:
            self._add_counts(worker, report.delta, now)
        if added:
            self._unread.append((added[0][0], machine.delta, machine.lag))
            self._unread_since = now
            if len(self._unread) >= MOST_UNREAD:
                self._read()

    def _read(self) -> None:
        """Add the counts that machines reported and that were not read yet."""
        unread, self._unread = self._unread, []
        if unread:
            found = gathered([(delta, lag) for _, delta, lag in unread], self._thresholds)
            self._count([worker for worker, _, _ in unread], found, self._unread_since)

    def _add_all_but_counts(self, worker: str, report: WorkerReport, now: float) -> bool:
        """Add what a report says besides its counts; returns whether it is a new one."""
        state = self._workers.get(worker)
        if state is None or 0 < report.sequence <= state.last or state.final:
            return False
        state.add(report, self._window)
        if report.last_end_ns:
            self.last_end_ns = max(self.last_end_ns, report.last_end_ns - self._ahead_ns(worker))
        dropped = report.arrivals.dropped.items()
        self._dropped += sum(count for second, count in dropped if second in self._window)
        self._add_lag(worker, report.arrivals.lag)
        self._exceptions.update(report.health.exceptions)
        self._listener_errors.update(report.health.listener_errors)
        self._tasks.add(worker, report.tasks, now=now)
        for name in report.health.classes:
            self._idle_classes.pop(name, None)
        if worker in self._machine_of:
            self._machines.targets[self._machine_of[worker]].update(report.health.targets)
        return True

    def _add_lag(self, worker: str, lag: Lags) -> None:
        """Add how late a worker's arrivals were handed out."""
        if len(lag.seconds):
            self._count([worker], of_lags(lag), 0.0)

    def _add_counts(self, worker: str, counted: Delta, now: float) -> None:
        """Add what a worker recorded."""
        if len(counted.batch) or counted.errors:
            self._count([worker], of_one(counted, self._thresholds), now)

    def _count(self, workers: Sequence[str], found: Gathered, now: float) -> None:
        """Add what these workers counted, or their machines."""
        for number, text in found.lost:
            self.lose(workers[number], text)
        for number, text in found.unseen:
            self._workers[workers[number]].say_damaged(text)
        delta, owners = self._countable(workers, found)
        self._arrival_lag.add(found.lags)
        if self._machine_of:
            machines = self._machines.numbers([self._machine_of[worker] for worker in workers])
            self._machines.count(delta.batch, machines[owners])
            self._machines.add_lag(found.lags, machines[found.lag_owners])
        if len(delta.batch) or delta.errors:
            self._waiting.append(replace(delta, batch=added_up(delta.batch)))
            self._watch_target(delta.batch, now)

    def _countable(self, workers: Sequence[str], found: Gathered) -> tuple[Delta, Whole]:
        """Return what can be counted, and whose each row is; notes what cannot."""
        delta, owners = found.delta, found.owners
        good = countable(delta.batch)
        for row in np.flatnonzero(~good)[:MAX_MESSAGES]:
            endpoint = delta.batch.endpoints[delta.batch.places[row]]
            self.lose(workers[owners[row]], f"requests of {endpoint}: a number out of its range")
        return replace(delta, batch=delta.batch.chosen(good)), owners[good]

    def lose(self, worker: str, what: str) -> None:
        """Note a worker's message that could not be read at all."""
        if worker in self._workers:
            self._workers[worker].lose(what)

    def _watch_target(self, batch: Batch, now: float) -> None:
        """Notice when all requests fail or are refused; failures of this machine itself do not count."""
        in_load = batch.columns.seconds != BEFORE_LOAD
        if self._served and self._failing_since is None and np.any(batch.columns.counts.narrow[in_load, 0]):
            return
        columns = batch.chosen(in_load).columns
        counts = columns.counts
        responded = int(counts.ok.sum() + counts.unexpected.sum())
        failed = int(counts.failed.sum() - counts.of_class("generator").sum())
        if not self._served:
            refused = all_refused(columns)
            self._served = not refused and responded + failed > 0
            self.refused = not self._served and (self.refused or refused)
        if responded:
            self._failing_since = None
        elif failed and self._failing_since is None:
            self._failing_since = now
        elif failed and self._failing_since is not None:
            self.down = self.down or now - self._failing_since >= DOWN_AFTER_S

    def failing(self, now: float) -> str:
        """Say that the scenario only raises exceptions, and which; empty if it does anything else."""
        if not self._tasks.ends(self.running, now=now):
            return ""
        gone = f"; {self._tasks.gone}" if self._tasks.gone else ""
        return f"{self._tasks.says(self.running)}{most_often(self._exceptions)}{gone}"

    def take(self) -> tuple[Delta, ...]:
        """Return what came since the last call: at most one delta, however many workers there are."""
        self._read()
        taken, self._waiting = self._waiting, []
        return (together(taken),) if taken else ()

    def machine(self, known: MachineHealth, measured_s: int) -> MachineHealth:
        """Return what is known of a machine with what it sent in the measured seconds of the window."""
        self._read()
        targets = self._machines.targets.get(known.machine)
        if targets is None:
            return known
        load = self._machines.load(known.machine, measured_s)
        return replace(known, targets=tuple(sorted(targets)), load=load)

    def health(
        self, *, clocks: ClockWatch, measured_s: int, forbidden: tuple[ForbiddenConnection, ...] = ()
    ) -> LoadHealth:
        """Return the health of all workers.

        Args:
            clocks: What the machine's clocks did during the load.
            measured_s: Whole seconds of the window that were measured.
            forbidden: Hosts that the master itself tried to reach and was not allowed to.
        """
        self._read()
        running = _running([state.users for state in self._workers.values()], self._window[:measured_s])
        return LoadHealth(
            planned_users=self._planned_users,
            users=self._model.fewest_users(running, self._window, self.running),
            workers=tuple(_worker_health(worker, state) for worker, state in self._workers.items()),
            in_flight=sum(state.in_flight for state in self._workers.values()),
            unrecorded=sum(
                state.unrecorded + (0 if state.final else state.open) for state in self._workers.values()
            ),
            clock_jump=clocks.jump,
            suspended=clocks.suspended,
            exceptions=dict(self._exceptions),
            idle_classes=tuple(self._idle_classes),
            gone=self._tasks.gone,
            arrivals=self._model.arrival_stats(self._dropped, self._arrival_lag.histogram()),
            forbidden=merged((*forbidden, *self.forbidden)),
            file=FileResult(listener_errors=dict(self._listener_errors)),
        )


def _add_within(window: range, histograms: Histograms, total: Counter[int]) -> None:
    """Add the histograms of the window's seconds to one."""
    for second, counts in histograms.items():
        if second in window:
            total.update(counts)


def _running(users: Sequence[Mapping[int, int]], seconds: range) -> list[int]:
    """Return the users of all workers at the end of each second.

    A worker's second without a sample repeats the one before.
    """
    total = np.zeros(len(seconds), dtype=np.int64)
    for sampled in users:
        inside = sorted(second for second in sampled if second in seconds)
        places = np.asarray([second - seconds.start for second in inside], dtype=np.int64)
        found = np.asarray([0, *(sampled[second] for second in inside)], dtype=np.int64)
        total += np.repeat(found, np.diff([0, *places, len(seconds)]))
    return total.tolist()


def _worker_health(worker: str, state: WorkerState) -> WorkerHealth:
    return WorkerHealth(
        worker=worker,
        cpu=sum(state.cpu) / len(state.cpu) if state.cpu else 0.0,
        loop_lag_p99=quantile_bounds(state.lag, LAG_QUANTILE)[1] / NS_PER_SECOND if state.lag else 0.0,
        loop_lag_max=quantile_bounds(state.lag, _ALL)[1] / NS_PER_SECOND if state.lag else 0.0,
        complete=state.final and not state.gap,
        memory=state.memory,
        messages=tuple(state.messages),
        unreadable=state.unreadable,
    )
