"""Rounds of all tools in turn, and the tables of their results."""

import platform
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

from tests.benchmarks.throughput.cases import VUS, Figures, Job
from tests.benchmarks.throughput.machine import BUSY, wait_until_idle
from tests.benchmarks.throughput.tools import FAST, K6_TOOL, K9, LEAN, MEMORY_AT_S, SLOCHECK, TOOLS

TRIES = 3
PEERS = (K6_TOOL, FAST, K9)
CASE_NAMES = {
    "get": "GET, always the same",
    "zipf": "GET with a Zipf-drawn number in path and header",
    "post": "POST of templated JSON with expectations and a capture, then a GET with what was captured",
    "tls": "GET, always the same, over TLS",
}
FLAT = 1.1


@dataclass(slots=True)
class Scores:
    """What the bars are about: ratios by case, tool and peer, and growth of memory by tool."""

    ratios: dict[tuple[str, str, str], float] = field(default_factory=dict)
    growth: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bar:
    """A ratio that slocheck has to reach in a case; without a case: a growth that it must not exceed."""

    tool: str
    limit: float
    case: str = ""
    peer: str = ""


BARS = (
    Bar(SLOCHECK, 3, "get", K6_TOOL),
    Bar(SLOCHECK, 6, "get", FAST),
    Bar(SLOCHECK, 0.8, "get", K9),
    Bar(SLOCHECK, 2, "zipf", K6_TOOL),
    Bar(SLOCHECK, 2, "post", K6_TOOL),
    Bar(SLOCHECK, 4, "tls", FAST),
    Bar(LEAN, 4, "get", FAST),
    Bar(LEAN, 4, "tls", FAST),
    Bar(SLOCHECK, FLAT),
    Bar(LEAN, FLAT),
)


def say(text: str = "") -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201 - the command's output


def row(*cells: object) -> None:
    """Print a line of a table."""
    say("| " + " | ".join(map(str, cells)) + " |")


def header(*cells: str) -> None:
    """Print a table's head: text on the left, numbers on the right."""
    row(*cells)
    row("---", *["---:"] * (len(cells) - 1))


def setting() -> None:
    """Print machine, date and versions."""
    found = Path("/proc/cpuinfo").read_text().partition("model name")[2].split("\n")[0].strip("\t: ")
    say(f"{datetime.now(UTC):%Y-%m-%d}, {found or platform.machine()}, Linux {platform.release()}")
    versions = [f"CPython {platform.python_version()}"]
    for package in ("slocheck", "locust", "gevent", "k6", "k9-load"):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    nginx = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=False).stderr
    say(", ".join([*versions, nginx.strip().rpartition(" ")[2].replace("/", " ")]))


def once(tool: str, job: Job) -> Figures:
    """Run a tool on an idle machine; a run that others disturb is dropped and repeated a few times."""
    for attempt in range(TRIES):
        wait_until_idle(job.patience_s)
        figures = TOOLS[tool](job)
        if figures.others <= BUSY or not job.patience_s:
            break
        again = "dropped" if attempt + 1 < TRIES else "kept, and marked"
        sys.stderr.write(f"{job.case}, {tool}: others used {figures.others:.0%} of the machine; {again}\n")
    return figures


def rounds(job: Job, tools: Sequence[str], count: int) -> Mapping[str, list[Figures]]:
    """Run all tools in turn, for some rounds."""
    found: dict[str, list[Figures]] = defaultdict(list)
    for _ in range(count):
        for tool in tools:
            found[tool].append(once(tool, job))
    return found


def middle(figures: Sequence[Figures], name: str) -> float:
    """Return the median of one figure."""
    return float(median(getattr(item, name) for item in figures))


def others(figures: Sequence[Figures]) -> str:
    """Return the largest share of the machine that others had in any round."""
    return f"{max(item.others for item in figures):.0%}"


def throughput(job: Job, tools: Sequence[str], count: int, scores: Scores) -> None:
    """Print a case's table; a ratio is the median of the rounds' own ratios."""
    loop = f"closed loop, {VUS} connections, {count} rounds of {job.seconds} s, medians"
    say(f"\n### {CASE_NAMES[job.case]}\n\n{loop}\n")
    found = rounds(job, tools, count)
    peers = [peer for peer in PEERS if peer in found]
    header(
        "generator",
        "requests/s on one core",
        "requests per CPU-second",
        "CPU µs a request",
        *(f"x {peer.removeprefix('Locust, ')}" for peer in peers),
        "used by others",
    )
    for tool, figures in found.items():
        ratios = []
        for peer in peers:
            pairs = zip(figures, found[peer], strict=True)
            ratio = scores.ratios[job.case, tool, peer] = median(own.rate / its.rate for own, its in pairs)
            ratios.append(f"{ratio:.2f}")
        cpu = middle(figures, "cpu_us")
        numbers = (f"{middle(figures, 'rate'):,.0f}", f"{1e6 / cpu:,.0f}", f"{cpu:.1f}")
        row(tool, *numbers, *ratios, others(figures))


def latency(job: Job, tools: Sequence[str], count: int) -> None:
    """Print what each tool reports at the same rate."""
    say(f"\n### GET at {job.rate:,} requests/s, as each tool reports it\n")
    say(f"{count} rounds of {job.seconds} s, medians\n")
    header("generator", "requests/s", "p50 ms", "p99 ms", "CPU µs a request", "used by others")
    for tool, figures in rounds(job, tools, count).items():
        numbers = [f"{middle(figures, name):,.3f}" for name in ("p50_ms", "p99_ms")]
        cpu = f"{middle(figures, 'cpu_us'):.1f}"
        row(tool, f"{middle(figures, 'rate'):,.0f}", *numbers, cpu, others(figures))


def memory(job: Job, tools: Sequence[str], scores: Scores) -> None:
    """Print the memory of the process that sends, early and late in one run."""
    say(f"\n### Memory of the sending process, GET in a closed loop of {VUS}\n")
    header("generator", "requests/s", f"MB at {MEMORY_AT_S} s", f"MB at {job.seconds} s", "used by others")
    for tool in tools:
        figures = once(tool, job)
        early, late = figures.memory_mb
        scores.growth[tool] = late / early
        row(tool, f"{figures.rate:,.0f}", f"{early:.0f}", f"{late:.0f}", others([figures]))


def bars(scores: Scores) -> None:
    """Print which bars were reached."""
    lines = []
    for bar in BARS:
        ratio = scores.ratios.get((bar.case, bar.tool, bar.peer))
        growth = None if bar.case else scores.growth.get(bar.tool)
        if ratio is not None:
            name = f"{bar.tool} / {bar.peer}, {bar.case}"
            lines.append((name, f">= {bar.limit:g}", ratio, ratio >= bar.limit))
        elif growth is not None:
            lines.append(
                (f"{bar.tool}: memory, late / early", f"<= {bar.limit:g}", growth, growth <= bar.limit)
            )
    if lines:
        say("\n### What was asked for\n")
        header("ratio", "bar", "found", "")
    for name, limit, found, reached in lines:
        row(name, limit, f"{found:.2f}", "reached" if reached else "missed")
