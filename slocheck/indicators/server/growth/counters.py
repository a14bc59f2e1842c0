"""How much a counter grew, from raw samples: an exact number, or a lower bound and why.

No rate() and no increase(): those extrapolate, and read a series that was born during the window as 0.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from operator import le, sub

from slocheck.indicators.server.growth.scrape_targets import (
    MARGIN_S,
    CleanSeries,
    ScrapeTarget,
    baseline_time,
    exact,
)


class Flag(StrEnum):
    """Why a growth is only a lower bound."""

    RESET = "reset"
    BASELINE_UNKNOWN = "baseline_unknown"
    TAIL_UNKNOWN = "tail_unknown"


@dataclass(frozen=True)
class Growth:
    """How much one series grew.

    Attributes:
        moments: The times of the samples after the baseline, in order, epoch seconds.
        added: What was added from each one's sample before it to it, exactly.
        flags: Empty if the growth is exact; else it is a lower bound.
        resets: How often the counter fell.
    """

    moments: tuple[float, ...]
    added: tuple[int | Fraction, ...]
    flags: frozenset[Flag]
    resets: int

    @cached_property
    def total(self) -> Fraction:
        """What was added for certain."""
        return Fraction(sum(self.added))


def growth(
    series: CleanSeries,
    target: ScrapeTarget,
    *,
    begin: float,
    end: float,
    load_start: float,
    whole: bool = True,
) -> Growth:
    """Return how much a counter grew from `begin` to `end`, epoch seconds of the source's clock.

    Args:
        series: The counter.
        target: The process it belongs to.
        begin: The moment from which to count.
        end: Samples are taken up to the first at or after it.
        load_start: When the load began; `begin` is this moment or a later one inside the load.
        whole: `end` is the load's end, so a series without a sample from then on has an unknown tail.
            Else the growth is between samples inside begin..end, as a rate needs it.
    """
    times, values = series.times, series.values
    flags: set[Flag] = set()
    before = whole and begin <= load_start
    base = baseline_time(target, moment=begin, before=before)
    if base is None and not before:
        # never seen again from then on: what it did is unknown, and none of it is counted
        return Growth((), (), frozenset({Flag.TAIL_UNKNOWN} if whole else ()), 0)
    born = target.born_since(begin, base)
    if born is not None:
        at, level, first = born, 0.0, bisect_left(times, born)
    elif base is None and (blank := _last_without(times, target)) is not None:
        at, level, first = blank, 0.0, 0
    elif base is None:
        flags.add(Flag.BASELINE_UNKNOWN)
        if not times:
            return Growth((), (), frozenset(flags), 0)
        at, level, first = times[0], values[0], 1
    else:
        first = bisect_right(times, base)
        at, level = (times[first - 1], values[first - 1]) if first else (base, 0.0)
    last = bisect_left(times, end) + 1 if whole else bisect_right(times, end)
    taken = slice(first, max(first, last))
    added, resets = _walk(series, taken, (at, level), target)
    if resets or target.began_again(at, times[min(last, len(times)) - 1] if times else at):
        flags.add(Flag.RESET)
    if whole and (not times or times[-1] < end):
        flags.add(Flag.TAIL_UNKNOWN)
    return Growth(times[taken], added, frozenset(flags), resets)


def _last_without(times: Sequence[float], target: ScrapeTarget) -> float | None:
    """Return the last good scrape that did not show the series yet, None if there is none.

    A target that was found during the load may have been counting before, but what its page did not
    hold then was 0. The margin is for a page that sets its own times, a little off the scrape's.
    """
    index = bisect_left(target.scrapes, times[0] - MARGIN_S) if times else 0
    return target.scrapes[index - 1] if index else None


def _walk(
    series: CleanSeries, taken: slice, start: tuple[float, float], target: ScrapeTarget
) -> tuple[tuple[int | Fraction, ...], int]:
    """Return what was added from sample to sample, and how often it fell.

    A fall, or a new process, begins again at 0.
    """
    values, counts = (start[1], *series.values[taken]), (exact(start[1]), *series.counts[taken])
    if target.never_began_again and all(map(le, values, values[1:])):
        return tuple(map(sub, counts[1:], counts)), 0
    fell = [now < before for before, now in pairwise(values)]
    steps = pairwise((start[0], *series.times[taken]))
    again = [one or target.began_again(*step) for one, step in zip(fell, steps, strict=True)]
    steps_of = zip(again, pairwise(counts), strict=True)
    return tuple(now if anew else now - before for anew, (before, now) in steps_of), sum(fell)
