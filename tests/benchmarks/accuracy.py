"""Measured percentiles against a server that knows the truth: ``python -m tests.benchmarks.accuracy``.

The server of ``calibrated.c`` serves each request for a planned time and writes down what it took. What
slocheck measures must be that, and the way there and back: the floor, which is measured beside it by a client
that does nothing but send, receive and read the clock.
"""

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slocheck.archive import load_evidence
from slocheck.evidence.histogram import merge, quantile_bounds
from slocheck.evidence.model import Evidence

GENERATOR_CORE, SERVER_CORE = 0, 1
QUANTILES = ("0.5", "0.95", "0.99", "0.999")
SOURCE = Path(__file__).with_name("calibrated.c")
SPEC = """
service: calibrated
target: {{url: "http://127.0.0.1:{port}"}}
workload: {{scenario: scenario.yaml, rate: {rate}/s, max_users: 2000, warmup: 2s, duration: {seconds}s}}
tiers: [bronze]
objectives: {{latency_p99: {{bronze: "< 1s"}}}}
gate: bronze
"""
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Calibrated:
    """The server, compiled, on a core of its own; a context manager."""

    def __init__(self, folder: Path, seconds: int) -> None:
        program, self.log = folder / "calibrated", folder / "truth"
        subprocess.run(["gcc", "-O2", "-o", str(program), str(SOURCE)], check=True)
        command = ["taskset", "-c", str(SERVER_CORE), str(program), str(self.log), str(seconds)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def truth(self) -> NDArray[np.int64]:
        """Wait for the server's end and return its service times, nanoseconds."""
        self._process.wait()
        return np.fromfile(self.log, dtype=np.int64)


def floor_us(folder: Path) -> float:
    """Return what the way there and back adds, microseconds: the median beyond the service time."""
    server = Calibrated(folder, 4)
    times = []
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            begun = time.monotonic_ns()
            connection.sendall(REQUEST)
            connection.recv(4096)
            times.append(time.monotonic_ns() - begun)
    return float(np.median(times) - np.median(server.truth())) / 1000


def measured(folder: Path, rate: int, seconds: int) -> tuple[Evidence, NDArray[np.int64]]:
    """Run slocheck at a rate; returns what it measured and the server's truth."""
    server = Calibrated(folder, seconds + 9)
    (folder / "scenario.yaml").write_text("flows: [{steps: [{get: /}]}]\n")
    (folder / "slo.yaml").write_text(SPEC.format(port=server.port, rate=rate, seconds=seconds))
    reports = folder / f"reports-{rate}"
    command = [sys.executable, "-m", "slocheck", "run", "--quiet", "--exit-zero", "--reports", str(reports)]
    subprocess.run(
        ["taskset", "-c", str(GENERATOR_CORE), *command], cwd=folder, check=False, capture_output=True
    )
    (run,) = reports.glob("*/evidence.json.gz")
    return load_evidence(run.parent), server.truth()


def rows(rate: int, evidence: Evidence, truth: NDArray[np.int64]) -> list[str]:
    """Return the table's lines of one rate."""
    recording = evidence.recording
    parts = [part for item in recording.endpoints for part in item.slices]
    latencies = merge(part.latencies for part in parts)
    assert sum(part.sent for part in parts) == len(truth), "the server counted as many as were sent"
    lines = []
    for quantile in QUANTILES:
        share = Fraction(quantile)
        true_us = float(np.quantile(truth, float(share), method="inverted_cdf")) / 1000
        ours_us = sum(quantile_bounds(latencies, share)) / 2 / 1000
        name = f"p{float(share) * 100:g}"
        cells = [f"{rate:,}", name, f"{true_us:,.0f}", f"{ours_us:,.0f}", f"{ours_us - true_us:,.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    arrivals = evidence.health.arrivals
    assert arrivals is not None
    lag = f"schedule lag p99 {arrivals.lag_p99 * 1e6:,.0f} µs, at most {arrivals.lag_max * 1e6:,.0f} µs"
    lines.append(f"| {rate:,} | | | | {lag} |")
    return lines


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=[1000, 5000, 20_000])
    parser.add_argument("--seconds", type=int, default=20)
    chosen = parser.parse_args()
    write = sys.stdout.write
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(f"The way there and back: {floor_us(folder):,.0f} µs\n\n")
        write("| requests/s | | server's truth, µs | measured, µs | more, µs |\n")
        write("| ---: | --- | ---: | ---: | ---: |\n")
        for rate in chosen.rates:
            write("\n".join(rows(rate, *measured(folder, rate, chosen.seconds))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
