"""Bucket edges before the load: which latency limits the server side will be able to decide."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from slocheck.evidence.series import parse_edge
from slocheck.evidence.warnings import RunWarning
from slocheck.spec.model import Preset


def common_edges(series_by_le: Mapping[str, int], unit: Fraction) -> tuple[Fraction, ...]:
    """Return the finite edges that every histogram has, in seconds, ascending, exact.

    Args:
        series_by_le: Value of the label ``le`` to the number of series that carry it. An edge that
            fewer series carry than the most frequent one is not common to all.
        unit: Seconds in one unit of ``le``.
    """
    counts: dict[Fraction, int] = {}
    most = max(series_by_le.values(), default=0)
    for text, count in series_by_le.items():
        edge = parse_edge(text)
        if isinstance(edge, Fraction):
            counts[edge] = counts.get(edge, 0) + count
    return tuple(sorted(edge * unit for edge, count in counts.items() if count >= most))


def edge_warnings(
    preset: Preset, edges: Sequence[Fraction], limits: Iterable[Fraction]
) -> tuple[RunWarning, ...]:
    """Name each limit (seconds) that is no bucket edge, and the remedy; nothing without a histogram.

    A limit inside a bucket leaves open on which side of it the bucket's requests were.
    """
    if not edges:
        return ()
    outside = (limit for limit in sorted(set(limits)) if limit not in edges)
    return tuple(RunWarning("bucket-boundary", _warning(preset, edges, limit)) for limit in outside)


def _warning(preset: Preset, edges: Sequence[Fraction], limit: Fraction) -> str:
    position = bisect_left(edges, limit)
    low = _text(edges[position - 1]) if position else "0 s"
    high = _text(edges[position]) if position < len(edges) else "+Inf"
    in_unit = f"{float(limit / preset.unit_seconds):.12g}"
    return (
        f"{_text(limit)} is no bucket edge of {preset.histogram}: requests between {low} and {high} "
        f"cannot be told apart by the server side; add the bucket {in_unit}, or grade that limit on the "
        "client's numbers (source: client)"
    )


def _text(seconds: Fraction) -> str:
    return f"{float(seconds):.12g} s"
