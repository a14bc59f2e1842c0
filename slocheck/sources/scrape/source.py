"""The metric source that fetches the target's metrics pages itself, without a Prometheus server."""

import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from urllib.parse import urlsplit

from slocheck.documents.http import authority, host_and_port
from slocheck.errors import SourceError, UsageError
from slocheck.evidence.series import RawSeries, ServerSeries, SourcePreflight
from slocheck.indicators.lag import longest_wait, measured_lag, settlement
from slocheck.masking import strip_url
from slocheck.plan.families import Family, families_of
from slocheck.plan.metric_plan import MetricPlan
from slocheck.plan.series_queries import PROCESS_START, UP
from slocheck.promql.selectors import SeriesQuery, matches, selector_text
from slocheck.sources.bucket_warnings import boundary_warnings, common_boundaries
from slocheck.sources.credentials import Credentials, read_credentials
from slocheck.sources.scrape.exposition import ONE_REGISTRY, SeriesId
from slocheck.sources.scrape.page_checks import (
    check_page,
    failed_scrapes,
    incomplete,
    missing_metrics,
    responded,
    same_process,
    slow_pages,
)
from slocheck.sources.scrape.replica import LAST_PAGE_LIMIT, PAGE_TIMEOUT, Replica, Scrape
from slocheck.spec.blocks.metric_source.scrape import ScrapeSource
from slocheck.spec.model import Preset
from slocheck.tls import tls_context

PROBES = 5
PROBE_PAUSE = 0.1
SETTLE = 0.2
"""Seconds between the last response and the last scrape, as a server counts a request slightly later."""
POLL = 0.25
"""Seconds between two scrapes after the load, until the pages have counted all of it."""
INTERVALS_BEFORE = 5
GRACE = 2.0


