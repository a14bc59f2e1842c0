"""A histogram's buckets: which boundaries all requests were compared with, and how many lie below each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, inf

from slocheck.evidence.series import parse_boundary
from slocheck.indicators.server.growth.counters import Growth
from slocheck.indicators.server.growth.counts import Counted
from slocheck.indicators.server.growth.selections import Labels
from slocheck.spec.metric_units import SHORT_UNITS
from slocheck.spec.model import Preset

Boundary = Fraction | float
"""A bucket's upper boundary in seconds; ``inf`` is the last one's."""
MEANT_DIGITS = 9
"""Nobody writes a boundary with more digits than these."""
FLOAT_ERROR = Fraction(1, 10**11)
"""By this share at most a float that was computed, or printed with 12 digits, differs from what was meant."""
LONGEST_ROUNDED_S = 10**9


def boundary_of(labels: Labels, unit_seconds: Fraction) -> Boundary | None:
    """Return the boundary that a series' ``le`` writes, in seconds; None if it has none."""
    boundary = parse_boundary(labels.get("le", ""))
    return boundary if boundary is None or boundary == inf else in_seconds(Fraction(boundary), unit_seconds)


def in_seconds(boundary: Fraction, unit_seconds: Fraction) -> Fraction:
    """Return a boundary in seconds as it was meant: 0.30000000000000004 is 0.3, 0.25/60 min is 0.25 s."""
    exact = boundary * unit_seconds
    if abs(exact) > LONGEST_ROUNDED_S:
        return exact
    meant = Fraction(f"{float(exact):.{MEANT_DIGITS}g}")
    return meant if abs(meant - exact) <= abs(exact) * FLOAT_ERROR else exact


def in_unit(seconds: Boundary, preset: Preset) -> str:
    """Write a boundary in the unit of the preset's histogram, as its buckets have it."""
    unit = SHORT_UNITS.get(preset.unit_seconds, "units")
    return "+Inf" if seconds == inf else f"{float(seconds / preset.unit_seconds):.12g} {unit}"


@dataclass(frozen=True, slots=True)
class LastBucket:
    """The series of a histogram's last bucket, which count every request."""

    def __call__(self, labels: Labels, /) -> bool:
        """Tell whether a series with these labels is meant."""
        return parse_boundary(labels.get("le", "")) == inf


@dataclass(frozen=True, eq=False)
class BucketCounts:
    """A histogram's growth, over all processes and label sets, by bucket boundary.

    Attributes:
        counted: Of all buckets.
        boundaries: Those that every histogram with traffic has, ascending, in seconds.
        up_to: Each boundary's series: requests that took at most so long.
    """

    counted: Counted
    boundaries: tuple[Boundary, ...]
    up_to: Mapping[Boundary, Counted]

    def at(self, boundary: Boundary) -> Counted:
        """Return the series of one boundary; none if no series has it."""
        return self.up_to.get(boundary) or Counted((), frozenset(), self.counted.slots)

    @property
    def all(self) -> Counted:
        """The series of the last bucket: they count every request."""
        return self.at(inf)

    @property
    def lack_the_last(self) -> bool:
        """Whether there are buckets, but not the one that counts every request."""
        return bool(self.up_to) and inf not in self.up_to

    def around(self, limit: Fraction) -> tuple[Boundary, Boundary]:
        """Return the boundaries just at or below and just at or above a limit; equal if it is one itself."""
        below = max((one for one in self.boundaries if one <= limit), default=Fraction(0))
        above = min((one for one in self.boundaries if one >= limit), default=inf)
        return below, above

    def percentile(self, quantile: Fraction, total: int) -> tuple[Boundary, Boundary]:
        """Return the bucket that holds the k-th smallest latency of `total`, k = ceil(qN), in seconds."""
        return self._holding(ceil(quantile * total))

    def percentile_of_ours(
        self, quantile: Fraction, total: int, *, uncounted: int, foreign: int
    ) -> tuple[Boundary, Boundary]:
        """Return the bounds of the percentile of our own requests, in seconds.

        Args:
            quantile: Of the percentile.
            total: Requests counted.
            uncounted: How many of ours may be missing: at best all of them were fast, at worst slow.
            foreign: How many of the counted may be others': at best the slow ones, at worst the fast.
        """
        rank = ceil(quantile * (total - foreign + uncounted))
        return self._holding(rank - uncounted)[0], self._holding(rank + foreign)[1]

    def _holding(self, rank: int) -> tuple[Boundary, Boundary]:
        """Return the bucket that holds the latency of a rank; all lies above rank 0."""
        lower: Boundary = Fraction(0)
        for boundary in self.boundaries:
            if self.at(boundary).total() >= rank:
                return lower, boundary
            lower = boundary
        return lower, inf


def bucket_counts(counted: Counted, unit_seconds: Fraction) -> BucketCounts:
    """Sort the series of a histogram by their boundaries, each ``le`` parsed once."""
    found: dict[Boundary, list[tuple[Labels, Growth]]] = {}
    for labels, part in counted.parts:
        boundary = boundary_of(labels, unit_seconds)
        if boundary is not None:
            found.setdefault(boundary, []).append((labels, part))
    return BucketCounts(
        counted,
        _common_boundaries(found),
        {boundary: counted.of(parts) for boundary, parts in found.items()},
    )


def _common_boundaries(found: Mapping[Boundary, Sequence[tuple[Labels, Growth]]]) -> tuple[Boundary, ...]:
    """Return the boundaries that every histogram with traffic has, ascending."""
    layouts: dict[frozenset[tuple[str, str]], dict[Boundary, list[Growth]]] = {}
    for boundary, parts in found.items():
        for labels, part in parts:
            key = frozenset(item for item in labels.items() if item[0] != "le")
            layouts.setdefault(key, {}).setdefault(boundary, []).append(part)
    busy = (layout for layout in layouts.values() if any(part.total for part in layout.get(inf, ())))
    usable = [_usable(layout) for layout in busy]
    return tuple(sorted(set.intersection(*usable))) if usable else ()


def _usable(layout: Mapping[Boundary, Sequence[Growth]]) -> set[Boundary]:
    """Return the boundaries of one histogram that existed as long as its ``+Inf``.

    A new version of the service may bring other buckets. A boundary that only one of the two versions had
    does not tell where the other's requests were.
    """
    moments = {one: {moment for part in parts for moment in part.moments} for one, parts in layout.items()}
    return {one for one in layout if moments[one] == moments[inf]}
