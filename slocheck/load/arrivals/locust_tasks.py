"""The open model for Locust files: an arrival is one task of one user class."""

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from typing import Any

import numpy as np
from locust import TaskSet, User
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING

from slocheck.load.arrivals.dispatcher import Dispatcher

_BLOCK = 1024


def choices(weights: Sequence[float], *, seed: int, index: int, processes: int) -> Iterator[tuple[int, None]]:
    """Yield the user class (its index) of each of a worker's arrivals, at random by weight.

    The class of arrival k follows from the seed and k alone, whichever worker has it.
    """
    random = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed, spawn_key=(2,))))
    bounds = np.cumsum(weights) / np.sum(weights)
    while True:
        drawn = random.random(_BLOCK * processes)[index::processes]
        for user_class in np.searchsorted(bounds, drawn, side="right").tolist():
            yield user_class, None


def users_by_class(classes: Sequence[type[User]], users: int) -> dict[str, int]:
    """Return `users` split among the classes by weight, each share rounded up."""
    total = sum(user.weight for user in classes)
    return {user.__name__: max(1, ceil(users * user.weight / total)) for user in classes}


def serve_arrivals(dispatcher: Dispatcher, classes: Sequence[type[User]]) -> None:
    """Make every task wait for an arrival of its user's class, and for nothing else.

    Entering a nested task set is not a task: its own tasks wait. The first request of a task counts from
    when its arrival was due.
    """
    indices = {user: index for index, user in enumerate(classes)}
    execute: Callable[[Any], None] = TaskSet.execute_next_task

    def execute_next_task(self: Any) -> None:
        task, user = self._task_queue[0], self.user
        if not (isinstance(task, type) and issubclass(task, TaskSet)):
            user._state = LOCUST_STATE_WAITING  # noqa: SLF001 - so that a stop does not wait for it
            due_ns, _ = dispatcher.next(indices[type(user)])
            user._state = LOCUST_STATE_RUNNING  # noqa: SLF001
            user.__dict__["intended_ns"] = due_ns
        execute(self)

    def go_on(_self: Any) -> None:
        """Wait for nothing: the schedule says when the next task begins."""

    TaskSet.execute_next_task = execute_next_task  # type: ignore[method-assign] # Locust has no other way in
    TaskSet.wait = go_on  # type: ignore[method-assign]
