"""The command: rounds of all tools in turn, medians, ratios, and what the machine was doing meanwhile."""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from slocheck import __version__
from tests.benchmarks.throughput.bench_server import BenchServer
from tests.benchmarks.throughput.tools import CASES, PACED, TOOLS, Figures, Job, there

GENERATOR_CORE, SERVER_CORE = 0, 1
BUSY = 0.1
PATIENCE_S = 300
RATE = 5000


def busy() -> float:
    """Return the share of all cores that somebody used within the last second."""
    before = _ticks()
    time.sleep(1)
    after = _ticks()
    idle, total = (b - a for a, b in zip(before, after, strict=True))
    return 1 - idle / total


def _ticks() -> tuple[int, int]:
    numbers = [int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:]]
    return numbers[3] + numbers[4], sum(numbers[:8])


def wait_until_idle() -> float:
    """Wait until others leave the machine alone; returns their share of it."""
    until = time.monotonic() + PATIENCE_S
    while (share := busy()) > BUSY and time.monotonic() < until:
        pass
    return share


def say(text: str = "") -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201 - the command's output


def rounds(tools: list[str], job: Job, count: int) -> dict[str, list[Figures]]:
    """Run all tools in turn, some rounds; a round in which others were busy is said."""
    found: dict[str, list[Figures]] = defaultdict(list)
    for _ in range(count):
        for tool in tools:
            share = wait_until_idle()
            if share > BUSY:
                sys.stderr.write(f"{tool}: others used {share:.0%} of the machine\n")
            found[tool].append(TOOLS[tool](job))
    return found


def middle(figures: list[Figures], name: str) -> float:
    """Return the median of one figure."""
    return float(median(getattr(item, name) for item in figures))


def throughput(case: str, tools: list[str], job: Job, count: int) -> None:
    """Print a case's table."""
    say(f"\n{case}: closed loop, 50 connections, {count} rounds of {job.seconds} s, medians\n")
    say("| generator | requests/s on one core | CPU µs a request | x k6 | x FastHttpUser | x k9-load |")
    say("| --- | ---: | ---: | ---: | ---: | ---: |")
    found = rounds(tools, job, count)
    peers = ("k6", "Locust, FastHttpUser", "k9-load")
    rates = {tool: middle(figures, "rate") for tool, figures in found.items()}
    for tool, figures in found.items():
        ratios = [f"{rates[tool] / rates[peer]:.2f}" if peer in rates else "" for peer in peers]
        cells = [tool, f"{rates[tool]:,.0f}", f"{middle(figures, 'cpu_us'):.1f}", *ratios]
        say("| " + " | ".join(cells) + " |")


def latency(tools: list[str], job: Job, count: int) -> None:
    """Print what each tool reports at the same rate."""
    say(f"\nGET at {job.rate:,}/s as each tool reports it, {count} rounds of {job.seconds} s, medians\n")
    say("| generator | requests/s | p50 ms | p99 ms | CPU µs a request |")
    say("| --- | ---: | ---: | ---: | ---: |")
    for tool, figures in rounds(tools, job, count).items():
        numbers = [f"{middle(figures, name):,.3f}" for name in ("p50_ms", "p99_ms")]
        cells = [tool, f"{middle(figures, 'rate'):,.0f}", *numbers, f"{middle(figures, 'cpu_us'):.1f}"]
        say("| " + " | ".join(cells) + " |")


def memory(job: Job, lengths: list[int]) -> None:
    """Print the memory of the sending process after runs of two lengths."""
    say("\nMemory of the sending process\n")
    say("| after | MB |")
    say("| --- | ---: |")
    for seconds in lengths:
        figures = TOOLS["slocheck, declarative"](
            Job(job.case, job.url, job.ca, seconds, job.core, job.folder)
        )
        say(f"| {seconds} s, {figures.rate:,.0f}/s | {figures.memory_mb:.0f} |")


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=[*CASES, "latency", "memory"], help="one table")
    chosen = parser.parse_args()
    count, seconds = (1, 3) if chosen.quick else (chosen.rounds, 8)
    if len(os.sched_getaffinity(0)) <= SERVER_CORE:
        sys.exit("two cores are needed: one for the generator, one for the server")
    say(f"slocheck {__version__}, CPython {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}")
    with tempfile.TemporaryDirectory() as name, BenchServer(Path(name), SERVER_CORE) as server:
        folder = Path(name)
        for case, tools in CASES.items():
            url = server.tls_url if case == "tls" else server.url
            job = Job(case, url, server.ca, seconds, GENERATOR_CORE, folder)
            if chosen.only in (None, case):
                throughput(case, [tool for tool in tools if there(tool)], job, count)
        paced = Job("get", server.url, server.ca, max(10, seconds), GENERATOR_CORE, folder, RATE)
        if chosen.only in (None, "latency"):
            latency([tool for tool in PACED if there(tool)], paced, count)
        if chosen.only in (None, "memory"):
            memory(
                Job("get", server.url, server.ca, 0, GENERATOR_CORE, folder), [10, 20 if chosen.quick else 60]
            )
    for tool in TOOLS:
        if not there(tool):
            say(f"{tool} is not installed and was left out")


main()
