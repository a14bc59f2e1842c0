"""The client side's samples: what the recording says of an objective, exactly where it was counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from math import inf

from slocheck.documents.units import NS_PER_SECOND
from slocheck.documents.words import quantity
from slocheck.evidence.histogram import count_at_or_over, merge, quantile_bounds
from slocheck.evidence.merge import add_slices
from slocheck.evidence.recording import FailureClass, Recording, SliceCounts
from slocheck.indicators.outages import requests_in_outages
from slocheck.indicators.samples import Display, NoData, Rate, Share, Slices, shortfall
from slocheck.indicators.server.client_counts import ClientCounts, client_counts
from slocheck.plan.load_plan import NEAR, is_reference
from slocheck.spec.model import Endpoint, IndicatorKind, Limit, Objective, Spec

Seconds = Sequence[SliceCounts]
"""The window, second by second; one entry each, empty where nothing was sent."""


class ClientSide:
    """One run's recording, its seconds added up once for all limits.

    Attributes:
        recording: As it was archived.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._seconds: dict[Endpoint | None, Seconds] = {}
        self._counts: dict[Endpoint | None, ClientCounts] = {}

    def seconds(self, endpoint: Endpoint | None) -> Seconds:
        """Return the window's seconds in order, the endpoints added up; None means all of them."""
        if endpoint not in self._seconds:
            self._seconds[endpoint] = window_seconds(self.recording, endpoint)
        return self._seconds[endpoint]

    def counts(self, endpoint: Endpoint | None) -> ClientCounts:
        """Return what the server's counts of an endpoint, or of all, are reconciled with."""
        if endpoint not in self._counts:
            self._counts[endpoint] = client_counts(self.recording, endpoint)
        return self._counts[endpoint]


@dataclass(frozen=True, slots=True)
class _ClientQuestion:
    """What one sample is about; `seconds` are those of the objective's endpoint."""

    objective: Objective
    limit: Limit
    spec: Spec
    seconds: Seconds
    thresholds_ns: tuple[int, ...]
    instances: Callable[[], Fraction | NoData]


def client_sample(
    objective: Objective,
    limit: Limit,
    *,
    spec: Spec,
    client: ClientSide,
    instances: Callable[[], Fraction | NoData],
) -> Share | Rate | NoData:
    """Return what the client saw of an objective in the window.

    `instances` tells how many served the load; only the rate per instance asks.
    """
    seconds = client.seconds(objective.endpoint)
    if not any(part.sent for part in seconds):
        return NoData(_nothing_sent(client.recording, objective.endpoint))
    if not any(_sent(part) for part in seconds):
        return NoData("every request failed in the load generator itself; none reached the target")
    sample = CLIENT_SAMPLES.get(objective.indicator.kind)
    if sample is None:
        return NoData("a PromQL objective has no client side")
    return sample(_ClientQuestion(objective, limit, spec, seconds, client.recording.thresholds_ns, instances))


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
    """Say why no request was found, and which recorded name may have been meant."""
    names = [str(item.endpoint) for item in recording.endpoints]
    if endpoint is None or str(endpoint) in names:
        return "no request was sent in the window"
    close = get_close_matches(str(endpoint), names, n=1, cutoff=0.4)
    meant = f"; did you mean '{close[0]}'?" if close else ""
    return f"no request was named '{endpoint}'{meant}"


def _generator_failures(part: SliceCounts) -> int:
    """Requests that failed on this machine: they say nothing about the target."""
    return part.failures.get(FailureClass.GENERATOR, 0)


def _sent(part: SliceCounts) -> int:
    return part.sent - _generator_failures(part)


def _failed(part: SliceCounts) -> int:
    return part.failed - _generator_failures(part)


def _unserved(part: SliceCounts) -> int:
    return part.unserved - _generator_failures(part)


def _errors(question: _ClientQuestion) -> Share:
    """Failures; an unexpected response is possibly one."""
    seconds = question.seconds
    n = tuple(_sent(part) for part in seconds)
    surely = tuple(_failed(part) for part in seconds)
    possibly = tuple(bad + part.unexpected for bad, part in zip(surely, seconds, strict=True))
    low, high = Fraction(sum(surely), sum(n)), Fraction(sum(possibly), sum(n))
    return Share(
        sum(n),
        low,
        high,
        Display(float(low), float(high)),
        Slices(n, surely, possibly if possibly != surely else None),
        _unexpected_notes(seconds),
        outage=requests_in_outages(n, [min(_failed(part), _unserved(part)) for part in seconds]),
    )


def _availability(question: _ClientQuestion) -> Share:
    """Requests that were not served; an unexpected response was."""
    seconds = question.seconds
    n = tuple(_sent(part) for part in seconds)
    counts = tuple(_unserved(part) for part in seconds)
    share = Fraction(sum(counts), sum(n))
    value = float(1 - share)
    return Share(
        sum(n), share, share, Display(value, value), Slices(n, counts), outage=requests_in_outages(n, counts)
    )


