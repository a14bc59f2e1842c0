"""The recording as a table over time, for the charts: one row for each second, or for several seconds."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from slocheck.evidence.histogram import merge, quantile_bounds
from slocheck.evidence.recording import FailureClass, Recording, SliceCounts
from slocheck.reporters.text import percentile_name
from slocheck.reporters.totals import PERCENTILES

if TYPE_CHECKING:
    import pandas as pd

QUANTILE_COLUMNS = tuple(percentile_name(q) for q in PERCENTILES)
COUNT_COLUMNS = ("sent", "ok", "failed", "hits", "misses")
MAX_POINTS = 1000


def timeline(recording: Recording, step: int = 1) -> "pd.DataFrame":
    """Return what happened over time, warm-up included.

    Returns:
        One row per `step` seconds, the index the first second of each since the load began, without
        gaps. Columns: `COUNT_COLUMNS` and each failure class, as counts; p50, p95 and p99 of the
        successful requests in nanoseconds (the middle of the histogram's bucket), NaN without any.
    """
    import pandas as pd  # noqa: PLC0415 - slow to load, and only this report needs it

    seconds = recording.window.stop
    parts = [part for part in recording.slices() if 0 <= part.second < seconds]
    begins = pd.RangeIndex(0, max(1, seconds), step, name="second")
    columns = [*COUNT_COLUMNS, *map(str, FailureClass)]
    counts = pd.DataFrame([_counts(part) for part in parts], columns=["second", *columns])
    counts["second"] = counts["second"] // step * step
    frame = counts.groupby("second")[columns].sum().reindex(begins, fill_value=0)
    quantiles = pd.DataFrame.from_dict(
        _quantiles(parts, step), orient="index", columns=list(QUANTILE_COLUMNS)
    )
    return frame.join(quantiles.reindex(begins))


def _counts(part: SliceCounts) -> dict[str, int]:
    return {
        "second": part.second,
        "sent": part.sent,
        "ok": part.ok,
        "failed": part.failed,
        "hits": part.cache_hits,
        "misses": part.cache_misses,
        **{str(failure): part.failures.get(failure, 0) for failure in FailureClass},
    }


def _quantiles(parts: Iterable[SliceCounts], step: int) -> Mapping[int, list[float]]:
    """Return the percentiles of each row: of its merged histogram, never an average of percentiles."""
    histograms: defaultdict[int, list[Mapping[int, int]]] = defaultdict(list)
    for part in parts:
        histograms[part.second // step * step].append(part.latencies)
    merged = {second: merge(group) for second, group in histograms.items()}
    return {
        second: [sum(quantile_bounds(histogram, q)) / 2 for q in PERCENTILES]
        for second, histogram in merged.items()
        if histogram
    }


def decimated(column: "pd.Series[float]", most: int = MAX_POINTS) -> "pd.Series[float]":
    """Return at most `most` points of a column: the smallest and the largest of each pixel.

    So a spike stays a spike. A pixel without any value keeps one, so that a gap stays a gap.
    """
    if len(column) <= most:
        return column
    pixels = most // 2
    numbered = column.reset_index(drop=True)
    place = numbered.index * pixels // len(column)
    groups = numbered.dropna().groupby(place[numbered.notna()])
    empty = {int(place.searchsorted(pixel)) for pixel in set(range(pixels)) - set(groups.groups)}
    return column.iloc[sorted({*groups.idxmin(), *groups.idxmax(), *empty})]
