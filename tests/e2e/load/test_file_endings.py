"""A Locust file that ends or judges its run: the run ends in order, and the cause is named and archived."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from slocheck.evidence.model import Ending
from slocheck.pipeline.archive import load_evidence
from slocheck.spec.model.load_profile import Stage
from tests.builders.load_plans import constant, make_plan, write_scenario
from tests.e2e.support.cli import only_run, slocheck, write_spec
from tests.e2e.support.load_runs import run
from tests.e2e.support.servers.load_server import LoadServer
from tests.support.processes import ending
from tests.support.waiting import DEADLINE_S, wait_until

ENDING = """
    import os
    import gevent
    from locust import HttpUser, constant, events, task

    seen = []

    class Asking(HttpUser):
        wait_time = constant(0.02)

        @task
        def ask(self):
            self.client.get("/delay/50", name="ask")
            seen.append(self)
            if "{how}" == "exit" and len(seen) > 20:
                os._exit(3)
            while len(seen) > 200:
                self.client.get("/never-ending")

    @events.request.add_listener
    def watch(**_):
        if "{how}" == "quit" and len(seen) > 20:
            gevent.get_hub().threadpool.apply(lambda: seen[0].environment.runner.quit())
        if "{how}" == "spawn" and len(seen) > 20:
            seen[0].environment.runner.spawn_users({"Asking": 50})
"""


@pytest.mark.parametrize(
    ("how", "rate", "says"),
    [
        pytest.param("quit", (), "runner.quit() in ", id="quit in a thread of a listener, closed model"),
        pytest.param("exit", constant(60, 120), "os._exit(3) in ", id="os._exit in a task, open model"),
        pytest.param("spawn", (), "runner.spawn_users() in ", id="users of its own, closed model"),
    ],
)
def test_a_file_that_ends_its_run_ends_it_in_order(
    tmp_path: Path, how: str, rate: tuple[Stage, ...], says: str
) -> None:
    """On all workers, naming the line; no request is lost, and none that is cut off fails the target."""
    scenario = write_scenario(tmp_path, ENDING.replace("{how}", how))
    with LoadServer() as server:
        plan = make_plan(server.url, scenario, users=10, duration_s=120, rate=rate, processes=2)
        ended = run(plan)
        assert server.counts.total() == ended.sent
    assert ended.result.ending is Ending.SCENARIO
    assert ended.result.error.startswith("the Locust file ended the run after ")
    assert f"{says}{scenario}:" in ended.result.error
    assert ended.total("GET ask").failed == 0
    assert ended.result.health.unrecorded == 0
    assert all(worker.complete for worker in ended.result.health.workers)
    assert ended.result.recording.window_s < 60


JUDGING = """
import sys
from locust import FastHttpUser, constant, events, task
from locust.runners import MasterRunner


class Reader(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def item(self):
        self.client.get("/items/1", name="/items/{id}")


@events.test_stop.add_listener
def leaves(**_):
    sys.exit()


@events.quitting.add_listener
def judges(environment, **_):
    if isinstance(environment.runner, MasterRunner) and environment.stats.total.num_requests > 100:
        environment.process_exit_code = 5
"""


def test_a_files_own_gate_is_kept_and_nohup_holds(tmp_path: Path) -> None:
    """Exit code 1, named and archived, so that a later grade has it; an ignored hangup changes nothing."""
    with LoadServer() as server:
        lasting = "users: 5, spawn_rate: 50/s, duration: 10s"
        write_spec(tmp_path, server.url, scenario=JUDGING, workload=lasting, more="confidence: none\n")
        started = subprocess.Popen(
            ["bash", "-c", 'trap "" HUP && exec "$0" -m slocheck run', sys.executable],
            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        with ending(started) as process:
            wait_until(lambda: server.counts["/items/1"] > 100)
            process.send_signal(signal.SIGHUP)
            out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1, out + err
    assert "The Locust file set exit code 5 in " in " ".join(out.split())
    evidence = load_evidence(only_run(tmp_path))
    assert evidence.ending is Ending.COMPLETE
    assert (evidence.health.file.exit_code, evidence.health.file.listener_errors) == (5, {})
    assert "scenario.py:" in evidence.health.file.exit_place
    assert slocheck("grade", "latest", cwd=tmp_path).returncode == 1
    junit = (only_run(tmp_path) / "junit.xml").read_text()
    assert "the Locust file set exit code 5 in " in junit.partition('name="locust-file"')[2]
