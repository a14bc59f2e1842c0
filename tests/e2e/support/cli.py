"""Helpers of the end-to-end tests: a spec on disk, and the real command line."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import jsonschema

from slocheck.reporters.json.schema import result_schema
from tests.e2e.support.forking.forked import forked_command

SCENARIO = '''"""A steady reader of one item."""
from locust import FastHttpUser, constant, task


class Reader(FastHttpUser):
    wait_time = constant(0.1)

    @task
    def item(self):
        self.client.get("/items/1", name="/items/{id}")
'''

EASY = """\
  latency_p95: {bronze: "< 20s", silver: "< 10s"}
  error_rate: {bronze: "< 50%", silver: "< 20%"}
"""

RELAXED = """\
validity: {min_sent: "0%", max_generator_cpu: "10000%", max_loop_lag: 60s, max_stall: 60s,
  max_schedule_lag: 60s,
  max_lag_share: "1000000000%",
  max_clock_skew: 60s, max_clock_jump: 60s, max_scrape_gap: 60, min_slices: 1, steady: false}
"""
"""Limits that a short run on a busy machine keeps: its test is about something else."""


def write_spec(
    folder: Path,
    target: str,
    *,
    objectives: str = EASY,
    source: str = "",
    workload: str = "users: 5, spawn_rate: 50/s, warmup: 1s, duration: 3s",
    scenario: str = SCENARIO,
    scenario_name: str = "scenario.py",
    more: str = "",
) -> Path:
    """Write slo.yaml and its scenario into `folder` and return the spec's path."""
    (folder / scenario_name).write_text(scenario)
    spec = folder / "slo.yaml"
    spec.write_text(
        f'service: shop-api\ntarget: {{url: "{target}", instances: 1}}\n{source}'
        f"workload: {{scenario: {scenario_name}, {workload}}}\n"
        f"tiers: [bronze, silver]\nobjectives:\n{objectives}gate: silver\n{more}{RELAXED}"
    )
    return spec


def slocheck(
    *arguments: str | Path, cwd: Path, environment: Mapping[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run the command line in `cwd` and return its exit code and output; it is forked from a loaded one."""
    return forked_command(
        list(map(str, arguments)), cwd=cwd, environment={**os.environ, **(environment or {})}, timeout=timeout
    )


def slocheck_anew(
    *arguments: str | Path, cwd: Path, environment: Mapping[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run the command line as a shell does, from the start of Python on; else as `slocheck`."""
    return subprocess.run(
        [sys.executable, "-m", "slocheck", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def words(text: str) -> str:
    """Return what was printed as one line, wherever it was broken to fit a terminal."""
    return " ".join(text.split())


def start_slocheck(
    *arguments: str | Path, cwd: Path, stderr: IO[str] | int = subprocess.PIPE
) -> subprocess.Popen[str]:
    """Start the command line in `cwd` and return the process; stdout is a pipe, stderr too unless given."""
    return subprocess.Popen(
        [sys.executable, "-m", "slocheck", *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def result_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the document that ``--json`` printed, which keeps to its schema."""
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise AssertionError(f"no JSON on stdout; exit {done.returncode}; stderr: {done.stderr}") from error
    jsonschema.validate(document, result_schema(), jsonschema.Draft202012Validator)
    return document


def only_run(folder: Path) -> Path:
    """Return the folder of the only run archived below ``reports``."""
    (run,) = [path for path in (folder / "reports").iterdir() if path.is_dir()]
    return run
