"""`LeanHttpUser` in the place of FastHttpUser, under slocheck and under Locust alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from slocheck.errors import UsageError
from slocheck.evidence.recording import FailureClass
from slocheck.load.engine import LoadEngine
from tests.e2e.load_runs import Run, make_plan, run, write_scenario
from tests.e2e.load_server import LoadServer

IMPORTS = {
    "fast": "from locust import FastHttpUser as Base",
    "lean": "from slocheck.users import LeanHttpUser as Base",
}
SCENARIO = """
    from locust import constant, task
    {import_}


    class User(Base):
        wait_time = constant(0.01)
        default_headers = {{"X-Default": "1"}}
        calls = 0

        def on_start(self):
            self.client.get("/login", name="login")

        @task
        def all_of_it(self):
            if self.calls == 20:
                return
            self.calls += 1
            client = self.client
            client.get("/ok?a=1", name="named", headers={{"X-Own": "2"}}, auth=("me", "secret"))
            client.request("OPTIONS", "/ok")
            client.head("/head")
            assert client.get("/status/404", name="404").status_code == 404
            assert client.get("/status/503", name="503").status_code == 503
            with client.get("/ok", name="judged bad", catch_response=True) as response:
                assert response.text == "ok" and response.headers["content-length"] == "2"
                response.failure("not good enough")
            with client.get("/status/404", name="judged good", catch_response=True) as response:
                response.success()
            with client.get("/status/503", name="not to be saved", catch_response=True) as response:
                response.success()
            with client.get("/ok", name="unjudged", catch_response=True):
                pass
            try:
                with client.get("/ok", name="raised", catch_response=True) as response:
                    raise ValueError("the body is wrong")
            except ValueError:
                pass
"""


def counts_of(ended: Run) -> dict[str, tuple[int, dict[FailureClass, int]]]:
    """Return requests and failures by endpoint."""
    names = [str(item.endpoint) for item in ended.result.recording.endpoints]
    return {name: (ended.total(name).sent, dict(ended.total(name).failures)) for name in names}


def test_one_import_changes_the_client_and_no_count(tmp_path: Path) -> None:
    """The same calls, the same server: every endpoint has the same requests and the same failures."""
    found = {}
    for kind, import_ in IMPORTS.items():
        with LoadServer() as server:
            text = SCENARIO.format(import_=import_)
            ended = run(
                make_plan(server.url, write_scenario(tmp_path, text), users=2, duration_s=4, drain_s=10)
            )
            found[kind] = (counts_of(ended), dict(server.counts))
        assert ended.result.health.exceptions == {}
    assert found["lean"] == found["fast"]
    counts, _ = found["lean"]
    assert counts["GET named"] == (40, {})
    assert counts["GET judged bad"] == (40, {FailureClass.EXPECTATION: 40})
    assert counts["GET raised"] == (40, {FailureClass.EXPECTATION: 40})
    assert counts["GET not to be saved"] == (40, {FailureClass.STATUS: 40})
    assert counts["GET judged good"] == counts["GET 404"] == (40, {})


def test_it_runs_under_locust_alone(tmp_path: Path) -> None:
    """Locust's own console counts what the server received; a status from 400 on fails, as Locust has it."""
    text = """
        from locust import constant, task
        from slocheck.users import LeanHttpUser


        class User(LeanHttpUser):
            wait_time = constant(0.02)

            @task
            def ask(self):
                self.client.get("/ok", name="fine")
                self.client.get("/status/404", name="gone")
    """
    with LoadServer() as server:
        options = ["--headless", "-u", "3", "-r", "3", "-t", "2s", "--json", "--host", server.url]
        done = subprocess.run(
            [sys.executable, "-m", "locust", "-f", write_scenario(tmp_path, text), *options],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        counts = dict(server.counts)
    entries = {entry["name"]: entry for entry in json.loads(done.stdout)}
    # Locust kills its three users at the end; what is in flight then counts nowhere
    assert 20 < counts["/ok"] - 3 <= entries["fine"]["num_requests"] <= counts["/ok"]
    assert entries["fine"]["num_failures"] == 0
    assert entries["gone"]["num_failures"] == entries["gone"]["num_requests"] > 20


def test_locusts_own_statistics_stay_true(tmp_path: Path) -> None:
    """A listener of test_stop reads the counts that slocheck recorded, failures and names included."""
    told = tmp_path / "statistics.json"
    text = f"""
        import json

        from locust import constant, events, task
        from locust.runners import MasterRunner
        from slocheck.users import LeanHttpUser


        class User(LeanHttpUser):
            wait_time = constant(0.01)

            @task
            def ask(self):
                self.client.get("/ok", name="fine")
                self.client.get("/status/503", name="bad")


        @events.test_stop.add_listener
        def tell(environment, **_):
            if isinstance(environment.runner, MasterRunner):
                entries = environment.stats.entries.values()
                numbers = {{
                    e.name: [e.num_requests, e.num_failures, e.total_content_length] for e in entries
                }}
                with open({str(told)!r}, "w") as file:
                    json.dump(numbers, file)
    """
    with LoadServer() as server:
        ended = run(make_plan(server.url, write_scenario(tmp_path, text), users=3, duration_s=3))
    numbers = json.loads(told.read_text())
    for name in ("fine", "bad"):
        counts = ended.total(f"GET {name}")
        assert numbers[name] == [counts.sent, counts.failed, counts.bytes_received]
    assert numbers["fine"][0] > 50


@pytest.mark.parametrize("kind", ["lean", "declarative"])
def test_a_proxy_is_refused_before_anything_is_sent(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user learns that this client would go around it."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:3128")
    monkeypatch.setenv("no_proxy", "")
    path = tmp_path / "scenario.yaml"
    path.write_text("flows: [{steps: [{get: /}]}]\n")
    if kind == "lean":
        path = Path(write_scenario(tmp_path, SCENARIO.format(import_=IMPORTS["lean"])))
    engine = LoadEngine(make_plan("http://api.example", str(path)))
    with engine, pytest.raises(UsageError, match="unset http_proxy"):
        engine.prepare()
