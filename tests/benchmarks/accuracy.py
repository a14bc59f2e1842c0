"""Measured percentiles against a server that knows the truth: ``python -m tests.benchmarks.accuracy``.

The server of ``calibrated.c`` serves each request for a planned time and reports what it took. What slocheck
measures must be that plus the round trip: the floor, which is measured alongside by a client that
does nothing but send, receive and read the clock.
"""

import argparse
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from slocheck.evidence.histogram import merge, quantile_bounds
from slocheck.evidence.model import Evidence, LoadHealth
from slocheck.pipeline.archive import load_evidence
from slocheck.spec.model.validity import ValidityLimits
from tests.benchmarks.throughput.machine import BUSY, PATIENCE_S, run, wait_until_idle

GENERATOR_CORE, SERVER_CORE = 0, 1
QUANTILES = ("0.5", "0.95", "0.99", "0.999")
SOURCE = Path(__file__).with_name("calibrated.c")
SPEC = """
service: calibrated
target: {{url: "http://127.0.0.1:{port}"}}
workload: {{scenario: scenario.yaml, {load}, warmup: {warmup}s, duration: {seconds}s}}
tiers: [bronze]
objectives: {{latency_p99: {{bronze: "< 1s"}}}}
gate: bronze
"""
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
WARMUP_S, FLOOR_S, SEARCH_S = 2, 3, 6
TRIES = 3
LOWEST, STEP = 15_000, 2500
UNWATCHED_S = 3600.0


