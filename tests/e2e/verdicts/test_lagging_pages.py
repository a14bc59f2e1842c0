"""Pages that lag behind: everything is counted and decided, and nothing of the warm-up is graded.

The first requests of each run fail, all of them in the warm-up, or as logins before the schedule. All runs
go on at the same time. A run that had sent too few of them when its warm-up ended, as on a busy machine, is
made again with twice the warm-up.
"""

import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from slocheck.evidence.recording import Recording
from slocheck.indicators.server.growth.selections import EVERYTHING, pinned
from slocheck.indicators.server.server_side import ServerSide
from slocheck.pipeline.archive import load_evidence
from tests.e2e.support.cli import only_run, result_of, slocheck, write_spec
from tests.e2e.support.servers.counted_api import CountedApi
from tests.e2e.support.servers.prometheus_server import start_prometheus

SCENARIO = '''"""Two users without thinking time to speak of."""
from locust import FastHttpUser, constant_throughput, task


class Sender(FastHttpUser):
    wait_time = constant_throughput(20)

    @task
    def send(self):
        self.client.get("/items", headers={"Connection": "close"})
'''
LOGIN = """
    def on_start(self):
        self.client.get("/items", name="login", headers={"Connection": "close"})
"""
FAILURES = 100
WARMUP_S, LONGEST_WARMUP_S = 6, 24
JOB = "shop-api"


@dataclass(frozen=True, slots=True)
class Case:
    """How a page lags, who reads it, and whether the failures are logins."""

    period: int
    own_times: bool = False
    prometheus: bool = False
    logins: bool = False


CASES = {
    "flushed each second": Case(1),
    "flushed each 5 s": Case(5),
    "cached for 10 s, with the time": Case(10, own_times=True),
    "flushed each 5 s, by Prometheus, after 100 logins": Case(5, prometheus=True, logins=True),
}


Run = tuple[subprocess.CompletedProcess[str], Path, int]
"""The process, the run's folder and how many requests the API served."""


def make_run(folder: Path, case: Case) -> Run:
    """Make a run all of whose failures are in the warm-up."""
    warmup_s = WARMUP_S
    while True:
        made = make_one(folder / f"warm-up-{warmup_s}", case, warmup_s)
        if not failed_late(load_evidence(made[1]).recording) or warmup_s == LONGEST_WARMUP_S:
            return made
        warmup_s *= 2


def failed_late(recording: Recording) -> int:
    """Return how many requests failed after the warm-up."""
    slices = [part for item in recording.endpoints for part in item.slices]
    return sum(part.failed for part in slices if part.second >= recording.warmup_s)


def make_one(folder: Path, case: Case, warmup_s: int) -> Run:
    """Make a run with its own API."""
    folder.mkdir(parents=True)
    with CountedApi(fail_from=1, failures=FAILURES, period=case.period, own_times=case.own_times) as api:
        preset = (
            "{histogram: http_request_duration_seconds, counter: http_requests_total, method_label: method, "
            f"route_label: route, status_label: status_code, lag: {1 if case.period == 1 else 0}s}}"
        )
        if case.prometheus:
            with start_prometheus(folder, {JOB: [api.metrics]}) as server:
                source = f'prometheus: {{url: "{server.url}", selector: {{job: {JOB}}}, preset: {preset}}}\n'
                return _run(folder, api, case, source, warmup_s)
        return _run(folder, api, case, f'scrape: {{urls: ["{api.metrics}"], preset: {preset}}}\n', warmup_s)


def _run(folder: Path, api: CountedApi, case: Case, source: str, warmup_s: int) -> Run:
    load = f"rate: 40/s, max_users: {FAILURES}" if case.logins else "users: 2, spawn_rate: 10/s"
    write_spec(
        folder,
        api.url,
        objectives='  error_rate: {source: prometheus, bronze: "< 5%", silver: "< 2%"}\n',
        source=source,
        workload=f"{load}, warmup: {warmup_s}s, duration: 14s",
        scenario=SCENARIO + LOGIN if case.logins else SCENARIO,
        more="confidence: none\n",
    )
    process = slocheck("run", "--json", cwd=folder, timeout=180)
    assert process.returncode in {0, 1, 3}, process.stdout + process.stderr
    return process, only_run(folder), api.served()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Run]:
    """Every case's run."""
    folder = tmp_path_factory.mktemp("lagging")
    with ThreadPoolExecutor(len(CASES)) as pool:
        made = {
            name: pool.submit(make_run, folder / str(number), case)
            for number, (name, case) in enumerate(CASES.items())
        }
        return {name: run.result() for name, run in made.items()}


@pytest.mark.parametrize("name", CASES)
def test_a_page_that_is_behind_is_waited_for(runs: Mapping[str, Run], name: str) -> None:
    """The counts are the truth, the verdict stands, and no failure of the warm-up is in it."""
    process, folder, served = runs[name]
    assert process.returncode == 0, process.stdout + process.stderr
    series = load_evidence(folder).server
    assert series is not None, process.stderr
    assert series.incomplete == ()
    server = ServerSide(series)
    assert server.load_count("http_requests_total", EVERYTHING).total() == served
    assert server.window_count("http_requests_total", pinned({"status_code": "500"})).total() == 0
    (objective,) = result_of(process)["objectives"]
    assert {level["level"]: level["verdict"] for level in objective["levels"]} == {
        "bronze": "met",
        "silver": "met",
    }
