"""One replica's metrics pages: fetched now, in the background, and once more after the load."""

import ssl
import threading
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from slocheck.documents.words import quantity, times
from slocheck.errors import SourceError
from slocheck.evidence.series import RawSeries
from slocheck.masking import mask, strip_url
from slocheck.plan.series_queries import PROCESS_START, UP
from slocheck.promql.selectors import SeriesQuery
from slocheck.sources.credentials import Credentials
from slocheck.sources.scrape.exposition import (
    PageError,
    PageReader,
    PageSample,
    SeriesId,
    declared,
    repeated,
)
from slocheck.sources.scrape.page_fetch import Page, fetch_page

PAGE_TIMEOUT = 5.0
"""Seconds for one page; a slower page counts as a gap."""
LAST_PAGE_LIMIT = 15.0
"""Seconds in which the page after the load is retried."""
RETRY_PAUSE = 0.5
MOST_UNEXPLAINED_FALLS = 1
SAME_START = 1.0
"""Seconds: start times closer than this are one restart at most, as some exporters recompute theirs."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """One attempt to fetch a page; times are on our wall clock, epoch seconds.

    Attributes:
        sent: Before the request.
        received: After the last byte, or when it failed.
        error: Why the page is missing; empty if there is one.
        start_time: The process's start, from the page; None if the page does not have it.
        fell: A counter was lower than on the page before, or all series of its metric were gone.
        returned: A counter that the page before lacked is back with the same value.
    """

    sent: float
    received: float
    error: str = ""
    start_time: float | None = None
    fell: bool = False
    returned: bool = False

    @property
    def midpoint(self) -> float:
        """The time its samples are stamped with."""
        return (self.sent + self.received) / 2

    def straddles(self, begin: float, end: float) -> bool:
        """Tell whether it overlaps `begin`..`end`, so that it may have read counters of either side."""
        return self.sent < end and self.received > begin


@dataclass(slots=True)
class _Samples:
    """One series: the scrapes that had it, its values, and their timestamps on the page, by scrape."""

    scrapes: "array[int]" = field(default_factory=lambda: array("L"))
    values: "array[float]" = field(default_factory=lambda: array("d"))
    own_times: dict[int, float] = field(default_factory=dict)


class Replica:
    """The pages of one URL.

    Args:
        url: The metrics page's URL.
        instance: Value of the label ``instance``.
        queries: Wanted series; None: all.
        counters: Those of their metrics that may only rise.
        context: How certificates are checked.
        credentials: The page's credentials.
    """

    def __init__(
        self,
        url: str,
        instance: str,
        *,
        queries: Sequence[SeriesQuery] | None,
        counters: frozenset[str],
        context: ssl.SSLContext,
        credentials: Credentials,
    ) -> None:
        self.url = url
        self.instance = instance
        self.declared: Mapping[str, str] = {}
        self._reader = PageReader(queries)
        self._counters = counters
        self._context = context
        self._credentials = credentials
        self._lock = threading.Lock()
        self._scrapes: list[Scrape] = []
        self._samples: dict[SeriesId, _Samples] = {}
        self._before: dict[SeriesId, float] = {}
        self._last: dict[SeriesId, float] = {}
        self._twice: dict[SeriesId, None] = {}

    def scrape(self) -> Scrape:
        """Fetch the page once and store its samples; a failure is stored as a gap."""
        sent = time.time()
        try:
            page = self._fetch()
            with self._lock:
                samples = self._reader.read(page.text, openmetrics=page.openmetrics)
        except PageError as error:
            with self._lock:
                self._scrapes.append(
                    Scrape(sent, time.time(), error=mask(str(error), self._credentials.secrets))
                )
                return self._scrapes[-1]
        if not self.declared:
            self.declared = declared(page.text)
        with self._lock:
            return self._keep(samples, page.sent, page.received)

    def _keep(self, samples: Sequence[PageSample], sent: float, received: float) -> Scrape:
        now = {sample.series: sample.value for sample in samples}
        if len(now) < len(samples):
            self._twice |= dict.fromkeys(repeated(samples))
        start_time = next((one.value for one in samples if one.series.metric == PROCESS_START), None)
        fell, returned = self._fell(now), self._returned(now)
        self._before = now
        self._last |= {series: value for series, value in now.items() if series.metric in self._counters}
        index = len(self._scrapes)
        self._scrapes.append(Scrape(sent, received, start_time=start_time, fell=fell, returned=returned))
        for series, value, own_time in samples:
            kept = self._samples.setdefault(series, _Samples())
            kept.scrapes.append(index)
            kept.values.append(value)
            if own_time is not None and own_time <= received:  # otherwise the page's clock is ahead of ours
                kept.own_times[index] = own_time
        return self._scrapes[-1]

    def _fell(self, now: Mapping[SeriesId, float]) -> bool:
        """Tell whether a counter fell since the page before.

        If a label set is gone while others of its metric stayed, it was dropped; that is not a fall.
        """
        there = {series.metric for series in now}
        return any(
            now[series] < value if series in now else series.metric not in there
            for series, value in self._before.items()
            if series.metric in self._counters
        )

    def _returned(self, now: Mapping[SeriesId, float]) -> bool:
        return any(
            series in self._last and series not in self._before and value == self._last[series] > 0
            for series, value in now.items()
        )

    def keep_scraping(self, interval: float, stop: threading.Event, first: threading.Event) -> None:
        """Scrape at once and then every `interval` seconds until `stop`; sets `first` after the first."""
        due = time.monotonic()
        while not stop.is_set():
            self.scrape()
            first.set()
            due = max(due + interval, time.monotonic())
            stop.wait(due - time.monotonic())

    def scrape_after(self, moment: float) -> Scrape:
        """Return a successful scrape that began after `moment` (our clock), or the last failed attempt."""
        deadline = time.monotonic() + LAST_PAGE_LIMIT
        time.sleep(max(0.0, moment - time.time()))
        while True:
            scrape = self.scrape()
            if not scrape.error or time.monotonic() > deadline:
                return scrape
            time.sleep(RETRY_PAUSE)

    def scrapes(self) -> tuple[Scrape, ...]:
        """Return all attempts so far, ordered by time."""
        with self._lock:
            return tuple(sorted(self._scrapes, key=lambda scrape: scrape.midpoint))

    def metrics(self) -> frozenset[str]:
        """Return the metrics that had a series so far."""
        with self._lock:
            return frozenset(series.metric for series in self._samples)

    def twice(self) -> tuple[SeriesId, ...]:
        """Return the series that a page had more than once, of pages that were read as a whole."""
        with self._lock:
            return tuple(self._twice)

    def whole_page(self) -> tuple[list[tuple[str, Mapping[str, str]]], Mapping[str, str]]:
        """Fetch the page once, and return metric and labels of all its series, and the types it declares.

        It is stored as a scrape, because the service may have counted it as a request.

        Raises:
            SourceError: Why it cannot be fetched.
        """
        try:
            page = self._fetch()
            samples = PageReader(None).read(page.text, openmetrics=page.openmetrics)
            with self._lock:
                kept = self._reader.read(page.text, openmetrics=page.openmetrics)
                self._keep(kept, page.sent, page.received)
        except PageError as error:
            raise SourceError(
                mask(f"scrape {strip_url(self.url)}: {error}", self._credentials.secrets)
            ) from None
        return [(sample.series.metric, sample.series.labels) for sample in samples], declared(page.text)

    def _fetch(self) -> Page:
        return fetch_page(self.url, self._context, PAGE_TIMEOUT, headers=self._credentials.request_headers)

    def label_values(self, metric: str, label: str) -> tuple[str, ...]:
        """Return the value of `label` in each series of `metric`."""
        with self._lock:
            return tuple(
                series.labels[label]
                for series in self._samples
                if series.metric == metric and label in series.labels
            )

    def series(self, keep: Callable[[Scrape], bool], load_start: float) -> tuple[RawSeries, ...]:
        """Return all series and ``up``, from the scrapes that `keep` accepts, times ascending.

        A sample first seen during the load is left out if the page dates it before the load: the page may be
        stale, or its clock slow.
        """
        with self._lock:
            order = sorted(range(len(self._scrapes)), key=lambda index: self._scrapes[index].midpoint)
            rank = {index: at for at, index in enumerate(order) if keep(self._scrapes[index])}
            times = [scrape.midpoint for scrape in self._scrapes]
            found = [self._raw(*each, rank=rank, load_start=load_start) for each in self._samples.items()]
            kept_in_order = [index for index in order if index in rank]
        up = RawSeries(
            UP,
            {"instance": self.instance},
            tuple(times[index] for index in kept_in_order),
            tuple(0.0 if self._scrapes[index].error else 1.0 for index in kept_in_order),
        )
        return (up, *(series for series in found if series.times))

    def _raw(self, series: SeriesId, kept: _Samples, *, rank: dict[int, int], load_start: float) -> RawSeries:
        chosen: dict[float, float] = {}
        for _, index, value in sorted(
            (rank[index], index, value)
            for index, value in zip(kept.scrapes, kept.values, strict=True)
            if index in rank
        ):
            scrape = self._scrapes[index]
            time = kept.own_times.get(index, scrape.midpoint)
            if time > load_start or scrape.received <= load_start:
                chosen[time] = value
        times = sorted(chosen)
        labels = {
            f"exported_{key}" if key == "instance" else key: value for key, value in series.labels.items()
        }
        return RawSeries(
            series.metric,
            {**labels, "instance": self.instance},
            tuple(times),
            tuple(chosen[time] for time in times),
        )


def several_processes(scrapes: Sequence[Scrape]) -> str:
    """Say why the pages come from more than one process; empty if nothing suggests it.

    A single restart is normal. If a start time returns exactly to an earlier value, or counters fall
    repeatedly without a new start time, there are several processes behind one URL.
    """
    good = [scrape for scrape in scrapes if not scrape.error]
    starts = [scrape.start_time for scrape in good if scrape.start_time is not None]
    changes = [later for earlier, later in pairwise(starts) if later != earlier]
    if len(set(changes)) < len(changes) or (changes and starts[0] in changes):
        return f"{PROCESS_START} goes back and forth between {len(set(starts))} values"
    restarts = sum(abs(later - earlier) >= SAME_START for earlier, later in pairwise(starts))
    falls = sum(scrape.fell for scrape in good)
    if falls > restarts + MOST_UNEXPLAINED_FALLS:
        return f"its counters fell {times(falls)} with {quantity(restarts, 'restart')}"
    returns = sum(scrape.returned for scrape in good)
    if returns > MOST_UNEXPLAINED_FALLS:
        return f"label sets vanished from its page and came back unchanged {times(returns)}"
    return ""
