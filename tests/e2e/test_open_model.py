"""The open model against real servers: arrivals when they are due, latencies from then on."""

from collections import Counter
from fractions import Fraction
from pathlib import Path

import pytest

from slocheck.evidence.histogram import count_at_or_over, quantile_bounds
from slocheck.evidence.recording import SliceCounts
from slocheck.spec.course import Arrivals, Stage
from tests.e2e.load_runs import THRESHOLDS_MS, Run, make_plan, run, write_scenario
from tests.e2e.load_server import LoadServer

OVER_500_MS = THRESHOLDS_MS.index(500)
LOCUST_FILE = """
    {import_}


    class User(Base):
        wait_time = constant({wait})

        @task
        def ask(self):
            self.client.get("{path}", name="ask")
"""
IMPORTS = {
    "HttpUser": "from locust import HttpUser as Base, constant, task",
    "FastHttpUser": "from locust import FastHttpUser as Base, constant, task",
    "LeanHttpUser": "from locust import constant, task\n    from slocheck.users import LeanHttpUser as Base",
}


def locust_file(folder: Path, kind: str, path: str, *, wait: float = 0.0) -> str:
    """Write a Locust file with one task."""
    return write_scenario(folder, LOCUST_FILE.format(import_=IMPORTS[kind], path=path, wait=wait))


def declarative(folder: Path, *flows: str) -> str:
    """Write a declarative scenario of flows in YAML's flow style."""
    path = folder / "scenario.yaml"
    path.write_text("flows:\n" + "".join(f"  - {flow}\n" for flow in flows))
    return str(path)


def constant(rate: float, seconds: float) -> tuple[Stage, ...]:
    """Return the course of a constant rate."""
    return (Stage(rate, rate, seconds),)


def by_second(ended: Run) -> dict[int, int]:
    """Return the requests of each second."""
    seconds: Counter[int] = Counter()
    for endpoint in ended.result.recording.endpoints:
        for part in endpoint.slices:
            seconds[part.second] += part.sent
    return dict(seconds)


STALL = "/stall/200-1000"


def stalled(folder: Path, kind: str) -> SliceCounts:
    """Run 6 s at 100 rps against a server that stands still for a second; return all requests."""
    with LoadServer() as server:
        if kind == "declarative":
            scenario = declarative(folder, f'steps: [{{get: {STALL}, name: "GET ask"}}]')
        else:
            scenario = locust_file(folder, kind, STALL)
        ended = run(make_plan(server.url, scenario, users=200, duration_s=6, rate=constant(100, 6)))
        assert server.counts[STALL] == ended.sent == 600
    assert ended.result.health.arrivals is not None
    assert ended.result.health.arrivals.dropped == 0
    return ended.total("GET ask")


@pytest.mark.parametrize("kind", ["declarative", *IMPORTS])
def test_a_stall_is_seen_by_all_who_come_meanwhile(tmp_path: Path, kind: str) -> None:
    """A second at 100 rps: 100 arrivals, waiting from 1 s down to nothing; half of them 500 ms or more.

    Nothing can make it fewer; a busy machine may add some.
    """
    total = stalled(tmp_path, kind)
    assert 50 <= total.over[OVER_500_MS] <= 75
    assert total.max_ns >= 1_000_000_000
    true_p99_ns = 940_000_000  # of 600 the six slowest waited 1,000 to 950 ms
    assert quantile_bounds(total.latencies, Fraction(99, 100))[1] >= true_p99_ns
    assert 0 < sum(total.service_times.values()) <= total.ok


def test_a_closed_loop_does_not_see_the_stall(tmp_path: Path) -> None:
    """Four users can wait four times: the same second costs four requests instead of fifty."""
    with LoadServer() as server:
        scenario = locust_file(tmp_path, "FastHttpUser", STALL, wait=0.03)
        ended = run(make_plan(server.url, scenario, users=4, duration_s=6))
    total = ended.total("GET ask")
    assert total.sent > 250
    assert 1 <= total.over[OVER_500_MS] <= 8


