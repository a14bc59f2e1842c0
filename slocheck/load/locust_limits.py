"""What is known of Locust's own clients that would touch a verdict, said before the load."""

from collections.abc import Iterable
from math import ceil

from locust import FastHttpUser, User

from slocheck.plan.load_plan import LoadPlan

MANY_USERS = 900
"""Users of a process whose descriptors stay below 1,024, with some to spare."""


def warnings(plan: LoadPlan, classes: Iterable[type[User]]) -> list[str]:
    """Return what a user should know of the plan's clients before it runs.

    FastHttpUser asks select() whether a connection still lives, which fails from descriptor 1,024 on and is
    taken for its end. HttpUser asks poll(), which has no such bound.
    """
    affected = [user.__name__ for user in classes if issubclass(user, FastHttpUser)]
    each = ceil(plan.users / plan.processes)
    if not affected or each <= MANY_USERS:
        return []
    text = (
        f"{', '.join(affected)}: FastHttpUser keeps no connection beyond descriptor 1,023; with {each:,} "
        "users a process some open a new one for each request, which is slower: use "
        f"--processes {ceil(plan.users / MANY_USERS)}, or slocheck's LeanHttpUser"
    )
    return [text]
