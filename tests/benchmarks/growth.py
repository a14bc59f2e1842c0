"""What a run costs besides its load, by its length and endpoints: ``python -m tests.benchmarks.growth``.

Seven objectives with 20 limits, graded at 95 % confidence, of runs with 50 requests a second and endpoint;
now and then one fails, and one second in the middle has a response of four seconds.
CPU is that of the process, not the time that passed. Each row is a process of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from slocheck.evidence.columns import Columns, rows_of
from slocheck.evidence.histogram import bucket_indices
from slocheck.evidence.merge import Delta, RecordingBuilder
from slocheck.evidence.model import Evidence
from slocheck.evidence.recording import EndpointRecording, FailureClass, Recording, SliceCounts, columns_of
from slocheck.grading.assess import assess
from slocheck.pipeline.archive import Archive, load_evidence
from slocheck.pipeline.regrade import graded
from slocheck.plan.load_plan import thresholds_ns
from slocheck.reporters import RUN_FILES
from slocheck.reporters.terminal.figures import recent
from slocheck.spec.loader import parse_spec
from slocheck.spec.model import Endpoint
from tests.builders.evidence import make_evidence

SPEC = """\
service: shop-api
target: {url: "http://127.0.0.1:8000", instances: 1}
workload: {scenario: browse.py, users: 10, duration: 60s}
tiers: [bronze, silver, gold]
objectives:
  latency_p50: {bronze: "< 500ms", silver: "< 100ms", gold: "< 50ms"}
  latency_p95: {bronze: "< 500ms", silver: "< 250ms", gold: "< 100ms"}
  latency_p99: {bronze: "< 1s", silver: "< 500ms", gold: "< 250ms"}
  latency_p99.9: {bronze: "< 2s", silver: "< 1s", gold: "< 400ms"}
  error_rate: {bronze: "< 5%", silver: "< 2%", gold: "< 1%"}
  availability: {bronze: ">= 95%", silver: ">= 98%", gold: ">= 99%"}
  rps_per_instance: {bronze: ">= 1/s", silver: ">= 10/s"}
