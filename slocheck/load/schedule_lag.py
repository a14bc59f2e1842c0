"""Schedule lag of an arrival of the open model: what its first request has waited for before it was sent.

A task may think before its first request: sleep, compute, ask somebody else. That time is the task's own.
The request was due that much after its arrival, so that its latency has that lag and no more.
"""

from typing import Any

from greenlet import getcurrent  # type: ignore[import-untyped]  # ships no types

_KEY = "slocheck_late_ns"
_USERS = "locust.user.users"


def note_schedule_lag(user: Any, late_ns: int) -> None:
    """Note how late a user's arrival begins, nanoseconds."""
    user.__dict__[_KEY] = max(0, late_ns)


def take_schedule_lag(user: Any) -> int:
    """Return how late the user's arrival began, nanoseconds, to its first request; 0 to all others."""
    late_ns: int = user.__dict__.pop(_KEY, 0) if user is not None else 0
    return late_ns


def current_user() -> Any:
    """Return the user whose greenlet this is; None in any other.

    Locust's class is known by its name, so that counting requests does not import Locust.
    """
    arguments = getattr(getcurrent(), "args", None)
    user = arguments[0] if arguments else None
    is_user = any(base.__module__ == _USERS and base.__name__ == "User" for base in type(user).__mro__)
    return user if is_user else None
