"""Users that end with an error. Locust reports what a task raises; what `on_start` raises it only logs."""

from functools import partial
from typing import Any

from gevent import Greenlet
from locust import User


def watch() -> None:
    """Fire `user_error` for every user that ends with an exception, for as long as this process lives."""
    start = User.start

    def watched(self: User, group: Any) -> Greenlet:
        greenlet: Greenlet = start(self, group)
        greenlet.link_exception(partial(_report, self))
        return greenlet

    User.start = watched  # type: ignore[method-assign] # Locust has no other way in


def _report(user: User, greenlet: Greenlet) -> None:
    _, error, trace = greenlet.exc_info
    user.environment.events.user_error.fire(user_instance=user, exception=error, tb=trace)