class ScrapePages:
    """Raw series from the metrics pages of every replica.

    Args:
        source: The pages' URLs.
        plan: Which of their series to use.
    """

    def __init__(self, source: ScrapeSource, plan: MetricPlan) -> None:
        self._source = source
        self._replicas: tuple[Replica, ...] = ()
        self._stop = threading.Event()
        self._started = False
        self._take(plan)

    def _take(self, plan: MetricPlan) -> None:
        self._plan = plan
        self._mapping = plan.mapping
        self._queries = tuple(query for query in plan.series if query.metric != UP)
        self._limits = plan.latency_limits
        self._usage = plan.usage

    def check(self) -> None:
        """Check addresses, credentials and certificates; raises UsageError. No page is fetched."""
        self._settings()

    def families(self, *, after: float | None = None) -> tuple[Family, ...]:
        """Return the families on all pages.

        Raises:
            SourceError: A page cannot be fetched.
        """
        self._open()
        if after is not None:
            time.sleep(max(0.0, after + SETTLE - time.time()))
        seen: list[tuple[str, Mapping[str, str]]] = []
        types: dict[str, str] = {}
        for replica in self._replicas:
            each, declared = replica.whole_page()
            seen += each
            types |= declared
        return families_of(seen, types)

    def use(self, plan: MetricPlan) -> None:
        """Use this plan from now on; before `start`, it also drops all earlier samples."""
        self._take(plan)
        if not self._started:
            self._replicas = ()

    def preflight(self) -> SourcePreflight:
        """Fetch every page a few times, and check that each comes from one process.

        Raises:
            SourceError: A page cannot be fetched, or comes from several processes.
            UsageError: A URL is named twice, or a certificate file cannot be read.
        """
        self._open()
        threads = [_in_background(self._probe, replica) for replica in self._replicas]
        _join(threads, PROBES * (PAGE_TIMEOUT + PROBE_PAUSE) + GRACE)
        for replica in self._replicas:
            check_page(replica)
        warnings = [*same_process(self._replicas), *slow_pages(self._replicas, self._source.interval)]
        boundaries = self._boundaries()
        missing = self._missing()
        warnings += missing_metrics(self._replicas, missing, self._mapping)
        warnings += boundary_warnings(self._mapping, boundaries, self._limits)
        return SourcePreflight(
            scrape_interval=self._source.interval,
            clock_skew=0.0,
            targets=len(self._replicas),
            bucket_boundaries=tuple(float(boundary) for boundary in boundaries),
            missing=missing,
            warnings=tuple(warnings),
        )

    def start(self) -> None:
        """Scrape every replica once, then continue in the background; returns after the first scrapes."""
        self._open()
        self._started = True
        firsts = []
        for replica in self._replicas:
            firsts.append(threading.Event())
            _in_background(replica.keep_scraping, self._source.interval, self._stop, firsts[-1])
        deadline = time.monotonic() + PAGE_TIMEOUT + GRACE
        for first in firsts:
            first.wait(max(0.0, deadline - time.monotonic()))

    def collect(self, *, load_start: float, window_start: float, end: float, sent: int) -> ServerSeries:
        """Scrape until the pages have counted the whole load; times are epoch seconds on our clock.

        Raises:
            SourceError: No page was ever fetched.
        """
        self._stop.set()
        metrics = frozenset(query.metric for query in self._queries)
        limit = longest_wait(self._source.interval, self._mapping)
        after = end + SETTLE
        while True:
            good = self._scrape_after(after)
            found = self._delivered(load_start=load_start, window_start=window_start, end=end)
            state = settlement(found, metrics, sent=sent, limit=limit)
            if state.whole or not good or time.time() > end + limit:
                break
            after = time.time() + POLL
        unsettled = (state.reason,) if good and state.reason else ()
        return replace(
            found,
            lag=measured_lag(found, metrics),
            whole_from=state.reached,
            incomplete=(*found.incomplete, *unsettled),
        )

    def _scrape_after(self, moment: float) -> bool:
        """Scrape every replica once more after this time; return whether all of them responded.

        Raises:
            SourceError: No page was ever fetched.
        """
        threads = [_in_background(replica.scrape_after, moment) for replica in self._replicas]
        _join(threads, LAST_PAGE_LIMIT + 2 * PAGE_TIMEOUT + GRACE)
        if all(scrape.error for replica in self._replicas for scrape in replica.scrapes()):
            raise SourceError("scrape: no page could be fetched, neither during nor after the load")
        return all(responded(replica, moment) for replica in self._replicas)

    def _delivered(self, *, load_start: float, window_start: float, end: float) -> ServerSeries:
        """Return all samples so far."""
        begin = load_start - INTERVALS_BEFORE * self._source.interval

        def usable(scrape: Scrape) -> bool:
            """Leave out scrapes that may have read counters before or after one of the load's times."""
            return scrape.sent >= begin and not (
                scrape.straddles(load_start, load_start)
                or scrape.straddles(window_start, window_start)
                or scrape.straddles(end, end + SETTLE)
            )

        delivered = tuple(
            series
            for replica in self._replicas
            for series in replica.series(usable, load_start)
            if self._asks(series)
        )
        declared = {name: kind for replica in self._replicas for name, kind in replica.declared.items()}
        return ServerSeries(
            kind=self._source.kind,
            preset=_without_pages(self._mapping, self._source.urls),
            load_start=load_start,
            start=window_start,
            end=end,
            series=delivered,
            types=self._plan.types_of((one.metric for one in delivered), declared),
            page_requests={
                replica.instance: tuple(scrape.midpoint for scrape in replica.scrapes())
                for replica in self._replicas
            },
            scrape_interval=self._source.interval,
            queries=tuple(self._asked()),
            warnings=tuple(failed_scrapes(self._replicas)),
            incomplete=(*incomplete(self._replicas, end + SETTLE), *self._ambiguous()),
        )

    def close(self) -> None:
        """Stop scraping; the threads end by themselves after their current page."""
        self._stop.set()

    def _ambiguous(self) -> list[str]:
        """Say which wanted series a page had twice: nothing tells which of its values is right."""
        return [
            f"{strip_url(replica.url)}: the page has a series twice, {series.metric}: {ONE_REGISTRY}"
            for replica in self._replicas
            for series in replica.twice()
            if self._asks(series)
        ]

    def _asks(self, series: RawSeries | SeriesId) -> bool:
        """Tell whether the plan asks for a series, as all were stored while no mapping was found."""
        return series.metric in (UP, PROCESS_START) or any(
            query.metric == series.metric and matches(series.labels, query.matchers)
            for query in (*self._queries, *self._usage)
        )

    def _asked(self) -> list[str]:
        """Return the fetched pages and the used series for the report, one line each."""
        pages = [f"GET {strip_url(url)}" for url in self._source.urls]
        return [*pages, *(selector_text(query) for query in self._queries)]

    def _settings(self) -> tuple[ssl.SSLContext, Credentials]:
        """Return the TLS context and the credentials of requests for pages; raises UsageError."""
        twice = [url for url, times in Counter(self._source.urls).items() if times > 1]
        if twice:
            raise UsageError(
                f"scrape: {strip_url(twice[0])} is named twice and would count twice; name it once"
            )
        context = tls_context(self._source.tls, where="scrape.tls")
        return context, read_credentials(self._source.auth, where="scrape.auth")

    def _open(self) -> None:
        """Create the replicas, once."""
        if self._replicas:
            return
        context, credentials = self._settings()
        queries = (*self._queries, *self._usage)
        if not any(query.metric == PROCESS_START for query in queries):
            queries = (*queries, SeriesQuery(PROCESS_START))
        counters = _counters(self._mapping)
        wanted = None if self._mapping.is_unknown else queries
        self._replicas = tuple(
            Replica(
                url, instance, queries=wanted, counters=counters, context=context, credentials=credentials
            )
            for url, instance in zip(self._source.urls, instances(self._source.urls), strict=True)
        )

    @staticmethod
    def _probe(replica: Replica) -> None:
        """Fetch the page a few times, each time over a new connection."""
        for _ in range(PROBES):
            if replica.scrape().error:
                return
            time.sleep(PROBE_PAUSE)

    def _boundaries(self) -> tuple[Fraction, ...]:
        """Return the bucket boundaries, in seconds, that all histograms of all replicas share."""
        metric = f"{self._mapping.histogram}_bucket"
        counts = Counter(le for replica in self._replicas for le in replica.label_values(metric, "le"))
        return common_boundaries(counts, self._mapping.unit_seconds)

    def _missing(self) -> tuple[str, ...]:
        there = frozenset[str]().union(*(replica.metrics() for replica in self._replicas))
        wanted = dict.fromkeys(query.metric for query in self._queries if query.metric != PROCESS_START)
        return tuple(metric for metric in wanted if metric not in there)


