"""The turns of a Locust file's users: whatever a file does, an arrival is one task."""

import json
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import json
from dataclasses import astuple

import gevent
from locust import SequentialTaskSet, TaskSet, User, constant, task
from locust.env import Environment
from locust.exception import StopUser

from slocheck.load.arrivals import turns

sent, pauses, longest = [], [], turns.pause_s

def ask(what, then=None):
    def run(self):
        sent.append(what)
        if then:
            then(self)
    return run

def fail(self):
    raise KeyError("token")

def leave(self):
    self.interrupt()

def task_set(name, base=TaskSet, tasks=(), **methods):
    return type(name, (base,), {"tasks": list(tasks), **methods})

inner = task_set("Inner", SequentialTaskSet, [ask("one"), ask("two", leave)], on_start=ask("inner"))

class Waiting(TaskSet):
    def wait_time(self):
        sent.append("wait")
        return 0

    @task
    def ask(self):
        self.wait()

class Choosing(TaskSet):
    def get_next_task(self):
        sent.append("choose")
        raise KeyError("nothing to choose from")

FILES = {
    "chooses": [Choosing],
    "login": [task_set("Login", tasks=[ask("never")], on_start=ask("login", fail))],
    "fickle": [task_set("Fickle", tasks=[ask("never")], on_start=ask("enter", leave))],
    "raises": [task_set("Raises", tasks=[ask("ask", fail)])],
    "nested": [task_set("Outer", tasks=[inner], on_start=ask("outer"))],
    "waits": [Waiting],
    "no task": [],
}
execute, wait = TaskSet.execute_next_task, TaskSet.wait

def run_user(tasks, arrivals):
    TaskSet.execute_next_task, TaskSet.wait = execute, wait
    left = iter(range(arrivals))

    def admit(user, turn):
        if turn.admitted:
            return
        if next(left, None) is None:
            raise StopUser
        turn.admitted = True

    watch, environment = turns.TaskWatch(), Environment()
    turns.install(watch, admit, waits_between=False)
    environment.events.user_error.add_listener(watch.on_user_error)
    kind = type("Someone", (User,), {"tasks": tasks, "abstract": False, "wait_time": constant(0)})
    gevent.spawn(kind(environment).run).join(20)
    return watch

def pause_s(failures):
    pauses.append(failures)
    if failures == 7:
        raise StopUser
    return 0

turns.pause_s = pause_s
found = {}
for name, tasks in FILES.items():
    sent.clear()
    pauses.clear()
    watch = run_user(tasks, 5)
    found[name] = {"sent": list(sent), "pauses": list(pauses), "counts": astuple(watch.take(()))[:3]}
found["pauses"] = [longest(failures) for failures in range(40)]

watch, users = turns.TaskWatch(), [User(Environment()) for _ in range(4)]
turns.turn_of(users[0]).idle = True
watch.on_user_error(users[1])
found["busy"] = [astuple(watch.take(users))[:3]]
watch.done(turns.turn_of(users[1]))
watch.on_user_error(users[1])
found["busy"] += [astuple(watch.take(users))[:3], astuple(watch.take(users))[:3]]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """Run users of several files in their own process: Locust patches Python's modules when imported."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize(
    ("file", "sent", "counts"),
    [
        pytest.param("login", ["login"] * 6, [0, 6, 0], id="a login that raises, in a task set's on_start"),
        pytest.param("fickle", ["enter"] * 6, [0, 0, 0], id="a set that is left when it is entered"),
        pytest.param("chooses", ["choose"] * 6, [0, 6, 0], id="a set that raises while it chooses a task"),
        pytest.param("raises", ["ask"] * 5, [0, 5, 0], id="a task that raises"),
        pytest.param(
            "nested",
            ["outer", "inner", "one", "two", "inner", "one", "two", "inner", "one"],
            [5, 0, 0],
            id="sets in sets: the on_start goes with the arrival of the first task",
        ),
    ],
)
def test_an_arrival_is_one_task_whatever_the_file_does(
    found: dict[str, Any], file: str, sent: list[str], counts: list[int]
) -> None:
    """Entering a set at the user's start needs no arrival; each later entry, failed or not, needs one."""
    assert found[file]["sent"] == sent
    assert found[file]["counts"] == counts


def test_a_user_without_tasks_waits_longer_and_longer(found: dict[str, Any]) -> None:
    """A task that always raises does not block the loop, and the pause is bounded."""
    assert found["no task"]["pauses"] == [1, 2, 3, 4, 5, 6]
    pauses = found["pauses"]
    assert pauses[:5] == [0.0, 0.0, 0.0, 0.1, 0.2]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 5.0


def test_only_a_wait_of_the_task_itself_is_kept_in_the_open_model(found: dict[str, Any]) -> None:
    """`self.wait()` in a task is a pause that the scenario asks for; the schedule brings the next one."""
    assert found["waits"]["sent"] == ["wait"] * 5


def test_who_may_still_come_to_an_end_is_busy(found: dict[str, Any]) -> None:
    """If there were only exceptions: neither users that raised nor users that wait for an arrival."""
    assert found["busy"] == [[0, 1, 2], [1, 1, 0], [0, 0, 0]]
