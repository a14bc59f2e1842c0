"""One run's server side: series cleaned once, growth computed once, for all objectives and limits."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import inf
from typing import Any, TypeVar

from slocheck.evidence.scrape_gap import ScrapeGap, ScrapeTimes, longest_gap
from slocheck.evidence.series import ServerSeries
from slocheck.indicators.server.growth.counters import Growth, growth
from slocheck.indicators.server.growth.counts import Counted, counted
from slocheck.indicators.server.growth.events import events, load_balanced, scraped_twice
from slocheck.indicators.server.growth.same_names import job_of, told_apart
from slocheck.indicators.server.growth.scrape_targets import (
    CleanSeries,
    ScrapeTarget,
    baseline_time,
    clean,
    one_each,
    scrape_targets,
)
from slocheck.indicators.server.growth.selections import Selection
from slocheck.indicators.server.reconcile import NO_SCRAPES, OwnScrapes
from slocheck.plan.metric_plan import COUNTER
from slocheck.plan.usage import CONTAINER_METRICS
from slocheck.spec.model import Preset

Result = TypeVar("Result")


class ServerSide:
    """What a metric source delivered for one run, ready to be counted.

    Attributes:
        raw: As it was delivered.
        targets: Every scraped process, by name.
        hidden_lag: For how many seconds of the window a sample may hold requests of the warm-up, although
            `raw.lag` is less: see `indicators.lag.hidden_lag`.
    """

    def __init__(self, raw: ServerSeries) -> None:
        self.raw = raw
        types = {**raw.types, **dict.fromkeys(raw.preset.counters, COUNTER)}
        self._cleaned = tuple(clean(series, types) for series in one_each(told_apart(raw.series)))
        self.targets = scrape_targets(self._cleaned)
        self.hidden_lag = 0.0
        self._by_metric: defaultdict[str, list[CleanSeries]] = defaultdict(list)
        for series in self._cleaned:
            self._by_metric[series.metric].append(series)
        self._grown: dict[tuple[int, float, float, bool], Growth] = {}
        self._computed: dict[Hashable, Any] = {}

    @property
    def preset(self) -> Preset:
        """The metric names that the series were asked for by."""
        return self.raw.preset

    @property
    def window_is_load(self) -> bool:
        """Whether the window is the whole load, without a warm-up."""
        return self.raw.start <= self.raw.load_start

    @property
    def window_start(self) -> float:
        """The moment from which samples hold nothing of the warm-up, however far the page is behind."""
        return self.raw.start if self.window_is_load else self.raw.start + max(self.raw.lag, self.hidden_lag)

    @property
    def whole_from(self) -> float:
        """The moment from which each sample holds all of the load."""
        return self.raw.end if self.raw.whole_from is None else self.raw.whole_from

    def target(self, name: str, metric: str) -> ScrapeTarget:
        """Return a process, with the times at which its page says it counted a metric.

        A page may have the times of its samples on it; they differ from those of the scrapes.
        """
        return self.once(("target", name, metric), lambda: self._in_its_own_time(self.targets[name], metric))

    def _in_its_own_time(self, target: ScrapeTarget, metric: str) -> ScrapeTarget:
        times = self._times.get((target.name, metric), set())
        if 2 * len(times.difference(target.scrapes)) <= len(times):
            return target
        without = bisect_left(target.scrapes, min(self.raw.load_start, *times))
        return replace(target, scrapes=(*target.scrapes[:without], *sorted(times)))

    @cached_property
    def _times(self) -> dict[tuple[str, str], set[float]]:
        """The times of all samples, by process and metric."""
        found: defaultdict[tuple[str, str], set[float]] = defaultdict(set)
        for one in self._cleaned:
            found[one.target, one.metric].update(one.times)
        return found

    def has_own_times(self, metric: str) -> bool:
        """Tell whether every page that shows a metric has the times of its samples on it."""
        names = {one.target for one in self._by_metric.get(metric, ())}
        return bool(names) and all(self.target(name, metric) is not self.targets[name] for name in names)

    def once(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """Return what `compute` gives, computed once for a key."""
        if key not in self._computed:
            self._computed[key] = compute()
        result: Result = self._computed[key]
        return result

    def series_of(self, metric: str) -> tuple[CleanSeries, ...]:
        """Return the series of a metric, in the order delivered."""
        return tuple(self._by_metric.get(metric, ()))

    def count(
        self, metric: str, wanted: Selection, *, begin: float, end: float, whole: bool = True
    ) -> Counted:
        """Return how much the wanted series of a metric grew between two moments; see `growth`."""
        return self.once(
            ("count", metric, wanted, begin, end, whole),
            lambda: counted(
                [
                    (series.labels, self._growth(series, begin, end, whole=whole))
                    for series in self._by_metric.get(metric, ())
                    if wanted(series.labels)
                ],
                self.raw.scrape_interval,
            ),
        )

    def window_count(self, metric: str, wanted: Selection) -> Counted:
        """Return how much the wanted series of a metric grew within the window."""
        return self.count(metric, wanted, begin=self.window_start, end=self.whole_from)

    def wider_count(self, metric: str, wanted: Selection) -> Counted:
        """Return the growth within the window and, at most, what a sample before it is behind."""
        begin = max(self.raw.load_start, self.raw.start - self.raw.scrape_interval)
        return self.count(metric, wanted, begin=begin, end=self.whole_from)

    def load_count(self, metric: str, wanted: Selection) -> Counted:
        """Return how much the wanted series of a metric grew within the whole load, warm-up included."""
        return self.count(metric, wanted, begin=self.raw.load_start, end=self.whole_from)

    def _growth(self, series: CleanSeries, begin: float, end: float, *, whole: bool) -> Growth:
        key = (id(series), begin, end, whole)
        if key not in self._grown:
            self._grown[key] = growth(
                series,
                self.target(series.target, series.metric),
                begin=begin,
                end=end,
                load_start=self.raw.load_start,
                whole=whole,
            )
        return self._grown[key]

    def growth_before_load(self, metric: str, wanted: Selection) -> Fraction:
        """Return how much grew before the load: other traffic, which the client cannot know of."""
        return self.once(
            ("before load", metric, wanted),
            lambda: sum(
                (self._before_load(one) for one in self._by_metric.get(metric, ()) if wanted(one.labels)),
                Fraction(0),
            ),
        )

    def seen_before_load(self, metric: str, wanted: Selection) -> Fraction | None:
        """Return the growth before the load; None if a process that counts was not scraped before.

        What other processes counted then, beyond the scrapes of their pages, is others' traffic all the same.
        """
        grown = self.growth_before_load(metric, wanted)
        if grown > self.own_scrapes(metric, wanted).before:
            return grown
        names = {one.target for one in self._by_metric.get(metric, ()) if wanted(one.labels)}
        unseen = any(min(self.targets[name].scrapes, default=inf) >= self.raw.load_start for name in names)
        return None if unseen else grown

    def own_scrapes(self, metric: str, wanted: Selection) -> OwnScrapes:
        """Return how many of the wanted requests were scrapes.

        A service that counts them shows it before the load, where it grows by exactly one a scrape. Nothing
        is known of one that grew by anything else: somebody else uses it, or it does not count them.
        """
        return self.once(("own scrapes", metric, wanted), lambda: self._own_scrapes(metric, wanted))

    def _own_scrapes(self, metric: str, wanted: Selection) -> OwnScrapes:
        before = during = 0
        for name in {one.target for one in self._by_metric.get(metric, ()) if wanted(one.labels)}:
            target = self.targets[name]
            used, pages = target.scrapes, self.raw.page_requests.get(name.partition("/")[2])
            asked = pages or sorted({*used, *target.failed})
            if not pages and not self._grew_with_each_scrape(name, metric, wanted, asked):
                return NO_SCRAPES
            begin = baseline_time(target, moment=self.raw.load_start, before=True)
            if begin is not None:
                last = min(bisect_left(used, self.whole_from), len(used) - 1)
                until = used[bisect_left(used, self.raw.load_start) - 1]
                before += bisect_left(asked, until) - bisect_left(asked, used[0])
                during += bisect_left(asked, used[last]) - bisect_left(asked, begin)
        if not before or self.growth_before_load(metric, wanted) != before:
            return NO_SCRAPES
        return OwnScrapes(before, during)

    def _grew_with_each_scrape(
        self, name: str, metric: str, wanted: Selection, asked: Sequence[float]
    ) -> bool:
        """Tell whether a target counted one request more at each scrape before the load; `asked` has them."""
        scrapes = self.targets[name].scrapes
        before = scrapes[: bisect_left(scrapes, self.raw.load_start)]
        mine = [one for one in self._by_metric.get(metric, ()) if one.target == name and wanted(one.labels)]
        levels = [sum(_level(one, moment) for one in mine) for moment in before]
        between = [bisect_left(asked, moment) for moment in before]
        return all(
            later - earlier == scrape - last
            for (earlier, later), (last, scrape) in zip(pairwise(levels), pairwise(between), strict=True)
        )

    def _before_load(self, series: CleanSeries) -> Fraction:
        end = bisect_left(series.times, self.raw.load_start)
        before = [Fraction(value) for value in series.values[:end]]
        if not before:
            return Fraction(0)
        scrapes = self.targets[series.target].scrapes
        newborn = bool(scrapes) and scrapes[0] < series.times[0]
        steps = pairwise([Fraction(0) if newborn else before[0], *before])
        return sum((b - a if b >= a else b for a, b in steps), Fraction(0))

    @cached_property
    def scrape_gap(self) -> ScrapeGap:
        """The longest time within the load in which a process, or a whole job, was not scraped."""
        begin, end = self.raw.load_start, self.raw.end
        gaps = [longest_gap(job, begin, end) for job in self._scraped_jobs()]
        if not gaps:
            return ScrapeGap("", 0.0, self.raw.scrape_interval)
        return replace(max(gaps, key=lambda gap: gap.seconds), edge_s=max(gap.edge_s for gap in gaps))

    def _scraped_jobs(self) -> Iterable[Sequence[ScrapeTimes]]:
        """Return the processes of each job; those that serve requests are one, whatever their jobs' names.

        Containers are left out: their usage is only shown.
        """
        graded = [
            one
            for one in self.targets.values()
            if not one.shown or not one.shown.keys() <= set(CONTAINER_METRICS)
        ]
        serving = {_job(one) for one in graded if self._serves(one)}
        jobs: defaultdict[str, list[ScrapeTimes]] = defaultdict(list)
        for one in graded:
            times = ScrapeTimes(one.name, one.scrapes, one.failed, self.raw.scrape_interval)
            jobs["" if _job(one) in serving else _job(one)].append(times)
        return jobs.values()

    def _serves(self, target: ScrapeTarget) -> bool:
        """Tell whether a process shows metrics of requests."""
        wanted = {self.preset.counter, self.preset.histogram}
        return any(metric in wanted or metric.removesuffix("_bucket") in wanted for metric in target.shown)

    @cached_property
    def load_balanced(self) -> str:
        """Why the series look like several processes behind one address; empty when they do not."""
        return load_balanced(self.targets, self._cleaned)

    @cached_property
    def scraped_twice(self) -> str:
        """Why each request is counted twice; empty if it is not."""
        serving = {name: target for name, target in self.targets.items() if self._serves(target)}
        return scraped_twice(serving)

    @cached_property
    def events(self) -> tuple[str, ...]:
        """What may have cost counts during the load: processes that came or went, lost label sets."""
        return events(self.targets, self._cleaned, begin=self.raw.load_start, end=self.raw.end)


def _level(series: CleanSeries, moment: float) -> float:
    """Return a series' last value until a moment; 0 before its first."""
    index = bisect_right(series.times, moment)
    return series.values[index - 1] if index else 0.0


def _job(target: ScrapeTarget) -> str:
    return job_of(target.name)
