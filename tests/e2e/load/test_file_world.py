"""The environment of a Locust file: variables, options, runner, output; and how its texts are handled."""

import json
import os
import textwrap
from pathlib import Path

from tests.builders.load_plans import make_plan, write_scenario
from tests.e2e.support.cli import only_run, result_of, slocheck, write_spec
from tests.e2e.support.load_runs import run, sent_of
from tests.e2e.support.servers.load_server import LoadServer

LATIN_1 = os.fsdecode(b"caf\xe9.py")
WORLD = """
    import json, logging, os
    from locust import FastHttpUser, events, task

    def say(what, runner):
        print("world:", json.dumps({"what": what, "target": runner.target_user_count}), type(runner).__name__)

    @events.init_command_line_parser.add_listener
    def options(parser):
        parser.add_argument("--user-file", required=True)
        parser.add_argument("--region", default="us")
        parser.add_argument("--audit", action="store_true")
        parser.add_argument("--stage", env_var="LOCUST_STAGE", default="none")
        parser.add_argument("--secret-word", default="")

    @events.test_start.add_listener
    def started(environment, **_):
        o = environment.parsed_options
        found = [o.user_file, o.region, o.audit, o.stage, o.secret_word, o.num_users, o.run_time, o.host]
        print("options:", json.dumps(found))
        print("environment:", os.environ["LOCUST_PASSWORD"], os.environ["LOCUST_USERS"])
        logging.info("logged by the file")
        say("start", environment.runner)

    @events.spawning_complete.add_listener
    def complete(user_count, **_):
        print("complete:", user_count)

    class Reader(FastHttpUser):
        @task(20)
        def read(self):
            self.client.get("/read")

        @task
        def half(self):
            with self.client.get("/half", catch_response=True) as response:
                response.failure("half " + json.loads('"\\\\ud83d"'))
            self.environment.stats.log_request("OWN", "entry", 5, 10)

    class Rare(FastHttpUser):
        weight = 1e-9

        @task
        def never(self):
            self.client.get("/never")
"""


def test_a_file_finds_its_options_its_environment_and_the_runner_as_in_locust(tmp_path: Path) -> None:
    """Locust's own variables are there to be read and no more; what is printed is kept and shown.

    The file's name is in Latin-1, and it hands half an emoji to `failure`; neither costs the run.
    """
    (tmp_path / LATIN_1).write_text(textwrap.dedent(WORLD))
    environment = {
        "LOCUST_PASSWORD": "hunter2",
        "LOCUST_USERS": "not a number",
        "LOCUST_HOST": "http://127.0.0.1:9",
        "LOCUST_STAGE": "from the environment",
    }
    with LoadServer() as server:
        load = "rate: 30/s, max_users: 12, warmup: 1s, duration: 10s, options: {user-file: a.csv}"
        write_spec(tmp_path, server.url, workload=load, scenario="")
        given = ("--", "--region", "eu", "--audit", "--secret-word", "tell-nobody")
        arguments = ("run", "--json", "-v", "--exit-zero", "--scenario", LATIN_1, *given)
        done = slocheck(*arguments, cwd=tmp_path, environment=environment)
        url = server.url
    result = result_of(done)
    assert done.returncode == 0, done.stderr
    folder = only_run(tmp_path)
    log = (folder / "scenario.log").read_text()
    options = ["a.csv", "eu", True, "from the environment", "***", 12, 11, url]
    assert log.count(f"options: {json.dumps(options)}") == 2, "in the master and in the worker"
    assert "environment: *** not a number" in log
    assert "hunter2" not in log + done.stdout + done.stderr
    assert "INFO root: logged by the file" in log
    assert log.count("complete: 12") == 2
    assert '"what": "start", "target": 12} Master' in log
    assert '"what": "start", "target": 12} Worker' in log
    for line in ("logged by the file", "complete: 12"):
        assert line in done.stderr, "-v shows it"
    assert "tell-nobody" not in log + done.stdout + done.stderr
    assert "tell-nobody" not in "".join(
        path.read_text() for path in folder.glob("*.*") if path.suffix not in {".gz", ".bin"}
    )
    assert {warning["code"] for warning in result["warnings"]} >= {"class-never-ran"}
    own = "OWN entry: stats.log_request() is not graded; fire environment.events.request"
    assert f"load generator: {own}" in [warning["message"] for warning in result["warnings"]]
    assert [error["message"] for error in result["errors"]] == [r"CatchResponseError: half \ud83d"]
    assert server.counts["/read"] > 100


FAILING_INIT = """
    from locust import HttpUser, constant, task

    class Broken(HttpUser):
        def __init__(self, environment):
            super().__init__(environment)
            raise ValueError("no account left")

        @task
        def ask(self):
            self.client.get("/broken")

    class Whole(HttpUser):
        wait_time = constant(0.05)

        @task
        def ask(self):
            self.client.get("/whole")
"""


def test_an_exception_in_a_constructor_is_told_with_its_line_and_costs_no_other_user(tmp_path: Path) -> None:
    """Locust would start no further user, and log a greenlet's address."""
    scenario = write_scenario(tmp_path, FAILING_INIT)
    with LoadServer() as server:
        plan = make_plan(server.url, scenario, users=4, duration_s=60)
        health = run(plan, until=sent_of("GET /whole", each=11)).result.health
        assert server.counts["/whole"] > 10
    assert list(health.exceptions) == [f"ValueError: no account left ({scenario}:7)"]
    assert health.idle_classes == ("Broken",)
    assert not [text for worker in health.workers for text in worker.messages if "Greenlet" in text]