def _unexpected_notes(seconds: Seconds) -> tuple[str, ...]:
    """Say how many unexpected responses widen the bounds."""
    count = sum(part.unexpected for part in seconds)
    responses = (
        "response has an unexpected status and is"
        if count == 1
        else "responses have an unexpected status and are"
    )
    return (f"{count:,} {responses} possibly bad",) if count else ()


def _cache(question: _ClientQuestion) -> Share | NoData:
    """Cache misses; a request that failed without telling is possibly one, as misses are what takes long."""
    seconds = question.seconds
    told = tuple(part.cache_hits + part.cache_misses for part in seconds)
    if sum(told) == 0:
        headers = ", ".join(question.spec.cache.headers)
        return NoData(f"no response showed a cache hit or miss in {headers}")
    unknown = tuple(min(_failed(part), part.sent - count) for part, count in zip(seconds, told, strict=True))
    n = tuple(count + more for count, more in zip(told, unknown, strict=True))
    surely = tuple(part.cache_misses for part in seconds)
    possibly = tuple(misses + more for misses, more in zip(surely, unknown, strict=True))
    hit_rate = 1 - sum(surely) / sum(told)
    return Share(
        sum(n),
        Fraction(sum(surely), sum(n)),
        Fraction(sum(possibly), sum(n)),
        Display(hit_rate, hit_rate),
        Slices(n, surely, possibly if possibly != surely else None),
        _untold_notes(sum(unknown)),
    )


def _untold_notes(count: int) -> tuple[str, ...]:
    """Say how many failed requests widen the bounds of the hit rate."""
    return (f"{quantity(count, 'failed request')} may have been cache misses",) if count else ()


def _rate(question: _ClientQuestion) -> Rate | NoData:
    """Successes per second and instance; what was attempted is what was offered.

    In the closed model users wait for responses, so that an outage is offered less: there the best second
    shows what could have been served.
    """
    seconds, instances = question.seconds, question.instances()
    if isinstance(instances, NoData):
        return instances
    length = len(seconds)
    rate = Fraction(sum(part.ok for part in seconds), length) / instances
    offered = Fraction(sum(_sent(part) for part in seconds), length) / instances
    sent = tuple(_sent(part) for part in seconds) if question.spec.workload.rate else None
    slices = shortfall([part.ok for part in seconds], sent)
    return Rate(rate, rate, offered, Fraction(sum(slices.n), length) / instances, slices)


def _latency(question: _ClientQuestion) -> Share:
    """Requests at or over the limit; failed ones count as infinitely slow, unexpected ones possibly."""
    seconds, limit, thresholds = question.seconds, question.limit, question.thresholds_ns
    quantile = question.objective.indicator.quantile
    first_bad = limit.first_bad_ns
    n = tuple(_sent(part) for part in seconds)
    surely, possibly = _slow(seconds, first_bad, thresholds)
    read_off = f"{limit.text} was not counted during the run; it is read off the histogram"
    notes = (*(() if surely == possibly else (read_off,)), *_unexpected_notes(seconds))
    possibly = tuple(bad + part.unexpected for bad, part in zip(possibly, seconds, strict=True))
    near = any(part.max_ns * NEAR >= first_bad or _failed(part) for part in seconds)
    references = tuple(
        tuple(_over(part, index) + _failed(part) for part in seconds)
        for index, threshold in enumerate(thresholds)
        if near and is_reference(threshold, first_bad)
    )
    total = sum(n)
    return Share(
        total,
        Fraction(sum(surely), total),
        Fraction(sum(possibly), total),
        _percentile(seconds, quantile or Fraction(1), total),
        Slices(n, surely, possibly if possibly != surely else None, references),
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
    """Return the percentile of all requests, failed ones ranked as infinitely slow, in seconds.

    Unexpected responses are ranked first for the lower bound, and as infinitely slow for the upper one.
    """
    histogram = merge(part.latencies for part in seconds)
    served = sum(histogram.values())
    rank = -(-quantile * total // 1)
    lowest = rank - sum(part.unexpected for part in seconds)
    return Display(_ranked(histogram, lowest, served)[0], _ranked(histogram, rank, served)[1])


def _ranked(histogram: Mapping[int, int], rank: Fraction | int, served: int) -> tuple[float, float]:
    """Return the bounds of the latency at a rank, in seconds; 0 below the first, ``inf`` above the last."""
    if rank <= 0:
        return 0.0, 0.0
    if rank > served:
        return inf, inf
    low, high = quantile_bounds(histogram, Fraction(rank, served))
    return low / NS_PER_SECOND, high / NS_PER_SECOND


CLIENT_SAMPLES: Mapping[IndicatorKind, Callable[[_ClientQuestion], Share | Rate | NoData]] = {
    IndicatorKind.LATENCY: _latency,
    IndicatorKind.ERROR_RATE: _errors,
    IndicatorKind.AVAILABILITY: _availability,
    IndicatorKind.CACHE_HIT_RATE: _cache,
    IndicatorKind.RPS_PER_INSTANCE: _rate,
}
"""What measures each kind of indicator on the client side; queries have none."""
