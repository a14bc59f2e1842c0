"""The client side's samples: what the recording says about an objective."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from math import inf

from slocheck.documents.units import NS_PER_SECOND
from slocheck.documents.words import quantity
from slocheck.evidence.histogram import quantile_bounds
from slocheck.evidence.recording import Recording
from slocheck.indicators.outages import requests_in_outages
from slocheck.indicators.samples import Display, NoData, Rate, Share, Slices, shortfall
from slocheck.indicators.server.client_counts import ClientCounts, client_counts
from slocheck.indicators.window import Window
from slocheck.plan.load_plan import NEAR, is_reference
from slocheck.spec.model import Endpoint, IndicatorKind, Limit, Objective, Spec


class ClientSide:
    """One run's recording; its seconds are added up once for all limits.

    Attributes:
        recording: As it was archived.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self._windows: dict[Endpoint | None, Window] = {}
        self._counts: dict[Endpoint | None, ClientCounts] = {}

    def window(self, endpoint: Endpoint | None) -> Window:
        """Return the window's seconds, the endpoints added up; None means all of them."""
        if endpoint not in self._windows:
            self._windows[endpoint] = Window(self.recording.scope(endpoint), self.recording.thresholds_ns)
        return self._windows[endpoint]

    def counts(self, endpoint: Endpoint | None) -> ClientCounts:
        """Return what the server's counts of an endpoint, or of all, are reconciled with."""
        if endpoint not in self._counts:
            self._counts[endpoint] = client_counts(self.recording, endpoint)
        return self._counts[endpoint]


@dataclass(frozen=True, slots=True)
class _ClientQuestion:
    """What one sample is about; `window` is that of the objective's endpoint."""

    objective: Objective
    limit: Limit
    spec: Spec
    window: Window
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
    window = client.window(objective.endpoint)
    if not window.attempted:
        return NoData(_nothing_sent(client.recording, objective.endpoint))
    if not any(window.sent):
        return NoData("every request failed in the load generator itself; none reached the target")
    sample = CLIENT_SAMPLES.get(objective.indicator.kind)
    if sample is None:
        return NoData("a PromQL objective has no client side")
    return sample(_ClientQuestion(objective, limit, spec, window, instances))


def mean_latencies(recording: Recording) -> tuple[float | None, ...]:
    """Return the mean latency of each second of the window, in ns, all endpoints and successes together.

    None stands for a second in which no request succeeded.
    """
    counts = recording.scope().counts
    pairs = zip(counts.total_ns.tolist(), counts.ok.tolist(), strict=True)
    return tuple(total / count if count else None for total, count in pairs)


def _nothing_sent(recording: Recording, endpoint: Endpoint | None) -> str:
    """Say why no request was found, and which recorded name may have been meant."""
    names = [str(item.endpoint) for item in recording.endpoints]
    if endpoint is None or str(endpoint) in names:
        return "no request was sent in the window"
    close = get_close_matches(str(endpoint), names, n=1, cutoff=0.4)
    meant = f"; did you mean '{close[0]}'?" if close else ""
    return f"no request was named '{endpoint}'{meant}"


def _errors(question: _ClientQuestion) -> Share:
    """Failures; an unexpected response is possibly one."""
    window = question.window
    n, surely = window.sent, window.failed
    possibly = window.with_unexpected(surely)
    low, high = Fraction(sum(surely), sum(n)), Fraction(sum(possibly), sum(n))
    return Share(
        sum(n),
        low,
        high,
        Display(float(low), float(high)),
        Slices(n, surely, possibly if possibly != surely else None),
        _unexpected_notes(window),
        outage=requests_in_outages(
            n, tuple(map(min, surely, window.unserved)), bursts_s=_stated_bursts_s(question.spec)
        ),
    )


def _availability(question: _ClientQuestion) -> Share:
    """Requests that were not served; an unexpected response was."""
    n, counts = question.window.sent, question.window.unserved
    share = Fraction(sum(counts), sum(n))
    value = float(1 - share)
    outage = requests_in_outages(n, counts, bursts_s=_stated_bursts_s(question.spec))
    return Share(sum(n), share, share, Display(value, value), Slices(n, counts), outage=outage)


def _stated_bursts_s(spec: Spec) -> float:
    """Return the length of the bursts for which the spec asks verdicts to hold, seconds; 0: none."""
    return float(spec.confidence.bursts or 0) if spec.confidence else 0.0


def _unexpected_notes(window: Window) -> tuple[str, ...]:
    """Say how many unexpected responses widen the bounds."""
    count = window.all_unexpected
    responses = (
        "response has an unexpected status and is"
        if count == 1
        else "responses have an unexpected status and are"
    )
    return (f"{count:,} {responses} possibly bad",) if count else ()


def _cache(question: _ClientQuestion) -> Share | NoData:
    """Cache misses; a request that failed with an unknown result may be one, since misses take longest."""
    told, surely, unknown = question.window.cache
    if sum(told) == 0:
        headers = ", ".join(question.spec.cache.headers)
        return NoData(f"no response showed a cache hit or miss in {headers}")
    n = tuple(count + more for count, more in zip(told, unknown, strict=True))
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
    """Successes per second and instance; the offered rate is what was attempted.

    In the closed model users wait for responses, so less is offered during an outage: the best second
    shows what could have been served.
    """
    window, instances = question.window, question.instances()
    if isinstance(instances, NoData):
        return instances
    length = len(window)
    rate = Fraction(sum(window.ok), length) / instances
    offered = Fraction(sum(window.sent), length) / instances
    closed = not question.spec.workload.rate
    slices = shortfall(window.ok, None if closed else window.sent)
    ceiling = Fraction(sum(slices.n), length) / instances
    return Rate(rate, rate, offered, ceiling, slices, closed=closed)


def _latency(question: _ClientQuestion) -> Share:
    """Requests at or over the limit; failed ones count as infinitely slow, unexpected ones possibly."""
    window, limit = question.window, question.limit
    quantile = question.objective.indicator.quantile
    first_bad = limit.first_bad_ns
    n = window.sent
    surely, possibly = window.slow(first_bad)
    read_off = f"{limit.text} was not counted during the run; it is read off the histogram"
    notes = (*(() if surely == possibly else (read_off,)), *_unexpected_notes(window))
    possibly = window.with_unexpected(possibly)
    near = window.slowest_ns * NEAR >= first_bad or any(window.failed)
    references = tuple(
        window.over(index)
        for index, threshold in enumerate(window.thresholds_ns)
        if is_reference(threshold, first_bad)
    )
    total = sum(n)
    return Share(
        total,
        Fraction(sum(surely), total),
        Fraction(sum(possibly), total),
        _percentile(window, quantile or Fraction(1), total),
        Slices(n, surely, possibly if possibly != surely else None, references, near=near),
        notes,
    )


def _percentile(window: Window, quantile: Fraction, total: int) -> Display:
    """Return the percentile of all requests, failed ones ranked as infinitely slow, in seconds.

    Unexpected responses are ranked first for the lower bound, and as infinitely slow for the upper one. The
    largest latency is known exactly: no bucket reaches beyond it.
    """
    served = sum(window.latencies.values())
    rank = -(-quantile * total // 1)
    lowest = rank - window.all_unexpected
    low, high = _ranked(window.latencies, lowest, served)[0], _ranked(window.latencies, rank, served)[1]
    most = max(low, window.slowest_ns / NS_PER_SECOND)
    return Display(low, min(high, most) if rank <= served else high)


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
"""The function that measures each kind of indicator on the client side; queries have none."""
