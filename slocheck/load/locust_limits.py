"""Limits of Locust's own clients that can affect a verdict, warned of before the load."""

from collections.abc import Iterable
from math import ceil

from locust import FastHttpUser, User

from slocheck.evidence.warnings import RunWarning
from slocheck.plan.load_plan import LoadPlan

MANY_USERS = 900
"""Users of one process whose open files stay below number 1,024, with some to spare."""


def warnings(plan: LoadPlan, classes: Iterable[type[User]]) -> tuple[RunWarning, ...]:
    """Return what a user should know about the plan's clients before it runs.

    FastHttpUser checks with select() whether a connection is still open. From open file 1,024 on that call
    fails, and the connection is taken to be closed. HttpUser calls poll(), which has no such limit.
    """
    affected = [user.__name__ for user in classes if issubclass(user, FastHttpUser)]
    each = ceil(plan.users / plan.processes)
    if not affected or each <= MANY_USERS:
        return ()
    text = (
        f"{', '.join(affected)}: FastHttpUser keeps no connection beyond descriptor 1,023; with {each:,} "
        "users a process some open a new one for each request, which is slower: use "
        f"--processes {ceil(plan.users / MANY_USERS)}, or slocheck's LeanHttpUser"
    )
    return (RunWarning("locust-client", text),)
