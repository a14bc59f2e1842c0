"""The open model against real servers: arrivals when they are due, latencies from then on."""

from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from slocheck.evidence.histogram import count_at_or_over, quantile_bounds
from slocheck.evidence.recording import BEFORE_LOAD
from slocheck.spec.model.load_profile import ArrivalProcess, Stage
from tests.builders.load_plans import THRESHOLDS_MS, constant, make_plan, write_scenario
from tests.e2e.support.load_runs import Run, run, sent_of
from tests.e2e.support.servers.load_server import LoadServer
from tests.e2e.support.stall_runs import IMPORTS, Stall, declarative, locust_file, stalled

OVER_500_MS = THRESHOLDS_MS.index(500)


def by_second(ended: Run, name: str = "") -> dict[int, int]:
    """Return the requests of each second; of one endpoint, or of all."""
    seconds: Counter[int] = Counter()
    for endpoint in ended.result.recording.endpoints:
        for part in endpoint.slices:
            seconds[part.second] += part.sent if name in ("", str(endpoint.endpoint)) else 0
    return {second: count for second, count in seconds.items() if count}


AT_MOST_S = 0.5
"""What this machine may add to the truth: the round trip, and waiting for a core."""
ORDER_S = 0.05
"""The truth pairs responses with arrivals in order; on a busy machine some, 10 ms apart, change places."""


@pytest.mark.parametrize("kind", ["declarative", *IMPORTS])
def test_a_stall_is_seen_by_all_who_come_meanwhile(tmp_path: Path, kind: str) -> None:
    """A second's stall at 100 rps: 100 arrivals wait from 1 s down to nothing; each percentile is right.

    The truth comes from the server: when it wrote each response, and when each arrival was due.
    """
    found = stalled(tmp_path, kind, Stall(number=100), warmup_s=1, duration_s=3)
    for quantile in ("0.8", "0.9", "0.95", "0.99"):
        share = Fraction(quantile)
        true_s = found.true_s(share)
        low_ns, high_ns = quantile_bounds(found.total.latencies, share)
        assert high_ns / 1e9 >= true_s - ORDER_S, f"p{quantile}: never less than the truth"
        assert low_ns / 1e9 <= true_s + AT_MOST_S, f"p{quantile}"
    mean_s = found.total.total_ns / found.total.ok / 1e9
    assert mean_s >= sum(found.truth) / len(found.truth) - 0.001, "in whatever order they were served"
    assert found.total.over[OVER_500_MS] >= 50, "half of a second's arrivals, whatever else happened"
    assert found.total.max_ns >= 990_000_000
    true_p99_s = 0.95
    assert quantile_bounds(found.total.latencies, Fraction(99, 100))[1] / 1e9 >= true_p99_s
    assert 0 < sum(found.total.service_times.values()) <= found.total.ok


def test_a_closed_loop_does_not_see_the_stall(tmp_path: Path) -> None:
    """Only four users can wait: three seconds delay four requests, not the hundreds that were due.

    Half of the stall is more than a busy machine adds.
    """
    with LoadServer() as server:
        path = Stall(number=100, length_ms=3000).path
        scenario = locust_file(tmp_path, "FastHttpUser", path, wait="constant(0.03)")
        plan = make_plan(server.url, scenario, users=4, duration_s=60)
        ended = run(plan, until=sent_of("GET ask", each=151))
    total = ended.total("GET ask")
    assert total.sent > 150
    assert 1 <= count_at_or_over(total.latencies, 1_500_000_000)[1] <= 8


def test_arrivals_that_find_nobody_are_dropped_and_counted(tmp_path: Path) -> None:
    """Three users, a target that never responds: three requests begin, all other arrivals are dropped."""
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


