"""``slocheck demo --full``: the whole stack for one run, and nothing left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.processes import running
from tests.support.waiting import DEADLINE_S, wait_until


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files that the user `postgres` can enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory(prefix="slocheck-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


def start(words: str, cwd: Path, temporary: Path) -> subprocess.Popen[str]:
    """Start ``slocheck demo --full`` in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "slocheck", "demo", "--full", *words.split()],
        cwd=cwd,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_a_run_on_all_parts(tmp_path: Path, temporary: Path) -> None:
    """The ladder on PostgreSQL and Redis, then three replicas behind nginx, measured by Prometheus."""
    words = "--ladder --strategies cache-aside --duration 2s --rate 40/s"
    with start(words, tmp_path, temporary) as process:
        _, err = process.communicate(timeout=200)
    assert process.returncode in {0, 4}, err  # 4: too short a window to say more on a busy machine
    page = next((tmp_path / "reports").glob("ladder-*.html")).read_text()
    assert "PostgreSQL with a replica and Redis" in page
    steps = set(re.findall(r'href="([^"#]+)/report\.html"', page))
    assert len(steps) == 2
    results = {path.parent.name: path for path in (tmp_path / "reports").glob("*/result.json")}
    [scaled_out] = [json.loads(path.read_text()) for run, path in results.items() if run not in steps]
    assert scaled_out["provenance"]["server_source"] == "prometheus"
    [rate] = [item for item in scaled_out["objectives"] if item["name"] == "rps_per_instance"]
    assert 0 < rate["observed"]["low"] < 40 / 2  # shared by three replicas, which Prometheus has counted
    assert [path.name for path in temporary.iterdir()] == []


def test_an_interrupted_one_leaves_nothing(tmp_path: Path, temporary: Path) -> None:
    """Ctrl-C while the servers are starting: each process and each folder is gone."""
    with start("", tmp_path, temporary) as process:
        command = psutil.Process(process.pid)

        def of_command() -> set[str]:
            names = set()
            for child in command.children(recursive=True):
                with suppress(psutil.NoSuchProcess):  # ended between being listed and being asked
                    names.add(child.name())
            return names

        wait_until(lambda: {"postgres", "redis-server"} <= of_command(), "PostgreSQL and Redis run")
        started = command.children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 130
    wait_until(lambda: not running(started), "every process is gone")
    wait_until(lambda: not list(temporary.iterdir()), "every folder is gone")