gate: silver
confidence: 95%
"""
LENGTHS = {"1 min": 60, "10 min": 600, "1 h": 3600, "24 h": 86400}
ENDPOINTS = (1, 20, 200)
DRAWN_S = 600
"""Seconds that are drawn; longer runs repeat them."""
RATE = 50
SPIKE_NS = 4_000_000_000
LIVE_S = 10
"""Further seconds of a run, to see what one costs."""
STEPS = ("grade", "live", "reports", "write", "read")


def drawn(seconds: int, thresholds: tuple[int, ...]) -> Columns:
    """Return what one endpoint was sent: latencies around 20 ms, now and then a failure; last, a spike."""
    draw = np.random.default_rng(7)
    slices = []
    for second in range(seconds + 1):
        ns = (draw.lognormal(3.0, 0.6, RATE) * 1e6).astype(np.int64)
        ns[0] = SPIKE_NS if second == seconds else ns[0]
        failed = {FailureClass.STATUS: int(second % 7 == 0), FailureClass.TIMEOUT: int(second % 31 == 0)}
        statuses = {200: RATE, 503: failed[FailureClass.STATUS], 0: failed[FailureClass.TIMEOUT]}
        keys, counts = np.unique(bucket_indices(ns), return_counts=True)
        slices.append(
            SliceCounts(
                second,
                ok=RATE,
                failures=failed,
                statuses={status: count for status, count in statuses.items() if count},
                unserved=sum(failed.values()),
                over=tuple(int((ns >= edge).sum()) for edge in thresholds),
                latencies=dict(zip(keys.tolist(), counts.tolist(), strict=True)),
                total_ns=int(ns.sum()),
                max_ns=int(ns.max()),
                bytes_received=512 * RATE,
            )
        )
    return columns_of(slices)


def recording(seconds: int, endpoints: int, thresholds: tuple[int, ...]) -> Recording:
    """Return a run of that many seconds; its endpoints are all the same."""
    part = drawn(min(DRAWN_S, seconds), thresholds)
    spike = len(part.seconds) - 1
    rows = np.arange(seconds) % spike
    rows[seconds // 2] = spike
    builder = RecordingBuilder(thresholds)
    for number in range(endpoints):
        for begin in range(0, seconds, DRAWN_S):
            chosen = rows_of(part, rows[begin : begin + DRAWN_S])
            later = replace(chosen, seconds=chosen.seconds + begin)
            builder.add_columns(Endpoint("GET", f"/things/{number}"), later)
    return builder.recording(0, seconds).added_up()


def _step(found: dict[str, float], name: str, act: Callable[[], Any]) -> Any:
    """Call a function, and note its CPU seconds and the peak memory after it; returns its result."""
    begun = time.process_time()
    result = act()
    found[name] = time.process_time() - begun
    found[f"{name}_mb"] = _peak_mb()
    return result


def measure(seconds: int, endpoints: int) -> dict[str, float]:
    """Return the CPU seconds of each step, and the peak memory after each, MB."""
    graded_by = parse_spec(SPEC.encode(), "slo.yaml", environment={})
    thresholds = thresholds_ns(graded_by)
    run = make_evidence(recording(seconds, endpoints, thresholds))
    found: dict[str, float] = {}
    step = partial(_step, found)
    _live(run, step)
    found["live"] /= LIVE_S
    with tempfile.TemporaryDirectory() as folder:
        with Archive(Path(folder)).create(datetime(2026, 1, 2, tzinfo=UTC)) as archived:
            step("write", lambda: archived.save_evidence(run, SPEC))
        found["archive_mb"] = sum(path.stat().st_size for path in archived.path.iterdir()) / 1e6
        return found | _asked("--folder", str(archived.path))


def graded_again(folder: Path) -> dict[str, float]:
    """Return the cost of reading, grading and reporting a run: CPU seconds, and the peak memory."""
    graded_by = parse_spec(SPEC.encode(), "slo.yaml", environment={})
    found: dict[str, float] = {}
    step = partial(_step, found)
    run = step("read", lambda: load_evidence(folder))
    step("grade", lambda: assess(graded_by, run))
    report = graded(graded_by, [_fresh(run)], [Path("reports/run")], secrets=())
    texts = step("reports", lambda: {name: each.render(report) for name, each in RUN_FILES.items()})
    return found | {"html_kb": len(texts["html"].encode()) / 1e3}


def _asked(*flags: str) -> dict[str, float]:
    """Return what this program measures in another process."""
    command = [sys.executable, "-m", "tests.benchmarks.growth", *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _fresh(run: Evidence) -> Evidence:
    """Return the run without cached sums."""
    return replace(run, recording=replace(run.recording))


def _live(run: Evidence, step: Callable[[str, Callable[[], Any]], Any]) -> None:
    """Measure more seconds of a run: the incoming reports, and what the view shows, without a grade."""
    second = run.recording.window.stop
    builder = RecordingBuilder(run.recording.thresholds_ns)
    for item in run.recording.endpoints:
        builder.add_columns(item.endpoint, item.columns)
    last = [(item.endpoint, _last(item)) for item in run.recording.endpoints]

    def more() -> None:
        for at in range(second, second + LIVE_S):
            counts = ((endpoint, replace(part, second=at)) for endpoint, part in last)
            builder.add_delta(Delta.of(counts))
            recent(builder.recording(0, at + 1), at + 1)

    step("live", more)


def _last(item: EndpointRecording) -> SliceCounts:
    rows = np.array([len(item.columns.seconds) - 1])
    (found,) = EndpointRecording(item.endpoint, rows_of(item.columns, rows)).slices
    return found


def _peak_mb() -> float:
    """Return the largest resident memory of this process; what `getrusage` reports may be its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024


def main() -> None:
    """Print the table, or one row of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--day", action="store_true", help="also a run of 24 hours: some minutes, and 10 GB")
    parser.add_argument("--row", nargs=2, type=int, metavar=("SECONDS", "ENDPOINTS"), help="one row, as JSON")
    parser.add_argument("--folder", type=Path, help="an archived run to grade, as JSON")
    options = parser.parse_args()
    if options.folder:
        print(json.dumps(graded_again(options.folder)))  # noqa: T201 - as above
        return
    if options.row:
        print(json.dumps(measure(*options.row)))  # noqa: T201 - its output
        return
    print("CPU in seconds; peak memory in MB once the run is read and graded, and once it is reported")  # noqa: T201 - as above
    heads = (
        "grade",
        "live second",
        "reports",
        "write",
        "read",
        "MB graded",
        "MB in all",
        "MB archived",
        "kB of HTML",
    )
    print(f"{'run':>7} {'endpoints':>9}", *(f"{head:>11}" for head in heads))  # noqa: T201 - as above
    for name, seconds in LENGTHS.items():
        if seconds > LENGTHS["1 h"] and not options.day:
            continue
        for endpoints in ENDPOINTS:
            row = _asked("--row", str(seconds), str(endpoints))
            sizes = (row["grade_mb"], row["reports_mb"], row["archive_mb"], row["html_kb"])
            cells = [f"{row[step]:>11.3f}" for step in STEPS] + [f"{each:>11.1f}" for each in sizes]
            print(f"{name:>7} {endpoints:>9}", *cells, flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main()
