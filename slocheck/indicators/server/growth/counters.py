"""How much a counter grew, from raw samples: an exact number, or a lower bound and why.

No rate() and no increase(): those extrapolate, and read a series that was born during the window as 0.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from slocheck.indicators.server.growth.scrape_targets import (
    MARGIN_S,
    CleanSeries,
    ScrapeTarget,
    baseline_time,
)


class Flag(StrEnum):
    """Why a growth is only a lower bound."""

    RESET = "reset"
    BASELINE_UNKNOWN = "baseline_unknown"
    TAIL_UNKNOWN = "tail_unknown"


@dataclass(frozen=True, slots=True)
class Increment:
    """What was added between two samples; times are epoch seconds."""

    begin: float
    end: float
    added: Fraction


@dataclass(frozen=True)
class Growth:
    """How much one series grew.

    Attributes:
        steps: One for each sample after the baseline, in order.
        flags: Empty where the growth is exact; else it is a lower bound.
        resets: How often the counter fell.
    """

    steps: tuple[Increment, ...]
    flags: frozenset[Flag]
    resets: int

    @cached_property
    def total(self) -> Fraction:
        """What was added for certain."""
        return sum((step.added for step in self.steps), Fraction(0))


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
        return Growth((), frozenset({Flag.TAIL_UNKNOWN} if whole else ()), 0)
    born = target.born_since(begin, base)
    if born is not None:
        at, level, first = born, 0.0, bisect_left(times, born)
    elif base is None and (blank := _last_without(times, target)) is not None:
        at, level, first = blank, 0.0, 0
    elif base is None:
        flags.add(Flag.BASELINE_UNKNOWN)
        if not times:
            return Growth((), frozenset(flags), 0)
        at, level, first = times[0], values[0], 1
    else:
        first = bisect_right(times, base)
        at, level = (times[first - 1], values[first - 1]) if first else (base, 0.0)
    last = bisect_left(times, end) + 1 if whole else bisect_right(times, end)
    steps, resets = _walk(times, values, range(first, min(last, len(times))), (at, level), target)
    if resets or target.began_again(at, times[min(last, len(times)) - 1] if times else at):
        flags.add(Flag.RESET)
    if whole and (not times or times[-1] < end):
        flags.add(Flag.TAIL_UNKNOWN)
    return Growth(tuple(steps), frozenset(flags), resets)


def _last_without(times: Sequence[float], target: ScrapeTarget) -> float | None:
    """Return the last good scrape that did not show the series yet, None where there is none.

    A target that was found during the load may have been counting before, but what its page did not
    hold then was 0. The margin is for a page that sets its own times, a little off the scrape's.
    """
    index = bisect_left(target.scrapes, times[0] - MARGIN_S) if times else 0
    return target.scrapes[index - 1] if index else None


def _walk(
    times: Sequence[float],
    values: Sequence[float],
    indices: range,
    start: tuple[float, float],
    target: ScrapeTarget,
) -> tuple[list[Increment], int]:
    """Add up from sample to sample; a fall, or a new process, begins again at 0."""
    steps: list[Increment] = []
    resets = 0
    at, level = start
    for index in indices:
        fell = values[index] < level
        restarted = target.began_again(at, times[index])
        resets += fell
        added = Fraction(values[index]) - (0 if fell or restarted else Fraction(level))
        steps.append(Increment(at, times[index], added))
        at, level = times[index], values[index]
    return steps, resets
