"""Prometheus fails once the load has begun: the client's side is kept, and no verdict improves.

All runs go on at the same time. Most share one Prometheus, each through its own proxy, which turns bad
when its run's load has begun; two have a real Prometheus of their own, which is restarted. Where the
server's count is compared with what was sent, the run has its own API.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from slocheck.pipeline.archive import ORIGINAL_FILE, RUNNING_FILE, load_evidence
from slocheck.reference_api.server import ReferenceApi
from tests.e2e.support.cli import only_run, result_of, slocheck, start_slocheck, write_spec
from tests.e2e.support.servers.fault_proxy import Fault, FaultProxy, Kind
from tests.e2e.support.servers.prometheus_server import PrometheusServer, start_prometheus
from tests.support.waiting import wait_until

AT_ONCE = 9
TIMEOUT = 4
OBJECTIVES = """\
  ours_p95: {indicator: latency_p95, source: client, bronze: "< 20s", silver: "< 10s"}
  errors: {indicator: error_rate, source: prometheus, bronze: "< 50%", silver: "< 20%"}
"""
BREACHED = '  ours_p50: {indicator: latency_p50, source: client, bronze: "< 1us", silver: "< 1us"}\n'
WORKLOAD = "users: 2, spawn_rate: 50/s, warmup: 0s, duration: 6s"
AHEAD = 125.0
SENDING = "sending load"


@dataclass(frozen=True, slots=True)
class Case:
    """One way to fail, and the required outcome.

    Attributes:
        fault: What the proxy does from the load's begin on; None: the real Prometheus is restarted.
        exit: The run's exit code.
        said: What the reason or a finding says.
        clock: How far Prometheus's clock is ahead, from the start.
        loses: The store is empty after the restart.
        completed: After the run Prometheus recovers, and `slocheck grade --collect` completes it.
    """

    fault: Fault | None
    exit: int
    said: str
    clock: float = 0.0
    loses: bool = False
    completed: bool = False

    @property
    def heals(self) -> bool:
        """Prometheus recovers during the run, so the server's count is complete."""
        return self.exit == 0

    @property
    def counted(self) -> bool:
        """The server's count is compared with what was sent."""
        return self.heals or self.completed


CASES: Mapping[str, Case] = {  # those that take longest come first
    "hang": Case(Fault(Kind.HANG), 3, f"no response within {TIMEOUT} s"),
    "503 for ever": Case(
        Fault(Kind.STATUS_503), 3, "HTTP 503 is not ready or timed out (planted)", completed=True
    ),
    "truncated JSON": Case(Fault(Kind.TRUNCATED), 3, "the JSON response is cut off or damaged"),
    "refuse": Case(Fault(Kind.REFUSE), 3, "connection refused"),
    "503 for 10 s": Case(Fault(Kind.STATUS_503, seconds=10), 0, ""),
    "500 for 10 s": Case(Fault(Kind.STATUS_500, seconds=10), 0, ""),
    "restart": Case(None, 0, ""),
    "empty after a restart": Case(None, 3, "holds nothing from before the load", loses=True),
    "too slow twice": Case(Fault(Kind.SLOW, seconds=TIMEOUT + 2, queries=2), 0, ""),
    "one broken response": Case(Fault(Kind.TRUNCATED, queries=1), 0, ""),
    "422 for long spans": Case(Fault(Kind.TOO_LONG), 0, ""),
    "error under 200": Case(Fault(Kind.ERROR_UNDER_200), 3, "responded with an error but HTTP 200"),
    "a warning": Case(Fault(Kind.WARNING), 3, "Prometheus warned: planted: a store is gone"),
    "isPartial": Case(Fault(Kind.PARTIAL), 3, "the response is partial (isPartial)"),
    "422 for ever": Case(Fault(Kind.TOO_MUCH), 3, "would load too many samples"),
    "clock moved": Case(Fault(shift=AHEAD), 3, "clock drifted by 12"),
    "clock ahead": Case(Fault(), 4, "clock skew 12", clock=AHEAD),
    "clock behind": Case(Fault(), 4, "clock skew 12", clock=-AHEAD),
}


@dataclass(frozen=True, slots=True)
class Done:
    """A run that has ended.

    Attributes:
        folder: Its working folder.
        process: Exit code and output.
        met: How many queries met the fault.
        collected: `slocheck grade --collect`, once Prometheus had recovered; None: it was not asked again.
        unsaved: The same before that, when no file may grow, as on a full disk.
    """

    folder: Path
    process: subprocess.CompletedProcess[str]
    met: int
    collected: subprocess.CompletedProcess[str] | None = None
    unsaved: subprocess.CompletedProcess[str] | None = None

    @property
    def sent(self) -> int:
        """Requests that the archived recording holds."""
        recording = load_evidence(only_run(self.folder)).recording
        return sum(part.sent for item in recording.endpoints for part in item.slices)

    @property
    def result(self) -> dict[str, Any]:
        """What ``--json`` printed."""
        return result_of(self.process)

    def objective(self, name: str) -> dict[str, Any]:
        """Return the silver level of an objective."""
        return silver(self.result, name)


