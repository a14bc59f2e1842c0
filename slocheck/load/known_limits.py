"""What is known of Locust's own clients that would touch a verdict, said before the load."""

from collections.abc import Iterable
from math import ceil

from locust import FastHttpUser, HttpUser, User

from slocheck.plan import LoadPlan

MANY_USERS = 900
"""Users of a process whose descriptors stay below 1,024, with some to spare."""


def warnings(plan: LoadPlan, classes: Iterable[type[User]]) -> list[str]:
    """Return what a user should know of the plan's clients before it runs."""
    affected = [user.__name__ for user in classes if issubclass(user, FastHttpUser | HttpUser)]
    each = ceil(plan.users / plan.processes)
    if not affected or each <= MANY_USERS:
        return []
    text = (
        f"{', '.join(affected)}: Locust's HttpUser and FastHttpUser look at connections with select(), which "
        f"ends at descriptor 1,023; with {each:,} users a process, connections beyond it are opened anew for "
        f"each request, which is slower: use --processes {ceil(plan.users / MANY_USERS)}, or slocheck's "
        "LeanHttpUser"
    )
    return [text]
