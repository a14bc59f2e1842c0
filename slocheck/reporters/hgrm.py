"""The latencies of the window's successful requests as an HdrHistogram percentile distribution (``.hgrm``).

The format is that of HdrHistogram's ``outputPercentileDistribution``, which its plotter and others read:
values in milliseconds, five steps for each halving of the distance to 100 %.
"""

import math
from collections.abc import Iterator, Mapping

from slocheck.evidence.histogram import bucket_bounds
from slocheck.grading.report import Report

NS_PER_MS = 1_000_000
STEPS = 5
BUCKETS, SUB_BUCKETS = 55, 512
"""The layout of `slocheck.evidence.histogram`, in HdrHistogram's words."""


def render(report: Report) -> str:
    """Return the text; a histogram without a request has a head and a foot."""
    scope = report.evidence.recording.scope()
    histogram = scope.latencies
    largest = int(scope.total.max_ns[0])
    total = sum(histogram.values())
    mean = scope.total_ns / total if total else 0.0
    lines = [f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}", ""]
    lines += _rows(histogram, total, largest)
    lines += [
        f"#[Mean    = {mean / NS_PER_MS:12.3f}, StdDeviation   = {_deviation(histogram, mean):12.3f}]",
        f"#[Max     = {largest / NS_PER_MS:12.3f}, Total count    = {total:12d}]",
        f"#[Buckets = {BUCKETS:12d}, SubBuckets     = {SUB_BUCKETS:12d}]",
    ]
    return "\n".join(lines) + "\n"


def _rows(histogram: Mapping[int, int], total: int, largest: int) -> Iterator[str]:
    """Yield a line for each step of the percentile, and one for the largest value."""
    share, seen, value = 0.0, 0, 0
    for index in sorted(histogram):
        seen += histogram[index]
        value = min(bucket_bounds(index)[1] - 1, largest)
        while seen < total and seen >= share * total:
            yield f"{value / NS_PER_MS:12.3f} {share:2.12f} {seen:10d} {1 / (1 - share):14.2f}"
            halvings = math.floor(-math.log2(1 - share)) + 1
            share += 1 / (STEPS * 2**halvings)
    if total:
        yield f"{value / NS_PER_MS:12.3f} {1:2.12f} {seen:10d}"


def _deviation(histogram: Mapping[int, int], mean: float) -> float:
    """Return the standard deviation in milliseconds, each latency taken as the middle of its bucket."""
    total = sum(histogram.values())
    if not total:
        return 0.0
    middles = ((sum(bucket_bounds(index)) / 2, count) for index, count in histogram.items())
    return math.sqrt(sum(count * (middle - mean) ** 2 for middle, count in middles) / total) / NS_PER_MS
