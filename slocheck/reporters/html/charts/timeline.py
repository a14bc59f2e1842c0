"""The recording as columns over time, for the charts: one row for each second, or for several seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from slocheck.evidence.histogram import bucket_middles
from slocheck.evidence.recording import FailureClass, Recording
from slocheck.evidence.scope import Scope
from slocheck.reporters.text import percentile_name
from slocheck.reporters.totals import PERCENTILES
from slocheck.spec.model import Endpoint

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

COUNT_COLUMNS = ("sent", "answered", "ok", "failed", "hits", "misses", *map(str, FailureClass))
MAX_POINTS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """What happened over time, warm-up included, without gaps.

    Attributes:
        seconds: The first second of each row since the load began, shape (rows,).
        counts: Each of `COUNT_COLUMNS`, shape (rows,).
        statuses: Responses by status code, 0 for requests without one, shape (rows,) each.
        quantiles: Percentiles of the successful requests by name, lowest first, nanoseconds (the middle of
            the histogram's bucket, at most the row's largest latency), shape (rows,); NaN without any.
        step: Seconds of a row.
    """

    seconds: Counts
    counts: Mapping[str, Counts]
    statuses: Mapping[int, Counts]
    quantiles: Mapping[str, Floats]
    step: int = 1

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.seconds)


def timeline(
    recording: Recording,
    step: int = 1,
    *,
    percentiles: Sequence[Fraction] = PERCENTILES,
    endpoint: Endpoint | None = None,
) -> Timeline:
    """Return what happened to the requests of an endpoint, or to all, one row per `step` seconds."""
    end = recording.window.stop
    seconds = np.arange(0, max(1, end), step)
    scope = recording.scope(endpoint, range(max(1, end)))
    statuses = {status: np.add.reduceat(counts, seconds) for status, counts in scope.by_status.items()}
    quantiles = _quantiles(scope, seconds, step, percentiles)
    names = map(percentile_name, percentiles)
    return Timeline(
        seconds, _counts(scope, seconds), statuses, dict(zip(names, quantiles, strict=True)), step
    )


def _counts(scope: Scope, seconds: Counts) -> Mapping[str, Counts]:
    counts, no_response = scope.counts, scope.by_status.get(0, 0)
    columns: dict[str, Counts] = {
        "sent": counts.sent,
        "answered": sum(scope.by_status.values(), np.zeros(len(scope), dtype=np.int64)) - no_response,
        "ok": counts.ok,
        "failed": counts.failed,
        "hits": counts.cache_hits,
        "misses": counts.cache_misses,
        **{str(failure): counts.of_class(failure) for failure in FailureClass},
    }
    return {name: np.add.reduceat(columns[name], seconds) for name in COUNT_COLUMNS}


def _quantiles(scope: Scope, seconds: Counts, step: int, percentiles: Sequence[Fraction]) -> Floats:
    """Return the percentiles of each row: of its merged histogram, never an average of percentiles."""
    found = np.full((len(percentiles), len(seconds)), np.nan)
    most = np.maximum.reduceat(scope.counts.max_ns, seconds)
    for first, lowest, counts in scope.histograms(step):
        below = counts.cumsum(axis=1)
        total, rows = below[:, -1], slice(first, first + len(below))
        for number, q in enumerate(percentiles):
            rank = np.maximum(1, -(-q.numerator * total // q.denominator))
            middles = bucket_middles(lowest + (below < rank[:, np.newaxis]).sum(axis=1))
            found[number, rows] = np.where(total > 0, np.minimum(middles, most[rows]), np.nan)
    return found


def decimated(column: Floats | Counts, most: int = MAX_POINTS) -> Counts:
    """Return the rows of at most `most` points of a column: the smallest and the largest of each pixel.

    So a spike stays a spike. A pixel without any value keeps one, so that a gap stays a gap.
    """
    if len(column) <= most:
        return np.arange(len(column))
    pixels = most // 2
    edges = [-(-pixel * len(column) // pixels) for pixel in range(pixels + 1)]
    kept: set[int] = set()
    for begin, end in pairwise(edges):
        known = begin + np.flatnonzero(~np.isnan(column[begin:end]))
        kept |= {known[column[known].argmin()], known[column[known].argmax()]} if len(known) else {begin}
    return np.asarray(sorted(kept))
