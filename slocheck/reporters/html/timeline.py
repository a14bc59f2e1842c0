"""The recording as columns over time, for the charts: one row for each second, or for several seconds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from slocheck.evidence.histogram import merge, quantile_bounds
from slocheck.evidence.recording import FailureClass, Recording, SliceCounts
from slocheck.reporters.text import percentile_name
from slocheck.reporters.totals import PERCENTILES

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

QUANTILE_COLUMNS = tuple(percentile_name(q) for q in PERCENTILES)
COUNT_COLUMNS = ("sent", "ok", "failed", "hits", "misses", *map(str, FailureClass))
MAX_POINTS = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """What happened over time, warm-up included, without gaps.

    Attributes:
        seconds: The first second of each row since the load began, shape (rows,).
        counts: Each of `COUNT_COLUMNS`, shape (rows,).
        quantiles: Each of `QUANTILE_COLUMNS` of the successful requests, nanoseconds (the middle of the
            histogram's bucket), shape (rows,); NaN without any.
    """

    seconds: Counts
    counts: Mapping[str, Counts]
    quantiles: Mapping[str, Floats]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.seconds)


def timeline(recording: Recording, step: int = 1) -> Timeline:
    """Return what happened over time, one row per `step` seconds."""
    end = recording.window.stop
    seconds = np.arange(0, max(1, end), step)
    parts = [part for part in recording.slices() if 0 <= part.second < end]
    counts = {name: np.zeros(len(seconds), dtype=np.int64) for name in COUNT_COLUMNS}
    for part in parts:
        for name, count in _counts(part).items():
            counts[name][part.second // step] += count
    quantiles = np.full((len(QUANTILE_COLUMNS), len(seconds)), np.nan)
    for row, values in _quantiles(parts, step).items():
        quantiles[:, row] = values
    return Timeline(seconds, counts, dict(zip(QUANTILE_COLUMNS, quantiles, strict=True)))


def _counts(part: SliceCounts) -> dict[str, int]:
    return {
        "sent": part.sent,
        "ok": part.ok,
        "failed": part.failed,
        "hits": part.cache_hits,
        "misses": part.cache_misses,
        **{str(failure): count for failure, count in part.failures.items()},
    }


def _quantiles(parts: Iterable[SliceCounts], step: int) -> Mapping[int, list[float]]:
    """Return the percentiles of each row: of its merged histogram, never an average of percentiles."""
    histograms: defaultdict[int, list[Mapping[int, int]]] = defaultdict(list)
    for part in parts:
        histograms[part.second // step].append(part.latencies)
    merged = {row: merge(group) for row, group in histograms.items()}
    return {
        row: [sum(quantile_bounds(histogram, q)) / 2 for q in PERCENTILES]
        for row, histogram in merged.items()
        if histogram
    }


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
