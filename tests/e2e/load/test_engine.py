"""The load engine against a real server: nothing is lost or counted twice, and the times are right."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from slocheck.evidence.histogram import quantile_bounds
from slocheck.evidence.model import Ending
from slocheck.evidence.recording import FailureClass
from slocheck.spec.model import FailureRule
from tests.builders.load_plans import make_plan, write_scenario
from tests.e2e.support.load_runs import BOTH, Run, both_clients, run, sent_of
from tests.e2e.support.servers.load_server import LoadServer

MS = 1_000_000


@pytest.mark.parametrize("processes", [1, 2])
def test_every_request_is_counted_once(tmp_path: Path, processes: int) -> None:
    """The server received exactly what the recording says was sent, the drained ones included."""
    with LoadServer() as server:
        scenario = both_clients(tmp_path, "delay/150", wait=0)
        plan = make_plan(server.url, scenario, users=8, processes=processes, warmup_s=1, duration_s=60)
        ended = run(plan, until=sent_of(*BOTH, each=5))
    assert server.counts["/delay/150"] == ended.sent > 8
    assert ended.result.ending is Ending.COMPLETE
    assert ended.result.error == ""
    assert ended.result.health.unrecorded == ended.result.health.in_flight == 0
    assert len(ended.result.health.workers) == processes
    assert all(worker.complete for worker in ended.result.health.workers)
    assert ended.total("GET plain").ok > 0 < ended.total("GET fast").ok


def test_phases_and_slices(tmp_path: Path) -> None:
    """Seconds count from the load's start and include the warm-up; nothing is sent after the window."""
    with LoadServer() as server:
        plan = make_plan(server.url, both_clients(tmp_path, "x"), users=4, warmup_s=3, duration_s=60)
        ended = run(plan, until=lambda found: any(c.second > 3 for e in found.endpoints for c in e.slices))
    recording = ended.result.recording
    assert recording.warmup_s == 3
    seconds = {counts.second for e in recording.endpoints for counts in e.slices}
    assert min(seconds) < 3
    assert max(seconds) <= 3 + recording.window_s, "the stop takes a moment; that is outside the window"
    ticks = [(tick.second, tick.phase) for tick in ended.ticks]
    assert ticks == sorted(set(ticks), key=ticks.index), "each second is told of once a phase"
    assert [second for second, _ in ticks] == sorted(second for second, _ in ticks)
    assert {tick.phase for tick in ended.ticks} >= {"window", "drain"}
    last = replace(ended.ticks[-1].recording, window_s=recording.window_s)  # the drain may take a second
    assert last == recording
    assert ended.result.window_start == pytest.approx(ended.result.load_start + 3)
    assert ended.result.end >= ended.result.window_start
    assert ended.result.health.users == 4
    assert set(ended.result.versions) == {"python", "locust"}


def test_planted_latencies_are_found(tmp_path: Path) -> None:
    """Percentiles of a known mixture lie at or above the planted latency, and below the next larger one."""
    mixture = """
        from itertools import cycle
        from locust import FastHttpUser, constant, task

        DELAYS = cycle([60] * 18 + [250] * 2)

        class Mixed(FastHttpUser):
            wait_time = constant(0)

            @task
            def ask(self):
                self.client.get(f"/delay/{next(DELAYS)}", name="mixed")
    """
    with LoadServer() as server:
        plan = make_plan(server.url, write_scenario(tmp_path, mixture), users=10, duration_s=60)
        ended = run(plan, until=sent_of("GET mixed", each=200))
    counts = ended.total("GET mixed")
    slow, fast = server.counts["/delay/250"], server.counts["/delay/60"]
    assert counts.ok == slow + fast
    assert counts.over[2] == counts.ok, "every one is over 50 ms"
    assert counts.over[4] >= slow, "every one of 250 ms is over 200 ms"
    low, _ = quantile_bounds(counts.latencies, Fraction(1, 2))
    assert 60 * MS * 255 // 256 <= low < 250 * MS
    assert quantile_bounds(counts.latencies, Fraction(99, 100))[1] >= 250 * MS
    assert counts.max_ns >= 250 * MS
    slowest = ended.result.recording.slowest
    assert (slowest[0].latency_ns, slowest[0].status) == (counts.max_ns, 200)


