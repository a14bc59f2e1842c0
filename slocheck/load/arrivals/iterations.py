"""Sources of iterations for the users of a declarative scenario, one for each load model."""

from collections.abc import Iterator

from locust.user.task import LOCUST_STATE_WAITING

from slocheck.load.arrivals.dispatcher import Dispatcher
from slocheck.load.users.flow_user import FlowUser, Iteration

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

    def next_for(self, _user: FlowUser) -> Iteration:
        """Return the next iteration, which is due now."""
        flow, values = next(self._iterations)
        return 0, flow, values

    def leave(self, _user: FlowUser) -> None:
        """Do nothing: a user takes its iterations by itself."""


class DueIterations:
    """The open model: a user waits until an arrival is due.

    Attributes:
        thinks_after_last: False: no pause may delay the next arrival.
    """

    thinks_after_last = False

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def next_for(self, user: FlowUser) -> None:
        """Let the user wait until the dispatcher begins one."""
        user._state = LOCUST_STATE_WAITING  # noqa: SLF001 - so that a stop does not wait for it
        self._dispatcher.wait(ONLY_CLASS, user.begin_arrival)

    def leave(self, user: FlowUser) -> None:
        """Hand the user no further arrival."""
        self._dispatcher.leave(ONLY_CLASS, user.begin_arrival)
