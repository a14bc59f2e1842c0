"""The longest time in which the series of a custom query were not scraped.

An instant value at the window's end looks back up to five minutes, and a range as far as it says, so both
skip a gap silently. So the scrapes of the targets behind each selector are checked.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from math import ceil

from slocheck.evidence.scrape_gap import ScrapeGap, ScrapeTimes, longest_gap, usual_interval
from slocheck.plan.series_queries import UP
from slocheck.promql.lookback import Lookback, lookbacks
from slocheck.promql.selectors import Matcher, SeriesQuery, selector_text
from slocheck.sources.prometheus.fetch import Fetcher
from slocheck.sources.prometheus.query_responses import points, series

HISTORY_S = 300.0
"""Scrapes are read from this long before a query's oldest sample, to know their interval."""
SAMPLE_STEP_S = 1.0
Target = tuple[str, str]
"""Job and instance."""


def query_gap(
    fetcher: Fetcher, query: str, *, start: float, end: float, until: float, interval: float
) -> ScrapeGap | None:
    """Return the longest gap in what a query reads; None if unknown, or if it reads nothing.

    Args:
        fetcher: Asks Prometheus.
        query: The query as sent.
        start: The window's start, like all times here in epoch seconds on the server's clock.
        end: The window's end.
        until: The time up to which scrapes are known.
        interval: Seconds between two scrapes of what was not scraped twice.

    Raises:
        SourceError: Prometheus does not respond.
    """
    gaps = [
        gap
        for read in lookbacks(query) or ()
        for gap in _gaps(fetcher, read, start=start, end=end - read.end, until=until, interval=interval)
    ]
    return max(gaps, key=lambda gap: gap.intervals, default=None)


def _gaps(
    fetcher: Fetcher, read: Lookback, *, start: float, end: float, until: float, interval: float
) -> Iterator[ScrapeGap]:
    """Yield the longest gap of each job behind a selector."""
    begin = min(start, end) - (read.begin - read.end)
    targets = _targets(fetcher, read, begin, end)
    known = _scrapes(fetcher, targets, begin - HISTORY_S, until)
    jobs: defaultdict[str, list[ScrapeTimes]] = defaultdict(list)
    for (job, _instance), times in known.items():
        jobs[job].append(_with_interval(times, interval))
    for members in jobs.values():
        yield longest_gap(members, begin, end, whole_from=start)
    if len(known) < len(targets):  # of a recording rule, or pushed: use the times of the samples
        for times in _samples(fetcher, read.selector, targets - known.keys(), begin - HISTORY_S, end):
            known_times = _with_interval(times, interval)
            yield longest_gap([known_times], begin, end, whole_from=max(start, *times.good[:1]))


def _with_interval(times: ScrapeTimes, interval: float) -> ScrapeTimes:
    return times if times.interval > 0 else replace(times, interval=interval)


def _targets(fetcher: Fetcher, read: Lookback, begin: float, end: float) -> set[Target]:
    """Return the targets that had a sample of a selector, and those whose older sample it still reads."""
    text = f"last_over_time({read.selector}[{_ms(end - begin)}])"
    if read.begin == read.end:
        text += f" or {read.selector}"
    text = f"count by (job, instance) ({text})"
    response = fetcher.http.query(text, end)
    return {_target(point.labels) for point in points(response, fetcher.http.messages)}


def _scrapes(
    fetcher: Fetcher, targets: Iterable[Target], begin: float, until: float
) -> dict[Target, ScrapeTimes]:
    """Return the scrapes of those targets that are scraped."""
    wanted = set(targets)
    jobs = sorted({job for job, _ in wanted if job})
    if not jobs:
        return {}
    matcher = Matcher("job", "=~", "|".join(map(re.escape, jobs)))
    found: dict[Target, ScrapeTimes] = {}
    for one in fetcher.fetch(selector_text(SeriesQuery(UP, (matcher,))), start=begin, end=until):
        target = _target(one.labels)
        if target in wanted:
            good = tuple(time for time, up in zip(one.times, one.values, strict=True) if up == 1)
            failed = tuple(time for time, up in zip(one.times, one.values, strict=True) if up != 1)
            found[target] = ScrapeTimes("/".join(target), good, failed, usual_interval(one.times))
    return found


def _samples(
    fetcher: Fetcher, selector: str, targets: set[Target], begin: float, end: float
) -> Iterator[ScrapeTimes]:
    """Yield the times of the samples of targets that are not scraped."""
    step = max(SAMPLE_STEP_S, ceil((end - begin) / 10_000))
    text = f"max by (job, instance) (timestamp({selector}))"
    response = fetcher.http.query_range(text, start=begin, end=end, step=step)
    for one in series(response, fetcher.http.messages):
        if _target(one.labels) in targets:
            times = sorted(set(one.values))
            yield ScrapeTimes("/".join(_target(one.labels)), tuple(times), (), usual_interval(times))


def _target(labels: Mapping[str, str]) -> Target:
    return labels.get("job", ""), labels.get("instance", "")


def _ms(seconds: float) -> str:
    return f"{max(1, ceil(seconds * 1000))}ms"
