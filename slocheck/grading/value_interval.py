"""The interval of an observed value in the value's own unit, for charts; verdicts never come from it."""

import math
from collections.abc import Mapping
from fractions import Fraction

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import quantile_bounds
from slocheck.evidence.recording import FailureClass, Recording
from slocheck.grading.assessment import ObjectiveResult, Side, SideResult, Verdict
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Confidence
from slocheck.statistics.special import normal_quantile

Interval = tuple[float, float]


def value_interval(
    result: ObjectiveResult, side: SideResult, recording: Recording, confidence: Confidence | None
) -> Interval | None:
    """Return where a side's true value lies, in base units; None if the statistics do not say.

    For a share or a rate these are the bounds that were graded. A percentile was graded as a share of slow
    requests: its interval is that of the order statistic (David and Nagaraja, Order Statistics, 3rd edition,
    section 7.1) for the effective sample size, moved so that it does not contradict the verdict on any limit.
    """
    bounds = side.bounds
    if bounds is None or confidence is None or not math.isfinite(bounds.low + bounds.high):
        return None
    traits = traits_of(result.objective.indicator.kind)
    if not traits.is_percentile:
        return (1 - bounds.high, 1 - bounds.low) if traits.good_share else (bounds.low, bounds.high)
    size = bounds.effective_sample_size
    if side.side is not Side.CLIENT or not size or side.display is None:
        return None
    found = _percentile_interval(result, recording, size, float(confidence.level))
    return None if found is None else _kept_to_verdicts(result, side, found)


def _percentile_interval(
    result: ObjectiveResult, recording: Recording, size: float, level: float
) -> Interval | None:
    """Return the latencies at the ends of the interval of the rank, in seconds; failed requests rank last."""
    scope = recording.scope(result.objective.endpoint)
    histogram = scope.latencies
    failed = int((scope.total.failed - scope.total.of_class(FailureClass.GENERATOR))[0])
    if not histogram:
        return None
    q = float(result.objective.indicator.quantile or 0)
    reach = normal_quantile((1 + level) / 2) * math.sqrt(q * (1 - q) / size)
    low, high = (_latency_at(histogram, failed, share) for share in (q - reach, q + reach))
    return low, high


def _latency_at(histogram: Mapping[int, int], failed: int, share: float) -> float:
    """Return the latency that a share of all requests does not exceed, seconds."""
    served = sum(histogram.values())
    rank = math.ceil(min(1.0, max(0.0, share)) * (served + failed))
    if rank > served:
        return math.inf
    return sum(quantile_bounds(histogram, Fraction(max(1, rank), served))) / 2 / NS_PER_SECOND


def _kept_to_verdicts(result: ObjectiveResult, side: SideResult, found: Interval) -> Interval:
    low, high = found
    for level in result.levels:
        same = next((one for one in level.sides if one.side is side.side), None)
        limit = float(level.limit.value)
        if same is None:
            continue
        if same.verdict is Verdict.MET:
            high = min(high, limit)
        elif same.verdict is Verdict.BREACHED:
            low = max(low, limit)
        elif same.cause is not None:
            low, high = min(low, limit), max(high, limit)
    return min(low, high), max(low, high)
