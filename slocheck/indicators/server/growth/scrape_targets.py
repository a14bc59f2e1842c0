"""The scraped processes: when each was scraped, when it started, and when its counters began again."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import isfinite
from operator import le, lt
from types import MappingProxyType

from slocheck.evidence.series import RawSeries
from slocheck.plan.metric_plan import COUNTER
from slocheck.plan.series_queries import PROCESS_START, UP
from slocheck.plan.usage import USAGE_METRICS

MARGIN_S = 0.2
"""A sample this close before a moment may already hold what happened after it: pages take time."""

COUNTER_ENDINGS = ("_total", "_count", "_bucket")
"""Metrics of unknown type with these endings are counters."""
UNKNOWN_TYPES = ("", "unknown", "untyped")
NO_TYPES: Mapping[str, str] = MappingProxyType({})

SAME_START_S = 1.0
"""Process starts closer together than this count as one: some exporters recompute theirs with jitter."""


def exact(value: float) -> int | Fraction:
    """Return a sample as an exact number; most are whole, and those are added up the fastest."""
    whole = int(value)
    return whole if whole == value else Fraction(value)


@dataclass(frozen=True)
class CleanSeries:
    """A series' finite samples, ascending in time, one per moment (the last one given).

    Attributes:
        metric: The metric's name.
        labels: All labels but ``__name__``.
        target: The name of the process that it belongs to.
        times: Seconds since the epoch on the source's clock.
        values: As many as `times`.
        is_counter: Whether it only grows while its process lives, and is the service's own.
    """

    metric: str
    labels: Mapping[str, str]
    target: str
    times: tuple[float, ...]
    values: tuple[float, ...]
    is_counter: bool = False

    @cached_property
    def counts(self) -> tuple[int | Fraction, ...]:
        """The values as exact numbers."""
        return tuple(map(exact, self.values))

    def falls(self) -> tuple[tuple[float, float], ...]:
        """Return the times of neighbouring samples of which the second is lower."""
        if all(map(le, self.values, self.values[1:])):
            return ()
        steps = pairwise(zip(self.times, self.values, strict=True))
        return tuple((a[0], b[0]) for a, b in steps if b[1] < a[1])


def one_each(series: Iterable[RawSeries]) -> tuple[RawSeries, ...]:
    """Return the series with empty labels treated as absent, and samples of the same series joined.

    An exporter may add an empty label to a series while it is counting, which makes two halves of it.
    """
    found: dict[tuple[str, frozenset[tuple[str, str]]], RawSeries] = {}
    for one in series:
        labels = {label: value for label, value in one.labels.items() if value}
        key = one.metric, frozenset(labels.items())
        if half := found.get(key):
            found[key] = RawSeries(one.metric, labels, half.times + one.times, half.values + one.values)
        else:
            found[key] = one if len(labels) == len(one.labels) else replace(one, labels=labels)
    return tuple(found.values())


def clean(series: RawSeries, types: Mapping[str, str] = NO_TYPES) -> CleanSeries:
    """Drop a series' samples that are not finite, or of a counter below 0, and sort the others.

    Args:
        series: As it was delivered.
        types: Known types by metric, such as ``counter``; others are known by their endings.
    """
    metric, labels = series.metric, series.labels
    counts = _is_counter(metric, types)
    times, values = series.times, series.values
    in_order = len(times) == len(values) and all(map(lt, times, times[1:])) and all(map(isfinite, times))
    if in_order and all(map(isfinite, values)) and not (counts and min(values, default=0) < 0):
        return CleanSeries(metric, labels, target_name(labels), times, values, counts)
    samples = {
        time: value
        for time, value in zip(series.times, series.values, strict=True)
        if isfinite(time) and isfinite(value) and not (counts and value < 0)
    }
    times = tuple(sorted(samples))
    values = tuple(samples[time] for time in times)
    return CleanSeries(metric, labels, target_name(labels), times, values, counts)


def _is_counter(metric: str, types: Mapping[str, str]) -> bool:
    known = types.get(metric, "")
    by_name = metric.endswith(COUNTER_ENDINGS) and metric not in USAGE_METRICS
    return known == COUNTER or (by_name and known in (*UNKNOWN_TYPES, "histogram", "summary"))


def target_name(labels: Mapping[str, str]) -> str:
    """Return the name of the process that a series belongs to."""
    return f"{labels.get('job', '')}/{labels.get('instance', '')}"


@dataclass(frozen=True)
class ScrapeTarget:
    """One scraped process.

    Attributes:
        name: Its job and instance.
        scrapes: Times of its good scrapes, ascending.
        starts: (time, process start) samples, ascending; empty if the process does not export it.
        falls: Times of the scrapes by which any of its counters had fallen, ascending.
        failed: Times of the scrapes that failed, at which ``up`` was 0, ascending.
        shown: Metric to the times at which any of its series had a sample.
    """

    name: str
    scrapes: tuple[float, ...]
    starts: tuple[tuple[float, float], ...]
    falls: tuple[float, ...] = ()
    failed: tuple[float, ...] = ()
    shown: Mapping[str, frozenset[float]] = field(default_factory=dict)

    def lost_falls(self, series: CleanSeries) -> tuple[tuple[float, float], ...]:
        """Return a series' decreases before which a page had other label sets of its metric but not this one.

        Such a series was dropped and began again; its process and the other series did not.
        """
        return tuple(fall for fall in series.falls() if self._lacked(series, *fall))

    def lost(self, series: CleanSeries, end: float) -> bool:
        """Tell whether a page until `end` or just after it lacked a series that an earlier one had."""
        after = self.scrapes[bisect_left(self.scrapes, end) :][:1]
        times = [*series.times, *([after[0] + MARGIN_S] if after else [end])]
        begins = bisect_left(self.scrapes, times[0])
        if self.scrapes[begins : begins + len(series.times)] == series.times:  # it was on each page
            times = times[-2:]
        return any(self._lacked(series, *gap) for gap in pairwise(times) if gap[0] < end)

    def _lacked(self, series: CleanSeries, begin: float, end: float) -> bool:
        """Tell whether a good scrape between two moments showed only other series of a metric."""
        begins = bisect_left(self.scrapes, begin)
        if begins == len(self.scrapes) or self.scrapes[begins] != begin:
            return False  # its samples have times of their own
        between = self.scrapes[begins + 1 : bisect_left(self.scrapes, end)]
        return any(time in self.shown.get(series.metric, ()) for time in between)

    def processes(self) -> int:
        """Return how many different process starts were seen."""
        starts = sorted(start for _, start in self.starts)
        return 1 + sum(b - a > SAME_START_S for a, b in pairwise(starts))

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
        return sum(begin <= before and after <= end for before, after in self._changes)

    @cached_property
    def _changes(self) -> tuple[tuple[float, float], ...]:
        """The times of neighbouring samples between which the process start changed."""
        steps = pairwise(self.starts)
        return tuple((a[0], b[0]) for a, b in steps if abs(b[1] - a[1]) > SAME_START_S)

    @cached_property
    def never_began_again(self) -> bool:
        """Whether none of its counters ever restarted from 0."""
        return not self.falls and not self._changes

    def flips_back(self) -> bool:
        """Tell whether an older process responded after a younger one: two behind one address."""
        starts = [start for _, start in self.starts]
        return any(b < a - SAME_START_S for a, b in pairwise(starts))


def scrape_targets(cleaned: Iterable[CleanSeries]) -> dict[str, ScrapeTarget]:
    """Return every process found in the series, by name."""
    by_name: dict[str, list[CleanSeries]] = {}
    for series in cleaned:
        by_name.setdefault(series.target, []).append(series)
    return {name: _target(name, members) for name, members in by_name.items()}


def _target(name: str, members: Iterable[CleanSeries]) -> ScrapeTarget:
    """Return one process from all its series."""
    scrapes: list[float] = []
    failed: list[float] = []
    starts: list[tuple[float, float]] = []
    shown: dict[str, set[float]] = {}
    counters: list[CleanSeries] = []
    for series in members:
        if series.metric == UP:
            for time, value in zip(series.times, series.values, strict=True):
                (scrapes if value == 1 else failed).append(time)
        elif series.metric == PROCESS_START:
            starts.extend(zip(series.times, series.values, strict=True))
        else:
            shown.setdefault(series.metric, set()).update(series.times)
            if series.is_counter:
                counters.append(series)
    # without `up` the samples themselves show when a scrape succeeded
    seen = set[float]().union(*shown.values())
    found = ScrapeTarget(
        name,
        tuple(sorted(set(scrapes or seen))),
        tuple(sorted(starts)),
        failed=tuple(sorted(failed)),
        shown={metric: frozenset(times) for metric, times in shown.items()},
    )
    falls = {
        _noticed(found.scrapes, *fall)
        for series in counters
        for fall in set(series.falls()) - set(found.lost_falls(series))
    }
    return replace(found, falls=tuple(sorted(falls)))


def _noticed(scrapes: tuple[float, ...], before: float, after: float) -> float:
    """Return the first scrape of the new process, for a series that fell between two samples.

    The new process may not have shown it until later; the old one would have shown it at every scrape.
    """
    index = bisect_right(scrapes, before)
    return min(scrapes[index], after) if index < len(scrapes) else after


def baseline_time(target: ScrapeTarget, *, moment: float, before: bool) -> float | None:
    """Return the scrape from which growth is counted, None if the target had none.

    `before`: the last scrape that cannot hold anything from `moment` on. Else the first at or after it:
    for a moment inside the load, where a scrape before it would let some of what came earlier in.
    """
    if before:
        index = bisect_right(target.scrapes, moment - MARGIN_S)
        return target.scrapes[index - 1] if index else None
    index = bisect_left(target.scrapes, moment)
    return target.scrapes[index] if index < len(target.scrapes) else None
