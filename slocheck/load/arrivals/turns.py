"""The turns of a Locust file's users: when a task may begin, and what follows when one raises.

After an exception Locust pauses for the user's `wait_time`. A file need not have one, and the open model
does not use it. Without a pause, a file that always raises would send as fast as it can.
"""

from collections.abc import Callable, Iterable
from typing import Any

import gevent
from locust import TaskSet
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from slocheck.load.file_end import raised
from slocheck.load.messaging.messages import TaskCounts
from slocheck.load.own_code import place_of
from slocheck.load.schedule_lag import take_schedule_lag

_TURN_KEY = "slocheck_turn"
_FREE_FAILURES = 2
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_DOUBLINGS = 10
_ORDERLY = (InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately)
"""Exceptions by which a task asks for another one; they are not errors."""

Admit = Callable[[Any, "Turn"], None]
"""Waits until the user may begin its next task."""


class Turn:
    """The state of one user.

    Attributes:
        user_class: Name of its class.
        starting: It has not begun its first task yet: entering its first task sets is part of its start.
        admitted: It has an arrival that no task has used yet.
        idle: It waits for an arrival.
        in_task: It is inside a task, not between two.
        tried: It has got as far as a task, or the entry of a task set, since its last wait.
        failures: Exceptions in a row.
        gone: The watch has been told that the user ended in a way that the plan does not ask for.
    """

    __slots__ = ("admitted", "failures", "gone", "idle", "in_task", "starting", "tried", "user_class")

    def __init__(self, user_class: str) -> None:
        self.user_class = user_class
        self.starting = True
        self.admitted = self.idle = self.in_task = self.gone = self.tried = False
        self.failures = 0


def turn_of(user: Any) -> Turn:
    """Return the turn of a user."""
    turn: Turn | None = user.__dict__.get(_TURN_KEY)
    if turn is None:
        turn = user.__dict__[_TURN_KEY] = Turn(type(user).__name__)
    return turn


def pause_s(failures: int) -> float:
    """Return the seconds that a user waits after this many exceptions in a row; the wait grows."""
    if failures <= _FREE_FAILURES:
        return 0.0
    doubled: float = _FIRST_PAUSE_S * 2 ** min(failures - _FREE_FAILURES - 1, _DOUBLINGS)
    return min(_LONGEST_PAUSE_S, doubled)


class TaskWatch:
    """Counts the tasks of a process that were completed, and the exceptions.

    Attributes:
        on_stop_test: Called with each `StopTest`, by which a file ends its run.
        over: The load is over, and users end because of that.
        ran: Names of the user classes that have begun a task since `take_classes`.
    """

    def __init__(self) -> None:
        self.ran: set[str] = set()
        self._done = self._raised = 0
        self._gone = ""
        self.on_stop_test: Callable[[BaseException], object] = id
        self.over = False

    def done(self, turn: Turn) -> None:
        """Count a completed task."""
        turn.failures = 0
        self._done += 1

    def on_user_error(self, user_instance: Any, **_: object) -> None:
        """Listen to Locust's `user_error` event, whose instance is a user or a task set."""
        turn_of(getattr(user_instance, "user", user_instance)).failures += 1
        self._raised += 1

    def left(self, user: Any, error: BaseException) -> None:
        """Note that a user ended itself, unless the plan was stopping it."""
        if isinstance(error, StopTest):
            self.on_stop_test(error)
        else:
            self._leaves(user, f"a user ended itself: {raised(error)}")

    def killed(self, user: Any, how: str) -> None:
        """Note that the Locust file ended a user, and how."""
        self._leaves(user, f"a user was ended: {how}")

    def _leaves(self, user: Any, text: str) -> None:
        turn = turn_of(user)
        if not (self.over or _stops(user) or turn.gone):
            turn.gone, self._gone = True, text

    def take_classes(self) -> tuple[str, ...]:
        """Return the names of the user classes that have begun a task since the last call, sorted."""
        ran = tuple(sorted(self.ran))
        self.ran.clear()
        return ran

    def take(self, users: Iterable[Any]) -> TaskCounts:
        """Return the counts since the last call; `users`: all that are running now."""
        busy = 0
        if self._raised and not self._done:
            turns = [turn_of(user) for user in users]
            busy = sum(not turn.failures and not turn.idle for turn in turns)
        counts = TaskCounts(self._done, self._raised, busy, self._gone)
        self._done = self._raised = 0
        self._gone = ""
        return counts


