"""Converts native histograms to equivalent classic ones, so that one algorithm reads both."""

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
        count: Number of all observations.
        buckets: Lower boundary, upper boundary, the upper as written, observations; populated ones only.
        sum: Of all observations; NaN if it was not delivered.
    """

    time: float
    count: float
    buckets: tuple[tuple[float, float, str, float], ...]
    sum: float = math.nan


def classic_series(
    metric: str,
    labels: Mapping[str, str],
    samples: Sequence[NativeSample],
    others: Mapping[float, str] = MappingProxyType({}),
) -> list[RawSeries]:
    """Return ``metric_bucket`` for each usable upper boundary and ``+Inf``, ``metric_count``, ``metric_sum``.

    A boundary is usable if no sample has a bucket across it (a coarser schema merges buckets), because only
    then is the cumulative count there exact at all times. `others` are boundaries of the metric's other
    series, from `upper_boundaries`: only populated buckets are listed, but a histogram with an empty
    bucket at a boundary is exact there, too.
    """
    times = tuple(sample.time for sample in samples)
    counts = tuple(sample.count for sample in samples)
    boundaries = {**others, **upper_boundaries(samples)}
    found = []
    for boundary in sorted(boundary for boundary in boundaries if math.isfinite(boundary)):
        if not any(low < boundary < high for sample in samples for low, high, _, _ in sample.buckets):
            values = tuple(_cumulative(sample, boundary) for sample in samples)
            found.append(RawSeries(f"{metric}_bucket", {**labels, "le": boundaries[boundary]}, times, values))
    found.append(RawSeries(f"{metric}_bucket", {**labels, "le": "+Inf"}, times, counts))
    found.append(RawSeries(f"{metric}_count", dict(labels), times, counts))
    sums = tuple(sample.sum for sample in samples)
    found.append(RawSeries(f"{metric}_sum", dict(labels), times, sums))
    return found


def upper_boundaries(samples: Iterable[NativeSample]) -> dict[float, str]:
    """Return the upper boundaries of populated buckets, each as written."""
    return {high: text for sample in samples for _, high, text, _ in sample.buckets}


def _cumulative(sample: NativeSample, boundary: float) -> float:
    return sum(count for _, high, _, count in sample.buckets if high <= boundary)
