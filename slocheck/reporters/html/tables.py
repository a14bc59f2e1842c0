"""The report's tables: endpoints, errors, provenance."""

from dataclasses import dataclass
from itertools import groupby

from slocheck.evidence.model import Provenance
from slocheck.evidence.recording import ErrorExample, Recording
from slocheck.grading.report import Report
from slocheck.reporters import totals
from slocheck.reporters.text import bytes_text, confidence_text, latency_text, ratio_text, seconds_text
from slocheck.reporters.totals import Totals

MAX_ENDPOINTS = 200
EXAMPLES_PER_CLASS = 5


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text, and the number to sort by."""

    text: str
    key: float


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One endpoint over the window."""

    name: str
    cells: tuple[Cell, ...]


def endpoints(recording: Recording) -> tuple[EndpointRow, ...]:
    """Return a row for all endpoints together, then the endpoints, busiest first."""
    rows = sorted(totals.endpoint_totals(recording), key=lambda item: -item.sent)[:MAX_ENDPOINTS]
    return tuple(_endpoint(item, recording.window_s) for item in (totals.window_totals(recording), *rows))


def _endpoint(item: Totals, window_s: int) -> EndpointRow:
    rate = item.sent / window_s if window_s else 0.0
    quantiles = [float(high) for _, high in item.quantiles] or [-1.0] * len(totals.PERCENTILES)
    latencies = [*quantiles, float(item.max_ns) if item.ok else -1.0]
    return EndpointRow(
        str(item.endpoint) if item.endpoint else "all requests",
        (
            Cell(f"{item.sent:,}", item.sent),
            Cell(f"{rate:,.1f}", rate),
            Cell(_failed(item), item.failed / item.sent if item.sent else 0),
            Cell(totals.statuses_text(item.statuses), item.unexpected),
            *(Cell(latency_text(ns if ns >= 0 else None), ns) for ns in latencies),
            Cell(bytes_text(item.bytes_received), item.bytes_received),
        ),
    )


def _failed(item: Totals) -> str:
    return f"{item.failed:,} ({ratio_text(item.failed, item.sent)})" if item.failed else "0"


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """One class of failures: how many in the window, and its most frequent messages."""

    failure: str
    count: int
    examples: tuple[ErrorExample, ...]


def errors(recording: Recording) -> tuple[ErrorGroup, ...]:
    """Return the failures by class, most frequent first, with the top messages of each."""
    counts = totals.window_totals(recording).failures
    ordered = sorted(recording.errors, key=lambda item: (item.failure, -item.count))
    examples = {failure: tuple(group) for failure, group in groupby(ordered, key=lambda item: item.failure)}
    classes = sorted({*counts, *examples}, key=lambda failure: -counts.get(failure, 0))
    return tuple(
        ErrorGroup(str(failure), counts.get(failure, 0), examples.get(failure, ())[:EXAMPLES_PER_CLASS])
        for failure in classes
    )


def _commit(where: Provenance) -> str:
    """Name the commit, or say why there is none."""
    if where.git_error:
        return f"unknown: {where.git_error}"
    if not where.git_sha:
        return "not in a git repository"
    return where.git_sha + (", with uncommitted changes" if where.git_dirty else "")


def provenance(report: Report) -> tuple[tuple[str, str], ...]:
    """Return where the numbers come from, as pairs of name and text."""
    evidence = report.evidence
    where = evidence.provenance
    versions = ", ".join(f"{name} {version}" for name, version in sorted(where.versions.items()))
    rows = (
        ("run", where.run_id),
        ("folder", report.folder),
        ("command", where.command),
        ("started", where.started),
        (
            "ended",
            f"{where.ended}, {evidence.ending.value.replace('_', ' ')}"
            + (f" by {evidence.signal}" * bool(evidence.signal)),
        ),
        ("target", where.target),
        ("certificates", f"not verified, by {', '.join(where.insecure)}" if where.insecure else ""),
        ("spec", f"{where.spec_path}, sha256 {where.spec_sha256}"),
        ("scenario", f"{where.scenario}, sha256 {where.scenario_sha256}"),
        ("changed by flags", _overrides(report)),
        ("commit", _commit(where)),
        ("seed", "none" if where.seed is None else str(where.seed)),
        ("confidence", confidence_text(report.assessment.confidence)),
        ("metric source", _server(report)),
        ("load generator", f"{where.host}, {where.cores} cores"),
        ("versions", f"slocheck {where.slocheck}, {versions}"),
    )
    return tuple((name, text) for name, text in rows if text)


def _overrides(report: Report) -> str:
    overrides = report.evidence.overrides
    values = {name: getattr(overrides, name) for name in overrides.__slots__}
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)


def _server(report: Report) -> str:
    server = report.evidence.server
    if server is None:
        return report.evidence.server_error or "none configured: measured by the client only"
    every = seconds_text(server.scrape_interval)
    mapping = server.mapping or f"preset {server.preset.name}"
    return f"{server.kind}, {mapping}, one sample every {every}, {len(server.series)} series"
