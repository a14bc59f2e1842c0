"""The server's side against planted truth, with a real Prometheus: bursts, restarts, replicas.

The scenario sends in bouts. Before each but the first it waits until the test has let it go, so that
what happens between them happens at a known count, however fast the machine is.
"""

import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from slocheck.archive import load_evidence
from tests.e2e.cli import only_run, result_of, start_slocheck, write_spec
from tests.e2e.counted_api import CountedApi
from tests.e2e.nginx_server import NginxServer
from tests.e2e.prometheus_server import PrometheusServer, start_prometheus, wait_until

SCENARIO = '''"""Bouts of requests by one user; a file lets each next one go."""
from pathlib import Path

import gevent
from locust import FastHttpUser, task

FOLDER, BOUTS = Path({folder!r}), {bouts!r}


class Sender(FastHttpUser):
    @task
    def send(self):
        for number, requests in enumerate(BOUTS):
            while number and not (FOLDER / f"go-{{number}}").exists():
                gevent.sleep(0.05)
            for _ in range(requests):
                self.client.get("/items", headers={{"Connection": "close"}})
        while True:
            gevent.sleep(0.1)
'''
OBJECTIVES = """\
  error_rate: {source: prometheus, bronze: "< 1%", silver: "< 0.1%"}
  latency_p95: {source: prometheus, bronze: "<= 1s", silver: "<= 1s"}
"""
TOTAL = "sum(http_requests_total)"
BOUT = 300
JOB = "shop-api"
SLOW_SCRAPES = pytest.param("5s", id="every 5 s")
INTERVALS = [pytest.param("1s", id="every second"), SLOW_SCRAPES]


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
    seconds: Mapping[str, int],
    interval: str,
    bouts: tuple[int, ...],
    between: Callable[[int], None],
) -> Run:
    """Make a run of some bouts; `between` is called after each, and the next begins when it returns."""
    spec = write_spec(
        folder,
        target,
        objectives=OBJECTIVES,
        source=f'prometheus: {{url: "{prometheus.url}", preset: prom-client, selector: {{job: {JOB}}}}}\n',
        workload=f"users: 1, spawn_rate: 10, warmup: 0s, duration: {seconds[interval]}s, drain: 1s",
        scenario=SCENARIO.format(folder=str(folder), bouts=bouts),
        more="confidence: none\n",
    )
    spec.write_text(spec.read_text().replace("max_clock_skew", "max_scrape_gap: 30, max_clock_skew"))
    process = start_slocheck("run", "--json", cwd=folder)
    try:
        for number in range(1, len(bouts)):
            between(number)
            assert process.poll() is None, "the run ended before its last bout: the window is too short"
            (folder / f"go-{number}").touch()
        out, err = process.communicate(timeout=150)
    finally:
        process.kill()
        process.wait()
    return Run(folder, subprocess.CompletedProcess(process.args, process.returncode, out, err))


@pytest.mark.parametrize("interval", INTERVALS)
def test_seven_errors_in_1207_requests_are_found_where_a_dashboard_shows_none(
    tmp_path: Path, interval: str
) -> None:
    """The series of a short burst is born with its last value: rate() sees nothing of it, we all seven."""
    with (
        CountedApi(fail_from=601, failures=7) as api,
        start_prometheus(tmp_path, {JOB: [api.metrics]}, interval) as prometheus,
    ):
        run = make_run(
            tmp_path,
            api.url,
            prometheus,
            seconds={"1s": 14, "5s": 14},
            interval=interval,
            bouts=(1207,),
            between=lambda _: None,
        )
    assert run.process.returncode == 1, run.process.stdout + run.process.stderr
    assert run.sent == 1207
    side = run.server("error_rate")
    assert (side["bad"], side["bad_high"], side["total"]) == (7, 7, 1207)
    assert side["value"] == {"low": 7 / 1207, "high": 7 / 1207, "unbounded": False}
    assert run.verdicts("error_rate") == {"bronze": "met", "silver": "breached"}
    assert run.server("latency_p95")["total"] == 1207

    dashboard = run.objective("error_rate")["dashboard"]
    assert 'status_code=~"5.."' in dashboard["query"]
    assert dashboard["value"] in (0.0, None)
    assert "histogram_quantile(0.95" in run.objective("latency_p95")["dashboard"]["query"]
    page = (only_run(tmp_path) / "report.html").read_text()
    shown = "0%" if dashboard["value"] == 0 else "no value here"
    assert f"A dashboard would show {shown}" in page
    assert "0.58%" in page


