"""The master's side of the load model: `master_model` chooses it once, from the plan."""

from collections.abc import Mapping, Sequence
from math import floor
from typing import Protocol

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import bucket_bounds, quantile_bounds
from slocheck.evidence.model import LAG_QUANTILE, ArrivalStats
from slocheck.load.phases import ON_START_S
from slocheck.plan.load_plan import LoadPlan
from slocheck.spec.model.load_profile import rate_at

_LEAD_NS = 50_000_000


class MasterModel(Protocol):
    """What the master does differently in the open and in the closed model.

    Attributes:
        lead_ns: How long before second 0 the workers are told to begin, nanoseconds.
        may_send_early: Whether users may send something before second 0.
        starting_s: How long it may take to start the users before the load, seconds.
        announced_users: Users that all run before the load and are announced to the Locust file; 0: none.
    """

    lead_ns: int
    may_send_early: bool
    starting_s: float
    announced_users: int

    def users_at(self, elapsed: float) -> tuple[int, float] | None:
        """Return the users planned after `elapsed` seconds, and how many to start a second.

        None if the workers have started their users already.
        """

    def fewest_users(self, running: Sequence[int], window: range, now: int) -> int:
        """Return the lowest number of users in any second, scaled to the planned number.

        Args:
            running: Users at the end of each measured second of the window.
            window: The window's seconds.
            now: Users running now.
        """

    def arrival_stats(self, dropped: int, lag: Mapping[int, int]) -> ArrivalStats | None:
        """Return the outcome of the arrivals; `lag`: bucket index to count. None in the closed model."""


class ClosedMasterModel:
    """The closed model: a number of users, each sending as fast as the target responds."""

    lead_ns = 0
    may_send_early = False
    starting_s = 0.0
    announced_users = 0

    def __init__(self, plan: LoadPlan) -> None:
        self._plan = plan

    def users_at(self, elapsed: float) -> tuple[int, float]:
        """Return the users planned after `elapsed` seconds, and how many to start a second."""
        if not self._plan.stages:
            return self._plan.users, self._plan.spawn_rate
        return round(rate_at(self._plan.stages, floor(elapsed))), float(self._plan.users)

    def fewest_users(self, running: Sequence[int], window: range, now: int) -> int:
        """Return the lowest number of users in any second; with stages, by the share of those planned for it.

        With stages, the lowest number planned within a second of it counts, because users take time to start.
        """
        stages = self._plan.stages
        if not stages:
            return min(running, default=now)
        shares = [1.0]
        for second, users in zip(window, running, strict=False):
            planned = floor(min(rate_at(stages, max(0, second + shift)) for shift in (-1, 0, 1)))
            if planned:
                shares.append(users / planned)
        return floor(min(shares) * self._plan.users)

    def arrival_stats(self, dropped: int, lag: Mapping[int, int]) -> None:
        """Return None: the closed model has no arrivals."""


class OpenMasterModel:
    """The open model: arrivals on a schedule that every worker knows; all users run before it begins.

    Attributes:
        lead_ns: How long after the order to begin the schedule starts, so that no worker is late.
        may_send_early: A Locust file's users may send something in their `on_start`.
        starting_s: How long it may take to start the users, seconds.
        announced_users: Users that are announced to the Locust file.
    """

    lead_ns = _LEAD_NS

    def __init__(self, plan: LoadPlan) -> None:
        self.may_send_early = not plan.declarative
        self.starting_s = plan.users / plan.start_rate + ON_START_S
        self.announced_users = 0 if plan.declarative else plan.users

    def users_at(self, _elapsed: float) -> None:
        """Return None: the workers have started their users already."""

    def fewest_users(self, running: Sequence[int], _window: range, now: int) -> int:
        """Return the lowest number of users in any second."""
        return min(running, default=now)

    def arrival_stats(self, dropped: int, lag: Mapping[int, int]) -> ArrivalStats:
        """Return the outcome of the arrivals."""
        begun = sum(lag.values())
        return ArrivalStats(
            planned=begun + dropped,
            dropped=dropped,
            lag_p99=quantile_bounds(lag, LAG_QUANTILE)[1] / NS_PER_SECOND if begun else 0.0,
            lag_max=bucket_bounds(max(lag))[1] / NS_PER_SECOND if begun else 0.0,
        )


def master_model(plan: LoadPlan) -> MasterModel:
    """Return the load model of a plan."""
    return OpenMasterModel(plan) if plan.is_open else ClosedMasterModel(plan)
