"""The client's counts as CSV (RFC 4180): a row for each second and endpoint, warm-up and drain included."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.recording import BEFORE_LOAD, Recording, SliceCounts
from slocheck.grading.report import Report
from slocheck.reporters.escape import for_csv
from slocheck.reporters.totals import percentiles

COLUMNS = (
    *("time", "second", "phase", "endpoint", "requests", "failed", "unexpected"),
    *("p50_s", "p95_s", "p99_s", "max_s", "bytes", "cache_hits", "cache_misses"),
)
NO_RESPONSE = 0


def render(report: Report) -> str:
    """Return the table: `COLUMNS`, then a column for each status code that occurred."""
    recording = report.evidence.recording
    statuses = sorted({status for part in recording.parts() for status in part.statuses.total()})
    started = datetime.fromisoformat(report.evidence.provenance.started)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([*COLUMNS, *map(_column, statuses)])
    for item in recording.endpoints:
        name = for_csv(str(item.endpoint))
        for part in item.slices:
            counts = [part.statuses.get(status, 0) for status in statuses]
            rows.writerow([*_when(part.second, recording, started), name, *_numbers(part), *counts])
    return text.getvalue()


def _column(status: int) -> str:
    return "no_response" if status == NO_RESPONSE else f"status_{status}"


def _when(second: int, recording: Recording, started: datetime) -> tuple[str, int, str]:
    """Return the time of a slice in UTC, its second since the load began, and its phase of the run."""
    if second == BEFORE_LOAD:
        return "", second, "before"
    window = recording.window
    phase = "warm-up" if second < window.start else "window" if second in window else "drain"
    return f"{started + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}", second, phase


def _numbers(part: SliceCounts) -> Iterator[object]:
    """Yield the counts of a slice, and the latencies of its successful requests in seconds."""
    yield from (part.sent, part.failed, part.unexpected)
    quantiles = [ns / NS_PER_SECOND for ns in percentiles(part.latencies, part.max_ns)]
    yield from quantiles or ("", "", "")
    yield part.max_ns / NS_PER_SECOND if part.ok else ""
    yield from (part.bytes_received, part.cache_hits, part.cache_misses)
