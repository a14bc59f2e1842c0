"""What users of the open model do before the schedule: their `on_start`, such as a login."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from locust import TaskSet, User

from slocheck.documents.units import format_duration
from slocheck.documents.words import quantity
from slocheck.plan.load_plan import LoadPlan


def sends_at_start(classes: Iterable[type[User]]) -> bool:
    """Tell whether a user, or a task set in which it may begin, has an `on_start`."""
    return any(user.on_start is not User.on_start or _any_starts(user.tasks, set()) for user in classes)


def _any_starts(tasks: Iterable[Any], seen: set[Any]) -> bool:
    for task in tasks:
        if isinstance(task, type) and issubclass(task, TaskSet) and task not in seen:
            seen.add(task)
            if task.on_start is not TaskSet.on_start or _any_starts(task.tasks, seen):
                return True
    return False


def starts_text(plan: LoadPlan, classes: Iterable[type[User]]) -> str:
    """Describe what is sent before the schedule; empty if nothing is."""
    if not plan.is_open or plan.declarative or not sends_at_start(classes):
        return ""
    seconds = format_duration(Fraction(round(plan.users / plan.start_rate) or 1))
    return (
        f"{quantity(plan.users, 'login')} (on_start) before the schedule, {plan.start_rate:,.3g}/s, "
        f"in about {seconds}: not graded"
    )
