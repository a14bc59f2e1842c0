"""The server's side against planted truth, with a real Prometheus: bursts, restarts, replicas.

The scenario sends in bouts. Before each but the first it waits for the test, so that
what happens between them happens at a known count, however fast the machine is. All runs go on at the
same time, each with its own API and Prometheus. A run whose load ended before its last bout was sent, as
on a busy machine, is made again with twice the time.
"""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from slocheck.pipeline.archive import load_evidence
from slocheck.plan.series_queries import UP
from tests.e2e.support.cli import only_run, result_of, start_slocheck, write_spec
from tests.e2e.support.servers.counted_api import CountedApi
from tests.e2e.support.servers.nginx_server import NginxServer
from tests.e2e.support.servers.prometheus_server import PrometheusServer, start_prometheus
from tests.support.waiting import wait_until

SCENARIO = '''"""Bouts of requests by one user; a file lets each next one go."""
from pathlib import Path

from locust import FastHttpUser, constant, task

FOLDER, BOUTS = Path({folder!r}), {bouts!r}


class Sender(FastHttpUser):
    wait_time = constant(0.05)
    begun = 0

    @task
    def send(self):
        number = self.begun
        if number < len(BOUTS) and (number == 0 or (FOLDER / f"go-{{number}}").exists()):
            self.begun += 1
            for _ in range(BOUTS[number]):
                self.client.get("/items", headers={{"Connection": "close"}})
            (FOLDER / f"sent-{{number}}").touch()
'''
OBJECTIVES = """\
  error_rate: {source: prometheus, bronze: "< 1%", silver: "< 0.1%"}
  latency_p95: {source: prometheus, bronze: "<= 1s", silver: "<= 1s"}
"""
PER_INSTANCE = """\
  rps_per_instance: {source: prometheus, bronze: "> 0.1/s", silver: "> 0.1/s"}
"""
TOTAL = "sum(http_requests_total)"
TOTAL_EVER = "sum(last_over_time(http_requests_total[5m]))"
FAILED = 'http_requests_total{status_code="500"}'
BOUT = 300
LOST = 4
JOB = "shop-api"
INTERVALS = [pytest.param("1s", id="every second"), pytest.param("5s", id="every 5 s")]


class TooShortError(Exception):
    """The load ended before the last bout was sent."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run that has ended.

    Attributes:
        folder: Its working folder.
        process: Exit code and output.
    """

    folder: Path
    process: subprocess.CompletedProcess[str]

    @property
    def sent(self) -> int:
        """Requests that the client recorded."""
        recording = load_evidence(only_run(self.folder)).recording
        return sum(part.sent for item in recording.endpoints for part in item.slices)

    @property
    def scraped_seconds(self) -> list[float]:
        """For how long each instance was scraped in the window."""
        server = load_evidence(only_run(self.folder)).server
        assert server is not None
        up = [one for one in server.series if one.metric == UP]
        inside = [[time for time in one.times if server.start <= time <= server.end] for one in up]
        return [times[-1] - times[0] for times in inside if times]

    def objective(self, name: str) -> dict[str, Any]:
        """Return an objective of the JSON result."""
        found: dict[str, Any] = next(
            item for item in result_of(self.process)["objectives"] if item["name"] == name
        )
        return found

    def verdicts(self, name: str) -> dict[str, str]:
        """Return the verdict of each tier of an objective."""
        return {level["level"]: level["verdict"] for level in self.objective(name)["levels"]}

    def server(self, name: str) -> dict[str, Any]:
        """Return the server's side of an objective's last tier."""
        (side,) = self.objective(name)["levels"][-1]["sides"]
        found: dict[str, Any] = side
        return found


def make_run(
    folder: Path,
    target: str,
    prometheus: PrometheusServer,
    *,
    seconds: int,
    bouts: Sequence[int],
    between: Callable[[int], None],
    objectives: str = OBJECTIVES,
) -> Run:
    """Make a run of some bouts; `between` is called after each, and the next begins when it returns.

    Raises:
        TooShortError: The load ended before the last bout was sent.
    """
    spec = write_spec(
        folder,
        target,
        objectives=objectives,
        source=f'prometheus: {{url: "{prometheus.url}", preset: prom-client, selector: {{job: {JOB}}}}}\n',
        workload=f"users: 1, spawn_rate: 10/s, warmup: 0s, duration: {seconds}s",
        scenario=SCENARIO.format(folder=str(folder), bouts=tuple(bouts)),
        more="confidence: none\n",
    )
    spec.write_text(spec.read_text().replace("instances: 1", "instances: prometheus"))
    process = start_slocheck("run", "--json", cwd=folder)
    try:
        for number in range(1, len(bouts)):
            if not was_sent(folder / f"sent-{number - 1}", process):
                break
            between(number)
            (folder / f"go-{number}").touch()
        out, err = process.communicate(timeout=60 + 2 * seconds)
    finally:
        process.kill()
        process.communicate()
    if not was_sent(folder / f"sent-{len(bouts) - 1}", process):
        raise TooShortError(f"{seconds} s are too short for {len(bouts)} bouts:\n{out}\n{err}")
    return Run(folder, subprocess.CompletedProcess(process.args, process.returncode, out, err))


