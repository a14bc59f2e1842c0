"""What a Locust file says about its run, collected from all processes; tested in a process with Locust."""

import json
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import json
import sys
from dataclasses import asdict

from locust.env import Environment
import locust
from slocheck.load.listeners import Listeners
from slocheck.load.master.file_result import file_result
from slocheck.load.messaging.messages import EndReport

import slocheck.load.listeners
slocheck.load.listeners.LISTENER_S = 0.2

def leaves(code):
    def listener(environment, **_):
        sys.exit(code)
    return listener

def sets(code):
    def listener(environment, **_):
        environment.process_exit_code = code
    return listener

def fails(environment, **_):
    raise ValueError("mine")

def hangs(environment, **_):
    import gevent
    gevent.sleep(60)

CASES = {
    "nothing": ([], []),
    "sets 5": ([sets(5)], []),
    "takes it back": ([sets(5), sets(0)], []),
    "a text": ([sets("bad")], []),
    "exits 3": ([leaves(3), fails], []),
    "exits with a text": ([leaves("too many")], []),
    "exits": ([leaves(None)], []),
    "fails": ([fails, hangs], []),
    "a worker's task": ([], [EndReport(2, "task.py:9"), EndReport()]),
    "the master first": ([sets(5)], [EndReport(2, "task.py:9")]),
    "a worker's end": ([], [EndReport(late_code=1, unfinished=("x",), listener_errors={"mine": 2})]),
}
found, fire = {}, locust.event.EventHook.fire
for name, (own, end_reports) in CASES.items():
    listeners, environment = Listeners(), Environment(events=locust.events)
    listeners.install()
    locust.events.quitting._handlers = list(own)
    listeners.finish(locust.events.quitting, environment=environment)
    found[name] = asdict(file_result(listeners, end_reports).file)
print(json.dumps(found))
"""
PLACE = "<string>:"


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """Let the listeners of several files run in their own process."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("nothing", 0), ("sets 5", 5), ("takes it back", 0), ("a text", 1), ("exits 3", 3),
        ("exits with a text", 1), ("exits", 0), ("fails", 0), ("a worker's task", 2),
        ("the master first", 5), ("a worker's end", 0),
    ],
)  # fmt: skip
def test_an_exit_code_is_the_masters_or_one_of_the_load(found: dict[str, Any], case: str, code: int) -> None:
    """Set or left with; the master's comes first, and a worker's of its last listeners does not count."""
    assert found[case]["exit_code"] == code
    assert bool(found[case]["exit_place"]) <= bool(code)


def test_failures_and_hanging_listeners_are_named(found: dict[str, Any]) -> None:
    """With type, text, event and function; a failing listener does not keep others from running."""
    (text,) = found["fails"]["listener_errors"]
    assert text.startswith("ValueError: mine (")
    assert text.endswith("in fails, a listener of quitting")
    assert found["exits 3"]["listener_errors"].keys() == {text}
    (warning,) = found["fails"]["warnings"]
    assert warning.startswith("hangs, a listener of quitting (")
    assert "was still running after" in warning
    late, hanging = found["a worker's end"]["warnings"][::-1]
    assert late.startswith("a listener set exit code 1 in a worker after the load")
    assert hanging.startswith("x was still running")
    assert found["a worker's end"]["listener_errors"] == {"mine": 2}
