"""Users that end with an error. Locust reports what a task raises; what `on_start` raises it only logs."""

from collections.abc import Callable
from functools import partial
from typing import Any

from gevent import Greenlet
from locust import User
from locust.exception import StopTest, StopUser

Left = Callable[[Any, BaseException], object]
"""Is told of a user that ends by itself, and what it raised for that."""


def watch(left: Left) -> None:
    """See every user that ends in its `on_start` or with an exception, for as long as this process lives.

    `user_error` is fired for an exception, and `left` is told of a user that stops itself in its `on_start`.
    """
    start = User.start

    def watched(self: User, group: Any) -> Greenlet:
        self.__dict__["on_start"] = partial(_start, self, self.on_start, left)
        greenlet: Greenlet = start(self, group)
        greenlet.link_exception(partial(_report, self))
        return greenlet

    User.start = watched  # type: ignore[method-assign] # Locust has no other way in


def _start(user: User, on_start: Callable[[], None], left: Left) -> None:
    try:
        on_start()
    except (StopUser, StopTest) as error:
        left(user, error)
        raise


def _report(user: User, greenlet: Greenlet) -> None:
    _, error, trace = greenlet.exc_info
    user.environment.events.user_error.fire(user_instance=user, exception=error, tb=trace)