def instances(urls: Sequence[str]) -> tuple[str, ...]:
    """Return the label ``instance`` of each URL: host and port, with the path if several URLs share them."""
    hosts = [authority(*host_and_port(url)) for url in urls]
    shared = {host for host, times in Counter(hosts).items() if times > 1}
    return tuple(
        host + urlsplit(url).path if host in shared else host for host, url in zip(hosts, urls, strict=True)
    )


def _without_pages(mapping: Preset, urls: Sequence[str]) -> Preset:
    """Return a mapping that ignores the pages' own routes, so slocheck's scrapes are not foreign requests."""
    paths = {urlsplit(url).path.rstrip("/") for url in urls} - {""}
    own = {written for path in paths for written in (path, f"{path}/")}
    return replace(mapping, ignore_routes=tuple(dict.fromkeys((*mapping.ignore_routes, *sorted(own)))))


def _counters(preset: Preset) -> frozenset[str]:
    """Return the metrics that may only rise."""
    parts = (f"{preset.histogram}_bucket", f"{preset.histogram}_count") if preset.histogram else ()
    return frozenset((*preset.counters, *parts))


def _in_background(work: Callable[..., object], *arguments: object) -> threading.Thread:
    """Run `work` on a thread that does not keep the process alive."""
    thread = threading.Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def _join(threads: Sequence[threading.Thread], seconds: float) -> None:
    """Wait up to `seconds` in total for all threads; one that hangs is abandoned."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
