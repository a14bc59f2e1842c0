"""What happened to the scraped processes during the load, in words: restarts, redeploys, lost label sets."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf

from slocheck.documents.words import times
from slocheck.evidence.series import parse_boundary
from slocheck.indicators.server.growth.same_names import job_of, original_instance, pinning_labels
from slocheck.indicators.server.growth.scrape_targets import CleanSeries, ScrapeTarget
from slocheck.indicators.server.growth.selections import Labels

MANY_FALLS = 3
"""This many decreases of one counter, without process starts to compare with, look like several processes."""
_NOT_SHOWN = ("job", "instance", "le")


def load_balanced(targets: Mapping[str, ScrapeTarget], cleaned: Iterable[CleanSeries]) -> str:
    """Say why the series look like several processes behind one address; empty when they do not.

    A series that its page lacked before it fell was dropped and began again; that is not another process.
    """
    most: dict[str, tuple[int, CleanSeries]] = {}
    for series in cleaned:
        if series.is_counter and (falls := len(series.falls())):
            falls -= len(targets[series.target].lost_falls(series))
            if falls > most.get(series.target, (0, series))[0]:
                most[series.target] = falls, series
    for name, target in targets.items():
        if target.flips_back():
            return (
                f"{_shown(name)}: its process start goes back and forth between {target.processes()} values, "
                "so several processes respond behind one address; scrape each replica by itself"
            )
        restarts = target.restarts(0, inf)
        allowed = restarts if target.starts else MANY_FALLS - 1
        if name in most and most[name][0] > allowed:
            falls, falling = most[name]
            started = (
                f"while the process started {times(restarts)}" if target.starts else "with no start known"
            )
            return (
                f"{_shown(name)}: a counter fell {times(falls)} {started} ({_series(falling)}); it is "
                "scraped through a load balancer, or served by several workers without a shared registry"
            )
    return ""


def scraped_twice(targets: Mapping[str, ScrapeTarget]) -> str:
    """Say that one process is scraped twice, so that each request is counted twice; empty if none is.

    A process is known by its instance and by the moment at which it started.
    """
    seen: dict[tuple[str, float], str] = {}
    for name, target in targets.items():
        instance = original_instance(name)
        for started in {start for _, start in target.starts}:
            other = seen.setdefault((instance, started), name)
            if other != name:
                return f"{_shown(other)} and {_shown(name)} are one process, {_pin_one(other, name)}"
    return ""


def _pin_one(one: str, other: str) -> str:
    if job_of(one) != job_of(other):
        return "scraped by two jobs; pin one with selector: {job: ...}"
    return f"scraped twice; pin one with selector: {{{pinning_labels(one)}}}"


def events(
    targets: Mapping[str, ScrapeTarget], cleaned: Sequence[CleanSeries], *, begin: float, end: float
) -> tuple[str, ...]:
    """Say what may have cost counts between two moments: processes that came or went, lost label sets."""
    counting = {series.target for series in cleaned if series.is_counter}
    seen = {name: target for name, target in targets.items() if name in counting}
    return (
        *_restarts(seen, begin, end),
        *_replaced(seen, begin, end),
        *_lost_label_sets(targets, cleaned, end),
    )


def _restarts(targets: Mapping[str, ScrapeTarget], begin: float, end: float) -> Iterable[str]:
    for name, target in targets.items():
        since = max((time for time in target.scrapes if time < begin), default=begin)
        until = min((time for time in target.scrapes if time >= end), default=end)
        restarts = target.restarts(since, until)
        falls = sum(since < time <= until for time in target.falls)
        if restarts:
            yield f"the process of {_shown(name)} started {times(restarts)} during the load"
        elif falls:
            yield f"the counters of {_shown(name)} fell {times(falls)} during the load"


def _replaced(targets: Mapping[str, ScrapeTarget], begin: float, end: float) -> Iterable[str]:
    gone = [one for one in targets.values() if one.scrapes and begin <= one.scrapes[-1] < end]
    come = [one for one in targets.values() if one.scrapes and begin < one.scrapes[0] <= end]
    parts = [
        f"{_shown(one.name)} was last scraped {end - one.scrapes[-1]:.0f} s before its end" for one in gone
    ]
    parts += [
        f"{_shown(one.name)} was first scraped {one.scrapes[0] - begin:.0f} s into the load" for one in come
    ]
    if parts:
        why = ": a redeploy, or one process with a new name" if gone and come else ""
        yield ", ".join(parts) + why


def _lost_label_sets(
    targets: Mapping[str, ScrapeTarget], cleaned: Iterable[CleanSeries], end: float
) -> Iterable[str]:
    families: dict[tuple[str, str], list[CleanSeries]] = {}
    for series in cleaned:
        if series.is_counter and _counts_requests(series.labels):
            families.setdefault((series.target, series.metric), []).append(series)
    for (name, metric), members in families.items():
        lost = [one for one in members if targets[name].lost(one, end)]
        if lost:
            yield (
                f"{len(lost)} of {len(members)} label sets of {metric} vanished from the page of "
                f"{_shown(name)} while it was scraped, such as {_series(lost[0])}"
            )


def _counts_requests(labels: Labels) -> bool:
    """Tell whether a series is not a histogram bucket, or is the last one, which counts every request."""
    return "le" not in labels or parse_boundary(labels["le"]) == inf


def _series(series: CleanSeries) -> str:
    labels = ", ".join(f'{key}="{value}"' for key, value in series.labels.items() if key not in _NOT_SHOWN)
    return f"{series.metric}{{{labels}}}" if labels else series.metric


def _shown(name: str) -> str:
    return name.lstrip("/")
