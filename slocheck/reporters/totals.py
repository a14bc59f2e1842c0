"""What several reports need and no contract holds: who stands where before the gate, and sums of counts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from slocheck.evidence.histogram import merge, quantile_bounds
from slocheck.evidence.recording import ErrorExample, FailureClass, Recording, SliceCounts
from slocheck.grading.assessment import Assessment, LevelResult, ObjectiveResult, Verdict
from slocheck.grading.report import Report
from slocheck.spec.model import Endpoint, Spec

PERCENTILES = (Fraction(1, 2), Fraction(19, 20), Fraction(99, 100))
CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class ObjectiveStatus:
    """Where one objective stands before the gate.

    Attributes:
        result: The objective's result.
        verdict: The worst of the levels that the gate needs; None where it needs none of them.
        level: The level that shows it best: of the worst verdict, the strictest tier.
    """

    result: ObjectiveResult
    verdict: Verdict | None
    level: LevelResult


def objective_statuses(_spec: Spec, assessment: Assessment) -> tuple[ObjectiveStatus, ...]:
    """Return every objective's standing, in the spec's order."""
    return tuple(ObjectiveStatus(result, result.verdict, result.shown) for result in assessment.objectives)


def frequent_failures(recording: Recording) -> list[ErrorExample]:
    """Return the messages of failed requests, most frequent first; the warm-up's are among them."""
    return sorted(recording.errors, key=lambda item: (-item.count, str(item.endpoint), item.message))


@dataclass(frozen=True, slots=True)
class Sums:
    """What an endpoint's slices of the window add up to.

    Attributes:
        endpoint: Which one; None for all together.
        ok: Requests that did not fail.
        failures: Failed ones by class.
        statuses: Requests by status code; 0: no response.
        quantiles: p50, p95 and p99 of the ok requests in nanoseconds, as (low, high); empty without any.
        mean_ns: Mean latency of the ok requests; None without any.
        max_ns: Largest latency of the ok requests.
        cache_hits: Hits told by response headers.
        cache_misses: Misses told by response headers.
        bytes_received: Body bytes.
    """

    endpoint: Endpoint | None
    ok: int
    failures: Mapping[FailureClass, int]
    statuses: Mapping[int, int]
    quantiles: tuple[tuple[int, int], ...]
    mean_ns: float | None
    max_ns: int
    cache_hits: int
    cache_misses: int
    bytes_received: int

    @property
    def failed(self) -> int:
        """Failed requests of all classes."""
        return sum(self.failures.values())

    @property
    def sent(self) -> int:
        """Requests attempted."""
        return self.ok + self.failed


def endpoint_sums(recording: Recording) -> tuple[Sums, ...]:
    """Return the window's sums of each endpoint, in the recording's order."""
    return tuple(
        sums(item.endpoint, list(recording.window_slices(item.endpoint))) for item in recording.endpoints
    )


def window_sums(recording: Recording) -> Sums:
    """Return the window's sums of all endpoints together."""
    return sums(None, list(recording.window_slices()))


def sums(endpoint: Endpoint | None, slices: list[SliceCounts]) -> Sums:
    """Add up slices."""
    failures: Counter[FailureClass] = Counter()
    statuses: Counter[int] = Counter()
    for part in slices:
        failures.update(part.failures)
        statuses.update(part.statuses)
    ok = sum(part.ok for part in slices)
    histogram = merge(part.latencies for part in slices)
    return Sums(
        endpoint=endpoint,
        ok=ok,
        failures=dict(sorted(failures.items())),
        statuses=dict(sorted(statuses.items())),
        quantiles=tuple(quantile_bounds(histogram, q) for q in PERCENTILES) if histogram else (),
        mean_ns=sum(part.total_ns for part in slices) / ok if ok else None,
        max_ns=max((part.max_ns for part in slices), default=0),
        cache_hits=sum(part.cache_hits for part in slices),
        cache_misses=sum(part.cache_misses for part in slices),
        bytes_received=sum(part.bytes_received for part in slices),
    )


def again(report: Report) -> str:
    """Return the command that makes the same run again, its seed named."""
    provenance = report.evidence.provenance
    if provenance.seed is None or "--seed" in provenance.command or "slocheck run" not in provenance.command:
        return provenance.command
    return f"{provenance.command} --seed {provenance.seed}"
