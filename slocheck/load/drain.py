"""The drain: requests in flight may finish, and nothing new begins."""

import sys
from typing import Any

import gevent
from locust.user.task import LOCUST_STATE_STOPPING


def refuse_while_draining(user: Any) -> None:
    """End a user that is about to send another request during the drain; its `on_stop` still may."""
    if user is None or user._state != LOCUST_STATE_STOPPING:  # noqa: SLF001 - Locust has no public name for it
        return
    frame = sys._getframe(1)  # noqa: SLF001 - the cheap way to walk the stack
    while frame.f_back is not None:
        if frame.f_code.co_name == "on_stop":
            return
        frame = frame.f_back
    raise gevent.GreenletExit