def test_a_custom_user_and_a_scenarios_prints_are_taken(tmp_path: Path) -> None:
    """Users of any protocol are recorded through the event, and printing does not break the protocol."""
    custom = """
        import time
        from locust import User, events, task, tag

        print("printed while imported")

        @events.test_start.add_listener
        def started(environment, **_):
            print("started", environment.parsed_options.num_users)

        class Other(User):
            @task
            @tag("wanted")
            def ask(self):
                print('{"kind": "done"}')
                with self.environment.events.request.measure("RPC", "sleep"):
                    time.sleep(0.05)

            @task(5)
            def never(self):
                raise AssertionError("left out by its tag")
    """
    with LoadServer() as server:
        plan = make_plan(server.url, write_scenario(tmp_path, custom), tags=("wanted",), duration_s=60)
        ended = run(plan, until=sent_of("RPC sleep", each=10))
    counts = ended.total("RPC sleep")
    assert counts.ok == counts.sent >= 10
    assert counts.over[2] == counts.ok
    assert counts.statuses == {}
    assert ended.result.health.exceptions == {}


def test_exceptions_of_the_scenario_are_collected(tmp_path: Path) -> None:
    """What a task raises is counted by text, apart from the requests, with its line."""
    raising = """
        from locust import HttpUser, constant, task

        class Raising(HttpUser):
            wait_time = constant(0.05)

            @task
            def ask(self):
                self.client.get("/x")
                raise ValueError("mine")
    """
    with LoadServer() as server:
        plan = make_plan(server.url, write_scenario(tmp_path, raising), duration_s=60)
        ended = run(plan, until=sent_of("GET /x", each=4))
    ((text, count),) = ended.result.health.exceptions.items()
    assert text.startswith("ValueError: mine (")
    assert text.endswith("scenario.py:10)")
    assert count == pytest.approx(ended.total("GET /x").ok, abs=2)


BLOCKS = """
from locust import FastHttpUser, HttpUser, User, constant, task

class Blocks(User):
    abstract = True
    wait_time = constant(0.02)

    @task
    def raises(self):
        with self.client.get("/raises", catch_response=True) as response:
            raise KeyError("absent")

    @task
    def fails(self):
        with self.client.get("/fails", catch_response=True) as response:
            response.failure("not what I want")

    @task
    def forgives(self):
        with self.client.get("/status/500", catch_response=True) as response:
            response.success()

    @task
    def approves(self):
        with self.client.get("/status/410", catch_response=True) as response:
            response.success()

    @task
    def ignores(self):
        self.client.get("/status/404")

    @task
    def forgets(self):
        self.client.get("/forgotten", catch_response=True)

class Plain(Blocks, HttpUser):
    pass

class Fast(Blocks, FastHttpUser):
    pass
"""


PATHS = ("/raises", "/fails", "/status/500", "/status/410", "/status/404", "/forgotten")


def test_a_block_that_raises_is_recorded_once(tmp_path: Path) -> None:
    """A `catch_response` block counts once: by success() or failure(), by its exception, or by the status."""
    with LoadServer() as server:
        plan = make_plan(server.url, write_scenario(tmp_path, BLOCKS), users=4, duration_s=60)
        ended = run(plan, until=sent_of(*(f"GET {path}" for path in PATHS), each=4))
    assert ended.sent == server.counts.total()
    for path in ("/raises", "/fails"):
        counts = ended.total(f"GET {path}")
        assert counts.failures == {FailureClass.EXPECTATION: server.counts[path]}
        assert counts.unserved == 0
    assert ended.total("GET /status/500").failures == {FailureClass.STATUS: server.counts["/status/500"]}
    assert ended.total("GET /status/404").failures == {FailureClass.UNEXPECTED: server.counts["/status/404"]}
    assert ended.total("GET /status/410").ok == server.counts["/status/410"], "response.success() approves"
    assert ended.total("GET /forgotten").ok == server.counts["/forgotten"]
    messages = {(error.endpoint.name, error.message) for error in ended.result.recording.errors}
    assert ("/raises", "KeyError: 'absent'") in messages
    assert ("/fails", "CatchResponseError: not what I want") in messages


def test_listed_statuses_and_cache_headers(tmp_path: Path) -> None:
    """The spec's failure rule and cache rule decide on what a response is."""
    several = """
        from locust import FastHttpUser, constant, task

        class Several(FastHttpUser):
            wait_time = constant(0.02)

            @task
            def ask(self):
                self.client.get("/cache/HIT")
                self.client.get("/cache/MISS")
                self.client.get("/status/429")
    """
    with LoadServer() as server:
        plan = make_plan(server.url, write_scenario(tmp_path, several), duration_s=60)
        enough = sent_of("GET /cache/HIT", "GET /cache/MISS", "GET /status/429", each=4)
        ended: Run = run(replace(plan, failures=FailureRule(("5xx", "429"))), until=enough)
    assert ended.total("GET /cache/HIT").cache_hits == server.counts["/cache/HIT"]
    assert ended.total("GET /cache/MISS").cache_misses == server.counts["/cache/MISS"]
    assert ended.total("GET /cache/HIT").bytes_received == 2 * server.counts["/cache/HIT"]
    assert ended.total("GET /status/429").failures == {FailureClass.STATUS: server.counts["/status/429"]}
