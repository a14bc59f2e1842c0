"""What a stall of the target costs in the open and the closed model: ``python -m tests.benchmarks.stall``.

A server that serves one request after the other stalls for a second in a minute of 100 requests/s. It
logs when it responded: with the intended starts that is the truth. Then the same load by users in a loop.
"""

import argparse
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

from slocheck.evidence.histogram import quantile_bounds
from slocheck.evidence.recording import SliceCounts
from tests.benchmarks.throughput.machine import PATIENCE_S, wait_until_idle
from tests.builders.load_plans import make_plan
from tests.e2e.support.load_runs import run
from tests.e2e.support.servers.load_server import LoadServer
from tests.e2e.support.stall_runs import IMPORTS, RATE, Stall, locust_file, stalled

CLOSED_USERS = 4
KINDS = ("declarative", *IMPORTS)
WARMUP_S = 1
"""The window starts with the schedule."""
P99 = Fraction(99, 100)


def p99_ms(total: SliceCounts) -> float:
    """Return the recorded p99, milliseconds: the middle of its bucket."""
    return sum(quantile_bounds(total.latencies, P99)) / 2 / 1e6


def stall_of(seconds: int) -> Stall:
    """Return a stall in the middle."""
    return Stall(number=RATE * seconds // 2, length_ms=1000, service_ms=2.2)


def closed(folder: Path, seconds: int) -> SliceCounts:
    """Run users in a loop, each at its share of the rate."""
    with LoadServer() as server:
        wait = f"constant_throughput({RATE / CLOSED_USERS})"
        scenario = locust_file(folder, "FastHttpUser", stall_of(seconds).path, wait=wait)
        return run(make_plan(server.url, scenario, users=CLOSED_USERS, duration_s=seconds)).total("GET ask")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.stall", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, help="these clients")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, help="seconds to wait for an idle machine"
    )
    chosen = parser.parse_args()
    seconds = chosen.seconds
    write = sys.stdout.write
    write("| load | requests | true p99, ms | recorded p99, ms |\n| --- | ---: | ---: | ---: |\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in chosen.only:
            wait_until_idle(chosen.patience)
            found = stalled(folder, kind, stall_of(seconds), warmup_s=WARMUP_S, duration_s=seconds - WARMUP_S)
            true_ms = found.true_s(P99) * 1000
            write(f"| open, {kind} | {found.total.sent:,} | {true_ms:,.0f} | {p99_ms(found.total):,.0f} |\n")
            sys.stdout.flush()
        wait_until_idle(chosen.patience)
        total = closed(folder, seconds)
    shape = f"closed, FastHttpUser, {CLOSED_USERS} users, constant_throughput"
    write(f"| {shape} | {total.sent:,} | | {p99_ms(total):,.0f} |\n")


if __name__ == "__main__":
    main()
