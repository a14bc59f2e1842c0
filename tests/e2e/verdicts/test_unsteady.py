"""A window whose first seconds are slow, end to end."""

from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("confidence", "code"), [pytest.param("95%", 3, id="undecided"), pytest.param("none", 0, id="only said")]
)
def test_a_window_that_begins_slow_is_not_met(tmp_path: Path, confidence: str, code: int) -> None:
    """All requests succeed, far more than are needed, and the drift is reported."""
    with LoadServer() as server:
        spec = write_spec(
            tmp_path,
            server.url,
            objectives='  error_rate: {silver: "< 20%"}\n',
            workload="users: 5, spawn_rate: 50/s, warmup: 1s, duration: 20s",
            scenario=SETTLING,
            more=f"confidence: {confidence}\n",
        )
        strict = RELAXED.replace("steady: false", "steady: true")
        spec.write_text(spec.read_text().replace(RELAXED, strict))
        done = slocheck("run", "--json", cwd=tmp_path)
    assert done.returncode == code, done.stderr
    result = result_of(done)
    (item,) = result["steady_states"]
    assert not item["steady"]
    assert any(warning["message"].startswith(item["message"]) for warning in result["warnings"])
    silver = result["objectives"][0]["levels"][0]
    assert ("unsteady" in silver["reason"]) == (code == 3)