class _Turns:
    """Replaces the way in which Locust's task sets go from one task to the next."""

    def __init__(self, watch: TaskWatch, admit: Admit) -> None:
        self._watch, self._admit = watch, admit
        self._execute: Callable[[Any], None] = TaskSet.execute_next_task

    def enter(self, task_set: Any, turn: Turn) -> None:
        """Execute the next task of a task set, which is a task set itself."""
        if not turn.starting:
            self._admit(task_set.user, turn)
        turn.tried = False
        self._watch.ran.add(turn.user_class)
        try:
            self._execute(task_set)
        finally:
            turn.starting = turn.admitted = False
            turn.tried = True

    def do(self, task_set: Any, user: Any, turn: Turn) -> None:
        """Execute the next task of a task set."""
        self._admit(user, turn)
        turn.starting = turn.admitted = False
        turn.in_task = turn.tried = True
        self._watch.ran.add(turn.user_class)
        try:
            self._execute(task_set)
        except _ORDERLY:
            self._watch.done(turn)
            raise
        except (StopUser, StopTest) as error:
            self._watch.left(user, error)
            raise
        except gevent.GreenletExit as error:
            self._watch.killed(user, f"its greenlet was killed in {place_of(error.__traceback__)}")
            raise
        finally:
            turn.in_task = False
            take_schedule_lag(user)
        self._watch.done(turn)

    def recover(self, user: Any, turn: Turn) -> None:
        """Pause after exceptions; what raised before it came to a task needs an arrival to try again."""
        if (seconds := pause_s(turn.failures)) > 0:
            _rest(user, seconds)
        if not turn.tried and not _stops(user):
            turn.admitted = False
            self._admit(user, turn)


def install(watch: TaskWatch, admit: Admit, *, waits_between: bool) -> None:
    """Make the tasks of this process wait for their turn, for the life of the process.

    An arrival is one task. Entering a nested task set uses the arrival of the first task in it, so its
    `on_start` belongs to that arrival, even if it fails.

    Args:
        watch: Counts the tasks.
        admit: Called before a task.
        waits_between: Keep Locust's pause between two tasks. A pause that a task asks for is always kept.
    """
    turns = _Turns(watch, admit)
    locusts_wait: Callable[[Any], None] = TaskSet.wait

    def execute_next_task(self: Any) -> None:
        task, user = self._task_queue[0], self.user
        if isinstance(task, type) and issubclass(task, TaskSet):
            turns.enter(self, turn_of(user))
        else:
            turns.do(self, user, turn_of(user))

    def wait(self: Any) -> None:
        """Wait as a task asks, as the load model does between two tasks, or after exceptions."""
        user = self.user
        turn = turn_of(user)
        if not turn.in_task:
            if turn.failures:
                turns.recover(user, turn)
            turn.tried = False
        if turn.in_task or waits_between:
            locusts_wait(self)

    TaskSet.execute_next_task = execute_next_task  # type: ignore[method-assign] # Locust has no other way in
    TaskSet.wait = wait  # type: ignore[method-assign]


def _rest(user: Any, seconds: float) -> None:
    """Let a user wait, unless it is stopping."""
    if _stops(user):
        return
    user._state = LOCUST_STATE_WAITING  # noqa: SLF001 - Locust has no public name for it
    gevent.sleep(seconds)
    if not _stops(user):
        user._state = LOCUST_STATE_RUNNING  # noqa: SLF001


def _stops(user: Any) -> bool:
    state: str | None = user._state  # noqa: SLF001 - Locust has no public name for it
    return state == LOCUST_STATE_STOPPING


def at_once(_user: Any, _turn: Turn) -> None:
    """Begin the next task without an arrival: the closed model."""