def mixed(url: str, scenario: str, **changes: Any) -> tuple[list[int], list[dict[int, int]]]:
    """Run the mixed flows for a second and a half; return the counts by endpoint, and by second of each flow.

    There are more users than arrivals, so that none is dropped however slow the machine is.

    A flow's later steps are sent when the earlier ones get a response: only its first has a planned second.
    """
    ended = run(make_plan(url, scenario, users=300, rate=constant(150, 1.5), **changes))
    assert ended.result.health.arrivals is not None
    assert ended.result.health.arrivals.dropped == 0
    return [ended.total(f"GET {name}").sent for name in ("/a", "/b", "/c")], [
        by_second(ended, f"GET {name}") for name in ("/a", "/c")
    ]


@pytest.mark.parametrize("spread", list(ArrivalProcess))
def test_two_workers_send_exactly_what_one_does(tmp_path: Path, spread: ArrivalProcess) -> None:
    """The seed alone decides the load: the same for any number of workers, different for another seed."""
    scenario = declarative(tmp_path, *MIXED)
    with LoadServer() as server:
        one, two, other = (
            mixed(server.url, scenario, processes=processes, seed=seed, arrivals=spread)
            for processes, seed in ((1, 1), (2, 1), (1, 2))
        )
    assert one == two != other
    (read, listed, bought), _ = one
    assert read == listed > bought > 0


def test_stages_send_as_many_in_each_second_as_they_say(tmp_path: Path) -> None:
    """A ramp from 0 to 40/s in two seconds holds 10 and 30 arrivals, then 40, then none."""
    with LoadServer() as server:
        scenario = declarative(tmp_path, "steps: [{get: /a}]")
        stages = (Stage(0, 40, 2), Stage(40, 40, 1), Stage(0, 0, 1))
        ended = run(make_plan(server.url, scenario, users=100, duration_s=4, rate=stages))
    assert by_second(ended) == {0: 10, 1: 30, 2: 40}


NEVER_ENDING = """
    from locust import FastHttpUser, HttpUser, constant, task
    from slocheck.users import LeanHttpUser


    class Asking:
        def ask(self):
            while True:
                self.client.get("/delay/20", name="ask")


    class Fast(Asking, FastHttpUser):
        tasks = [Asking.ask]


    class Plain(Asking, HttpUser):
        tasks = [Asking.ask]


    class Lean(Asking, LeanHttpUser):
        tasks = [Asking.ask]

        def on_stop(self):
            self.client.get("/delay/20", name="goodbye")

"""


def test_users_follow_their_stages_and_nothing_is_lost_on_the_way_down(tmp_path: Path) -> None:
    """Three users, nine, then three whose tasks never end by themselves: no request is cut off, no error."""
    with LoadServer() as server:
        scenario = write_scenario(tmp_path, NEVER_ENDING)
        stages = (Stage(3, 3, 1), Stage(9, 9, 2), Stage(3, 3, 5))
        plan = make_plan(server.url, scenario, users=9, duration_s=8, drain_s=1, stages=stages)
        ended = run(plan)
        assert server.counts.total() == ended.sent
    assert max(tick.users for tick in ended.ticks) == 9
    assert [tick.users for tick in ended.ticks if tick.phase == "window"][-1] == 3
    assert ended.total("GET goodbye").sent == 3, "two on the way down, one in the drain"
    health = ended.result.health
    assert (health.exceptions, health.gone, health.unrecorded, health.in_flight) == ({}, "", 0, 0)
    assert sum(part.failed for each in ended.result.recording.endpoints for part in each.slices) == 0
    assert health.users >= 3


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
        ended = run(make_plan(server.url, scenario, users=40, rate=constant(50, 2)))
    often, seldom = ended.total("GET often").sent, ended.total("GET seldom").sent
    arrivals = ended.result.health.arrivals
    assert arrivals is not None
    assert arrivals.planned == 100
    assert often + seldom == 100 - arrivals.dropped, "late at the end: dropped"
    assert 0.6 * (often + seldom) < often < 0.9 * (often + seldom)
    logins = ended.total("GET login")
    assert by_second(ended, "GET login") == {BEFORE_LOAD: 30}, "every user of the pool starts once, before"
    assert count_at_or_over(logins.latencies, 0)[0] == 30
    assert ended.result.window_start > ended.result.load_start, "so that the logins are not in the window"