class Calibrated:
    """The compiled server on its own core; asking it for the true times ends it."""

    def __init__(self, folder: Path) -> None:
        program, self._log = folder / "calibrated", folder / "truth"
        subprocess.run(["gcc", "-O2", "-o", str(program), str(SOURCE), "-lm"], check=True)
        command = ["taskset", "-c", str(SERVER_CORE), str(program), str(self._log)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.pid, self.port = self._process.pid, int(self._process.stdout.readline())

    def truth(self) -> NDArray[np.int64]:
        """End the server and return its service times, nanoseconds."""
        self._process.terminate()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return np.fromfile(self._log, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of slocheck.

    Attributes:
        evidence: What it recorded.
        truth: The server's service times, nanoseconds.
        others: Share of all cores that neither it nor the server used.
    """

    evidence: Evidence
    truth: NDArray[np.int64]
    others: float


def floor_us(folder: Path, seconds: float) -> NDArray[np.float64]:
    """Return what the round trip adds to each request's own service time, microseconds."""
    server = Calibrated(folder)
    more = []
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            begun = time.monotonic_ns()
            connection.sendall(REQUEST)
            response = connection.recv(4096)
            took = time.monotonic_ns() - begun
            found = re.search(rb"X-Service-Ns: (\d+)", response)
            assert found is not None
            more.append(took - int(found[1]))
    server.truth()
    return np.array(more) / 1000


def measured(folder: Path, load: str, seconds: int, *, patience_s: float = PATIENCE_S) -> Measured:
    """Run slocheck with a load on an idle machine; a run that others disturb is repeated a few times."""
    for _ in range(TRIES):
        wait_until_idle(patience_s)
        done = _once(folder, load, seconds)
        if done.others <= BUSY or not patience_s:
            break
        sys.stderr.write(f"{load}: others used {done.others:.0%} of the machine\n")
    return done


def _once(folder: Path, load: str, seconds: int) -> Measured:
    server = Calibrated(folder)
    (folder / "scenario.yaml").write_text("flows: [{steps: [{get: /}]}]\n")
    spec = SPEC.format(port=server.port, load=load, warmup=WARMUP_S, seconds=seconds)
    (folder / "slo.yaml").write_text(spec)
    shutil.rmtree(folder / "reports", ignore_errors=True)
    command = [sys.executable, "-m", "slocheck", "run", "--quiet", "--exit-zero"]
    # not sampled meanwhile: a sample takes a millisecond of the generator's core
    ran = run(command, core=GENERATOR_CORE, folder=folder, server=server.pid, every_s=UNWATCHED_S)
    found = list((folder / "reports").glob("*/evidence.json.gz"))
    truth = server.truth()
    if len(found) != 1:
        raise RuntimeError(ran.output)
    return Measured(load_evidence(found[0].parent), truth, ran.others)


def valid(health: LoadHealth) -> bool:
    """Tell whether a run passes slocheck's own checks of the generator."""
    arrivals, limits = health.arrivals, ValidityLimits()
    assert arrivals is not None
    sent = arrivals.planned - arrivals.dropped
    return (
        sent >= limits.min_sent * arrivals.planned
        and arrivals.lag_p99 <= limits.max_schedule_lag
        and max(worker.cpu for worker in health.workers) <= limits.max_generator_cpu
    )


def highest(folder: Path) -> int:
    """Return the highest rate with a valid run, in steps, requests/s."""
    found = 0
    for rate in range(LOWEST, 200_000, STEP):
        if not valid(measured(folder, load_of(rate), SEARCH_S).evidence.health):
            break
        found = rate
    return found


def load_of(rate: int) -> str:
    """Return the keys of a workload."""
    return f"rate: {rate}/s, max_users: 2000"


def percentile_us(done: Measured, quantile: str) -> tuple[float, float]:
    """Return a percentile of the true and of the measured latencies; both include every request."""
    parts = [part for item in done.evidence.recording.endpoints for part in item.slices]
    sent = sum(part.sent for part in parts)
    assert sent == len(done.truth), f"{sent} were sent, the server counted {len(done.truth)}"
    share = Fraction(quantile)
    bounds = quantile_bounds(merge(part.latencies for part in parts), share)
    true_ns = float(np.quantile(done.truth, float(share), method="inverted_cdf"))
    return true_ns / 1000, sum(bounds) / 2 / 1000


def rows(rate: int, done: Measured) -> list[str]:
    """Return the table's lines for one rate."""
    lines = []
    for quantile in QUANTILES:
        true_us, ours_us = percentile_us(done, quantile)
        name = f"p{float(quantile) * 100:g}"
        cells = [f"{rate:,}", name, f"{true_us:,.0f}", f"{ours_us:,.0f}", f"{ours_us - true_us:,.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def lag(rate: int, done: Measured) -> str:
    """Return the second table's line for a rate."""
    arrivals, (worker,) = done.evidence.health.arrivals, done.evidence.health.workers
    assert arrivals is not None
    late = f"{arrivals.lag_p99 * 1e6:,.0f} | {arrivals.lag_max * 1e6:,.0f} | {arrivals.dropped}"
    return f"| {rate:,} | {late} | {worker.cpu:.0%} | {done.others:.0%} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.accuracy", description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=[1000, 5000, 20_000])
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--highest", type=int, help="take this for the highest rate, and do not look for it")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, help="seconds to wait for an idle machine"
    )
    chosen = parser.parse_args()
    write = sys.stdout.write
    measure = partial(measured, patience_s=chosen.patience)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wait_until_idle(chosen.patience)
        p50, p99 = np.quantile(floor_us(folder, min(FLOOR_S, chosen.seconds)), (0.5, 0.99))
        write(f"The round trip: p50 {p50:,.0f} µs, p99 {p99:,.0f} µs\n\n")
        write("| requests/s | | server's truth, µs | measured, µs | difference, µs |\n")
        write("| ---: | --- | ---: | ---: | ---: |\n")
        runs = {}
        for rate in chosen.rates:
            runs[rate] = measure(folder, load_of(rate), chosen.seconds)
            write("\n".join(rows(rate, runs[rate])) + "\n")
            sys.stdout.flush()
        most = chosen.highest or highest(folder)
        if most // 2 not in runs:
            runs[most // 2] = measure(folder, load_of(most // 2), chosen.seconds)
        write(f"\nUp to {most:,} requests/s give a valid run here; the last line is half of that.\n\n")
        write(
            "| requests/s | schedule lag p99, µs | at most, µs | dropped | worker's CPU | used by others |\n"
        )
        write("| ---: | ---: | ---: | ---: | ---: | ---: |\n")
        write("\n".join(lag(rate, done) for rate, done in runs.items()) + "\n")


if __name__ == "__main__":
    main()
