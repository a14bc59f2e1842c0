"""Each exit code of the contract, by the real command line against the real reference API."""

import hashlib
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from slocheck.evidence.model import Ending
from slocheck.pipeline.archive import EVIDENCE_FILE, load_evidence
from slocheck.reference_api.server import ReferenceApi
from tests.e2e.support.cli import (
    EASY,
    SCENARIO,
    only_run,
    result_of,
    slocheck,
    slocheck_anew,
    start_slocheck,
    words,
    write_spec,
)
from tests.support.processes import ending
from tests.support.waiting import DEADLINE_S, wait_until

LONG = "users: 5, spawn_rate: 50/s, duration: 600s"
SHORT = "users: 5, spawn_rate: 50/s, duration: 3s"
DECISIVE = "users: 5, spawn_rate: 50/s, duration: 10s"
"""Long enough to decide at a confidence of 95 %."""


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """The reference API, for all tests of this file."""
    with ReferenceApi(port=0) as running:
        yield running.url


def _requests_served(api: str) -> float:
    """Return how many requests other than for metrics the API has counted."""
    page = httpx.get(f"{api}/metrics", timeout=DEADLINE_S).text
    lines = [line for line in page.splitlines() if line.startswith("http_requests_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if 'route="/items/{id}"' in line)


WRONG = """
flows:
  - steps:
      - get: /items/1
        name: "GET /items/{id}"
        expect: {status: 418}
"""


def test_a_target_that_only_fails_ends_the_run_with_exit_1(api: str, tmp_path: Path) -> None:
    """Long before its end, with the breach proven; it says why it ended early and how the requests failed."""
    spec = write_spec(
        tmp_path, api, scenario=WRONG, scenario_name="scenario.yaml", more="confidence: 95%\n",
        workload="rate: 50/s, warmup: 2s, duration: 10m",
    )  # fmt: skip
    done = slocheck("run", spec, cwd=tmp_path)
    assert done.returncode == 1, done.stdout
    assert "the load was ended early" in words(done.stdout)
    assert "expectation, GET /items/{id}: status is 200, not 418" in words(done.stdout)


VANISHING = (
    SCENARIO
    + """
    def on_start(self):
        import pathlib

        pathlib.Path(__file__).unlink(missing_ok=True)
"""
)


def test_exit_0_when_the_gate_is_met(api: str, tmp_path: Path) -> None:
    """Generous limits are met, and the result says by which tier.

    A checkout may change during a run: the scenario that is reported is the one that was loaded. After the
    run none of its load processes is alive; each would carry the run's marker.
    """
    mark = f"slocheck-test-{os.getpid()}"
    write_spec(tmp_path, api, scenario=VANISHING, more="confidence: none\n")
    done = slocheck_anew("run", "--json", cwd=tmp_path, environment={"SLOCHECK_TEST_MARK": mark})
    environments = [path / "environ" for path in Path("/proc").iterdir() if path.name.isdigit()]
    alive = [path for path in environments if mark.encode() in _read(path)]
    assert alive == []
    assert done.returncode == 0, done.stderr
    result = result_of(done)
    assert (result["verdict"], result["tier"], result["gate"]) == ("pass", "silver", "silver")
    assert not (tmp_path / "scenario.py").exists()
    assert result["provenance"]["scenario_sha256"] == hashlib.sha256(VANISHING.encode()).hexdigest()


def test_exit_zero_reports_the_breach_and_exits_0(api: str, tmp_path: Path) -> None:
    """With --exit-zero the verdict is still printed, only the exit code is 0; graded again, it is 1.

    No request over a socket takes less than a microsecond.
    """
    objectives = EASY + '  latency_p50: {silver: "< 1us"}\n'
    write_spec(tmp_path, api, objectives=objectives, workload=DECISIVE)
    done = slocheck("run", "--json", "--exit-zero", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert result_of(done)["verdict"] == "fail"
    again = slocheck("grade", cwd=tmp_path)
    assert again.returncode == 1, again.stderr
    assert "latency_p50" in again.stdout
    assert "FAIL" in again.stdout


def test_exit_2_on_a_wrong_spec_and_nothing_is_sent(api: str, tmp_path: Path) -> None:
    """The message names line and column, and the API has seen no request."""
    before = _requests_served(api)
    write_spec(tmp_path, api, objectives='  latency_p50: {silver: "< 300"}\n')
    done = slocheck("run", cwd=tmp_path)
    assert done.returncode == 2
    assert "slo.yaml:6:25 objectives.latency_p50.silver" in done.stderr
    assert "300ms" in done.stderr
    assert _requests_served(api) == before


def test_exit_3_when_the_evidence_decides_neither_way(api: str, tmp_path: Path) -> None:
    """Some hundred flawless requests cannot prove one failure in a million, but a median far below its limit.

    An endpoint that no request matched has no data, and no data is never a pass.
    """
    objectives = '  error_rate: {silver: "< 0.0001%"}\n'
    write_spec(tmp_path, api, objectives=objectives, workload=DECISIVE, more="confidence: 95%\n")
    done = slocheck("run", "--json", cwd=tmp_path)
    assert done.returncode == 3, done.stdout
    assert result_of(done)["verdict"] == "undecided"
    for objectives, confidence, code, tier in (
        ('  latency_p50: {bronze: "< 20s", silver: "< 10s"}\n', "95%", 0, "silver"),
        (
            '  other_p95: {indicator: latency_p95, endpoint: "GET /nothing", silver: "< 10s"}\n',
            "none",
            3,
            None,
        ),
    ):
        write_spec(
            tmp_path, api, objectives=objectives, workload=DECISIVE, more=f"confidence: {confidence}\n"
        )
        again = slocheck("grade", "latest", "--spec", "slo.yaml", "--json", cwd=tmp_path)
        assert again.returncode == code, again.stdout
        assert result_of(again)["tier"] == tier


@pytest.mark.parametrize(
    ("target", "message"),
    [
        pytest.param("http://127.0.0.1:{free}", "connection refused", id="refused"),
        pytest.param("http://slocheck.localhost.invalid", "unknown host", id="unknown host"),
    ],
)
def test_exit_4_when_the_target_cannot_be_reached(tmp_path: Path, target: str, message: str) -> None:
    """One probe is made, no load is sent, and the cause is named."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = target.format(free=held.getsockname()[1])
        write_spec(tmp_path, url)
        done = slocheck("run", "--allow-target", "slocheck.localhost.invalid", cwd=tmp_path)
    assert done.returncode == 4
    assert message in done.stderr


def test_exit_2_when_the_target_is_not_this_machine(tmp_path: Path) -> None:
    """The guard refuses before anything is sent to the network."""
    write_spec(tmp_path, "http://shop.example")
    done = slocheck("run", cwd=tmp_path)
    assert done.returncode == 2
    assert "--allow-target shop.example" in done.stderr


def test_exit_70_on_a_defect(tmp_path: Path) -> None:
    """An unexpected exception is reported as a defect, with its traceback."""
    code = (
        "import sys, slocheck.cli as cli, slocheck.pipeline.archive as archive\n"
        "archive.Archive.find = lambda *_: 1 / 0\n"
        "cli.main(['grade', 'latest'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 70
    assert "ZeroDivisionError" in done.stderr
    assert "a defect in slocheck itself" in done.stderr


def test_exit_74_when_the_disk_is_full_after_the_load(api: str, tmp_path: Path) -> None:
    """The verdict is on stderr, and no half file is left."""
    mount = tmp_path / "small"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", mount], check=True)
    try:
        write_spec(tmp_path, api, more="confidence: none\n", workload=SHORT)
        done = slocheck("run", "--reports", mount, cwd=tmp_path)
        assert done.returncode == 74, done.stderr
        assert "PASS" in done.stderr
        assert "No space left" in done.stderr
        assert not [path for path in mount.rglob(".*") if path.is_file()]
    finally:
        subprocess.run(["umount", mount], check=True)


def test_exit_2_when_reports_cannot_be_written_and_nothing_is_sent(api: str, tmp_path: Path) -> None:
    """A reports path below a file is found before the load."""
    before = _requests_served(api)
    write_spec(tmp_path, api)
    (tmp_path / "file").write_text("")
    done = slocheck("run", "--reports", tmp_path / "file" / "reports", cwd=tmp_path)
    assert done.returncode == 2
    assert "--reports DIR" in done.stderr
    assert _requests_served(api) == before


def _check_interrupted(folder: Path, number: int, out: str, err: str) -> None:
    """Check that a partial run is archived and reported as interrupted by a signal, never as met."""
    assert err.count("stopping; once more to quit\n") == 1
    assert '"interrupted"' in out
    (run,) = [path.parent for path in folder.rglob("result.json") if '"interrupted"' in path.read_text()]
    evidence = load_evidence(run)
    assert evidence.ending is Ending.INTERRUPTED
    assert evidence.signal == signal.Signals(number).name
    assert sum(part.sent for item in evidence.recording.endpoints for part in item.slices) >= 30
    assert (run / "report.html").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_one_signal_ends_the_run_in_order(api: str, tmp_path: Path, number: int, code: int) -> None:
    """The partial run is archived and reported as interrupted, never as met."""
    write_spec(tmp_path, api, workload=LONG, more="confidence: none\n")
    before = _requests_served(api)
    with ending(start_slocheck("run", "--json", cwd=tmp_path)) as process:
        wait_until(lambda: _requests_served(api) > before + 30)
        process.send_signal(number)
        out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == code, err
    _check_interrupted(tmp_path, number, out, err)


def test_two_signals_end_the_run_at_once(api: str, tmp_path: Path) -> None:
    """Everything received until then is archived, and no load process is left."""
    write_spec(tmp_path, api, workload=LONG, more="confidence: none\n")
    before = _requests_served(api)
    with ending(start_slocheck("run", cwd=tmp_path)) as process:
        wait_until(lambda: _requests_served(api) > before + 30)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130, err
    assert load_evidence(only_run(tmp_path)).ending is Ending.INTERRUPTED
    assert not [path for path in (tmp_path / "reports").rglob(".*") if path.is_file()]
    served = _requests_served(api)
    assert _requests_served(api) == served


def test_a_signal_before_the_load_leaves_no_run(api: str, tmp_path: Path) -> None:
    """While the scenario is still being imported, there is nothing to archive."""
    slow = "import time\nfrom pathlib import Path\nPath('importing').touch()\ntime.sleep(600)\n"
    write_spec(tmp_path, api, scenario=slow)
    with ending(start_slocheck("run", cwd=tmp_path)) as process:
        wait_until(lambda: any(tmp_path.rglob("importing")))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 143
    assert not list(tmp_path.rglob(EVIDENCE_FILE))


def test_the_target_dying_during_the_run_fails_it(tmp_path: Path) -> None:
    """Requests to a dead target are failed samples; the report is whole and the gate is breached."""
    with ReferenceApi(port=0) as dying:
        write_spec(
            tmp_path,
            dying.url,
            objectives='  error_rate: {silver: "< 1%"}\n',
            workload="users: 5, spawn_rate: 50/s, duration: 60s",
            more="confidence: none\n",
        )
        with ending(start_slocheck("run", "--json", cwd=tmp_path)) as process:
            wait_until(lambda: _requests_served(dying.url) > 30)
            dying.stop()
            out, err = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1, err
    assert '"fail"' in out
    shutil.rmtree(tmp_path / "reports")


def test_a_second_run_against_the_same_target_is_refused(api: str, tmp_path: Path) -> None:
    """Two runs would measure each other's load; with --allow-concurrent both run, without colliding.

    Ctrl-C then ends the first one in order.
    """
    write_spec(tmp_path, api, workload=LONG, more="confidence: none\n")
    before = _requests_served(api)
    with ending(start_slocheck("run", "--json", cwd=tmp_path)) as first:
        wait_until(lambda: _requests_served(api) > before + 30)
        refused = slocheck("run", cwd=tmp_path)
        second = slocheck("run", "--allow-concurrent", "--users", "2", "--duration", "3s", cwd=tmp_path)
        first.send_signal(signal.SIGINT)
        out, err = first.communicate(timeout=DEADLINE_S)
    assert refused.returncode == 2
    assert "another slocheck run" in refused.stderr
    assert second.returncode == 0, second.stderr
    assert first.returncode == 130, err
    _check_interrupted(tmp_path, signal.SIGINT, out, err)
    runs = [path for path in (tmp_path / "reports").iterdir() if (path / "result.json").exists()]
    assert len(runs) == 2


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize(
    ("typed", "code", "message"),
    [
        pytest.param("y", 4, "unknown host", id="yes: the run goes on, and finds nobody there"),
        pytest.param("", 2, "--allow-target shop.invalid", id="nothing typed is a no"),
    ],
)
def test_a_target_elsewhere_can_be_allowed_at_the_terminal(
    tmp_path: Path, typed: str, code: int, message: str
) -> None:
    """Only on a terminal; the question names the host."""
    write_spec(tmp_path, "http://shop.invalid")
    person, terminal = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-m", "slocheck", "run"], cwd=tmp_path, stdin=terminal, stderr=terminal
    )
    os.close(terminal)
    with os.fdopen(person, "r+b", buffering=0) as screen, ending(started) as running:
        shown = b""
        while b"[y/N]" not in shown:
            shown += screen.read(4096)
        assert b"shop.invalid is not this machine. Send requests there?" in shown
        screen.write(f"{typed}\n".encode())
        with suppress(OSError):  # how a terminal reports that nobody else has it open any more
            while more := screen.read(4096):
                shown += more
        assert running.wait(timeout=DEADLINE_S) == code
    assert message in shown.decode()


def test_a_run_without_a_file_leaves_the_spec_that_repeats_it(api: str, tmp_path: Path) -> None:
    """The spec in the reports folder gives the same run again, and is what the archive is graded by.

    It has the usual limits of validity, so on a busy machine the run may be invalid.
    """
    flags = ("--url", f"{api}/items?page=1", "--rate", "50/s", "--p95", "2s", "--duration", "10s")
    done = slocheck("run", *flags, "--warmup", "0s", cwd=tmp_path)
    assert done.returncode in {0, 4}, done.stderr
    (spec,) = (tmp_path / "reports").glob("url-*.yaml")
    assert spec.read_text() in done.stderr
    evidence = load_evidence(only_run(tmp_path))
    assert [str(item.endpoint) for item in evidence.recording.endpoints] == ["GET /items"]
    assert slocheck("grade", "latest", cwd=tmp_path).returncode == done.returncode
    assert slocheck("run", "--dry-run", spec, cwd=tmp_path).returncode == 0
