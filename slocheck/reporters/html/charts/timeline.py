"""The recording as columns over time, for the charts: one row for each second, or for several seconds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from slocheck.evidence.histogram import merge, quantile_bounds
from slocheck.evidence.recording import FailureClass, Recording, SliceCounts
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
    parts = [part for part in recording.slices(endpoint) if 0 <= part.second < end]
    counts = {name: np.zeros(len(seconds), dtype=np.int64) for name in COUNT_COLUMNS}
    statuses: defaultdict[int, Counts] = defaultdict(lambda: np.zeros(len(seconds), dtype=np.int64))
    for part in parts:
        row = part.second // step
        for name, count in _counts(part).items():
            counts[name][row] += count
        for status, count in part.statuses.items():
            statuses[status][row] += count
    quantiles = np.full((len(percentiles), len(seconds)), np.nan)
    for row, values in _quantiles(parts, step, percentiles).items():
        quantiles[:, row] = values
    names = map(percentile_name, percentiles)
    return Timeline(
        seconds, counts, dict(sorted(statuses.items())), dict(zip(names, quantiles, strict=True)), step
    )


def _counts(part: SliceCounts) -> dict[str, int]:
    return {
        "sent": part.sent,
        "answered": sum(count for status, count in part.statuses.items() if status),
        "ok": part.ok,
        "failed": part.failed,
        "hits": part.cache_hits,
        "misses": part.cache_misses,
        **{str(failure): count for failure, count in part.failures.items()},
    }


def _quantiles(
    parts: Iterable[SliceCounts], step: int, percentiles: Sequence[Fraction]
) -> Mapping[int, list[float]]:
    """Return the percentiles of each row: of its merged histogram, never an average of percentiles."""
    rows: defaultdict[int, list[SliceCounts]] = defaultdict(list)
    for part in parts:
        rows[part.second // step].append(part)
    found = {}
    for row, group in rows.items():
        if histogram := merge(part.latencies for part in group):
            most = max(part.max_ns for part in group)
            found[row] = [min(sum(quantile_bounds(histogram, q)) / 2, most) for q in percentiles]
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