def silver(result: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the silver level of an objective in a result."""
    found = next(item for item in result["objectives"] if item["name"] == name)
    level: dict[str, Any] = next(item for item in found["levels"] if item["level"] == "silver")
    return level


JOBS = ("shop-api", *(f"shop-{number}" for number, case in enumerate(CASES.values()) if case.counted))


@pytest.fixture(scope="module")
def apis() -> Iterator[dict[str, str]]:
    """Base URLs of reference APIs by job: one that many runs share, and one for each that heals."""
    with ExitStack() as stack:
        yield {job: stack.enter_context(ReferenceApi(port=0)).url for job in JOBS}


@dataclass(frozen=True, slots=True)
class Api:
    """A target: its URL and the job that scrapes it."""

    url: str
    job: str


def api_of(number: int, case: Case, apis: Mapping[str, str]) -> Api:
    """Return the target of a case's run."""
    job = f"shop-{number}" if case.counted else "shop-api"
    return Api(apis[job], job)


@pytest.fixture(scope="module")
def api(apis: dict[str, str]) -> str:
    """The shared API."""
    return apis["shop-api"]


@pytest.fixture(scope="module")
def prometheus(apis: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    """A Prometheus that scrapes all of them every second."""
    folder = tmp_path_factory.mktemp("prometheus")
    with start_prometheus(folder, {job: [f"{url}/metrics"] for job, url in apis.items()}) as server:
        yield server


def source(url: str, job: str) -> str:
    """Return the spec's prometheus section; its timeout is short, so that a hang is soon noticed."""
    return (
        f'prometheus: {{url: "{url}", preset: prom-client, selector: {{job: {job}}}, timeout: {TIMEOUT}s}}\n'
    )


def write(folder: Path, api: str, url: str, *, objectives: str = OBJECTIVES, job: str = "shop-api") -> Path:
    """Write the spec of a run; the clock's skew is judged by the usual limit."""
    folder.mkdir(exist_ok=True)
    spec = write_spec(
        folder,
        api,
        objectives=objectives,
        source=source(url, job),
        workload=WORKLOAD,
        more="confidence: none\n",
    )
    spec.write_text(spec.read_text().replace("max_clock_skew: 60s", "max_clock_skew: 5s"))
    return spec


def run_until_bad(folder: Path, turn_bad: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    """Make the run of the spec in `folder`; when its load has begun, let Prometheus turn bad."""
    said = folder / "stderr"
    with said.open("w") as stderr:
        process = start_slocheck("run", "--json", "--allow-concurrent", cwd=folder, stderr=stderr)
    try:
        wait_until(
            lambda: SENDING in said.read_text() or process.poll() is not None, "the load begun", deadline=200
        )
        turn_bad()
        out, _ = process.communicate(timeout=200)
    finally:
        process.kill()
        process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, said.read_text())


def run_faulty(case: Case, fault: Fault, api: Api, folder: Path, upstream: str) -> Done:
    """Make a run whose queries meet a fault."""
    with FaultProxy(upstream, clock=case.clock) as proxy:
        write(folder, api.url, proxy.url, job=api.job)
        process = run_until_bad(folder, lambda: proxy.set(fault))
        done = Done(folder, process, proxy.met)
        if not case.completed:
            return done
        proxy.set(Fault())
        unsaved = subprocess.run(
            ["bash", "-c", f"ulimit -f 0; exec {sys.executable} -m slocheck grade latest --collect"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        collected = slocheck("grade", "latest", "--collect", "--json", cwd=folder)
        return replace(done, collected=collected, unsaved=unsaved)


def run_restarted(api: Api, folder: Path, *, loses: bool) -> Done:
    """Make a run during which its own Prometheus is restarted."""
    with start_prometheus(folder, {api.job: [f"{api.url}/metrics"]}) as server:
        write(folder, api.url, server.url, job=api.job)

        def restart() -> None:
            server.stop()
            if loses:
                data = server.folder / "data"
                data.rename(data.with_name("lost"))
            server.start()

        return Done(folder, run_until_bad(folder, restart), 0)


def run_case(case: Case, api: Api, folder: Path, upstream: str) -> Done:
    """Make a run during which Prometheus turns bad."""
    if case.fault is None:
        return run_restarted(api, folder, loses=case.loses)
    return run_faulty(case, case.fault, api, folder, upstream)


@pytest.fixture(scope="module")
def runs(
    apis: dict[str, str], prometheus: PrometheusServer, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Done]:
    """Every case's run, by name."""
    root = tmp_path_factory.mktemp("runs")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = {
            name: pool.submit(
                run_case, case, api_of(number, case, apis), root / f"run-{number}", prometheus.url
            )
            for number, (name, case) in enumerate(CASES.items())
        }
        return {name: found.result() for name, found in waiting.items()}


@pytest.mark.parametrize("name", list(CASES))
def test_each_fault_ends_in_its_exit_code(runs: dict[str, Done], name: str) -> None:
    """The exit code fits what is known, and the reason names what Prometheus did."""
    done, case = runs[name], CASES[name]
    assert done.process.returncode == case.exit, done.process.stdout + done.process.stderr
    if case.fault and case.fault.kind not in (Kind.PASS, Kind.REFUSE):
        assert done.met > 0
    findings = [item["message"] for item in done.result["findings"] if not item["valid"]]
    assert case.said in " ".join([done.objective("errors")["reason"], *findings])


@pytest.mark.parametrize("name", list(CASES))
def test_the_client_side_is_kept_and_reported(runs: dict[str, Done], name: str) -> None:
    """Whatever Prometheus did, the client's verdict stands, its evidence is archived, reports are written."""
    done = runs[name]
    assert done.objective("ours_p95")["verdict"] == "met"
    run = only_run(done.folder)
    assert done.sent >= done.result["run"]["requests"] > 10
    assert {path.name for path in run.iterdir()} >= {"evidence.json.gz", "result.json", "slo.yaml"}
    last = done.result if done.collected is None else result_of(done.collected)
    assert json.loads((run / "result.json").read_text())["verdict"] == last["verdict"]
    assert not (run / RUNNING_FILE).exists()


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.heals])
def test_a_fault_that_heals_changes_no_number(runs: dict[str, Done], name: str) -> None:
    """After the retries the server's count is what it is without a fault: exactly what was sent."""
    done = runs[name]
    (side,) = done.objective("errors")["sides"]
    assert (side["bad"], side["bad_upper"], side["total"]) == (0, 0, done.sent)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.exit == 3])
