"""What several reports need: totals of the window, the most frequent failures, the command to run again."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from slocheck.evidence.histogram import quantile_bounds
from slocheck.evidence.recording import FAILURES, ErrorExample, FailureClass, Recording, RequestCounts
from slocheck.evidence.scope import Scope
from slocheck.grading.assessment import Side, SideResult
from slocheck.grading.report import Report
from slocheck.spec.model import Endpoint, FailureRule, Objective

_SUCCESS = 2
PERCENTILES = (Fraction(1, 2), Fraction(19, 20), Fraction(99, 100))


def frequent_failures(recording: Recording) -> list[ErrorExample]:
    """Return the messages of failed requests, most frequent first; those of the warm-up are included."""
    return sorted(recording.errors, key=lambda item: (-item.count, str(item.endpoint), item.message))


def statuses_text(statuses: Mapping[int, int]) -> str:
    """Return how often each status came, most frequent first; 0 stands for no response."""
    counted = sorted(statuses.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} x {status or 'no response'}" for status, count in counted if count)


def unusual_statuses(recording: Recording) -> str:
    """Return the window's responses by status; empty if all of them were 2xx."""
    statuses = window_totals(recording).statuses
    return "" if all(status // 100 == _SUCCESS for status in statuses) else statuses_text(statuses)


@dataclass(frozen=True, slots=True)
class Totals(RequestCounts):
    """Totals of an endpoint's slices.

    Attributes:
        endpoint: None: all endpoints together.
        ok: Requests that neither failed nor had an unexpected response.
        failures: Failed ones by class, and those with an unexpected response.
        statuses: Requests by status code; 0: no response.
        quantiles: `PERCENTILES` of the ok requests in ns, see `percentiles`; empty if there are none.
        max_ns: Largest latency of the ok requests.
        cache_hits: Cache hits, by response header.
        cache_misses: Cache misses, by response header.
        bytes_received: Body bytes.
    """

    endpoint: Endpoint | None
    ok: int
    failures: Mapping[FailureClass, int]
    statuses: Mapping[int, int]
    quantiles: tuple[float, ...]
    max_ns: int
    cache_hits: int
    cache_misses: int
    bytes_received: int


def endpoint_totals(recording: Recording) -> tuple[Totals, ...]:
    """Return the window's totals of each endpoint, in the recording's order."""
    return tuple(totals_of(recording, item.endpoint) for item in recording.endpoints)


def window_totals(recording: Recording) -> Totals:
    """Return the window's totals of all endpoints together."""
    return totals_of(recording, None)


def totals_of(recording: Recording, endpoint: Endpoint | None) -> Totals:
    """Return the window's totals of one endpoint, or of all of them together."""
    return add_up(endpoint, recording.scope(endpoint))


def may_have_failed(report: Report, objective: Objective, side: SideResult) -> bool:
    """Tell whether failed requests may be among a side's bad ones; of the server's it is not known."""
    counted = totals_of(report.evidence.recording, objective.endpoint)
    return side.side is Side.SERVER or counted.failed + counted.unexpected > 0


def failed_text(counted: Totals, rule: FailureRule) -> str:
    """Say how often requests failed, and how: by status code, else by class: ``503 135, timeout 14``.

    A response that the scenario refuses for its status is named by that if the counts leave no other
    meaning: every response of such a status was refused, or nothing succeeded.

    Args:
        counted: What was counted.
        rule: Which statuses are failures.
    """
    named = {status: count for status, count in counted.statuses.items() if rule.fails(status)}
    refused = counted.failures.get(FailureClass.EXPECTATION, 0)
    refused -= max(0, sum(named.values()) - counted.failures.get(FailureClass.STATUS, 0))
    others = _other_statuses(counted, rule)
    if sum(others.values()) == refused or (not counted.ok and sum(others.values()) < refused):
        named |= others
        refused -= sum(others.values())
    found = {str(status): count for status, count in named.items()}
    found[FailureClass.EXPECTATION.value] = max(0, refused)
    unnamed = (FailureClass.STATUS, FailureClass.UNEXPECTED, FailureClass.EXPECTATION)
    found |= {kind.value: count for kind, count in counted.failures.items() if kind not in unnamed}
    most = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {count:,}" for name, count in most if count)


def _other_statuses(counted: Totals, rule: FailureRule) -> dict[int, int]:
    """Return the statuses that only a written expectation refuses; none if some were just unexpected."""
    if counted.unexpected:
        return {}
    return {
        status: count
        for status, count in counted.statuses.items()
        if status and status // 100 != _SUCCESS and not rule.fails(status)
    }


def beyond_window(recording: Recording) -> str:
    """Say that the counts of `frequent_failures` are of more than the window; empty if they are not."""
    failed = Counter({kind: count for kind, count in recording.failures().items() if count})
    return " (whole load)" if failed != Counter(window_totals(recording).failures) else ""


def add_up(endpoint: Endpoint | None, scope: Scope) -> Totals:
    """Add up what was sent in the seconds of a scope."""
    total = scope.total
    failures = zip(FAILURES, total.failures[0].tolist(), strict=True)
    return Totals(
        endpoint=endpoint,
        ok=int(total.ok[0]),
        failures=dict(sorted((failure, count) for failure, count in failures if count)),
        statuses=dict(sorted(scope.statuses.items())),
        quantiles=percentiles(scope.latencies, int(total.max_ns[0])),
        max_ns=int(total.max_ns[0]),
        cache_hits=int(total.cache_hits[0]),
        cache_misses=int(total.cache_misses[0]),
        bytes_received=int(total.bytes_received[0]),
    )


def percentiles(histogram: Mapping[int, int], largest: int) -> tuple[float, ...]:
    """Return `PERCENTILES` of a histogram in ns: the middle of the bucket, which ends at the largest latency.

    The middle is what an objective's value shows, too, so that all reports name the same number.
    """
    bounds = [quantile_bounds(histogram, q) for q in PERCENTILES] if histogram else []
    return tuple((low + min(high, max(low, largest))) / 2 for low, high in bounds)


def rerun_command(report: Report) -> str:
    """Return the command that repeats this run, with its seed."""
    provenance = report.evidence.provenance
    if provenance.seed is None or "--seed" in provenance.command or "slocheck run" not in provenance.command:
        return provenance.command
    return f"{provenance.command} --seed {provenance.seed}"
