"""Schedule lag of an arrival in the open model: how late its first request could be sent.

A task may sleep, compute or call another service before its first request. That time belongs to the task:
the request was due that much after its arrival, so its latency includes the lag and nothing else.
"""

from typing import Any

from greenlet import getcurrent  # type: ignore[import-untyped]  # ships no types

_KEY = "slocheck_late_ns"
_USERS = "locust.user.users"


def note_schedule_lag(user: Any, late_ns: int) -> None:
    """Note how late a user's arrival begins, nanoseconds."""
    user.__dict__[_KEY] = max(0, late_ns)


def take_schedule_lag(user: Any) -> int:
    """Return how late the user's arrival began, nanoseconds, for its first request; 0 for all others."""
    late_ns: int = user.__dict__.pop(_KEY, 0) if user is not None else 0
    return late_ns


def current_user() -> Any:
    """Return the user that runs in this greenlet; None if no user does.

    Locust's class is recognized by its name, so counting requests does not import Locust.
    """
    arguments = getattr(getcurrent(), "args", None)
    user = arguments[0] if arguments else None
    is_user = any(base.__module__ == _USERS and base.__name__ == "User" for base in type(user).__mro__)
    return user if is_user else None
