"""The report's tables: endpoints, errors, slowest requests, provenance."""

import shlex
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from slocheck.documents.units import format_duration
from slocheck.documents.words import quantity
from slocheck.evidence.model import Provenance
from slocheck.evidence.recording import ErrorExample, Recording
from slocheck.evidence.scope import Scope
from slocheck.grading.assessment import Verdict
from slocheck.grading.report import Report
from slocheck.reporters import totals
from slocheck.reporters.text import bytes_text, confidence_text, latency_text, ratio_text, seconds_text
from slocheck.reporters.totals import Totals
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Endpoint

MAX_ENDPOINTS = 200
EXAMPLES_PER_CLASS = 5
MAX_SLOWEST = 20
_TENS = 10.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell's text, and the number to sort by."""

    text: str
    key: float


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One endpoint over the window.

    Attributes:
        name: Of the endpoint.
        cells: Its numbers, in the order of `ENDPOINT_COLUMNS`.
        verdicts: Of the objectives that name it.
    """

    name: str
    cells: tuple[Cell, ...]
    verdicts: tuple[tuple[Verdict, str], ...] = ()


ENDPOINT_COLUMNS = (
    *("requests", "per second", "share", "failed", "statuses"),
    *("p50", "p95", "p99", "max", "received"),
)


def endpoints(report: Report) -> tuple[EndpointRow, ...]:
    """Return a row for all requests, then the endpoints, busiest first; the rows add up to the first one."""
    recording = report.evidence.recording
    busiest = sorted(totals.endpoint_totals(recording), key=lambda item: -item.sent)
    shown, rest = busiest[:MAX_ENDPOINTS], busiest[MAX_ENDPOINTS:]
    whole = totals.window_totals(recording)
    rows = [_endpoint("all requests", whole, whole, recording.window_s, _verdicts(report, None))]
    rows += [
        _endpoint(str(item.endpoint), item, whole, recording.window_s, _verdicts(report, item.endpoint))
        for item in shown
    ]
    if rest:
        names = {item.endpoint for item in rest}
        parts = [item.columns for item in recording.endpoints if item.endpoint in names]
        summed = totals.add_up(None, Scope(parts, recording.window))
        rows.append(_endpoint(quantity(len(rest), "further endpoint"), summed, whole, recording.window_s))
    return tuple(rows)


def _verdicts(report: Report, endpoint: Endpoint | None) -> tuple[tuple[Verdict, str], ...]:
    return tuple(
        (result.shown.verdict, result.objective.name)
        for result in report.assessment.objectives
        if result.objective.endpoint == endpoint and not traits_of(result.objective.indicator.kind).is_query
    )


def _endpoint(
    name: str,
    item: Totals,
    whole: Totals,
    window_s: int,
    verdicts: tuple[tuple[Verdict, str], ...] = (),
) -> EndpointRow:
    rate = item.sent / window_s if window_s else 0.0
    quantiles = list(item.quantiles) or [-1.0] * len(totals.PERCENTILES)
    latencies = [*quantiles, float(item.max_ns) if item.ok else -1.0]
    cells = (
        Cell(f"{item.sent:,}", item.sent),
        Cell(f"{rate:,.1f}" if rate >= _TENS else f"{rate:.3g}", rate),
        Cell(ratio_text(item.sent, whole.sent), item.sent),
        Cell(_failed(item), item.failed / item.sent if item.sent else 0),
        Cell(_statuses(item), item.unexpected),
        *(Cell(latency_text(ns if ns >= 0 else None), ns) for ns in latencies),
        Cell(bytes_text(item.bytes_received), item.bytes_received),
    )
    return EndpointRow(name, cells, verdicts)


def _failed(item: Totals) -> str:
    return f"{item.failed:,} ({ratio_text(item.failed, item.sent)})" if item.failed else "0"


def _statuses(item: Totals) -> str:
    """Return how often each status occurred; with the requests of unknown status, these are all."""
    unknown = item.sent - sum(item.statuses.values())
    known = totals.statuses_text(item.statuses)
    return ", ".join(filter(None, (known, f"{unknown:,} x unknown" if unknown > 0 else "")))


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """One class of failures.

    Attributes:
        failure: The class.
        count: Number in the window.
        whole: Number in the whole load, warm-up included, from which the examples are taken.
        examples: Its most frequent messages.
        messages: How many different messages there are.
    """

    failure: str
    count: int
    whole: int
    examples: tuple[ErrorExample, ...]
    messages: int

    @property
    def shown(self) -> str:
        """Which part of the messages is listed, in words."""
        if not self.messages:
            return "no message was recorded"
        listed = (
            "all messages shown"
            if len(self.examples) == self.messages
            else f"{len(self.examples)} of {self.messages} messages shown"
        )
        return f"{listed}; counts are of the whole load, warm-up included: {self.whole:,}"


def errors(recording: Recording) -> tuple[ErrorGroup, ...]:
    """Return the failures by class, most frequent first, with the top messages of each."""
    counts = totals.window_totals(recording).failures
    whole = recording.failures()
    ordered = sorted(recording.errors, key=lambda item: (item.failure, -item.count))
    examples = {failure: tuple(group) for failure, group in groupby(ordered, key=lambda item: item.failure)}
    classes = sorted({*counts, *whole, *examples}, key=lambda failure: -counts.get(failure, 0))
    return tuple(
        ErrorGroup(
            str(failure),
            counts.get(failure, 0),
            max(whole.get(failure, 0), sum(item.count for item in examples.get(failure, ()))),
            examples.get(failure, ())[:EXAMPLES_PER_CLASS],
            len(examples.get(failure, ())),
        )
        for failure in classes
    )


@dataclass(frozen=True, slots=True)
class SlowRow:
    """One of the slowest responses: what was requested, when, how long it took, and the outcome."""

    endpoint: str
    latency: str
    second: int
    status: str
    result: str


def slowest(recording: Recording) -> tuple[SlowRow, ...]:
    """Return the slowest responses of the window, slowest first."""
    found = [one for one in recording.slowest if one.second in recording.window]
    return tuple(
        SlowRow(
            str(one.endpoint),
            latency_text(one.latency_ns),
            one.second,
            str(one.status) if one.status else "unknown",
            f"failed: {one.failure}" if one.failure else "success",
        )
        for one in sorted(found, key=lambda one: -one.latency_ns)[:MAX_SLOWEST]
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
    known = {name: value for name, value in values.items() if value not in (None, ())}
    return ", ".join(f"{name} {_override(name, value)}" for name, value in known.items())


def _override(name: str, value: object) -> str:
    """Write an overridden value as its option takes it."""
    match value:
        case tuple():
            return shlex.join(value)
        case float() if name == "rate":
            return f"{value:,.10g}/s"
        case float():
            return format_duration(Fraction(value))
        case _:
            return str(value)


def _server(report: Report) -> str:
    server = report.evidence.server
    if server is None:
        return report.evidence.server_error or "none configured: measured by the client only"
    every = seconds_text(server.scrape_interval)
    mapping = server.mapping or f"preset {server.preset.name}"
    return f"{server.kind}, {mapping}, one sample every {every}, {len(server.series)} series"
