"""The master process as the CLI starts it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from slocheck.load.engine import LoadEngine
from slocheck.load.launch import Launch, child_environment, start_master
from slocheck.load.master_process import MasterProcess
from tests.builders.load_plans import make_plan, write_scenario

SCENARIO = """
    import os
    import sys
    from locust import HttpUser, events

    @events.init_command_line_parser.add_listener
    def options(parser):
        parser.add_argument("--mine", default="as written")

    @events.init.add_listener
    def started(environment, **_):
        options = environment.parsed_options
        found = (options.mine, options.num_users, options.run_time, os.environ.get("SETTING"))
        assert found == ("as written", 2, 2, "given"), found
        useless = {"scipy", "pandas", "rich", "typer", "httpx", "promql_parser", "junitparser"}
        useless |= {"flask", "werkzeug", "jinja2", "pydantic"}
        assert not useless & set(sys.modules), useless & set(sys.modules)
        argv = open("/proc/self/cmdline").read().split("\\0")
        open(os.environ["PROOF"], "a").write(f"{os.getppid() == int(os.environ['CLI'])} {argv[3]} ")

    class Asking(HttpUser):
        pass
"""


def test_what_would_change_locust_itself_does_not_reach_the_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else is passed on to the scenario, Locust's settings included."""
    monkeypatch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")
    monkeypatch.setenv("LOCUST_PASSWORD", "1")
    monkeypatch.setenv("LOCUST_RUN_TIME", "1s")
    monkeypatch.setenv("LOCUST_PLAYWRIGHT", "1")
    environment = child_environment()
    locusts = {key: value for key, value in environment.items() if key.startswith("LOCUST_")}
    assert locusts == {"LOCUST_PASSWORD": "1", "LOCUST_RUN_TIME": "1s"}


def test_a_scenario_finds_its_options_and_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Master and worker parse the scenario's own options by their defaults; no locust.conf is read.

    Neither holds what only the command line or a report needs, and the worker imported nothing again.
    """
    (tmp_path / "locust.conf").write_text("run-time = 1s\nusers = 99\n")
    (tmp_path / "random.py").write_text("raise RuntimeError('not this one')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCUST_RUN_TIME", "5s")
    proof = tmp_path / "proof"
    monkeypatch.setenv("SETTING", "given")
    monkeypatch.setenv("PROOF", str(proof))
    monkeypatch.setenv("CLI", str(os.getpid()))
    plan = make_plan("http://127.0.0.1:9", write_scenario(tmp_path, SCENARIO))
    with LoadEngine(plan) as engine:
        assert engine.prepare().user_classes == ("Asking",)
        assert proof.read_text() == "True slocheck.load False slocheck.load ", (
            "the worker is the master's fork"
        )


def test_a_master_that_cannot_start_says_how_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line of stderr and the exit code are kept for the message."""
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")
    child = MasterProcess(start_master())
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


def test_a_master_that_was_started_ahead_and_not_needed_is_ended() -> None:
    """Nothing is left of it; one that was taken belongs to its user, and the next is a new one."""
    with Launch(ahead=True) as launch:
        taken, second = launch.take(), launch.take()
        assert taken.pid != second.pid
        for process in (taken, second):
            process.kill()
            process.communicate()
    with Launch(ahead=True) as launch:
        unused = launch._ahead
    assert unused is not None
    assert unused.returncode == -signal.SIGKILL
