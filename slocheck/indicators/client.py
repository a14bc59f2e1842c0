"""The client side's samples: what the recording says of an objective, exactly where it was counted."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from fractions import Fraction
from math import inf

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import count_at_or_over, merge, quantile_bounds
from slocheck.evidence.merge import add_slices
from slocheck.evidence.recording import FailureClass, Recording, SliceCounts
from slocheck.indicators.samples import Display, NoData, Rate, Share, Slices
from slocheck.plan.load_plan import is_reference
from slocheck.spec.model import CacheRule, Endpoint, IndicatorKind, Limit, Objective, Spec

Seconds = Sequence[SliceCounts]
"""The window, second by second; one entry each, empty where nothing was sent."""


def client_sample(
    objective: Objective, limit: Limit, *, spec: Spec, recording: Recording, instances: Fraction | NoData
) -> Share | Rate | NoData:
    """Return what the client saw of an objective in the window.

    `instances` is how many served the load, for the rate per instance alone.
    """
    seconds = window_seconds(recording, objective.endpoint)
    if not any(part.sent for part in seconds):
        return NoData(_nothing_sent(recording, objective.endpoint))
    if not any(_sent(part) for part in seconds):
        return NoData("every request failed in the load generator itself; none reached the target")
    match objective.indicator.kind:
        case IndicatorKind.LATENCY:
            return _latency(seconds, limit, recording.thresholds_ns, objective.indicator.quantile)
        case IndicatorKind.ERROR_RATE:
            return _share(seconds, _failed, lambda share: share)
        case IndicatorKind.AVAILABILITY:
            return _share(seconds, _unserved, lambda share: 1 - share)
        case IndicatorKind.CACHE_HIT_RATE:
            return _cache(seconds, spec.cache)
        case IndicatorKind.RPS_PER_INSTANCE:
            return instances if isinstance(instances, NoData) else _rate(seconds, instances)
        case IndicatorKind.PROMQL:
            return NoData("a PromQL objective has no client side")


def window_seconds(recording: Recording, endpoint: Endpoint | None) -> Seconds:
    """Return the window's seconds in order, the endpoints added up; None means all of them."""
    window = recording.window
    parts: list[list[SliceCounts]] = [[] for _ in window]
    for part in recording.window_slices(endpoint):
        parts[part.second - window.start].append(part)
    return [_added(group) for group in parts]


def mean_latencies(recording: Recording) -> tuple[float | None, ...]:
    """Return the mean latency of each second of the window, in ns, all endpoints and successes together.

    None stands for a second in which no request succeeded.
    """
    window = recording.window
    totals, counts = [0] * len(window), [0] * len(window)
    for part in recording.window_slices():
        totals[part.second - window.start] += part.total_ns
        counts[part.second - window.start] += part.ok
    return tuple(total / count if count else None for total, count in zip(totals, counts, strict=True))


def _added(parts: Sequence[SliceCounts]) -> SliceCounts:
    """Add up the slices of one second."""
    if len(parts) == 1:
        return parts[0]
    total = SliceCounts(second=parts[0].second if parts else 0)
    for part in parts:
        total = add_slices(total, part)
    return total


def _nothing_sent(recording: Recording, endpoint: Endpoint | None) -> str:
    """Say why there is no request, and what was recorded instead."""
    names = [str(item.endpoint) for item in recording.endpoints]
    if endpoint is None or str(endpoint) in names:
        return "no request was sent in the window"
    close = get_close_matches(str(endpoint), names, n=1, cutoff=0.4)
    meant = f"; did you mean '{close[0]}'?" if close else ""
    return f"no request was named '{endpoint}'{meant}"


def _generator_failures(part: SliceCounts) -> int:
    """Requests that failed on this machine: they are no word on the target."""
    return part.failures.get(FailureClass.GENERATOR, 0)


def _sent(part: SliceCounts) -> int:
    return part.sent - _generator_failures(part)


def _failed(part: SliceCounts) -> int:
    return part.failed - _generator_failures(part)


def _unserved(part: SliceCounts) -> int:
    return part.unserved - _generator_failures(part)


def _share(
    seconds: Seconds, bad: Callable[[SliceCounts], int], shown: Callable[[Fraction], Fraction]
) -> Share:
    """Make a share of exactly counted bad requests; `shown` maps it to what people call it."""
    n = tuple(_sent(part) for part in seconds)
    counts = tuple(bad(part) for part in seconds)
    share = Fraction(sum(counts), sum(n))
    value = float(shown(share))
    return Share(sum(n), share, share, Display(value, value), Slices(n, counts))


def _cache(seconds: Seconds, rule: CacheRule) -> Share | NoData:
    n = tuple(part.cache_hits + part.cache_misses for part in seconds)
    if sum(n) == 0:
        return NoData(f"no response told a cache hit or miss by {', '.join(rule.headers)}")
    misses = tuple(part.cache_misses for part in seconds)
    share = Fraction(sum(misses), sum(n))
    hit_rate = float(1 - share)
    return Share(sum(n), share, share, Display(hit_rate, hit_rate), Slices(n, misses))


def _rate(seconds: Seconds, instances: Fraction) -> Rate:
    """Successes per second and instance; what was attempted is what was offered."""
    length = len(seconds)
    rate = Fraction(sum(part.ok for part in seconds), length) / instances
    offered = Fraction(sum(_sent(part) for part in seconds), length) / instances
    return Rate(rate, rate, offered, tuple(float(part.ok / instances) for part in seconds))


def _latency(seconds: Seconds, limit: Limit, thresholds: tuple[int, ...], quantile: Fraction | None) -> Share:
    """Requests at or over the limit; a failed request is as slow as can be."""
    first_bad = limit.first_bad_ns
    n = tuple(_sent(part) for part in seconds)
    surely, possibly = _slow(seconds, first_bad, thresholds)
    notes = (
        () if surely == possibly else (f"{limit.text} was not counted while running; read off the histogram",)
    )
    edges = tuple(
        tuple(_over(part, index) + _failed(part) for part in seconds)
        for index, threshold in enumerate(thresholds)
        if is_reference(threshold, first_bad)
    )
    total = sum(n)
    return Share(
        total,
        Fraction(sum(surely), total),
        Fraction(sum(possibly), total),
        _percentile(seconds, quantile or Fraction(1), total),
        Slices(n, surely, possibly if possibly != surely else None, edges),
        notes,
    )


def _over(part: SliceCounts, index: int) -> int:
    return part.over[index] if index < len(part.over) else 0


def _slow(
    seconds: Seconds, first_bad: int, thresholds: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return, per second, how many requests are surely and possibly too slow or failed."""
    if first_bad in thresholds:
        index = thresholds.index(first_bad)
        exact = tuple(_over(part, index) + _failed(part) for part in seconds)
        return exact, exact
    bounds = [count_at_or_over(part.latencies, first_bad) for part in seconds]
    return (
        tuple(low + _failed(part) for (low, _), part in zip(bounds, seconds, strict=True)),
        tuple(high + _failed(part) for (_, high), part in zip(bounds, seconds, strict=True)),
    )


def _percentile(seconds: Seconds, quantile: Fraction, total: int) -> Display:
    """Return the percentile of all requests, failed ones ranked as infinitely slow, in seconds."""
    histogram = merge(part.latencies for part in seconds)
    served = sum(histogram.values())
    rank = -(-quantile * total // 1)
    if rank > served or served == 0:
        return Display(inf, inf)
    low, high = quantile_bounds(histogram, Fraction(rank, served))
    return Display(low / NS_PER_SECOND, high / NS_PER_SECOND)