def was_sent(bout: Path, process: subprocess.Popen[str]) -> bool:
    """Wait until a bout was sent, as its file tells, or the run has ended without it."""
    wait_until(lambda: bout.exists() or process.poll() is not None, "the end of a bout")
    return bout.exists()


def burst(folder: Path, interval: str, patience: int) -> Run:
    """Seven errors in a row, after 600 good requests and before 600 more."""
    with (
        CountedApi(fail_from=601, failures=7) as api,
        start_prometheus(folder, {JOB: [api.metrics]}, interval) as prometheus,
    ):

        def scraped(number: int) -> None:
            prometheus.wait_value(TOTAL, (600, 907)[number - 1])
            if number == 2:  # twice, so that rate() has all that it needs
                prometheus.wait_value(f"count_over_time({FAILED}[5m]) > bool 1", 1)

        return make_run(
            folder,
            api.url,
            prometheus,
            seconds={"1s": 30, "5s": 36}[interval] * patience,
            bouts=(600, 307, 300),
            between=scraped,
        )


def restart(folder: Path, interval: str, patience: int) -> Run:
    """The target is killed and started again between two scrapes."""
    with (
        CountedApi() as api,
        start_prometheus(folder, {JOB: [api.metrics]}, interval) as prometheus,
    ):

        def again(_: int) -> None:
            prometheus.wait_value(TOTAL, BOUT)
            api.restart()

        return make_run(folder, api.url, prometheus, seconds=30 * patience, bouts=(BOUT, BOUT), between=again)


def loss(folder: Path, interval: str, patience: int) -> Run:
    """The target is killed after requests that no scrape has seen."""
    with (
        CountedApi() as api,
        start_prometheus(folder, {JOB: [api.metrics]}, interval) as prometheus,
    ):

        def between(number: int) -> None:
            if number == 1:
                prometheus.wait_value(TOTAL, BOUT)
                api.blind()
            else:
                wait_until(lambda: api.served() == BOUT + LOST, "the bout that is not scraped")
                api.restart()

        bouts = (BOUT, LOST, BOUT)
        return make_run(folder, api.url, prometheus, seconds=30 * patience, bouts=bouts, between=between)


def replicas(folder: Path, interval: str, patience: int) -> Run:
    """First two replicas, then another process replaces the first, then the second is gone."""
    with (
        CountedApi() as first,
        CountedApi() as second,
        CountedApi() as third,
        NginxServer(folder, balance=[first.address, second.address]) as nginx,
        start_prometheus(folder, {JOB: [first.metrics, second.metrics]}, interval) as prometheus,
    ):

        def between(number: int) -> None:
            prometheus.wait_value(TOTAL_EVER, number * BOUT)
            if number == 1:
                third.restart()  # a new process, as a pod that replaces another one is
                nginx.reload(balance=[second.address, third.address])
                prometheus.reload({JOB: [second.metrics, third.metrics]})
                first.stop()
            else:
                nginx.reload(balance=[third.address])
                prometheus.reload({JOB: [third.metrics]})
                second.stop()

        return make_run(
            folder,
            nginx.url,
            prometheus,
            seconds={"1s": 36, "5s": 45}[interval] * patience,
            bouts=(BOUT, BOUT, BOUT),
            between=between,
            objectives=OBJECTIVES + PER_INSTANCE,
        )


History = Callable[[Path, str, int], Run]
Runs = Mapping[tuple[History, str], Run]
HISTORIES: Sequence[tuple[History, str]] = (
    *((history, interval) for interval in ("5s", "1s") for history in (replicas, burst, restart)),
    (loss, "1s"),
)


