"""Users that the plan stops: all of them in the drain, some of them in a ramp-down.

Stopping never cuts off a request: it would be missing in every count, and slow requests most often.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import gevent
from locust.user.task import LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from slocheck.load.drain import in_on_stop, send_no_more

_LEAVING_KEY = "slocheck_leaves_by_plan"
_MARGIN_S = 1.0


def users_of(greenlets: Iterable[Any]) -> Iterator[Any]:
    """Yield the users of greenlets that have not ended."""
    return (greenlet.args[0] for greenlet in list(greenlets) if greenlet.args)


def leaves_by_plan(user: Any) -> bool:
    """Tell whether a ramp-down has asked a user to leave."""
    return _LEAVING_KEY in user.__dict__


def ramp_down(users: Iterable[Any], by_class: Mapping[str, int], *, task_s: float, request_s: float) -> None:
    """Ask this many more users of each class to leave; returns at once.

    Each may finish its task. One that takes too long ends at its next request, or is killed if it sends none.

    Args:
        users: All that are running.
        by_class: How many to stop, by the name of the class, besides those that were asked before.
        task_s: How long a task may go on, seconds.
        request_s: Longest that a request may take, seconds.
    """
    left = Counter(by_class)
    for user in sorted(users, key=lambda user: not _stops(user)):
        name = type(user).__name__
        if left[name] > 0 and not leaves_by_plan(user):
            left[name] -= 1
            user.__dict__[_LEAVING_KEY] = True
            gevent.spawn(_see_off, user, task_s, request_s)


def _see_off(user: Any, task_s: float, request_s: float) -> None:
    ask_to_stop(user)
    user.greenlet.join(task_s)
    if not user.greenlet.ready():
        send_no_more(user)
        user.greenlet.join(request_s + _MARGIN_S)
    if not user.greenlet.ready() and not in_on_stop(user.greenlet.gr_frame):
        user.group.killone(user.greenlet)


def ask_to_stop(user: Any) -> None:
    """Stop a user in a separate greenlet, because its `on_stop` may take long.

    A waiting user is killed, but its state is set first: the kills of other users may come before it, and if
    its wait ended meanwhile, it would send a request that is then killed in flight.
    """
    if _stops(user):
        return
    if user._state == LOCUST_STATE_WAITING:  # noqa: SLF001 - Locust has no public name for it
        user._state = LOCUST_STATE_STOPPING  # noqa: SLF001
        gevent.spawn(user.group.killone, user.greenlet)
    else:
        gevent.spawn(user.stop)


def _stops(user: Any) -> bool:
    state: str | None = user._state  # noqa: SLF001 - Locust has no public name for it
    return state == LOCUST_STATE_STOPPING
