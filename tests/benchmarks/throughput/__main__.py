"""The command: all tables, or one."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.throughput.bench_server import BenchServer
from tests.benchmarks.throughput.cases import Job
from tests.benchmarks.throughput.machine import PATIENCE_S
from tests.benchmarks.throughput.tables import Scores, bars, latency, memory, say, setting, throughput
from tests.benchmarks.throughput.tools import CASES, LASTING, PACED, TOOLS, there

GENERATOR_CORE, SERVER_CORE = 0, 1
RATE = 5000
SECONDS, LONG_SECONDS = 8, 62
QUICK_SECONDS, QUICK_LONG_SECONDS = 4, 20


def present(tools: Sequence[str]) -> list[str]:
    """Return the tools that are installed."""
    return [tool for tool in tools if there(tool)]


def tables(server: BenchServer, job: Job, *, only: list[str] | None, rounds: int, quick: bool) -> None:
    """Print the chosen tables."""
    scores = Scores()
    for case, tools in CASES.items():
        if only is None or case in only:
            url = server.tls_url if case == "tls" else server.url
            throughput(replace(job, case=case, url=url), present(tools), rounds, scores)
    if only is None or "latency" in only:
        latency(replace(job, rate=RATE, seconds=10), present(PACED), rounds)
    if only is None or "memory" in only:
        long = QUICK_LONG_SECONDS if quick else LONG_SECONDS
        memory(replace(job, seconds=long), present(LASTING), scores)
    bars(scores)


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.throughput", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    parser.add_argument("--rounds", type=int, default=3, help="of each tool, in turn (default 3)")
    parser.add_argument("--only", nargs="+", choices=[*CASES, "latency", "memory"], help="these tables")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, help="seconds to wait for an idle machine before a run"
    )
    chosen = parser.parse_args()
    if not {GENERATOR_CORE, SERVER_CORE} <= os.sched_getaffinity(0):
        sys.exit("two cores are needed: one for the generator, one for the server")
    rounds, seconds = (1, QUICK_SECONDS) if chosen.quick else (chosen.rounds, SECONDS)
    setting()
    with tempfile.TemporaryDirectory() as name, BenchServer(Path(name), SERVER_CORE) as server:
        job = Job("get", server.url, server.ca, server.pid, seconds, GENERATOR_CORE, Path(name))
        job = replace(job, patience_s=chosen.patience)
        tables(server, job, only=chosen.only, rounds=rounds, quick=chosen.quick)
    for tool in TOOLS:
        if not there(tool):
            say(f"\n{tool} is not installed and was left out")


main()
