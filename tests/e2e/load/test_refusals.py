"""What the load engine refuses, or warns of, before anything is sent."""

import subprocess
import sys
from pathlib import Path

import pytest

from slocheck.errors import UsageError
from slocheck.load.engine import LoadEngine, ScenarioInfo
from slocheck.plan.load_plan import LoadPlan
from slocheck.spec.model import Tls
from slocheck.spec.model.load_profile import Stage
from tests.builders.load_plans import make_plan, write_scenario
from tests.e2e.support.cli import slocheck, write_spec
from tests.e2e.support.forking.forked import forked_master
from tests.e2e.support.lean_runs import DECLARATIVE, LEAN, Call, plan_for
from tests.e2e.support.load_runs import both_clients, run
from tests.support.hostile_server import HostileServer

PROXY = {
    "http_proxy": "http://proxy.example:3128",
    "https_proxy": "http://proxy.example:3128",
    "no_proxy": "",
}
LEAN_SCENARIO = """
from locust import constant, task
from slocheck.users import LeanHttpUser


class Reader(LeanHttpUser):
    wait_time = constant(0.02)

    @task
    def item(self):
        self.client.get("/items/1", name="/items/{id}")
"""


def prepared(plan: LoadPlan) -> ScenarioInfo:
    """Prepare a plan, and go no further."""
    with LoadEngine(plan, forked_master) as engine:
        return engine.prepare()


@pytest.mark.parametrize("kind", [LEAN, DECLARATIVE])
def test_a_proxy_in_the_environment_is_ignored_and_this_is_said(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The load goes straight to the target that the user has allowed; `no_proxy` alone changes nothing."""
    plan = plan_for("http://shop.example", tmp_path, kind, [Call("/x")])
    for name, value in PROXY.items():
        monkeypatch.setenv(name, value)
    (warning,) = prepared(plan).warnings
    assert warning.code == "proxy-ignored"
    assert warning.text.startswith("http_proxy, https_proxy: proxies are ignored")
    for name in PROXY:
        monkeypatch.delenv(name)
    monkeypatch.setenv("no_proxy", "x")
    assert prepared(plan).warnings == ()


@pytest.mark.parametrize("rate", [(), (Stage(10, 10, 60),)], ids=["closed", "open"])
@pytest.mark.parametrize(
    ("line", "tls", "message"),
    [
        pytest.param(
            "proxy_host = 'p.example'", Tls(), r"Asking\.proxy_host: .* proxies", id="a proxy in the class"
        ),
        pytest.param("weight = 1", Tls(ca="/nowhere/ca.pem"), r"/nowhere/ca\.pem", id="a CA that is missing"),
    ],
)
def test_a_lean_user_that_cannot_send_is_refused(
    tmp_path: Path, rate: tuple[Stage, ...], line: str, tls: Tls, message: str
) -> None:
    """Found with the scenario, not at its first request."""
    text = f"from slocheck.users import LeanHttpUser\n\nclass Asking(LeanHttpUser):\n    {line}\n"
    plan = make_plan("https://127.0.0.1:1", write_scenario(tmp_path, text), tls=tls, rate=rate)
    with pytest.raises(UsageError, match=message):
        prepared(plan)


def test_the_load_goes_round_a_proxy(tmp_path: Path) -> None:
    """No proxy is used, and the command line says so."""
    with HostileServer() as server, HostileServer() as proxy:
        write_spec(
            tmp_path, server.url, scenario=LEAN_SCENARIO, workload="users: 2, warmup: 0s, duration: 10s"
        )
        environment = {"http_proxy": proxy.url, "HTTP_PROXY": proxy.url, "no_proxy": "", "NO_PROXY": ""}
        done = slocheck("run", cwd=tmp_path, environment=environment)
        assert "HTTP_PROXY, http_proxy: proxies are ignored" in done.stderr
        assert proxy.connections == 0
        assert server.requests["/items/1"] > 100
    assert done.returncode == 0, done.stdout + done.stderr


def test_too_few_open_files_exit_2_with_the_cure(tmp_path: Path) -> None:
    """Nothing is sent, and nothing is archived."""
    with HostileServer() as server:
        write_spec(
            tmp_path, server.url, scenario=LEAN_SCENARIO, workload="users: 500, warmup: 0s, duration: 10s"
        )
        done = subprocess.run(
            ["bash", "-c", 'ulimit -n 300 && exec "$0" -m slocheck run', sys.executable],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert server.requests.total() == 0
    assert done.returncode == 2
    assert "500 users in one process need 564 open files" in done.stderr
    assert "raise the hard limit" in done.stderr
    assert not list(tmp_path.glob("reports/2*"))


def test_many_fast_http_users_are_warned_of(tmp_path: Path) -> None:
    """Before the load, and in the evidence; not if they are spread, nor for the lean client.

    So is the file's own host, which the target replaces.
    """
    with HostileServer() as server:
        scenario = both_clients(tmp_path, "x", wait=60)
        with Path(scenario).open("a") as file:
            file.write("\nPlain.host = 'https://staging.example/'\n")
        plan = make_plan(server.url, scenario, users=901, spawn_rate=2000, duration_s=1, drain_s=1)
        host, warning = prepared(plan).warnings
        assert (host.code, warning.code) == ("own-host", "locust-client")
        assert host.text.startswith("Plain.host = https://staging.example is not used")
        assert warning.text.startswith("Fast: FastHttpUser keeps no connection")
        assert "--processes 2" in warning.text
        assert warning.text in run(plan).result.health.workers[0].messages
        assert len(prepared(make_plan(server.url, scenario, users=901, processes=2)).warnings) == 1
        assert prepared(plan_for(server.url, tmp_path, LEAN, [Call("/x")], users=901)).warnings == ()
