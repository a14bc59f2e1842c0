"""How busy the service's processes and containers were: shown next to the verdict, never graded."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.server.growth.scrape_targets import CleanSeries, clean
from slocheck.plan.usage import (
    CONTAINER_CPU,
    CONTAINER_MEMORY,
    PERIODS,
    PROCESS_CPU,
    PROCESS_MEMORY,
    PROCESS_METRICS,
    THROTTLED,
    USAGE_METRICS,
)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one process or container used within the window; None if the series do not say.

    Attributes:
        name: Its instance, or pod and container.
        cpu_cores: Processor cores used, mean.
        cpu_cores_max: The largest between two samples.
        memory_bytes_max: The largest sample.
        throttled_ratio: Share of the scheduler's periods in which it was throttled, 0..1.
    """

    name: str
    cpu_cores: float | None
    cpu_cores_max: float | None
    memory_bytes_max: float | None
    throttled_ratio: float | None


@dataclass(frozen=True, slots=True)
class Course:
    """What one process or container used over the whole load, warm-up included.

    Attributes:
        name: Its instance, or pod and container.
        cpu_cores: Seconds since the load began and the processor cores used since the sample before.
        memory_bytes: Seconds since the load began and the memory in use.
    """

    name: str
    cpu_cores: tuple[tuple[float, float], ...]
    memory_bytes: tuple[tuple[float, float], ...]


def courses(server: ServerSeries) -> tuple[Course, ...]:
    """Return the usage over time of each process and container in the series, by name."""
    span = (server.load_start, server.end)
    return tuple(
        Course(name, _summed(_rates(metrics, span)), _summed(_levels(metrics, span)))
        for name, metrics in sorted(_by_name(server).items())
    )


def _summed(points: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Add up values of the same moment, in order of time."""
    sums: defaultdict[float, float] = defaultdict(float)
    for time, value in points:
        sums[time] += value
    return tuple(sorted(sums.items()))


def _rates(
    metrics: Mapping[str, list[CleanSeries]], span: tuple[float, float]
) -> Iterable[tuple[float, float]]:
    """Yield the cores used between consecutive samples, at the second one; a decrease is a restart."""
    for series in (*metrics.get(PROCESS_CPU, ()), *metrics.get(CONTAINER_CPU, ())):
        for (begin, before), (end, after) in pairwise(_inside(series, span)):
            yield end - span[0], (after - before if after >= before else after) / (end - begin)


def _levels(
    metrics: Mapping[str, list[CleanSeries]], span: tuple[float, float]
) -> Iterable[tuple[float, float]]:
    for series in (*metrics.get(PROCESS_MEMORY, ()), *metrics.get(CONTAINER_MEMORY, ())):
        for time, value in _inside(series, span):
            yield time - span[0], value


def saturation(server: ServerSeries) -> tuple[Usage, ...]:
    """Return the usage of each process and container in the series, by name."""
    window = (server.start, server.end)
    usages = (_usage(name, metrics, window) for name, metrics in sorted(_by_name(server).items()))
    return tuple(
        usage for usage in usages if usage.cpu_cores is not None or usage.memory_bytes_max is not None
    )


def _by_name(server: ServerSeries) -> dict[str, dict[str, list[CleanSeries]]]:
    """Return the series of each process and container by metric."""
    found: dict[str, dict[str, list[CleanSeries]]] = {}
    for series in server.series:
        if series.metric in USAGE_METRICS:
            found.setdefault(_name(series), {}).setdefault(series.metric, []).append(clean(series))
    return found


def _name(series: RawSeries) -> str:
    labels = series.labels
    if series.metric in PROCESS_METRICS:
        return labels.get("instance", "")
    parts = (labels.get("pod") or labels.get("name") or labels.get("id", ""), labels.get("container", ""))
    return "/".join(part for part in parts if part)


def _usage(name: str, metrics: Mapping[str, list[CleanSeries]], window: tuple[float, float]) -> Usage:
    cpu = [*metrics.get(PROCESS_CPU, ()), *metrics.get(CONTAINER_CPU, ())]
    memory = [*metrics.get(PROCESS_MEMORY, ()), *metrics.get(CONTAINER_MEMORY, ())]
    used, seconds, most = _grown(cpu, window)
    periods, _, _ = _grown(metrics.get(PERIODS, ()), window)
    throttled, _, _ = _grown(metrics.get(THROTTLED, ()), window)
    levels = [value for series in memory for _, value in _inside(series, window)]
    return Usage(
        name,
        cpu_cores=used / seconds if seconds else None,
        cpu_cores_max=most if seconds else None,
        memory_bytes_max=max(levels, default=None),
        throttled_ratio=throttled / periods if periods else None,
    )


def _grown(parts: Iterable[CleanSeries], window: tuple[float, float]) -> tuple[float, float, float]:
    """Return how much counters grew between samples of the window, over how long, and the fastest growth.

    A decrease is a restart, after which the counter holds what it has counted since.
    """
    total = seconds = most = 0.0
    for series in parts:
        samples = _inside(series, window)
        for (begin, before), (end, after) in pairwise(samples):
            grown = after - before if after >= before else after
            total += grown
            most = max(most, grown / (end - begin))
        if len(samples) > 1:
            seconds = max(seconds, samples[-1][0] - samples[0][0])
    return total, seconds, most


def _inside(series: CleanSeries, window: tuple[float, float]) -> list[tuple[float, float]]:
    """Return a series' samples of the window, ascending."""
    samples = zip(series.times, series.values, strict=True)
    return [(time, value) for time, value in samples if window[0] <= time <= window[1]]
