"""A window whose first seconds are slow, end to end."""

from pathlib import Path

from tests.e2e.support.cli import RELAXED, result_of, slocheck, write_spec
from tests.e2e.support.servers.load_server import LoadServer

SETTLING = '''"""Asks for slow responses in the first seconds of the load, for fast ones after."""
import time

from locust import FastHttpUser, constant, task

BEGAN = []


class Reader(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def item(self):
        BEGAN.append(time.monotonic())
        slow = BEGAN[-1] - BEGAN[0] < 5
        self.client.get("/delay/300" if slow else "/delay/5", name="/item")
'''


def test_a_window_that_begins_slow_is_said_and_changes_no_verdict(tmp_path: Path) -> None:
    """All requests succeed, far more than are needed, and the latency is better after the first seconds."""
    with LoadServer() as server:
        spec = write_spec(
            tmp_path,
            server.url,
            objectives='  error_rate: {silver: "< 20%"}\n',
            workload="users: 5, spawn_rate: 50/s, warmup: 1s, duration: 20s",
            scenario=SETTLING,
            more="confidence: 95%\n",
        )
        strict = RELAXED.replace("steady: false", "steady: true")
        spec.write_text(spec.read_text().replace(RELAXED, strict))
        done = slocheck("run", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = result_of(done)
    (item,) = result["steady_states"]
    assert (item["steady"], item["withheld"]) == (False, [])
    (text,) = (warning["message"] for warning in result["warnings"] if warning["code"] == "unsteady")
    assert text.startswith(f"{item['message']}; no verdict depends on it; ")