def test_without_the_server_side_its_objective_is_undecided(runs: dict[str, Done], name: str) -> None:
    """No data is never a pass, and never a breach: the objective names the source, and what helps."""
    done = runs[name]
    level = done.objective("errors")
    assert level["verdict"] == "undecided"
    (side,) = level["sides"]
    assert side["source_failed"]
    assert f"`slocheck grade reports/{only_run(done.folder).name} --collect`" in level["reason"]
    assert done.result["tier"] is None


def test_a_run_is_completed_once_prometheus_is_back(runs: dict[str, Done]) -> None:
    """The command that the run's message names: the server's count is what it is without the fault.

    If it cannot be saved, that is 74, with the verdict on standard error, and nothing of the run is lost.
    """
    done = runs["503 for ever"]
    assert done.unsaved is not None
    assert (done.unsaved.returncode, done.unsaved.stdout) == (74, ""), done.unsaved.stderr
    assert "PASS" in done.unsaved.stderr
    assert "cannot be written: File too large" in done.unsaved.stderr
    run = only_run(done.folder)
    promised = f"`slocheck grade reports/{run.name} --collect` completes the run"
    assert promised in done.objective("errors")["reason"]
    assert done.collected is not None
    assert done.collected.returncode == 0, done.collected.stdout + done.collected.stderr
    result = result_of(done.collected)
    (side,) = silver(result, "errors")["sides"]
    assert (side["bad"], side["bad_upper"], side["total"]) == (0, 0, done.sent)
    (told,) = [each["message"] for each in result["warnings"] if each["code"] == "collected-later"]
    assert "HTTP 503" in told
    assert "completes the run" not in told, "it is complete"
    assert load_evidence(run).recording == load_evidence(run, ORIGINAL_FILE).recording


def test_a_breach_that_the_client_proves_needs_no_prometheus(
    runs: dict[str, Done], api: str, tmp_path: Path
) -> None:
    """An archived run whose Prometheus was gone still fails a limit that the client's side breaches."""
    done = runs["refuse"]
    spec = write(tmp_path / "strict", api, "http://127.0.0.1:1", objectives=OBJECTIVES + BREACHED)
    graded = slocheck("grade", "latest", "--spec", spec, "--json", cwd=done.folder)
    assert graded.returncode == 1, graded.stdout + graded.stderr
    assert result_of(graded)["verdict"] == "fail"


def test_a_fault_before_the_load_means_no_load(
    api: str, prometheus: PrometheusServer, tmp_path: Path
) -> None:
    """A Prometheus that fails the preflight ends the run before it: nothing is sent, nothing measured."""
    with FaultProxy(prometheus.url) as proxy:
        write(tmp_path, api, proxy.url)
        proxy.set(Fault(Kind.STATUS_503))
        done = slocheck("run", "--json", "--allow-concurrent", cwd=tmp_path)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "HTTP 503" in done.stderr
    assert [path.name for path in only_run(tmp_path).iterdir()] == ["aborted"]
