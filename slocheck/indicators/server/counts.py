"""Growth of many series put together: by status, by bucket edge, over all processes."""

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.server.counters import (
    Flag,
    Growth,
    clean,
    growth,
    is_counter,
    scrape_targets,
    target_name,
)
from slocheck.spec.model import Endpoint, Objective, Preset

_STATUS = re.compile(r"^([1-5])(\d\d|xx|XX)$")

MANY_FALLS = 3
"""So many falls of one counter, with no word on process starts, look like several processes."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Series and how much each grew.

    Attributes:
        parts: The series' labels and growth.
        flags: Of all of them.
        interval: Length of a slice, seconds.
    """

    parts: tuple[tuple[Mapping[str, str], Growth], ...]
    flags: frozenset[Flag]
    interval: float

    def total(self, wanted: Callable[[Mapping[str, str]], bool] = lambda _: True) -> Fraction:
        """Return the growth of the series whose labels are wanted."""
        return sum((part.total for labels, part in self.parts if wanted(labels)), Fraction(0))

    def slices(self, count: int, wanted: Callable[[Mapping[str, str]], bool] = lambda _: True) -> list[int]:
        """Return the same per slice of one scrape interval, by the moment of the scrape that showed it."""
        amounts = [Fraction(0)] * count
        first = self._first()
        for labels, part in self.parts:
            if wanted(labels):
                for step in part.steps:
                    slot = min(count - 1, max(0, round((step.end - first) / self.interval)))
                    amounts[slot] += step.added
        return [round(amount) for amount in amounts]

    def _first(self) -> float:
        """The first scrape after the baseline: the end of the first slice."""
        return min((step.end for _, part in self.parts for step in part.steps), default=0.0)

    def slots(self) -> int:
        """Return how many slices of one scrape interval the steps span."""
        last = max((step.end for _, part in self.parts for step in part.steps), default=0.0)
        return 1 + round((last - self._first()) / self.interval) if self.interval > 0 else 1


def count(
    server: ServerSeries,
    metric: str,
    wanted: Callable[[Mapping[str, str]], bool],
    *,
    begin: float,
    end: float,
    whole: bool = True,
) -> Counted:
    """Return how much the wanted series of a metric grew between two moments."""
    processes = scrape_targets(server)
    parts = []
    for series in server.series:
        if series.metric == metric and wanted(series.labels):
            target = processes[target_name(series.labels)]
            grown = growth(series, target, begin=begin, end=end, load_start=server.load_start, whole=whole)
            parts.append((series.labels, grown))
    flags = frozenset(flag for _, part in parts for flag in part.flags)
    return Counted(tuple(parts), flags, server.scrape_interval)


def route_filter(preset: Preset, objective: Objective) -> Callable[[Mapping[str, str]], bool]:
    """Return which series an objective is about: one endpoint's, or all but the routes left out."""
    wanted = dict(objective.labels)
    endpoint: Endpoint | None = objective.endpoint
    if endpoint is not None:
        if preset.method_label:
            wanted.setdefault(preset.method_label, endpoint.method)
        if preset.route_label:
            wanted.setdefault(preset.route_label, endpoint.name)
    ignored = frozenset(preset.ignore_routes) if endpoint is None and not objective.labels else frozenset()

    def matches(labels: Mapping[str, str]) -> bool:
        if preset.route_label and labels.get(preset.route_label) in ignored:
            return False
        return all(labels.get(label) == value for label, value in wanted.items())

    return matches


def status_share(value: str, statuses: Sequence[str]) -> tuple[bool, bool]:
    """Tell whether a status label's value surely and possibly stands for one of `statuses`.

    Values may be exact (``503``) or grouped (``5xx``); `statuses` may be both as well. What is no status
    at all may stand for anything.
    """
    match = _STATUS.match(value)
    if match is None:
        return False, True
    family = f"{match[1]}xx"
    if family in statuses:
        return True, True
    if match[2].isdigit():
        exact = value in statuses
        return exact, exact
    return False, any(status.startswith(match[1]) for status in statuses)


def load_balanced(server: ServerSeries) -> str:
    """Say why the series look like several processes behind one address; empty when they do not."""
    for name, target in scrape_targets(server).items():
        if target.flips_back():
            return (
                f"{name}: its process start goes back and forth, so several processes answer behind one "
                "address; scrape each replica by itself"
            )
        falls = max((_falls(series) for series in server.series if _counts_of(series, name)), default=0)
        restarts = target.restarts(0, float("inf"))
        allowed = restarts if target.starts else MANY_FALLS - 1
        if falls > allowed:
            return (
                f"{name}: a counter fell {falls} times while the process started {restarts} times; it is "
                "scraped through a load balancer, or served by several workers without a shared registry"
            )
    return ""


def _counts_of(series: RawSeries, name: str) -> bool:
    return is_counter(series.metric) and target_name(series.labels) == name


def _falls(series: RawSeries) -> int:
    return sum(b < a for a, b in pairwise(clean(series)[1]))


def quiet_growth(server: ServerSeries, metric: str, wanted: Callable[[Mapping[str, str]], bool]) -> Fraction:
    """Return how much grew before the load: other traffic, which the client cannot know of."""
    processes = scrape_targets(server)
    total = Fraction(0)
    for series in server.series:
        if series.metric == metric and wanted(series.labels):
            times, values = clean(series)
            before = [Fraction(value) for value in values[: bisect_left(times, server.load_start)]]
            if before:
                scrapes = processes[target_name(series.labels)].scrapes
                newborn = bool(scrapes) and scrapes[0] < times[0]
                first = Fraction(0) if newborn else before[0]
                total += sum(b - a if b >= a else b for a, b in pairwise([first, *before]))
    return total
