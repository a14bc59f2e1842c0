"""The end of a user's requests: those in flight may finish, and nothing new begins."""

import sys
from types import FrameType
from typing import Any

import gevent
from locust.user.task import LOCUST_STATE_STOPPING

_LAST_KEY = "slocheck_sends_no_more"


def send_no_more(user: Any) -> None:
    """Let a user that was asked to stop begin no further request; its `on_stop` still may."""
    user.__dict__[_LAST_KEY] = True


def sends_no_more(user: Any) -> bool:
    """Tell whether a user may begin no further request."""
    return getattr(user, _LAST_KEY, False)


def refuse_at_end(user: Any, *, draining: bool) -> None:
    """End a user that is about to send another request in the drain, or after its own end."""
    if not draining and not sends_no_more(user):
        return
    if getattr(user, "_state", None) != LOCUST_STATE_STOPPING:
        return
    if in_on_stop(sys._getframe(1)):  # noqa: SLF001 - the cheap way to walk the stack
        return
    raise gevent.GreenletExit


def in_on_stop(frame: FrameType | None) -> bool:
    """Tell whether a stack is that of an `on_stop`, of a user or of a task set."""
    while frame is not None:
        if frame.f_code.co_name == "on_stop":
            return True
        frame = frame.f_back
    return False
