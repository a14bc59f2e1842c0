"""The master process as the CLI starts it."""

import subprocess
import sys
from pathlib import Path

import pytest

from slocheck.load.engine import LoadEngine
from slocheck.load.master_process import MasterProcess, _child_environment
from tests.builders.load_plans import make_plan, write_scenario

SCENARIO = """
    import os
    from locust import HttpUser, events

    @events.init_command_line_parser.add_listener
    def options(parser):
        parser.add_argument("--mine", default="as written")

    @events.init.add_listener
    def started(environment, **_):
        options = environment.parsed_options
        found = (options.mine, options.num_users, options.run_time, os.environ.get("SETTING"))
        assert found == ("as written", 2, 2, "given"), found
        open(os.environ["PROOF"], "a").write("x")

    class Asking(HttpUser):
        pass
"""


def test_what_would_change_locust_itself_does_not_reach_the_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """All else is passed on for the scenario to read, Locust's settings included."""
    monkeypatch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
    monkeypatch.setenv("LOCUST_PASSWORD", "1")
    monkeypatch.setenv("LOCUST_RUN_TIME", "1s")
    monkeypatch.setenv("LOCUST_PLAYWRIGHT", "1")
    environment = _child_environment()
    locusts = {key: value for key, value in environment.items() if key.startswith("LOCUST_")}
    assert locusts == {"LOCUST_PASSWORD": "1", "LOCUST_RUN_TIME": "1s"}


def test_a_scenario_finds_its_options_and_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Master and worker parse the scenario's own options by their defaults; no locust.conf is read."""
    (tmp_path / "locust.conf").write_text("run-time = 1s\nusers = 99\n")
    (tmp_path / "random.py").write_text("raise RuntimeError('not this one')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCUST_RUN_TIME", "5s")
    proof = tmp_path / "proof"
    monkeypatch.setenv("SETTING", "given")
    monkeypatch.setenv("PROOF", str(proof))
    plan = make_plan("http://127.0.0.1:9", write_scenario(tmp_path, SCENARIO))
    with LoadEngine(plan) as engine:
        assert engine.prepare().user_classes == ("Asking",)
        assert proof.read_text().startswith("x"), "the master has made its environment"


def test_a_master_that_cannot_start_says_how_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of stderr and the exit code are kept for the message."""
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")
    child = MasterProcess()
    assert child.receive(20) is None
    assert child.how_it_ended() == "ended with exit code 1"
    child.close(1)
    assert child.complaint()


def test_the_core_of_the_recorder_needs_no_locust() -> None:
    """What can be tested without Locust imports without it."""
    modules = (
        *("master.collector", "worker.health", "phases", "messaging.protocol", "messaging.signing"),
        *("recording.in_flight", "recording.outcome", "recording.recorder", "tracking"),
    )
    imports = "; ".join(f"import slocheck.load.{name}" for name in modules)
    program = f"import sys; {imports}; print({{'locust', 'gevent'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
