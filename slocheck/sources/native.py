"""Native histograms as the classic ones they stand for, so that one algorithm reads both."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    metric: str, labels: Mapping[str, str], samples: Sequence[NativeSample]
) -> list[RawSeries]:
    """Return ``metric_bucket`` for every usable upper edge and ``+Inf``, and ``metric_count``.

    An edge is usable where no sample has a bucket across it (a schema made coarser merges buckets):
    only then is the cumulative count at the edge exact at all times.
    """
    times = tuple(sample.time for sample in samples)
    counts = tuple(sample.count for sample in samples)
    edges = {bucket[1]: bucket[2] for sample in samples for bucket in sample.buckets}
    found = []
    for edge in sorted(edge for edge in edges if math.isfinite(edge)):
        if not any(low < edge < high for sample in samples for low, high, _, _ in sample.buckets):
            values = tuple(_cumulative(sample, edge) for sample in samples)
            found.append(RawSeries(f"{metric}_bucket", {**labels, "le": edges[edge]}, times, values))
    found.append(RawSeries(f"{metric}_bucket", {**labels, "le": "+Inf"}, times, counts))
    found.append(RawSeries(f"{metric}_count", dict(labels), times, counts))
    return found


def _cumulative(sample: NativeSample, edge: float) -> float:
    return sum(count for _, high, _, count in sample.buckets if high <= edge)
