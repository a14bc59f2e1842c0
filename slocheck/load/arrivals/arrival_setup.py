"""A worker's part of the load: its users equipped for the closed or the open model."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import gevent
from locust.env import Environment

from slocheck.load.arrivals import locust_tasks, schedule
from slocheck.load.arrivals.dispatcher import Dispatcher
from slocheck.load.http.sink import RecorderSink
from slocheck.load.users import declarative
from slocheck.plan.load_plan import LoadPlan

NO_ARRIVALS: dict[str, Any] = {"dropped": [], "late": []}
"""What a worker reports in the closed model."""
ON_START_S = 30.0
"""Users that take longer in their `on_start` join the pool when they are through."""
_POLL_S = 0.01


@dataclass(frozen=True, slots=True)
class ArrivalSetup:
    """The open model's part of one worker.

    Attributes:
        dispatcher: Hands out its arrivals.
        pool: Users to start, by class.
    """

    dispatcher: Dispatcher
    pool: dict[str, int]

    def wait_for_pool(self, living: Callable[[], int]) -> None:
        """Wait until all living users are idle, at most `ON_START_S`."""
        until = time.monotonic() + ON_START_S
        while self.dispatcher.idle < living() and time.monotonic() < until:
            gevent.sleep(_POLL_S)


def equip(environment: Environment, plan: LoadPlan, index: int, sink: RecorderSink) -> ArrivalSetup | None:
    """Give the users what they need to send; returns the open model's part, None in the closed one."""
    classes = environment.user_classes
    work: Any = None
    if plan.declarative:
        user = cast("type[declarative.FlowUser]", classes[0])
        user.sink = sink
        user.work = declarative.iterations(user, plan, index)
        work = ((declarative.LANE, iteration) for iteration in user.work)
    elif plan.rate:
        weights = [user.weight for user in classes]
        seed, processes = plan.seed or 0, plan.processes
        work = locust_tasks.choices(weights, seed=seed, index=index, processes=processes)
    if not plan.rate:
        return None
    due = schedule.arrivals(
        plan.rate, plan.arrivals, seed=plan.seed or 0, index=index, processes=plan.processes
    )
    dispatcher = Dispatcher(due, work)
    if plan.declarative:
        cast("type[declarative.FlowUser]", classes[0]).dispatcher = dispatcher
    else:
        locust_tasks.serve_arrivals(dispatcher, classes)
    share = plan.users // plan.processes + (index < plan.users % plan.processes)
    return ArrivalSetup(dispatcher, locust_tasks.pool(classes, max(1, share)))
