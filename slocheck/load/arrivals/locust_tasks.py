"""The open model for Locust files: each arrival is one task of one user class."""

import time
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

import numpy as np
from locust import User
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING

from slocheck.load.arrivals.dispatcher import Dispatcher
from slocheck.load.arrivals.turns import Admit, Turn
from slocheck.load.schedule_lag import note_schedule_lag

_BLOCK = 1024


def choices(weights: Sequence[float], *, seed: int, index: int, processes: int) -> Iterator[tuple[int, None]]:
    """Yield the index of the user class of each of a worker's arrivals, drawn at random by weight.

    The class of arrival k depends only on the seed and k, not on the worker that serves it.
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


def arrivals_of(dispatcher: Dispatcher, classes: Sequence[type[User]]) -> Admit:
    """Return a function that makes a user wait for an arrival of its class, unless it still has one."""
    indices = {user: index for index, user in enumerate(classes)}

    def admit(user: Any, turn: Turn) -> None:
        if turn.admitted:
            return
        user._state = LOCUST_STATE_WAITING  # noqa: SLF001 - so that a stop does not wait for it
        turn.idle = True
        due_ns, _ = dispatcher.next(indices[type(user)])
        turn.idle, turn.admitted = False, True
        user._state = LOCUST_STATE_RUNNING  # noqa: SLF001
        note_schedule_lag(user, time.monotonic_ns() - due_ns)

    return admit