def make(history: History, interval: str, folder: Path, patience: int = 1) -> Run:
    """Make the run of a history, and if its load ended too early again, with twice the time."""
    own = folder / f"{history.__name__}-{interval}-{patience}"
    own.mkdir()
    try:
        return history(own, interval, patience)
    except TooShortError:
        if patience == 4:
            raise
        return make(history, interval, folder, 2 * patience)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """The runs by their history and scrape interval."""
    folder = tmp_path_factory.mktemp("histories")
    with ThreadPoolExecutor(len(HISTORIES)) as pool:
        waiting = {
            (history, interval): pool.submit(make, history, interval, folder)
            for history, interval in HISTORIES
        }
        return {key: found.result() for key, found in waiting.items()}


@pytest.mark.parametrize("interval", INTERVALS)
def test_seven_errors_in_1207_requests_are_found_where_a_dashboard_shows_none(
    runs: Runs, interval: str
) -> None:
    """A short burst's series starts with its final value: rate() sees no error, slocheck all seven."""
    run = runs[burst, interval]
    assert run.process.returncode == 1, run.process.stdout + run.process.stderr
    assert run.sent == 1207
    side = run.server("error_rate")
    assert (side["bad"], side["bad_upper"], side["total"]) == (7, 7, 1207)
    assert side["value"] == {"low": 7 / 1207, "high": 7 / 1207, "unbounded": False}
    assert run.verdicts("error_rate") == {"bronze": "met", "silver": "breached"}
    assert run.server("latency_p95")["total"] == 1207


@pytest.mark.parametrize("interval", INTERVALS)
def test_what_a_dashboard_shows_stands_beside_it_in_the_details(runs: Runs, interval: str) -> None:
    """It says 0 % although the truth is 0.58 %: the report shows both, and the query."""
    run = runs[burst, interval]
    dashboard = run.objective("error_rate")["dashboard"]
    assert 'status_code=~"5..|429"' in dashboard["query"]
    assert dashboard["value"] == 0.0
    assert "histogram_quantile(0.95" in run.objective("latency_p95")["dashboard"]["query"]
    page = (only_run(run.folder) / "report.html").read_text()
    assert "A dashboard would show 0%" in page
    assert "0.58%" in page


@pytest.mark.parametrize("interval", INTERVALS)
def test_a_restart_between_scrapes_is_met_because_the_client_count_reconciles(
    runs: Runs, interval: str
) -> None:
    """The counter begins again at 0; nothing was lost, and the client's count proves it."""
    run = runs[restart, interval]
    assert run.process.returncode == 0, run.process.stdout + run.process.stderr
    assert run.sent == 2 * BOUT
    side = run.server("error_rate")
    assert (side["bad"], side["bad_upper"], side["total"]) == (0, 0, 2 * BOUT)
    assert side["notes"] == ["reset"]
    assert run.verdicts("error_rate") == {"bronze": "met", "silver": "met"}


def test_what_a_restart_swallowed_is_undecided(runs: Runs) -> None:
    """Requests that no scrape saw may all have failed: the loose limit allows that, the strict one not."""
    run = runs[loss, "1s"]
    assert run.process.returncode == 3, run.process.stdout + run.process.stderr
    assert run.sent == 2 * BOUT + LOST
    side = run.server("error_rate")
    assert side["total"] == 2 * BOUT
    assert "reset" in side["notes"]
    missed = f"the server's counters miss up to {LOST} requests of this run: the process of {JOB}/"
    assert any(
        note.startswith(missed) and note.endswith("started once during the load") for note in side["notes"]
    )
    assert run.verdicts("error_rate") == {"bronze": "met", "silver": "undecided"}


@pytest.mark.parametrize("interval", INTERVALS)
def test_a_replica_replaced_and_one_removed_add_up_to_what_was_sent(runs: Runs, interval: str) -> None:
    """Each of three replicas is counted for as long as it served, and so is the rate of an instance."""
    run = runs[replicas, interval]
    assert run.process.returncode == 0, run.process.stdout + run.process.stderr
    assert run.sent == 3 * BOUT
    side = run.server("error_rate")
    assert (side["bad"], side["bad_upper"], side["total"]) == (0, 0, 3 * BOUT)
    assert run.server("latency_p95")["total"] == 3 * BOUT
    assert run.verdicts("error_rate") == {"bronze": "met", "silver": "met"}
    rate, seconds = run.server("rps_per_instance")["value"], run.scraped_seconds
    assert len(seconds) == 3
    assert 0 < rate["high"] * sum(seconds) <= run.sent
