"""Loading a scenario into the Locust environment in which master and workers run it."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import locust
from locust import LoadTestShape, TaskSet, User
from locust.env import Environment
from locust.user.task import filter_tasks_by_tags
from locust.util.load_locustfile import load_locustfile

from slocheck.documents.texts import shorten
from slocheck.errors import SlocheckError
from slocheck.evidence.forbidden import forbidden_text
from slocheck.evidence.merge import MAX_MESSAGE
from slocheck.load.http.origin import OriginError
from slocheck.load.messaging.machine_messages import Bundle
from slocheck.load.network.connect_guard import ConnectGuard
from slocheck.load.own_code import is_own, place_of
from slocheck.load.users.declarative import user_class
from slocheck.load.users.file_options import OptionsError, file_options, ignore_environment
from slocheck.load.users.lean_user import refuse_unusable
from slocheck.load.users.own_hosts import OwnHostsError, load_only
from slocheck.load.users.shapes import ShapeError, stages_of
from slocheck.masking import mask_urls
from slocheck.plan.load_plan import LoadPlan


class ScenarioError(Exception):
    """The Locust file cannot be run; the text says where, what, and what to do."""


@contextlib.contextmanager
def nothing_forbidden(plan: LoadPlan, guard: ConnectGuard) -> Iterator[None]:
    """Raise ScenarioError if the file connects to a host in this block that is not an allowed target.

    It does so even if the file catches the guard's exception.
    """
    try:
        yield
    except ScenarioError:
        if not guard.forbidden:
            raise
    if guard.forbidden:
        raise ScenarioError(f"{plan.scenario}: {forbidden_text(guard.forbidden)}")


def load_environment(plan: LoadPlan, bundle: Bundle | None = None) -> Environment:
    """Import the Locust file and create its environment; raises ScenarioError.

    With a bundle, a declarative scenario comes from there and no file of this machine is read for it.
    Listeners that have to run before the file's own must be registered before this call.
    """
    ignore_environment()
    classes = _classes(plan, bundle)
    path = plan.scenario
    try:
        options = file_options(plan)
    except OptionsError as error:
        raise ScenarioError(f"{path}: {error}") from error
    host = plan.target_url.rstrip("/")
    try:
        load_only(classes, host)
    except OwnHostsError as error:
        raise ScenarioError(f"{path}: {error}") from error
    try:
        refuse_unusable(classes, host, plan.tls)
    except OriginError as error:
        raise ScenarioError(f"{path}: {error}") from error
    try:
        return Environment(
            user_classes=classes,
            events=locust.events,
            host=host,
            parsed_options=options,
            stop_timeout=plan.drain_s,
            locustfile=Path(path).name,
            parsed_locustfiles=[path],
            available_user_classes={user.__name__: user for user in classes},  # type: ignore[misc] # annotated wrongly
        )
    except ValueError as error:
        raise ScenarioError(f"{path}: {error}") from error


def _classes(plan: LoadPlan, bundle: Bundle | None) -> list[type[User]]:
    """Return the user classes of a declarative scenario or a Locust file."""
    if plan.declarative:
        try:
            return [user_class(plan, bundle)]
        except (SlocheckError, OriginError) as error:
            raise ScenarioError(str(error)) from error
    classes = _with_tags(plan, _user_classes(plan.scenario))
    for user in classes:
        _refuse_waits(plan.scenario, user, set())
    fixed = [user.__name__ for user in classes if user.fixed_count]
    if plan.is_open and fixed:
        raise ScenarioError(
            f"{plan.scenario}: {', '.join(fixed)} sets fixed_count, which has no meaning under a rate; "
            "set weight instead, or write workload.users"
        )
    return classes


def _refuse_waits(path: str, owner: Any, seen: set[Any]) -> None:
    """Refuse a `wait_time` that is not a function, which would end each user after its first task."""
    seen.add(owner)
    wait = owner.wait_time
    if isinstance(wait, int | float | str | tuple | list):
        raise ScenarioError(
            f"{path}: {owner.__name__}.wait_time is {wait!r}, which is not a function; "
            "write locust.constant(1) or locust.between(1, 3)"
        )
    for task in owner.tasks:
        if isinstance(task, type) and issubclass(task, TaskSet) and task not in seen:
            _refuse_waits(path, task, seen)


def _user_classes(path: str) -> list[type[User]]:
    """Import the file and return its user classes, in the file's order."""
    if not Path(path).is_file():
        raise ScenarioError(f"{path}: no such Locust file; name one under workload.scenario")
    try:
        classes, shapes = load_locustfile(path)
    except SyntaxError as error:
        raise ScenarioError(f"{error.filename}:{error.lineno}: not valid Python: {error.msg}") from error
    except SystemExit as error:
        raise ScenarioError(f"{_place(path, error)}: ends the process while it is imported") from error
    except BaseException as error:
        raise ScenarioError(f"{_place(path, error)}: raises while it is imported: {_short(error)}") from error
    if shapes:
        raise ScenarioError(f"{path}: {_instead_of(shapes[0])}")
    if not classes:
        raise ScenarioError(f"{path}: {_instead_of_tests(path)}")
    return list(dict.fromkeys(classes.values()))


def _instead_of(shape: LoadTestShape) -> str:
    """Say what to write in the spec instead of a shape."""
    text = f"{type(shape).__name__} is a LoadTestShape; the spec says how many users run when: "
    try:
        stages = stages_of(shape)
    except ShapeError as error:
        return (
            f"{text}write its load profile as stages there (workload: {{users: [{{users: 10, for: 30s}}, "
            f"{{to: 50, for: 1m}}]}}), and mark the class abstract; slocheck cannot do that: {error}"
        )
    return f"{text}write workload: {{users: {stages}}} there, and mark the class abstract"


def _instead_of_tests(path: str) -> str:
    """Say what a file without a user class needs: Locust also runs tests of pytest, slocheck does not."""
    module = next((m for m in list(sys.modules.values()) if getattr(m, "__file__", None) == path), None)
    tests = (
        [name for name, value in vars(module).items() if name.startswith("test_") and callable(value)]
        if module
        else []
    )
    if tests:
        return (
            f"{tests[0]} is a test in the style of pytest, which slocheck does not run; "
            "make it a @task of a subclass of locust.HttpUser"
        )
    return "has no user class; define a subclass of locust.HttpUser or locust.FastHttpUser"


def _with_tags(plan: LoadPlan, classes: list[type[User]]) -> list[type[User]]:
    """Leave out tasks by tag, and users that have no task left."""
    if not plan.tags and not plan.exclude_tags:
        return classes
    tags = set(plan.tags) or None
    excluded = set(plan.exclude_tags) or None
    for user in classes:
        filter_tasks_by_tags(user, tags, excluded)
    left = [user for user in classes if user.tasks]
    if not left:
        raise ScenarioError(
            f"{plan.scenario}: no task is left with tags {sorted(plan.tags)} "
            f"and without {sorted(plan.exclude_tags)}; tag tasks with @locust.tag, or ask for other tags"
        )
    return left


def _place(path: str, error: BaseException) -> str:
    """Return ``file:line`` of the user's innermost line that raised the error; without one, the file."""
    place = place_of(error.__traceback__)
    return place if is_own(place.rpartition(":")[0]) else path


def _short(error: BaseException) -> str:
    """Return the error's type and bounded text; a text that cannot be made is left out."""
    text = ""
    with contextlib.suppress(Exception):
        text = str(error)
    return shorten(mask_urls(f"{type(error).__name__}: {text}"), MAX_MESSAGE)
