"""How much a latency percentile varies within a run: by batches of its window."""

from collections.abc import Iterator
from fractions import Fraction
from math import log, sqrt
from statistics import stdev

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import merge, quantile_bounds
from slocheck.evidence.recording import FailureClass, Recording, SliceCounts
from slocheck.spec.model import Endpoint

BATCHES = 20
"""Batch means of this number: Schmeiser 1982, doi 10.1287/opre.30.3.556, finds 10 to 30 to be enough."""


def log_percentile_error(recording: Recording, endpoint: Endpoint | None, quantile: Fraction) -> float | None:
    """Return the standard error of the logarithm of a percentile of the window, from `BATCHES` batches.

    Failed requests are ranked as infinitely slow, as in the percentile itself. None where the window has
    fewer seconds than batches, or a batch has no finite percentile.
    """
    if len(recording.window) < BATCHES:
        return None
    logs = []
    for batch in _batches(recording, endpoint):
        nanoseconds = _percentile(batch, quantile)
        if nanoseconds is None:
            return None
        logs.append(log(nanoseconds / NS_PER_SECOND))
    return stdev(logs) / sqrt(BATCHES)


def _batches(recording: Recording, endpoint: Endpoint | None) -> Iterator[list[SliceCounts]]:
    """Yield the window's slices in batches of about as many seconds each."""
    window = recording.window
    batches: list[list[SliceCounts]] = [[] for _ in range(BATCHES)]
    for part in recording.window_slices(endpoint):
        batches[(part.second - window.start) * BATCHES // len(window)].append(part)
    yield from batches


def _percentile(batch: list[SliceCounts], quantile: Fraction) -> float | None:
    """Return a batch's percentile in ns, the middle of its bucket; None where it is not finite."""
    histogram = merge(part.latencies for part in batch)
    served = sum(histogram.values())
    total = sum(part.sent - part.failures.get(FailureClass.GENERATOR, 0) for part in batch)
    rank = max(1, -(-quantile * total // 1))
    if not served or rank > served:
        return None
    low, high = quantile_bounds(histogram, Fraction(rank, served))
    return max(1.0, (low + high) / 2)
