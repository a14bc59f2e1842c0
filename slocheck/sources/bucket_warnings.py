"""Checks before the load which latency limits the server's bucket boundaries can decide."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from slocheck.evidence.series import parse_boundary
from slocheck.evidence.warnings import RunWarning
from slocheck.indicators.server.growth.buckets import in_seconds, in_unit
from slocheck.spec.model import Preset


def common_boundaries(series_by_le: Mapping[str, int], unit: Fraction) -> tuple[Fraction, ...]:
    """Return the finite bucket boundaries that every histogram has, in seconds, ascending, exact.

    Args:
        series_by_le: Value of the label ``le`` to the number of series that have it. A boundary is common
            to all if no other boundary has more series.
        unit: Seconds in one unit of ``le``.
    """
    counts: dict[Fraction, int] = {}
    most = max(series_by_le.values(), default=0)
    for text, count in series_by_le.items():
        boundary = parse_boundary(text)
        if isinstance(boundary, Fraction):
            seconds = in_seconds(boundary, unit)
            counts[seconds] = counts.get(seconds, 0) + count
    return tuple(sorted(boundary for boundary, count in counts.items() if count >= most))


def boundary_warnings(
    mapping: Preset, boundaries: Sequence[Fraction], limits: Iterable[Fraction]
) -> tuple[RunWarning, ...]:
    """Return a warning for each limit (seconds) without a bucket boundary; none without a histogram.

    For a limit inside a bucket, it is unknown on which side of it the bucket's requests were.
    """
    if not boundaries:
        return ()
    inside = (limit for limit in sorted(set(limits)) if limit not in boundaries)
    return tuple(RunWarning("bucket-boundary", _warning(mapping, boundaries, limit)) for limit in inside)


def _warning(mapping: Preset, boundaries: Sequence[Fraction], limit: Fraction) -> str:
    position = bisect_left(boundaries, limit)
    low = in_unit(boundaries[position - 1] if position else Fraction(0), mapping)
    inside = f"above {low}"
    if position < len(boundaries):
        inside = f"between {low} and {in_unit(boundaries[position], mapping)}"
    wanted = in_unit(limit, mapping)
    return (
        f"{mapping.histogram} has no bucket boundary at {wanted}: the server side is undecided if requests "
        f"{inside} decide that limit; if so, add the bucket {wanted.split()[0]}, or grade it "
        "on the client's numbers (source: client)"
    )