@pytest.mark.parametrize("interval", INTERVALS)
def test_a_restart_between_scrapes_is_met_because_the_client_count_reconciles(
    tmp_path: Path, interval: str
) -> None:
    """The counter begins again at 0; nothing was lost, and the client's count proves it."""
    with (
        CountedApi() as api,
        start_prometheus(tmp_path, {JOB: [api.metrics]}, interval) as prometheus,
    ):

        def restart(_: int) -> None:
            prometheus.wait_value(TOTAL, BOUT)
            api.restart()

        run = make_run(
            tmp_path,
            api.url,
            prometheus,
            seconds={"1s": 14, "5s": 24},
            interval=interval,
            bouts=(BOUT, BOUT),
            between=restart,
        )
    assert run.process.returncode == 0, run.process.stdout + run.process.stderr
    assert run.sent == 2 * BOUT
    side = run.server("error_rate")
    assert (side["bad"], side["bad_high"], side["total"]) == (0, 0, 2 * BOUT)
    assert side["notes"] == ["reset"]
    assert run.verdicts("error_rate") == {"bronze": "met", "silver": "met"}


def test_what_a_restart_swallowed_is_undecided(tmp_path: Path) -> None:
    """Requests that no scrape saw may all have failed: the loose limit bears that, the strict one not."""
    lost = 4
    with (
        CountedApi() as api,
        start_prometheus(tmp_path, {JOB: [api.metrics]}) as prometheus,
    ):

        def between(number: int) -> None:
            if number == 1:
                prometheus.wait_value(TOTAL, BOUT)
                api.blind()
            else:
                wait_until(lambda: api.served() == BOUT + lost, "the bout that is not scraped")
                api.restart()

        run = make_run(
            tmp_path,
            api.url,
            prometheus,
            seconds={"1s": 16},
            interval="1s",
            bouts=(BOUT, lost, BOUT),
            between=between,
        )
    assert run.process.returncode == 3, run.process.stdout + run.process.stderr
    assert run.sent == 2 * BOUT + lost
    side = run.server("error_rate")
    assert side["total"] == 2 * BOUT
    assert "reset" in side["notes"]
    assert f"up to {lost} requests that were sent are in no counter of the server" in side["notes"]
    assert run.verdicts("error_rate") == {"bronze": "met", "silver": "undecided"}


def swap(nginx: NginxServer, *apis: CountedApi) -> None:
    """Put these behind nginx; returns when no worker with the old ones is left."""
    assert nginx._process is not None
    master = psutil.Process(nginx._process.pid)
    old = {child.pid for child in master.children()}
    nginx.reload(balance=[api.address for api in apis])

    def swapped() -> bool:
        now = {child.pid for child in master.children() if child.status() != psutil.STATUS_ZOMBIE}
        return bool(now) and not now & old

    wait_until(swapped, "nginx reloaded")


@pytest.mark.parametrize("interval", INTERVALS)
def test_a_replica_added_and_one_removed_add_up_to_what_was_sent(tmp_path: Path, interval: str) -> None:
    """First two replicas, then three, then the first is gone: each is counted for as long as it served."""
    with (
        ExitStack() as stack,
        CountedApi() as first,
        CountedApi() as second,
        NginxServer(tmp_path, balance=[first.address, second.address]) as nginx,
        start_prometheus(tmp_path, {JOB: [first.metrics, second.metrics]}, interval) as prometheus,
    ):
        added: list[CountedApi] = []

        def between(number: int) -> None:
            prometheus.wait_value(TOTAL, number * BOUT)
            if number == 1:
                added.append(stack.enter_context(CountedApi()))
                (third,) = added
                prometheus.reload({JOB: [first.metrics, second.metrics, third.metrics]})
                swap(nginx, first, second, third)
            else:
                (third,) = added
                swap(nginx, second, third)
                prometheus.reload({JOB: [second.metrics, third.metrics]})
                first.stop()

        run = make_run(
            tmp_path,
            nginx.url,
            prometheus,
            seconds={"1s": 18, "5s": 42},
            interval=interval,
            bouts=(BOUT, BOUT, BOUT),
            between=between,
        )
    assert run.process.returncode == 0, run.process.stdout + run.process.stderr
    assert run.sent == 3 * BOUT
    side = run.server("error_rate")
    assert (side["bad"], side["bad_high"], side["total"]) == (0, 0, 3 * BOUT)
    assert run.server("latency_p95")["total"] == 3 * BOUT
    assert run.verdicts("error_rate") == {"bronze": "met", "silver": "met"}
