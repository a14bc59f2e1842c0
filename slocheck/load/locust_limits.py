"""Warnings about a Locust file before the load: limits of Locust's own clients, and hosts."""

from collections.abc import Iterable, Iterator, Sequence
from math import ceil

from locust import FastHttpUser, User

from slocheck.evidence.warnings import RunWarning
from slocheck.load.users import own_hosts
from slocheck.plan.load_plan import LoadPlan

MANY_USERS = 900
"""Users of one process that keep its open files below number 1,024, with some to spare."""


def warnings(plan: LoadPlan, classes: Sequence[type[User]]) -> tuple[RunWarning, ...]:
    """Return the warnings about the plan's clients."""
    return (*own_hosts.warnings(classes), *_descriptors(plan, classes))


def _descriptors(plan: LoadPlan, classes: Iterable[type[User]]) -> Iterator[RunWarning]:
    """Yield a warning if FastHttpUser cannot keep its connections.

    It checks with select() whether a connection is still open. From open file 1,024 on, that call fails
    and the connection is taken as closed. HttpUser calls poll(), which has no such limit.
    """
    affected = [user.__name__ for user in classes if issubclass(user, FastHttpUser)]
    each = ceil(plan.users / plan.processes)
    if not affected or each <= MANY_USERS:
        return
    text = (
        f"{', '.join(affected)}: FastHttpUser keeps no connection beyond descriptor 1,023; with {each:,} "
        "users a process some open a new one for each request, which is slower: use "
        f"--processes {ceil(plan.users / MANY_USERS)}, or slocheck's LeanHttpUser"
    )
    yield RunWarning("locust-client", text)
