"""How much a counter grew, from raw samples: an exact number, or a lower bound and why.

No rate() and no increase(): those extrapolate, and read a series that was born during the window as 0.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from math import isfinite

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.saturation import USAGE_METRICS
from slocheck.plan.series_queries import PROCESS_START, UP

MARGIN_S = 0.2
"""A sample this close before a moment may already hold what happened after it: pages take time."""

SAME_START_S = 1.0
"""Process starts nearer than this are one: some exporters recompute theirs with jitter."""


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


@dataclass(frozen=True, slots=True)
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

    @property
    def total(self) -> Fraction:
        """What was added for certain."""
        return sum((step.added for step in self.steps), Fraction(0))


@dataclass(frozen=True, slots=True)
class ScrapeTarget:
    """One scraped process.

    Attributes:
        name: Its job and instance.
        scrapes: Times of its good scrapes, ascending.
        starts: (time, process start) samples, ascending; empty where the process does not tell.
        falls: Times of the scrapes by which any of its counters had fallen, ascending.
    """

    name: str
    scrapes: tuple[float, ...]
    starts: tuple[tuple[float, float], ...]
    falls: tuple[float, ...] = ()

    def began_again(self, begin: float, end: float) -> bool:
        """Tell whether all its counters began again at 0 after `begin`, until `end`.

        A fall of one of them says so for those that have caught up since, or a bucket would no longer fit
        the count of its histogram.
        """
        fallen = bisect_right(self.falls, end) > bisect_right(self.falls, begin)
        return fallen or self.restarts(begin, end) > 0

    def born_since(self, moment: float, scrape: float | None) -> float | None:
        """Return when the process of a scrape began, if that is known and not before `moment`.

        Without a scrape the process that was seen first is meant.
        """
        known = [start for time, start in self.starts if scrape is None or time <= scrape]
        if not known:
            return None
        start = known[0] if scrape is None else known[-1]
        for time, seen in self.starts:
            if abs(seen - start) <= SAME_START_S and (time < moment or seen > time + SAME_START_S):
                return None  # it was scraped before that: its own clock is ahead of the source's
        return start if start >= moment else None

    def restarts(self, begin: float, end: float) -> int:
        """Count the changes of process start between two moments."""
        known = [start for time, start in self.starts if begin <= time <= end]
        return sum(abs(b - a) > SAME_START_S for a, b in pairwise(known))

    def flips_back(self) -> bool:
        """Tell whether an older process answered after a younger one: two behind one address."""
        starts = [start for _, start in self.starts]
        return any(b < a - SAME_START_S for a, b in pairwise(starts))


def target_name(labels: Mapping[str, str]) -> str:
    """Name the process that a series belongs to."""
    return f"{labels.get('job', '')}/{labels.get('instance', '')}"


def is_counter(metric: str) -> bool:
    """Tell whether a metric only grows while its process lives, and is the service's own."""
    return metric.endswith(("_total", "_count", "_bucket")) and metric not in USAGE_METRICS


def clean(series: RawSeries) -> tuple[list[float], list[float]]:
    """Return a series' finite samples, ascending in time, one per moment (the last one given)."""
    samples = {
        time: value
        for time, value in zip(series.times, series.values, strict=True)
        if isfinite(time) and isfinite(value)
    }
    times = sorted(samples)
    return times, [samples[time] for time in times]


def scrape_targets(server: ServerSeries) -> dict[str, ScrapeTarget]:
    """Return every process that the series tell of, by name."""
    scrapes: dict[str, list[float]] = {}
    starts: dict[str, list[tuple[float, float]]] = {}
    seen: dict[str, set[float]] = {}
    falls: dict[str, set[tuple[float, float]]] = {}
    for series in server.series:
        name = target_name(series.labels)
        times, values = clean(series)
        if series.metric == UP:
            good = (time for time, value in zip(times, values, strict=True) if value == 1)
            scrapes.setdefault(name, []).extend(good)
        elif series.metric == PROCESS_START:
            starts.setdefault(name, []).extend(zip(times, values, strict=True))
        else:
            seen.setdefault(name, set()).update(times)
            if is_counter(series.metric):
                steps = pairwise(zip(times, values, strict=True))
                falls.setdefault(name, set()).update((a[0], b[0]) for a, b in steps if b[1] < a[1])
    found = {}
    for name in {*scrapes, *starts, *seen}:
        # where `up` was not delivered the samples themselves show when a scrape went well
        good_scrapes = tuple(sorted(set(scrapes.get(name) or seen.get(name) or ())))
        again = {_noticed(good_scrapes, *fall) for fall in falls.get(name, ())}
        found[name] = ScrapeTarget(
            name, good_scrapes, tuple(sorted(starts.get(name, []))), tuple(sorted(again))
        )
    return found


def _noticed(scrapes: tuple[float, ...], before: float, after: float) -> float:
    """Return the first scrape of the new process, for a series that fell between two samples.

    The new process may have shown it later only; the old one would have shown it at every scrape.
    """
    index = bisect_right(scrapes, before)
    return min(scrapes[index], after) if index < len(scrapes) else after


def baseline_time(target: ScrapeTarget, *, moment: float, before: bool) -> float | None:
    """Return the scrape from which growth is counted, None where the target had none.

    `before`: the last scrape that cannot hold anything from `moment` on. Else the first at or after it:
    for a moment inside the load, where a scrape before it would let some of what came earlier in.
    """
    if before:
        index = bisect_right(target.scrapes, moment - MARGIN_S)
        return target.scrapes[index - 1] if index else None
    index = bisect_left(target.scrapes, moment)
    return target.scrapes[index] if index < len(target.scrapes) else None


def growth(
    series: RawSeries,
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
    times, values = clean(series)
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


def _last_without(times: list[float], target: ScrapeTarget) -> float | None:
    """Return the last good scrape that did not show the series yet, None where there is none.

    A target that was found during the load may have been counting before, but what its page did not
    hold then was 0. The margin is for a page that sets its own times, a little off the scrape's.
    """
    index = bisect_left(target.scrapes, times[0] - MARGIN_S) if times else 0
    return target.scrapes[index - 1] if index else None


def _walk(
    times: list[float],
    values: list[float],
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
