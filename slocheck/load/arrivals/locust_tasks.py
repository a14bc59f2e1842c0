"""The open model for Locust files: one arrival, one task. Users of a class share a lane of arrivals."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import Any

import numpy as np
from locust import TaskSet, User
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING

from slocheck.load.arrivals.dispatcher import Dispatcher

_BLOCK = 1024


def choices(weights: Sequence[float], *, seed: int, index: int, processes: int) -> Iterator[tuple[int, None]]:
    """Yield the lane of each of a worker's arrivals, at random by weight.

    Lane of arrival k follows from the seed and k alone, whichever worker has it.
    """
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(2,))))
    edges = np.cumsum(weights) / np.sum(weights)
    while True:
        drawn = random.random(_BLOCK * processes)[index::processes]
        for lane in np.searchsorted(edges, drawn, side="right").tolist():
            yield lane, None


def pool(classes: Sequence[type[User]], users: int) -> dict[str, int]:
    """Return how many users of each class a worker needs, so that `users` are there by weight."""
    total = sum(user.weight for user in classes)
    return {user.__name__: max(1, ceil(users * user.weight / total)) for user in classes}


def serve_arrivals(dispatcher: Dispatcher, classes: Sequence[type[User]]) -> None:
    """Make every task wait for an arrival of its user's lane, and no task wait for anything else.

    Entering a nested task set is no task: its own tasks wait. The first request of a task counts from
    when its arrival was due.
    """
    lanes = {user: lane for lane, user in enumerate(classes)}
    execute: Callable[[Any], None] = TaskSet.execute_next_task

    def execute_next_task(self: Any) -> None:
        task, user = self._task_queue[0], self.user
        if not (isinstance(task, type) and issubclass(task, TaskSet)):
            user._state = LOCUST_STATE_WAITING  # noqa: SLF001 - so that a stop does not wait for it
            due_ns, _ = dispatcher.next(lanes[type(user)])
            user._state = LOCUST_STATE_RUNNING  # noqa: SLF001
            user.__dict__["intended_ns"] = due_ns
        execute(self)

    def go_on(_self: Any) -> None:
        """Wait for nothing: the schedule says when the next task begins."""

    TaskSet.execute_next_task = execute_next_task  # type: ignore[method-assign] # Locust has no other way in
    TaskSet.wait = go_on  # type: ignore[method-assign]
