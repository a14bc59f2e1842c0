"""A virtual user of a declarative scenario that ends with an exception is reported."""

import json
import subprocess
import sys
from pathlib import Path

from tests.support.hostile_server import HostileServer

PROGRAM = """
import sys
from dataclasses import replace

import gevent
import locust
from locust.env import Environment

from slocheck.load.arrivals.iterations import SharedIterations
from slocheck.load.worker import user_errors
from slocheck.load.users.declarative import iterations, user_class
from slocheck.load.http.sink import RecorderSink
from tests.builders.load_plans import make_plan

user_errors.watch(print, lambda *_: None)
plan = make_plan(sys.argv[1], sys.argv[2], users=1)
user = user_class(plan)

def broken(status, head, body, values):
    raise LookupError("no such thing")

(flow,) = user.scenario.flows
steps = tuple(replace(step, check=broken) for step in flow.steps)
user.scenario = replace(user.scenario, flows=(replace(flow, steps=steps),))
user.sink = RecorderSink(plan, print)
user.iterations = SharedIterations(iterations(user, plan, 0))
environment = Environment(user_classes=[user])
died = gevent.event.AsyncResult()
environment.events.user_error.add_listener(lambda user_instance, exception, tb, **_: died.set(exception))
environment.create_local_runner().start(1, 1)
print(repr(died.get(timeout=20)), user.sink.unrecorded, user.sink.recorder.flush().counts)
"""


LEAVING = """
import sys

import gevent
from locust.env import Environment
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING

from slocheck.load.drain import send_no_more
from slocheck.load.users.declarative import user_class
from slocheck.load.http.sink import RecorderSink
from tests.builders.load_plans import make_plan

plan = make_plan(sys.argv[1], sys.argv[2], users=1)
kind = user_class(plan)
kind.sink = RecorderSink(plan, print)
kind.iterations = type("Any", (), {"thinks_after_last": True})()

def walk(leave):
    user = kind(Environment(user_classes=[kind]))
    user._state = LOCUST_STATE_RUNNING
    leave(user)
    try:
        user._steps, user._at = kind.scenario.flows[0].steps, 0
        user._walk()
    except gevent.GreenletExit:
        print("ended as", user._state)

walk(lambda user: gevent.spawn_later(0.05, setattr, user, "_state", LOCUST_STATE_STOPPING))
walk(send_no_more)
print(sum(counts.sent for _, counts in kind.sink.recorder.flush().counts))
"""


def test_a_user_that_leaves_sends_nothing_more_and_loses_nothing(tmp_path: Path) -> None:
    """One that is stopped during a pause ends there; one that is due to send ends before its request."""
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(json.dumps({"flows": [{"steps": [{"get": "/x", "think": "0.3s"}, {"get": "/y"}]}]}))
    with HostileServer() as server:
        done = subprocess.run(
            [sys.executable, "-c", LEAVING, server.url, scenario], capture_output=True, text=True, check=False
        )
        assert server.requests == {"/x": 1}, done.stderr
    assert done.stdout == "ended as stopping\nended as running\n1\n", done.stderr


def test_a_user_that_dies_is_reported_and_its_request_is_known_to_be_lost(tmp_path: Path) -> None:
    """Such a failure is our defect; it must not look like a healthy run with fewer requests."""
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(json.dumps({"flows": [{"steps": [{"get": "/x"}]}]}))
    with HostileServer() as server:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, server.url, scenario], capture_output=True, text=True, check=False
        )
        assert server.requests == {"/x": 1}
    assert done.stdout == "LookupError('no such thing') 1 ()\n", done.stderr
