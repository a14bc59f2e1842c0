"""Growth of many series put together: by status, by bucket boundary, over all processes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from slocheck.indicators.server.growth.counters import Flag, Growth
from slocheck.indicators.server.growth.selections import EVERYTHING, Labels, Selection


@dataclass(frozen=True, slots=True)
class Slots:
    """The slices of a count: each is one scrape interval long.

    Attributes:
        first: End of the first slice, epoch seconds: the first scrape after the baseline.
        count: How many slices the growth spans.
        interval: Their length, seconds.
    """

    first: float
    count: int
    interval: float

    def index(self, moment: float, count: int) -> int:
        """Return the slice that a scrape at a moment belongs to, of `count` of them."""
        if self.interval <= 0:
            return 0
        return min(count - 1, max(0, round((moment - self.first) / self.interval)))


@dataclass(frozen=True, eq=False)
class Counted:
    """Series and how much each grew. What was added up once is remembered.

    Attributes:
        parts: The series' labels and growth.
        flags: Of all of them.
        slots: The slices that the growth is put into.
    """

    parts: tuple[tuple[Labels, Growth], ...]
    flags: frozenset[Flag]
    slots: Slots
    _totals: dict[Selection, Fraction] = field(default_factory=dict, init=False, repr=False)
    _slices: dict[tuple[Selection, int], tuple[int, ...]] = field(
        default_factory=dict, init=False, repr=False
    )

    def total(self, wanted: Selection = EVERYTHING) -> Fraction:
        """Return the growth of the series that are wanted."""
        if wanted not in self._totals:
            grown = (part.total for labels, part in self.parts if wanted(labels))
            self._totals[wanted] = sum(grown, Fraction(0))
        return self._totals[wanted]

    def slices(self, wanted: Selection = EVERYTHING, *, count: int | None = None) -> tuple[int, ...]:
        """Return the same per slice, by the moment of the scrape that showed it; `count` slices if given."""
        key = (wanted, count or self.slots.count)
        if key not in self._slices:
            self._slices[key] = self.slices_in(replace(self.slots, count=key[1]), wanted)
        return self._slices[key]

    def slices_in(self, slots: Slots, wanted: Selection = EVERYTHING) -> tuple[int, ...]:
        """Return the growth of the series that are wanted, put into the slices of another count."""
        amounts: defaultdict[float, int | Fraction] = defaultdict(int)
        for labels, part in self.parts:
            if wanted(labels):
                for moment, added in zip(part.moments, part.added, strict=True):
                    if added:
                        amounts[moment] += added
        slices: list[int | Fraction] = [0] * slots.count
        for moment, amount in amounts.items():
            slices[slots.index(moment, slots.count)] += amount
        return tuple(map(round, slices))

    def of(self, parts: Sequence[tuple[Labels, Growth]]) -> "Counted":
        """Return the count of some of its series alone, in the same slices."""
        return Counted(tuple(parts), flags_of(parts), self.slots)


def counted(parts: Sequence[tuple[Labels, Growth]], interval: float) -> Counted:
    """Put series and their growth together; slices are `interval` seconds long."""
    first = min((part.moments[0] for _, part in parts if part.moments), default=0.0)
    last = max((part.moments[-1] for _, part in parts if part.moments), default=0.0)
    slots = 1 + round((last - first) / interval) if interval > 0 else 1
    return Counted(tuple(parts), flags_of(parts), Slots(first, slots, interval))


def flags_of(parts: Sequence[tuple[Labels, Growth]]) -> frozenset[Flag]:
    """Return why the growth of any of these series is only a lower bound."""
    return frozenset(flag for _, part in parts for flag in part.flags)
