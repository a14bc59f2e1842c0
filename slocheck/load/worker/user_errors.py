"""Users that end for other reasons than the plan: an error, their own decision, or the Locust file."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from gevent import Greenlet
from locust import User, events
from locust.exception import StopTest, StopUser
from locust.user.task import LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from slocheck.load.file_end import called
from slocheck.load.own_code import caller

_TOLD = "__slocheck_told__"
Left = Callable[[Any, BaseException], object]
"""Called for a user that ends itself, with the exception by which it does."""
Killed = Callable[[Any, str], object]
"""Called for a user that the Locust file ended, with how it did so."""


def watch(left: Left, killed: Killed) -> None:
    """Watch for users that end for another reason than the plan, for the life of this process.

    `user_error` is fired once for each exception; Locust itself fires it only in `on_start` and tasks.
    """
    start, stop = User.start, User.stop

    def watched(self: User, group: Any) -> Greenlet:
        self.__dict__["on_start"] = partial(_start, self, self.on_start, left)
        greenlet: Greenlet = start(self, group)
        greenlet.link_exception(partial(_report, self))
        greenlet.rawlink(partial(_ended, self, killed))
        return greenlet

    def stopped(self: User, force: bool = False) -> Any:  # noqa: FBT001, FBT002 - Locust's
        if caller():
            killed(self, called("user.stop()"))
        elif self._state in (None, LOCUST_STATE_WAITING):
            self._state, force = LOCUST_STATE_STOPPING, True
        return stop(self, force)

    User.start = watched  # type: ignore[method-assign] # Locust has no other way in
    User.stop = stopped  # type: ignore[method-assign]
    events.user_error.add_listener(_mark)


def _start(user: User, on_start: Callable[[], None], left: Left) -> None:
    try:
        on_start()
    except (StopUser, StopTest) as error:
        left(user, error)
        raise


def _mark(exception: BaseException, **_: object) -> None:
    with suppress(Exception):
        setattr(exception, _TOLD, True)


def _report(user: User, greenlet: Greenlet) -> None:
    _, error, trace = greenlet.exc_info
    if not getattr(error, _TOLD, False):
        user.environment.events.user_error.fire(user_instance=user, exception=error, tb=trace)


def _ended(user: User, killed: Killed, greenlet: Greenlet) -> None:
    if greenlet.successful() and user._state != LOCUST_STATE_STOPPING:  # noqa: SLF001
        killed(user, "its greenlet was killed")
