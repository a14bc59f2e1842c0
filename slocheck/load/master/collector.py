"""What the master knows of its workers: reports merged by (worker, sequence), health, a target that is down.

No Locust here.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import bucket_bounds, quantile_bounds
from slocheck.evidence.merge import from_plain
from slocheck.evidence.model import ArrivalStats, LoadHealth, WorkerHealth
from slocheck.evidence.recording import FailureClass
from slocheck.plan.load_plan import LoadPlan
from slocheck.spec.model.load_profile import rate_at

DOWN_AFTER_S = 10.0
"""A target is down when nothing but failures came back for this long."""
_P99 = Fraction(99, 100)
_ALL = Fraction(1)


@dataclass(slots=True)
class WorkerState:
    """What one worker has told.

    Attributes:
        last: Sequence number of its last report.
        running: Users running then.
        open: Requests in flight then.
        final: Its final report arrived.
        gap: A report is missing.
    """

    last: int = 0
    running: int = 0
    open: int = 0
    final: bool = False
    gap: bool = False
    in_flight: int = 0
    unrecorded: int = 0
    cpu: list[tuple[int, float]] = field(default_factory=list)
    users: dict[int, int] = field(default_factory=dict)
    lag: dict[int, int] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    memory: int = 0


class Collector:
    """Merges the reports of all workers.

    Attributes:
        last_end_ns: When the last response ended, on the monotonic clock; 0 before any.
        down: The target answers nothing but failures, for `DOWN_AFTER_S`.
    """

    def __init__(self, workers: list[str], plan: LoadPlan, *, window: range) -> None:
        self.last_end_ns = 0
        self.down = False
        self._window = window
        self._plan = plan
        self._late: dict[int, int] = {}
        self._dropped = 0
        self._workers = {worker: WorkerState() for worker in workers}
        self._exceptions: dict[str, int] = {}
        self._waiting: list[dict[str, Any]] = []
        self._failing_since: float | None = None

    @property
    def running(self) -> int:
        """Users running now."""
        return sum(state.running for state in self._workers.values())

    @property
    def all_final(self) -> bool:
        """Whether every worker has sent its last report."""
        return all(state.final for state in self._workers.values())

    def has_final(self, worker: str) -> bool:
        """Tell whether a worker has sent its last report."""
        return self._workers[worker].final

    def add(self, worker: str, report: dict[str, Any], *, now: float) -> None:
        """Take in a report, once; `now` is the monotonic clock, seconds."""
        state = self._workers.get(worker)
        if state is None or report["sequence"] <= state.last or state.final:
            return
        state.gap |= report["sequence"] != state.last + 1
        state.last = report["sequence"]
        state.final = report["final"]
        for name in ("running", "open", "in_flight", "unrecorded"):
            setattr(state, name, report[name])
        self.last_end_ns = max(self.last_end_ns, report["last_end_ns"])
        self._take_health(state, report)
        if report["delta"]["counts"] or report["delta"]["errors"]:
            self._waiting.append(report["delta"])
            self._watch_target(report["delta"], now)

    def _take_health(self, state: WorkerState, report: dict[str, Any]) -> None:
        state.cpu += [(second, share) for second, share in report["cpu"] if second in self._window]
        state.users.update({second: users for second, users in report["users"] if second in self._window})
        for second, index, count in report["lag"]:
            if second in self._window:
                state.lag[index] = state.lag.get(index, 0) + count
        state.memory = report["memory"]
        state.messages += [text for text in report["messages"] if text not in state.messages]
        self._dropped += sum(count for second, count in report["dropped"] if second in self._window)
        for second, index, count in report["late"]:
            if second in self._window:
                self._late[index] = self._late.get(index, 0) + count
        for text, count in report["exceptions"]:
            self._exceptions[text] = self._exceptions.get(text, 0) + count

    def _watch_target(self, plain: dict[str, Any], now: float) -> None:
        """Notice when nothing but failures comes back; this machine's own failures do not count."""
        delta = from_plain(plain)
        ok = sum(counts.ok for _, counts in delta.counts)
        failed = sum(
            counts.failed - counts.failures.get(FailureClass.GENERATOR, 0) for _, counts in delta.counts
        )
        if ok:
            self._failing_since = None
        elif failed and self._failing_since is None:
            self._failing_since = now
        elif failed and self._failing_since is not None:
            self.down = self.down or now - self._failing_since >= DOWN_AFTER_S

    def take(self) -> list[dict[str, Any]]:
        """Return the deltas that came since the last call."""
        taken, self._waiting = self._waiting, []
        return taken

    def health(self, *, clock_jump: float, driven_s: int) -> LoadHealth:
        """Return the health of all workers.

        Args:
            clock_jump: Largest jump of the wall clock against the monotonic one, seconds.
            driven_s: Whole seconds of the window that were driven.
        """
        by_worker = [_users_by_second(state, self._window[:driven_s]) for state in self._workers.values()]
        running = [sum(users) for users in zip(*by_worker, strict=True)]
        return LoadHealth(
            planned_users=self._plan.users,
            users=self._users(running),
            workers=tuple(_worker_health(worker, state) for worker, state in self._workers.items()),
            in_flight=sum(state.in_flight for state in self._workers.values()),
            unrecorded=sum(
                state.unrecorded + (0 if state.final else state.open) for state in self._workers.values()
            ),
            clock_jump=clock_jump,
            exceptions=dict(self._exceptions),
            arrivals=self._arrivals(),
        )

    def _users(self, running: list[int]) -> int:
        """Return the fewest users of a second; with stages, the smallest share of those planned for it.

        A second's plan is the lowest level around it: users take a moment to start.
        """
        if not self._plan.stages:
            return min(running, default=self.running)
        shares = [1.0]
        for second, users in zip(self._window, running, strict=False):
            planned = floor(min(rate_at(self._plan.stages, max(0, second + shift)) for shift in (-1, 0, 1)))
            if planned:
                shares.append(users / planned)
        return floor(min(shares) * self._plan.users)

    def _arrivals(self) -> ArrivalStats | None:
        if not self._plan.rate:
            return None
        begun = sum(self._late.values())
        return ArrivalStats(
            planned=begun + self._dropped,
            dropped=self._dropped,
            lag_p99=quantile_bounds(self._late, _P99)[1] / NS_PER_SECOND if begun else 0.0,
            lag_max=bucket_bounds(max(self._late))[1] / NS_PER_SECOND if begun else 0.0,
        )


def _users_by_second(state: WorkerState, seconds: range) -> list[int]:
    """Return the users at the end of each second; a second without a sample is as the one before."""
    users, running = [], 0
    for second in seconds:
        running = state.users.get(second, running)
        users.append(running)
    return users


def _worker_health(worker: str, state: WorkerState) -> WorkerHealth:
    shares = [share for _, share in state.cpu]
    return WorkerHealth(
        worker=worker,
        cpu=sum(shares) / len(shares) if shares else 0.0,
        cpu_max=max(shares, default=0.0),
        loop_lag_p99=quantile_bounds(state.lag, _P99)[1] / NS_PER_SECOND if state.lag else 0.0,
        loop_lag_max=quantile_bounds(state.lag, _ALL)[1] / NS_PER_SECOND if state.lag else 0.0,
        complete=state.final and not state.gap,
        memory=state.memory,
        messages=tuple(state.messages),
    )
