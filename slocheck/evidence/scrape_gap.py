"""The longest time in which a source, or what a query reads, was not scraped."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import inf
from statistics import median

from slocheck.documents.words import quantity

STILL_THERE = 2
"""A process whose last scrape failed at most so many intervals before a period's end is down, not removed."""
EVERY_TARGET = "every target"
MANY_STEPS = 5


@dataclass(frozen=True, slots=True)
class ScrapeGap:
    """A time without a successful scrape.

    Attributes:
        target: The process's job and instance; `EVERY_TARGET` if none of several was scraped.
        seconds: Its length.
        interval: Seconds between two scrapes as a rule; 0: unknown.
        failed: Scrapes within it that failed.
        what: What did not happen in that time.
        edge_s: Length of the longest one that reaches the period's begin or end, where no scrape shows what
            was before or after it.
    """

    target: str
    seconds: float
    interval: float
    failed: int = 0
    what: str = "was not scraped"
    edge_s: float = inf

    @property
    def intervals(self) -> float:
        """Its length in scrape intervals; 0 if the interval is unknown."""
        return self.seconds / self.interval if self.interval > 0 else 0.0

    @property
    def text(self) -> str:
        """Such as ``api/10.0.0.7 was not scraped for 31.0 s (up was 0: 6 scrapes failed)``."""
        failed = f" (up was 0: {quantity(self.failed, 'scrape')} failed)" if self.failed else ""
        return f"{self.target.lstrip('/')} {self.what} for {self.seconds:.1f} s{failed}"


@dataclass(frozen=True, slots=True)
class ScrapeTimes:
    """When one process was scraped, epoch seconds of the source's clock.

    Attributes:
        target: Its job and instance.
        good: Scrapes that succeeded, ascending.
        failed: Scrapes that failed, ascending.
        interval: Seconds between two scrapes; 0: unknown.
    """

    target: str
    good: tuple[float, ...]
    failed: tuple[float, ...] = ()
    interval: float = 0.0
    _all: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Sort all scrapes together."""
        object.__setattr__(self, "_all", tuple(sorted((*self.good, *self.failed))))

    def gap(self, begin: float, end: float) -> ScrapeGap:
        """Return the longest gap within a period.

        It reaches to the period's ends if the process was a target before and after them: a process that
        came later, or was removed, has no gap outside of its life.
        """
        seen = self._all
        before = [begin] if seen and seen[0] < begin else []
        after = [end] if seen and seen[-1] > self._last_seen_before(end) else []
        return self._longest((*before, *self._inside(begin, end), *after))

    def whole_gap(self, begin: float, end: float) -> ScrapeGap:
        """Return the longest gap within a period that has to be covered from its first moment to its last."""
        return self._longest((begin, *self._inside(begin, end), end))

    def _last_seen_before(self, end: float) -> float:
        """Return the moment after which a sign of a process says that it was a target until `end`."""
        down = bool(self.failed) and (not self.good or self.failed[-1] > self.good[-1])
        return end - STILL_THERE * self.interval if down else end

    def _inside(self, begin: float, end: float) -> list[float]:
        return [time for time in self.good if begin <= time <= end]

    def _longest(self, moments: Sequence[float]) -> ScrapeGap:
        begin, end = max(pairwise(moments), key=lambda gap: gap[1] - gap[0], default=(0.0, 0.0))
        failed = sum(begin <= time <= end for time in self.failed)
        good = set(self.good)
        edges = [late - early for early, late in pairwise(moments) if not {early, late} <= good]
        return ScrapeGap(self.target, end - begin, self.interval, failed, edge_s=max(edges, default=0.0))


def longest_gap(
    scraped: Sequence[ScrapeTimes], begin: float, end: float, *, whole_from: float | None = None
) -> ScrapeGap:
    """Return the longest gap, in scrape intervals, of processes that serve one thing together.

    Each of them has to be scraped while it is there, and one of them at each moment: from `whole_from` on,
    or from `begin` on without it.
    """
    together = _together(scraped)
    whole = together.whole_gap(begin if whole_from is None else whole_from, end)
    gaps = [whole, *(one.gap(begin, end) for one in scraped)]
    longest = max(gaps, key=lambda gap: (gap.intervals, gap.seconds))
    return replace(longest, edge_s=max(gap.edge_s for gap in gaps))


def _together(scraped: Sequence[ScrapeTimes]) -> ScrapeTimes:
    known = [one.interval for one in scraped if one.interval > 0]
    return ScrapeTimes(
        scraped[0].target if len(scraped) == 1 else EVERY_TARGET,
        tuple(sorted({time for one in scraped for time in one.good})),
        tuple(sorted({time for one in scraped for time in one.failed})),
        max(known, default=0.0),
    )


def usual_interval(times: Sequence[float]) -> float:
    """Return the usual distance of ascending moments, seconds: the median of many, the shortest of few.

    One gap must not pass for the usual distance. 0 for fewer than two moments.
    """
    steps = [later - earlier for earlier, later in pairwise(times) if later > earlier]
    return (median(steps) if len(steps) >= MANY_STEPS else min(steps)) if steps else 0.0
