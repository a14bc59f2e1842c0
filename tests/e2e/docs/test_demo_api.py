"""The reference API as a process, and the shipped scenario under plain Locust."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from slocheck.assets import asset
from slocheck.errors import UsageError
from slocheck.reference_api.server import ReferenceApi
from tests.support.ports import free_port
from tests.support.processes import ending
from tests.support.waiting import DEADLINE_S, wait_until

PARENT = """
import sys, time
from slocheck.reference_api.server import ReferenceApi
with ReferenceApi() as api:
    print(api.pid, flush=True)
    time.sleep(600)
"""


def got(url: str) -> httpx.Response:
    """Return a response, on a busy machine too."""
    return httpx.get(url, timeout=DEADLINE_S)


def test_the_api_runs_on_the_port_it_was_given() -> None:
    """The address in a spec can name it."""
    port = free_port()
    with ReferenceApi(port=port) as api:
        assert api.url == f"http://127.0.0.1:{port}"
        assert got(f"{api.url}/health").status_code == 200


def test_stopping_twice_is_fine_and_nothing_responds_after() -> None:
    """The process is gone, and wait() returns its exit code."""
    with ReferenceApi() as api:
        api.stop()
        api.stop()
        assert api.wait() == 0
        with pytest.raises(httpx.ConnectError):
            got(f"{api.url}/health")


def test_a_process_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped process cannot be asked to end; it is killed instead, and leaves no database."""
    monkeypatch.setattr("slocheck.reference_api.server.STOP_DEADLINE_S", 0.5)
    with ReferenceApi() as api:
        folder = Path(api._folder)
        assert list(folder.iterdir())
        os.kill(api.pid, signal.SIGSTOP)
    assert api.wait() == -signal.SIGKILL
    assert not folder.exists()


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    """In the background of a script, where INT is ignored, the API goes on; stopping it still works."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with ReferenceApi() as api:
            ignored = Path(f"/proc/{api.pid}/status").read_text().partition("SigIgn:")[2].split()[0]
            assert int(ignored, 16) & 1 << signal.SIGINT - 1
            os.kill(api.pid, signal.SIGINT)
            assert got(f"{api.url}/health").status_code == 200
    finally:
        signal.signal(signal.SIGINT, before)
    assert api.wait() == 0


def test_the_api_dies_with_a_parent_that_was_killed() -> None:
    """However the parent ends, no server is left behind."""
    with ending(
        subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
    wait_until(lambda: not _alive(pid), "the API has ended")


def _alive(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be collected does not."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return "State:\tZ" not in status


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        pytest.param({"error_rate": 2.0}, "error-rate", id="rate"),
        pytest.param({"delays_ms": [-1.0]}, "delays-ms", id="delay"),
    ],
)
def test_faults_that_cannot_be_planted_are_refused_by_name(faults: dict[str, object], message: str) -> None:
    """The option is named, and no process is left."""
    with pytest.raises(UsageError, match=message), ReferenceApi(**faults):  # type: ignore[arg-type]  # a table
        pass


def test_the_command_of_the_readme_serves() -> None:
    """It prints its address first, serves as configured, also in the background, and ends on TERM."""
    options = ["--port", "0", "--delays-ms", "20", "70", "--error-rate", "0.01", "--seed", "1"]
    started = subprocess.Popen(
        [sys.executable, "-m", "slocheck.reference_api", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    with ending(started) as process:
        assert process.stdout
        url = json.loads(process.stdout.readline())["url"]
        assert got(f"{url}/health").status_code == 200
        process.terminate()
        process.communicate(timeout=DEADLINE_S)
    assert process.returncode in (0, -signal.SIGTERM)


def test_a_planted_distribution_is_dealt_whole() -> None:
    """Of 4 requests, one each falls between the edges around the planted latencies."""
    with ReferenceApi(delays_ms=[20, 70, 150, 300]) as api:
        responses = [got(f"{api.url}/items/1") for _ in range(4)]
        page = got(f"{api.url}/metrics").text
    assert [response.status_code for response in responses] == [200] * 4
    # a busy machine may push a request up by an edge or more, never down
    upper = {float(edge): int(float(count)) for edge, count in _buckets(page)}
    assert [upper[edge] <= most for edge, most in ((0.01, 0), (0.05, 1), (0.1, 2), (0.25, 3))] == [True] * 4
    assert upper[float("inf")] == 4


def _buckets(page: str) -> list[tuple[str, str]]:
    return re.findall(
        r'duration_seconds_bucket\{le="([^"]+)",method="GET",route="/items/{id}".*\} (\S+)', page
    )


def test_the_shipped_scenario_runs_under_plain_locust(reference_api: str, tmp_path: Path) -> None:
    """No request fails, all three endpoints are there by name, and client and server count the same."""
    options = ["--headless", "-u", "10", "-r", "50", "-t", "5s", "--stop-timeout", "30", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(asset("browse.py")), "--host", reference_api, *options],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    sent = {f"{row['method']} {row['name']}": row["num_requests"] for row in rows}
    assert [row["num_failures"] for row in rows] == [0, 0, 0]
    page = got(f"{reference_api}/metrics").text
    served = re.findall(
        r'^http_requests_total\{method="(\w+)",route="(/\w+.*?)",.*\} (\S+)', page, re.MULTILINE
    )
    counts = {f"{method} {route}": int(float(count)) for method, route, count in served}
    assert {name: counts.get(name) for name in sent} == sent
    assert set(sent) == {"GET /items", "GET /items/{id}", "POST /checkout"}
