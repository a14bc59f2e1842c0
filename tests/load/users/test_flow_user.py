"""Virtual users of a declarative scenario against a server that misbehaves: each request counts once."""

import json
import subprocess
import sys
from itertools import cycle
from pathlib import Path

import pytest

from tests.support import hostile_server
from tests.support.hostile_server import OK, HostileServer, Peer, respond_with

PROGRAM = """
import json
import sys
import time
from itertools import repeat

import gevent
from gevent.pool import Group
from locust.env import Environment
from locust.user.task import LOCUST_STATE_STOPPING

from slocheck.load.arrivals.dispatcher import Dispatcher
from slocheck.load.arrivals.iterations import DueIterations, SharedIterations
from slocheck.load.http.sink import RecorderSink
from slocheck.load.users.declarative import iterations, user_class
from tests.builders.load_plans import make_plan

USERS, ITERATIONS = 4, 24
url, scenario, model = sys.argv[1:]
plan = make_plan(url, scenario, users=USERS)
kind = user_class(plan)
kind.sink = RecorderSink(plan, print)

def until_enough():
    for number, iteration in enumerate(iterations(kind, plan, 0)):
        if number >= ITERATIONS:
            stop()
        yield iteration

def stop():
    for user in users:
        user._state = LOCUST_STATE_STOPPING

if model == "open":
    due = (number * 5_000_000 for number in range(ITERATIONS))
    dispatcher = Dispatcher(due, zip(repeat(0), iterations(kind, plan, 0)))
    kind.iterations = DueIterations(dispatcher)
else:
    kind.iterations = SharedIterations(until_enough())
users = [kind(Environment(user_classes=[kind])) for _ in range(USERS)]
group = Group()
for user in users:
    user.start(group)
if model == "open":
    gevent.sleep(0)
    dispatcher.begin(time.monotonic_ns())
    taken = dispatcher.take()
    while dispatcher._next_ns is not None or dispatcher.idle < USERS:
        gevent.sleep(0.01)
    dropped = sum(taken.dropped.values()) + sum(dispatcher.take().dropped.values())
    group.kill()
else:
    dropped = 0
    assert group.join(timeout=60)
counted = {}
for key, counts in kind.sink.recorder.flush().counts:
    endpoint = getattr(key, "endpoint", key)
    found = counted.setdefault(endpoint.name, [0, 0])
    found[0] += counts.sent
    found[1] += counts.ok
print(json.dumps([counted, dropped, kind.sink.unrecorded, kind.sink.open]))
"""
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
REFUSED = b"HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno"
FAILED = REFUSED.replace(b"404", b"500")
LONGER = OK.replace(b": 2", b": 3") + b"!"
BEHAVIOURS = {
    "chunked": respond_with(CHUNKED),
    "closes": respond_with(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), keep=False),
    "resets": hostile_server.reset_in_body,
    "hangs": hostile_server.hang,
}
STEPS = [
    "/fine",
    "/mixed",
    "/mixed",
    "/chunked",
    "/fine",
    "/closes",
    "/fine",
    "/resets",
    "/fine",
    "/hangs",
    "/fine",
    "/fine",
]


class InTurn:
    """Gives several responses in turn, to whichever connection asks.

    Attributes:
        given: All that it gave.
    """

    def __init__(self, responses: list[bytes]) -> None:
        self._responses = cycle(responses)
        self.given: list[bytes] = []

    def __call__(self, peer: Peer, head: bytes) -> bool:
        """Give the next one."""
        response = next(self._responses)
        self.given.append(response)
        return respond_with(response)(peer, head)


@pytest.mark.parametrize("model", ["open", "closed"])
def test_each_request_is_sent_and_counted_once(tmp_path: Path, model: str) -> None:
    """In the hub or in a greenlet, whatever the response: as many are counted as the server has seen."""
    steps = [{"get": path, "timeout": "0.4s" if path == "/hangs" else "20s"} for path in STEPS]
    steps[4]["think"] = "1ms"
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(json.dumps({"flows": [{"steps": steps}]}))
    mixed = InTurn([OK, OK, FAILED, LONGER, REFUSED, OK])
    with HostileServer(BEHAVIOURS | {"mixed": mixed}) as server:
        command = [sys.executable, "-c", PROGRAM, server.url, str(scenario), model]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seen = dict(server.requests)
    assert done.returncode == 0, done.stderr
    counted, dropped, unrecorded, in_flight = json.loads(done.stdout)
    flows = seen["/chunked"]
    assert 0 < flows <= 28
    if model == "open":
        assert flows + dropped == 24
        assert seen == {path: flows * STEPS.count(path) for path in STEPS}
    expected = {path: [sent, 0 if path in ("/resets", "/hangs") else sent] for path, sent in seen.items()}
    expected["/mixed"][1] = sum(response in (OK, LONGER) for response in mixed.given)
    assert (counted, unrecorded, in_flight) == (expected, 0, 0)
