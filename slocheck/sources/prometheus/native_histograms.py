"""Native histograms as the classic ones they stand for, so that one algorithm reads both."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from slocheck.evidence.series import RawSeries


@dataclass(frozen=True, slots=True)
class NativeSample:
    """A native histogram at one time.

    Attributes:
        time: Epoch seconds on the server's clock.
        count: All observations.
        buckets: Lower edge, upper edge, the upper edge as written, observations; only populated ones.
    """

    time: float
    count: float
    buckets: tuple[tuple[float, float, str, float], ...]


def classic_series(
    metric: str,
    labels: Mapping[str, str],
    samples: Sequence[NativeSample],
    others: Mapping[float, str] = MappingProxyType({}),
) -> list[RawSeries]:
    """Return ``metric_bucket`` for every usable upper edge and ``+Inf``, and ``metric_count``.

    An edge is usable where no sample has a bucket across it (a schema made coarser merges buckets):
    only then is the cumulative count at the edge exact at all times. `others` are edges of the metric's
    other series, as `upper_edges` finds them: only populated buckets are told, and a histogram that has
    nothing at an edge is still exact there.
    """
    times = tuple(sample.time for sample in samples)
    counts = tuple(sample.count for sample in samples)
    edges = {**others, **upper_edges(samples)}
    found = []
    for edge in sorted(edge for edge in edges if math.isfinite(edge)):
        if not any(low < edge < high for sample in samples for low, high, _, _ in sample.buckets):
            values = tuple(_cumulative(sample, edge) for sample in samples)
            found.append(RawSeries(f"{metric}_bucket", {**labels, "le": edges[edge]}, times, values))
    found.append(RawSeries(f"{metric}_bucket", {**labels, "le": "+Inf"}, times, counts))
    found.append(RawSeries(f"{metric}_count", dict(labels), times, counts))
    return found


def upper_edges(samples: Iterable[NativeSample]) -> dict[float, str]:
    """Return the upper edges of populated buckets, each as written."""
    return {high: text for sample in samples for _, high, text, _ in sample.buckets}


def _cumulative(sample: NativeSample, edge: float) -> float:
    return sum(count for _, high, _, count in sample.buckets if high <= edge)
