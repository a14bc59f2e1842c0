"""The engine's bars compared with other load generators, in one table: ``python -m tests.benchmarks.bars``.

CPU a request in the open model at low and middle rates, the highest valid rate of the open model on one core,
measured less true p99, and the closed loop. Takes about eleven minutes; the machine has to be idle.
"""

import argparse
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from slocheck.spec.model.validity import ValidityLimits
from tests.benchmarks.accuracy import Calibrated, load_of, measured, percentile_us, valid
from tests.benchmarks.throughput.bench_server import BenchServer
from tests.benchmarks.throughput.cases import Job
from tests.benchmarks.throughput.machine import PATIENCE_S, wait_until_idle
from tests.benchmarks.throughput.tables import header, middle, others, rounds, row, say, setting
from tests.benchmarks.throughput.tools import FAST, K6_TOOL, K9, SLOCHECK, TOOLS, WRK, there

GENERATOR_CORE, SERVER_CORE = 0, 1
CPU_RATES = (1000, 5000, 15_000)
CPU_BAR = 1.3
CLOSED_BARS = {K6_TOOL: 5.0, K9: 1.2, WRK: 0.75, FAST: 6.0}
TRUE_BARS_MS = {5000: 0.10, 20_000: 0.25}
HIGHEST_BAR = 1.2
STEP, LOWEST_STEP, HIGHEST_STEP = 2500, 4, 32
"""The highest rate is searched in steps of requests/s, between these numbers of steps."""
ROUND_S, SEARCH_S, TRUE_S = 6, 5, 15
TRIES = 2


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the table.

    Attributes:
        what: What was measured.
        value: What was found.
        bar: What has to be reached.
        at_most: The value must not be above the bar; otherwise not below it.
    """

    what: str
    value: float
    bar: float
    at_most: bool = True

    def verdict(self) -> str:
        """Say whether the bar is reached, or by how much it is missed."""
        if self.value <= self.bar if self.at_most else self.value >= self.bar:
            return "reached"
        return f"missed by {abs(self.value - self.bar) / self.bar:.0%}"


def cpu(job: Job, count: int) -> list[Found]:
    """Compare the CPU a request at each rate; all processes of a tool are in it."""
    lines = []
    for rate in CPU_RATES:
        found = rounds(replace(job, rate=rate), [SLOCHECK, *filter(there, [K9])], count)
        say(f"\n### GET at {rate:,} requests/s, open model, {count} rounds of {job.seconds} s, medians\n")
        header("generator", "requests/s", "CPU µs a request", "p50 ms", "p99 ms", "used by others")
        for tool, figures in found.items():
            numbers = [f"{middle(figures, name):,.3f}" for name in ("p50_ms", "p99_ms")]
            used = f"{middle(figures, 'cpu_us'):.1f}"
            row(tool, f"{middle(figures, 'rate'):,.0f}", used, *numbers, others(figures))
        if K9 in found:
            pairs = zip(found[SLOCHECK], found[K9], strict=True)
            ratio = median(ours.cpu_us / its.cpu_us for ours, its in pairs)
            lines.append(Found(f"CPU a request at {rate:,}/s / {K9}", ratio, CPU_BAR))
    return lines


def closed(job: Job, count: int) -> list[Found]:
    """Compare the closed loop."""
    found = rounds(job, [SLOCHECK, *filter(there, CLOSED_BARS)], count)
    say(f"\n### GET in a closed loop, {count} rounds of {job.seconds} s, medians\n")
    header("generator", "requests/s on one core", "CPU µs a request", "used by others")
    for tool, figures in found.items():
        row(tool, f"{middle(figures, 'rate'):,.0f}", f"{middle(figures, 'cpu_us'):.1f}", others(figures))
    return [
        Found(
            f"closed loop, GET / {tool}",
            median(ours.rate / its.rate for ours, its in zip(found[SLOCHECK], found[tool], strict=True)),
            bar,
            at_most=False,
        )
        for tool, bar in CLOSED_BARS.items()
        if tool in found
    ]


def true_p99(folder: Path, patience_s: float, count: int) -> list[Found]:
    """Compare the measured p99 with the true one of a server with known times."""
    say(f"\n### p99 against a server that knows the truth, {count} rounds of {TRUE_S} s\n")
    header("requests/s", "true µs", "measured µs", "difference µs", "used by others")
    lines = []
    for rate, bar in TRUE_BARS_MS.items():
        differences = []
        for _ in range(count):
            done = measured(folder, load_of(rate), TRUE_S, patience_s=patience_s)
            true_us, ours_us = percentile_us(done, "0.99")
            differences.append(ours_us - true_us)
            cells = (f"{true_us:,.0f}", f"{ours_us:,.0f}", f"{ours_us - true_us:,.0f}", f"{done.others:.0%}")
            row(f"{rate:,}", *cells)
        lines.append(Found(f"measured less true p99 at {rate:,}/s, ms", median(differences) / 1000, bar))
    return lines


def highest(is_valid: Callable[[int], bool]) -> int:
    """Return the highest rate with a valid run in a few tries, by bisection in steps; 0 if there is none."""
    low, high = LOWEST_STEP - 1, HIGHEST_STEP
    while low < high:
        middle_step = (low + high + 1) // 2
        if any(is_valid(middle_step * STEP) for _ in range(TRIES)):
            low = middle_step
        else:
            high = middle_step - 1
    return low * STEP if low >= LOWEST_STEP else 0


def highest_rates(job: Job) -> list[Found]:
    """Compare the highest valid rates of the open model, both against the server with known times."""

    def ours(rate: int) -> bool:
        health = measured(job.folder, load_of(rate), SEARCH_S, patience_s=job.patience_s).evidence.health
        return valid(health)

    def its(rate: int) -> bool:
        wait_until_idle(job.patience_s)  # before the server, which never rests
        server = Calibrated(job.folder)
        url = f"http://127.0.0.1:{server.port}"
        paced = replace(job, url=url, server=server.pid, rate=rate, seconds=SEARCH_S)
        try:
            figures = TOOLS[K9](paced)
        finally:
            server.truth()
        limits = ValidityLimits()
        busy = figures.rate * figures.cpu_us / 1e6
        return figures.rate >= limits.min_sent * rate and busy <= limits.max_generator_cpu

    most = highest(ours)
    say("\n### Highest valid rate of the open model on one core\n")
    say(f"slocheck: {most:,}/s by its own checks")
    if not there(K9):
        return []
    peer = highest(its)
    limits = ValidityLimits()
    said = f"sends {float(limits.min_sent):.0%} of it with {limits.max_generator_cpu:.0%} of its core"
    say(f"{K9}: {peer:,}/s, the highest at which it {said}; it does not tell how late it sends")
    return [Found(f"highest valid open rate / {K9}", most / peer, HIGHEST_BAR, at_most=False)] if peer else []


def main() -> None:
    """Read the options and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bars", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=["cpu", "closed", "true", "highest"], help="these parts")
    parser.add_argument("--rounds", type=int, default=3, help="of each tool, in turn (default 3)")
    parser.add_argument("--seconds", type=int, default=ROUND_S, help=f"of a round (default {ROUND_S})")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, help="seconds to wait for an idle machine"
    )
    chosen = parser.parse_args()
    setting()
    lines: list[Found] = []
    with tempfile.TemporaryDirectory() as name, BenchServer(Path(name), SERVER_CORE) as server:
        job = Job("get", server.url, server.ca, server.pid, chosen.seconds, GENERATOR_CORE, Path(name))
        job = replace(job, patience_s=chosen.patience)
        parts: Mapping[str, Callable[[], list[Found]]] = {
            "cpu": lambda: cpu(job, chosen.rounds),
            "closed": lambda: closed(job, chosen.rounds),
            "true": lambda: true_p99(job.folder, job.patience_s, chosen.rounds),
            "highest": lambda: highest_rates(job),
        }
        for part, measure in parts.items():
            if chosen.only is None or part in chosen.only:
                lines += measure()
    say("\n### The bars\n")
    header("what", "bar", "found", "")
    for line in lines:
        sign = "<=" if line.at_most else ">="
        row(line.what, f"{sign} {line.bar:g}", f"{line.value:.2f}", line.verdict())


if __name__ == "__main__":
    main()
