"""How a user's requests end: those in flight may finish, and no new one begins."""

import sys
from types import FrameType
from typing import Any

import gevent
from locust.user.task import LOCUST_STATE_STOPPING

SENDS_NO_MORE = "slocheck_sends_no_more"
"""Attribute of a user that may not begin another request."""


def send_no_more(user: Any) -> None:
    """Keep a user that was asked to stop from beginning another request, except in its `on_stop`."""
    user.__dict__[SENDS_NO_MORE] = True


def refuse_at_end(user: Any, *, draining: bool) -> None:
    """End a user that is about to send another request in the drain, or after it was asked to stop."""
    if not draining and not getattr(user, SENDS_NO_MORE, False):
        return
    if getattr(user, "_state", None) != LOCUST_STATE_STOPPING:
        return
    if in_on_stop(sys._getframe(1)):  # noqa: SLF001 - the cheap way to walk the stack
        return
    raise gevent.GreenletExit


def is_leaving(user: Any) -> bool:
    """Tell whether a user is on its way out, or gone: asked to stop, in its `on_stop`, or after it."""
    greenlet = getattr(user, "_greenlet", None)
    stopping = getattr(user, "_state", None) == LOCUST_STATE_STOPPING
    return stopping or greenlet is None or bool(greenlet.dead) or in_on_stop(greenlet.gr_frame)


def in_on_stop(frame: FrameType | None) -> bool:
    """Tell whether a stack runs an `on_stop` of a user or of a task set."""
    while frame is not None:
        if frame.f_code.co_name == "on_stop":
            return True
        frame = frame.f_back
    return False
