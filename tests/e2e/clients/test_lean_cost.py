"""What a request of `LeanHttpUser` costs, as a count that no busy machine changes."""

from pathlib import Path

from tests.builders.load_plans import make_plan, write_scenario
from tests.e2e.support.load_runs import run, sent_of
from tests.support.hostile_server import HostileServer

COUNTED = """
    import sys
    from slocheck.users import LeanHttpUser
    from locust import constant, task

    calls = tasks = 0

    def count(frame, event, _argument):
        global calls
        calls += event == "call" and "slocheck/load/" in frame.f_code.co_filename

    class Counts(LeanHttpUser):
        wait_time = constant(0)

        @task
        def ask(self):
            global tasks
            tasks += 1
            if tasks == 50:
                sys.setprofile(count)
            if tasks == 250:
                sys.setprofile(None)
                self.client.get("/counted", name=f"{calls / 200:.1f} calls")
            self.client.get("/good", name="good")
"""


def test_a_task_of_one_request_takes_few_calls(tmp_path: Path) -> None:
    """Most of a request's own cost is the Python functions that are called for it: no more than today."""
    with HostileServer() as server:
        plan = make_plan(server.url, write_scenario(tmp_path, COUNTED), users=1, duration_s=60)
        ended = run(plan, until=sent_of("GET good", each=260))
    names = [found.endpoint.name for found in ended.result.recording.endpoints]
    (counted,) = [name for name in names if name.endswith(" calls")]
    assert 20 < float(counted.split()[0]) < 29
