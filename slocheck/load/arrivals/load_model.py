"""A worker's side of the load model: `worker_model` chooses it once, from the plan."""

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from typing import Protocol, cast

import gevent
from locust.env import Environment

from slocheck.load.arrivals import locust_tasks, schedule, turns
from slocheck.load.arrivals.dispatcher import Dispatcher
from slocheck.load.arrivals.iterations import ONLY_CLASS, DueIterations, SharedIterations
from slocheck.load.arrivals.starts import sends_at_start
from slocheck.load.messaging.messages import ArrivalCounts
from slocheck.load.phases import ON_START_S
from slocheck.load.tracking import Tracker
from slocheck.load.users.declarative import iterations
from slocheck.load.users.flow_user import FlowUser
from slocheck.plan.load_plan import LoadPlan

_HOPELESS = 10
"""Starting users stops once this many were started and none of them is running."""
_POLL_S = 0.01


class WorkerModel(Protocol):
    """What a worker does differently in the open and in the closed model."""

    def start_users(self, spawn: Callable[[dict[str, int]], object], running: Callable[[], int]) -> None:
        """Start the users that must be running before the load begins; raises StopTest.

        Args:
            spawn: Starts users, their number by class.
            running: Returns how many users are running.
        """

    def begin(self, origin_ns: int) -> None:
        """Begin the load at this time of the monotonic clock."""

    def stop(self) -> None:
        """Begin no more arrivals."""

    def take(self) -> ArrivalCounts:
        """Return the outcome of the arrivals since the last call."""


class ClosedWorkerModel:
    """The closed model: users repeat their tasks, and the master sets how many run."""

    def start_users(self, spawn: Callable[[dict[str, int]], object], running: Callable[[], int]) -> None:
        """Start no users: the master starts them when the load begins."""

    def begin(self, origin_ns: int) -> None:
        """Do nothing: the users begin when they are started."""

    def stop(self) -> None:
        """Do nothing: the users are stopped one by one."""

    def take(self) -> ArrivalCounts:
        """Return nothing: the closed model has no arrivals."""
        return ArrivalCounts()


class OpenWorkerModel:
    """The open model: arrivals follow a schedule and go to idle users, all started before the load."""

    def __init__(
        self, dispatcher: Dispatcher, users: dict[str, int], tracker: Tracker, start_rate: float
    ) -> None:
        """Take this worker's share of the load.

        Args:
            dispatcher: Hands out the arrivals.
            users: How many users to start, by class.
            tracker: Counts the requests.
            start_rate: Users to start per second; 0: all at once.
        """
        self._dispatcher = dispatcher
        self._users = users
        self._tracker = tracker
        self._start_rate = start_rate

    def start_users(self, spawn: Callable[[dict[str, int]], object], running: Callable[[], int]) -> None:
        """Start all users and wait at most `ON_START_S` until they are idle; raises what they raise.

        Raises:
            NoUserError: Every user ended while it was being started.
        """
        if self._start_rate:
            self._start_spread(spawn, running)
        else:
            spawn(self._users)
        until = time.monotonic() + ON_START_S
        while self._dispatcher.idle < running() and time.monotonic() < until and not self._tracker.draining:
            gevent.sleep(_POLL_S)
        if not running():
            raise NoUserError

    def _start_spread(self, spawn: Callable[[dict[str, int]], object], running: Callable[[], int]) -> None:
        """Start users one by one at the rate, until all are running or none can run."""
        begun = time.monotonic()
        for number, name in enumerate(_in_turn(self._users)):
            while not self._tracker.draining and time.monotonic() < begun + number / self._start_rate:
                gevent.sleep(_POLL_S)
            if self._tracker.draining or (number >= _HOPELESS and not running()):
                return
            spawn({name: 1})

    def begin(self, origin_ns: int) -> None:
        """Begin the schedule at this time of the monotonic clock."""
        self._dispatcher.begin(origin_ns)

    def stop(self) -> None:
        """Begin no more arrivals."""
        self._dispatcher.stop()

    def take(self) -> ArrivalCounts:
        """Return the outcome of the arrivals since the last call."""
        return self._dispatcher.take()


class NoUserError(Exception):
    """Every user of the Locust file ended while it was being started."""


def _in_turn(users: Mapping[str, int]) -> Iterator[str]:
    """Yield each class once for each of its users, the classes interleaved."""
    left = dict(users)
    while left:
        for name in list(left):
            yield name
            left[name] -= 1
            if left[name] <= 0:
                del left[name]


def worker_model(
    environment: Environment, plan: LoadPlan, index: int, tracker: Tracker, watch: turns.TaskWatch
) -> WorkerModel:
    """Return the model of the worker with this index, and set up its users to send by it."""
    return (_open if plan.is_open else _closed)(environment, plan, index, tracker, watch)


def _closed(
    environment: Environment, plan: LoadPlan, index: int, tracker: Tracker, watch: turns.TaskWatch
) -> ClosedWorkerModel:
    if plan.declarative:
        user = _flow_user(environment, tracker)
        user.iterations = SharedIterations(iterations(user, plan, index))
    else:
        turns.install(watch, turns.at_once, waits_between=True)
    return ClosedWorkerModel()


def _open(
    environment: Environment, plan: LoadPlan, index: int, tracker: Tracker, watch: turns.TaskWatch
) -> OpenWorkerModel:
    classes, seed, processes = environment.user_classes, plan.seed, plan.processes
    due = schedule.arrivals(plan.rate, plan.arrivals, seed=seed, index=index, processes=processes)
    if plan.declarative:
        user = _flow_user(environment, tracker)
        dispatcher = Dispatcher(due, zip(repeat(ONLY_CLASS), iterations(user, plan, index), strict=False))
        user.iterations = DueIterations(dispatcher)
    else:
        weights = [user.weight for user in classes]
        chosen = locust_tasks.choices(weights, seed=seed, index=index, processes=processes)
        dispatcher = Dispatcher(due, chosen)
        turns.install(watch, locust_tasks.arrivals_of(dispatcher, classes), waits_between=False)
    users = locust_tasks.users_by_class(classes, max(1, plan.users_of(index)))
    start_rate = plan.start_rate / processes if sends_at_start(classes) else 0.0
    return OpenWorkerModel(dispatcher, users, tracker, start_rate)


def _flow_user(environment: Environment, tracker: Tracker) -> type[FlowUser]:
    """Return the one user class of a declarative scenario, which counts what it sends."""
    user = cast("type[FlowUser]", environment.user_classes[0])
    user.sink = tracker.lean
    return user
