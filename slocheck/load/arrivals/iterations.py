"""Sources of iterations for the users of a declarative scenario, one for each load model."""

from collections.abc import Iterator

from locust import User
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING

from slocheck.load.arrivals.dispatcher import Dispatcher

ONLY_CLASS = 0
"""A declarative scenario has one user class."""


class SharedIterations:
    """The closed model: a user takes the next iteration as soon as it is done with the one before.

    Attributes:
        thinks_after_last: True: a pause after an iteration's last step is kept.
    """

    thinks_after_last = True

    def __init__(self, iterations: Iterator[tuple[int, list[object]]]) -> None:
        self._iterations = iterations

    def next_for(self, _user: User) -> tuple[int, int, list[object]]:
        """Return 0 (it is due now), the flow, and the iteration's values."""
        flow, values = next(self._iterations)
        return 0, flow, values


class DueIterations:
    """The open model: a user waits until an arrival is due.

    Attributes:
        thinks_after_last: False: no pause may delay the next arrival.
    """

    thinks_after_last = False

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def next_for(self, user: User) -> tuple[int, int, list[object]]:
        """Wait; return when the iteration was due on the monotonic clock, its flow, and its values."""
        user._state = LOCUST_STATE_WAITING  # noqa: SLF001 - so that a stop does not wait for it
        due_ns, (_, (flow, values)) = self._dispatcher.next(ONLY_CLASS)
        user._state = LOCUST_STATE_RUNNING  # noqa: SLF001
        return due_ns, flow, values
