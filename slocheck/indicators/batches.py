"""How much a latency percentile varies within a run: by batches of its window."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from math import log, sqrt
from statistics import stdev

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.histogram import quantile_bounds
from slocheck.evidence.recording import FailureClass, Recording
from slocheck.evidence.scope import Scope
from slocheck.spec.model import Endpoint

BATCHES = 20
"""Batch means of this number: Schmeiser 1982, doi 10.1287/opre.30.3.556, finds 10 to 30 to be enough."""


def log_percentile_error(recording: Recording, endpoint: Endpoint | None, quantile: Fraction) -> float | None:
    """Return the standard error of the logarithm of a percentile of the window, from `BATCHES` batches.

    Failed requests are ranked as infinitely slow, as in the percentile itself. None if the window has
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


def _batches(recording: Recording, endpoint: Endpoint | None) -> Iterator[Scope]:
    """Yield the window in batches of about as many seconds each."""
    window = recording.window
    edges = [-(-number * len(window) // BATCHES) for number in range(BATCHES + 1)]
    for begin, end in pairwise(edges):
        yield recording.scope(endpoint, window[begin:end])


def _percentile(batch: Scope, quantile: Fraction) -> float | None:
    """Return a batch's percentile in ns, the middle of its bucket; None if it is not finite."""
    histogram = batch.latencies
    served = sum(histogram.values())
    total = int((batch.total.sent - batch.total.of_class(FailureClass.GENERATOR))[0])
    rank = max(1, -(-quantile * total // 1))
    if not served or rank > served:
        return None
    low, high = quantile_bounds(histogram, Fraction(rank, served))
    return max(1.0, (low + high) / 2)
