"""What the tasks of a Locust file do between an arrival and its first request."""

from fractions import Fraction
from pathlib import Path

from slocheck.evidence.histogram import quantile_bounds
from slocheck.evidence.recording import BEFORE_LOAD
from tests.builders.load_plans import constant, make_plan, write_scenario
from tests.e2e.support.load_runs import run
from tests.e2e.support.servers.load_server import LoadServer

CLOCKS_S = 0.5
"""The start is reported in wall-clock time, which may be adjusted meanwhile."""
THINKING = """
    import time

    import gevent
    import requests
    from locust import FastHttpUser, HttpUser, TaskSet, User, constant, task
    from slocheck.users import LeanHttpUser

    class Sleeps(HttpUser):
        def on_start(self):
            self.client.get("/login", name="login")

        @task
        def ask(self):
            time.sleep(0.8)
            self.client.get("/delay/20", name="sleeps")
            self.client.get("/delay/20", name="second")

    class Yields(FastHttpUser):
        @task
        def ask(self):
            gevent.sleep(0.8)
            self.client.get("/delay/20", name="yields")

    class Waits(LeanHttpUser):
        wait_time = constant(0.8)

        @task
        class Nested(TaskSet):
            @task
            def ask(self):
                self.wait()
                self.client.get("/delay/20", name="waits")
                self.interrupt()

    class Asks(User):
        @task
        def ask(self):
            requests.get(self.host + "/delay/800")
            with self.environment.events.request.measure("GET", "asks"):
                time.sleep(0.02)
"""


def test_what_a_task_does_before_its_first_request_is_its_own(tmp_path: Path) -> None:
    """Latency is the target's, whichever client sends and whatever the task waited for before.

    What users send when they start is a phase of its own before the schedule, at the plan's rate.
    """
    names = ("sleeps", "yields", "waits", "asks", "second")
    with LoadServer() as server:
        scenario = write_scenario(tmp_path, THINKING)
        ended = run(make_plan(server.url, scenario, users=120, rate=constant(40, 2)))
        assert server.counts["/login"] == ended.total("GET login").ok == 30
    starts_s = ended.result.window_start - ended.result.load_start
    assert starts_s >= 119 / 40 - CLOCKS_S, "one user after the other"
    for endpoint in ended.result.recording.endpoints:
        seconds = {part.second for part in endpoint.slices}
        assert (BEFORE_LOAD in seconds) == (seconds == {BEFORE_LOAD}) == (endpoint.endpoint.name == "login")
    totals = {name: ended.total(f"GET {name}") for name in names}
    assert all(total.ok > 5 for total in totals.values())
    for name, total in totals.items():
        low, high = quantile_bounds(total.latencies, Fraction(1, 2))
        assert high >= 20_000_000, name
        assert low < 700_000_000, name
        assert sum(total.service_times.values()) == (0 if name == "second" else total.ok), name