def test_arrivals_that_find_nobody_are_dropped_and_counted(tmp_path: Path) -> None:
    """Three users, a target that never answers: three requests begin, all other arrivals are dropped."""
    with LoadServer() as server:
        scenario = declarative(tmp_path, "steps: [{get: /hang}]")
        plan = make_plan(server.url, scenario, users=3, duration_s=1, drain_s=3, rate=constant(50, 1))
        ended = run(plan)
    arrivals = ended.result.health.arrivals
    assert arrivals is not None
    assert (arrivals.planned, arrivals.dropped, ended.sent) == (50, 47, 3)


MIXED = (
    "{weight: 3, steps: [{get: /a}, {get: /b}]}",
    "{weight: 1, steps: [{get: /c}]}",
)


@pytest.mark.parametrize("spread", list(Arrivals))
def test_two_workers_send_exactly_what_one_does(tmp_path: Path, spread: Arrivals) -> None:
    """Same seed, same schedule, same flows: the counts of each endpoint are the same, whoever sends them."""
    with LoadServer() as server:
        runs = []
        for processes in (1, 2):
            scenario = declarative(tmp_path, *MIXED)
            plan = make_plan(
                server.url,
                scenario,
                users=100,
                processes=processes,
                rate=constant(150, 2),
                arrivals=spread,
            )
            ended = run(plan)
            assert ended.result.health.arrivals is not None
            assert ended.result.health.arrivals.dropped == 0
            runs.append({name: ended.total(f"GET {name}").sent for name in ("/a", "/b", "/c")})
    assert runs[0] == runs[1]
    assert runs[0]["/a"] == runs[0]["/b"] > runs[0]["/c"] > 0


def test_stages_send_as_many_in_each_second_as_they_say(tmp_path: Path) -> None:
    """A ramp from 0 to 40/s in two seconds holds 10 and 30 arrivals, then 40, then none."""
    with LoadServer() as server:
        scenario = declarative(tmp_path, "steps: [{get: /a}]")
        stages = (Stage(0, 40, 2), Stage(40, 40, 1), Stage(0, 0, 1))
        ended = run(make_plan(server.url, scenario, users=100, duration_s=4, rate=stages))
    assert by_second(ended) == {0: 10, 1: 30, 2: 40}


def test_users_follow_their_stages(tmp_path: Path) -> None:
    """One user, then four: the closed model's course, each of them waiting for its answer."""
    with LoadServer() as server:
        scenario = locust_file(tmp_path, "FastHttpUser", "/delay/20")
        stages = (Stage(1, 1, 3), Stage(4, 4, 3))
        ended = run(make_plan(server.url, scenario, users=4, duration_s=6, stages=stages))
    seconds = by_second(ended)
    assert 0 < seconds[1] <= 50
    assert seconds[5] > seconds[1]
    assert ended.result.health.users >= 1


def test_lanes_share_the_arrivals_by_weight(tmp_path: Path) -> None:
    """Two user classes, three to one: a class's tasks come as often as its weight says."""
    text = """
        from locust import FastHttpUser, HttpUser, task


        class Often(FastHttpUser):
            weight = 3

            def on_start(self):
                self.client.get("/login", name="login")

            @task
            def ask(self):
                self.client.get("/a", name="often")


        class Seldom(HttpUser):
            @task
            def ask(self):
                self.client.get("/b", name="seldom")
    """
    with LoadServer() as server:
        scenario = write_scenario(tmp_path, text)
        ended = run(make_plan(server.url, scenario, users=20, rate=constant(200, 2)))
    often, seldom = ended.total("GET often").sent, ended.total("GET seldom").sent
    assert often + seldom == 400
    assert 0.6 * 400 < often < 0.9 * 400
    logins = ended.total("GET login")
    assert logins.sent == 15, "every user of the pool starts once"
    assert count_at_or_over(logins.latencies, 0)[0] == 15
    assert ended.result.window_start == ended.result.load_start
