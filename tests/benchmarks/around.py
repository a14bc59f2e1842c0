"""What a run costs around its load: ``python -m tests.benchmarks.around``.

Times from the command to its first line on a terminal and to the load, from the last response to the end, and
the processor time of the command line in a run of 20 endpoints. The machine has to be idle.
"""

import argparse
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from threading import Thread

import psutil

from slocheck.pipeline.archive import load_evidence
from tests.benchmarks.throughput.bench_server import BenchServer
from tests.benchmarks.throughput.machine import PATIENCE_S, wait_until_idle
from tests.benchmarks.throughput.tables import header, row, say, setting

SERVER_CORE = 1
ENDPOINTS, RATE = 20, 100
ROUNDS, SHORT_S, LONG_S = 5, 5, 300
LOOK_S = 0.5
FIRST_BAR_S, LOAD_BAR_S, END_BAR_S, CPU_BAR_PERCENT = 0.3, 2.0, 1.0, 2.0
SPEC = """
service: around
target: {{url: "{url}"}}
workload: {{scenario: scenario.yaml, rate: {rate}/s, duration: {seconds}s}}
tiers: [bronze, silver, gold]
objectives:
  latency_p99: {{gold: "< 100ms", silver: "< 200ms", bronze: "< 1s"}}
  latency_p95: {{gold: "< 50ms", silver: "< 100ms", bronze: "< 500ms"}}
  error_rate: {{gold: "< 0.1%", silver: "< 1%", bronze: "< 2%"}}
gate: bronze
"""


@dataclass(frozen=True, slots=True)
class Around:
    """One run; times in seconds.

    Attributes:
        first_line: From the command to its first line on the terminal.
        load: From the command to the load.
        end: From the last response to the end of the command.
        cpu: Processor seconds of the command line a second, while the load ran.
    """

    first_line: float
    load: float
    end: float
    cpu: float


class _Terminal:
    """What a command writes to a terminal, and when its first bytes came."""

    def __init__(self) -> None:
        self._reading, self.end = pty.openpty()
        self.first, self.text = 0.0, b""
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with suppress(OSError):  # the other end is closed
            while block := os.read(self._reading, 1 << 16):
                self.first = self.first or time.time()
                self.text += block

    def close(self) -> None:
        """Wait for what is left."""
        os.close(self.end)
        self._thread.join(5)
        os.close(self._reading)


def run_once(folder: Path, url: str, seconds: int) -> Around:
    """Run slocheck on its own terminal."""
    steps = "".join(f"  - steps: [{{get: /products/{number}}}]\n" for number in range(ENDPOINTS))
    (folder / "scenario.yaml").write_text(f"flows:\n{steps}")
    (folder / "slo.yaml").write_text(SPEC.format(url=url, rate=RATE, seconds=seconds))
    reports = folder / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    terminal, looks = _Terminal(), []
    begun = time.time()
    command = [sys.executable, "-m", "slocheck", "run", "--exit-zero"]
    end = terminal.end
    with subprocess.Popen(command, cwd=folder, stdin=end, stdout=end, stderr=end) as run:
        process = psutil.Process(run.pid)
        while run.poll() is None:
            with suppress(psutil.Error):
                looks.append((time.time(), sum(process.cpu_times()[:2])))
            with suppress(subprocess.TimeoutExpired):
                run.wait(LOOK_S)
    ended = time.time()
    terminal.close()
    found = list(reports.glob("*/evidence.json.gz"))
    if len(found) != 1:
        raise RuntimeError(terminal.text.decode(errors="replace"))
    evidence = load_evidence(found[0].parent)
    load = datetime.fromisoformat(evidence.provenance.started).timestamp()
    last = load + evidence.recording.warmup_s + evidence.recording.window_s  # a response takes a millisecond
    during = [look for look in looks if load <= look[0] <= last]
    cpu = (during[-1][1] - during[0][1]) / (during[-1][0] - during[0][0])
    return Around(terminal.first - begun, load - begun, ended - last, cpu)


def told(what: str, value: float, bar: float, unit: str) -> None:
    """Print a line of the table."""
    row(what, f"<= {bar:g} {unit}", f"{value:.3f} {unit}", "reached" if value <= bar else "missed")


def main() -> None:
    """Read the options and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.around", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"of short runs (default {ROUNDS})")
    parser.add_argument(
        "--long", type=int, default=LONG_S, help=f"seconds of the long run (default {LONG_S})"
    )
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, help="seconds to wait for an idle machine"
    )
    chosen = parser.parse_args()
    setting()
    with tempfile.TemporaryDirectory() as name, BenchServer(Path(name), SERVER_CORE) as server:
        short = []
        for _ in range(chosen.rounds):
            wait_until_idle(chosen.patience)
            short.append(run_once(Path(name), server.url, SHORT_S))
        wait_until_idle(chosen.patience)
        long = run_once(Path(name), server.url, chosen.long)
    say(f"\n{ENDPOINTS} endpoints, {RATE}/s; medians of {chosen.rounds} runs of {SHORT_S} s\n")
    header("what", "bar", "found", "")
    told("first line on the terminal", median(run.first_line for run in short), FIRST_BAR_S, "s")
    told("load begins", median(run.load for run in short), LOAD_BAR_S, "s")
    told("end after the last response", median(run.end for run in short), END_BAR_S, "s")
    told(f"the same after {chosen.long} s", long.end, END_BAR_S, "s")
    told(f"command line's CPU over {chosen.long} s", 100 * long.cpu, CPU_BAR_PERCENT, "%")


if __name__ == "__main__":
    main()
