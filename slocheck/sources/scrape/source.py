"""The metric source that fetches the target's metrics pages itself; no Prometheus server needed."""

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
from slocheck.evidence.warnings import RunWarning
from slocheck.indicators.lag import longest_wait, measured_lag, settlement
from slocheck.masking import strip_url
from slocheck.plan.families import Family, families_of
from slocheck.plan.metric_plan import MetricPlan
from slocheck.plan.series_queries import PROCESS_START, UP
from slocheck.promql.selectors import SeriesQuery, matches, selector_text
from slocheck.sources.bucket_warnings import boundary_warnings, common_boundaries
from slocheck.sources.credentials import Credentials, read_credentials
from slocheck.sources.scrape.replica import (
    LAST_PAGE_LIMIT,
    PAGE_TIMEOUT,
    SAME_START,
    Replica,
    Scrape,
    several_processes,
)
from slocheck.spec.blocks.metric_source.scrape import ScrapeSource
from slocheck.spec.model import Preset
from slocheck.tls import tls_context

PROBES = 5
PROBE_PAUSE = 0.1
SETTLE = 0.2
"""Seconds between the last response and the last scrape: a server counts a request a little later."""
POLL = 0.25
"""Seconds between two scrapes after the load, while the pages have not counted all of it."""
INTERVALS_BEFORE = 5
GRACE = 2.0
ONE_PROCESS = (
    "name every replica's own URL in scrape, and give a service of several workers its library's "
    "multi-process mode"
)


class ScrapePages:
    """Raw series from the metrics pages of every replica.

    Args:
        source: The pages' URLs.
        plan: What to keep of them.
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
        """Check addresses, credentials and certificates; raises UsageError. No page is asked for."""
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
        """Ask by this plan from now on; before `start`, what the pages showed until now is forgotten."""
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
            self._check(replica)
        warnings = [*self._same_process(), *self._slow_pages()]
        boundaries = self._boundaries()
        missing = self._missing()
        warnings += self._missing_warnings(missing)
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
        """Scrape every replica once, then go on in the background; returns after the first scrapes."""
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
        """Scrape until the pages have counted all of the load; times are our epoch seconds.

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
        """Scrape every replica once more after a moment; tells whether all of them responded.

        Raises:
            SourceError: No page was ever fetched.
        """
        threads = [_in_background(replica.scrape_after, moment) for replica in self._replicas]
        _join(threads, LAST_PAGE_LIMIT + 2 * PAGE_TIMEOUT + GRACE)
        if all(scrape.error for replica in self._replicas for scrape in replica.scrapes()):
            raise SourceError("scrape: no page could be fetched, neither during nor after the load")
        return all(_responded(replica, moment) for replica in self._replicas)

    def _delivered(self, *, load_start: float, window_start: float, end: float) -> ServerSeries:
        """Return all samples until now."""
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
            warnings=tuple(self._gaps()),
            incomplete=tuple(self._incomplete(end + SETTLE)),
        )

    def close(self) -> None:
        """Stop scraping; the threads end by themselves after their current page."""
        self._stop.set()

    def _asks(self, series: RawSeries) -> bool:
        """Tell whether the plan asks for a series: all were kept while no mapping was found."""
        return series.metric in (UP, PROCESS_START) or any(
            query.metric == series.metric and matches(series.labels, query.matchers)
            for query in (*self._queries, *self._usage)
        )

    def _asked(self) -> list[str]:
        """Return what was fetched and what was kept of it, one line each, for the report."""
        pages = [f"GET {strip_url(url)}" for url in self._source.urls]
        return [*pages, *(selector_text(query) for query in self._queries)]

    def _settings(self) -> tuple[ssl.SSLContext, Credentials]:
        """Return what each request for a page carries; raises UsageError."""
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
        """Fetch the page a few times, each over its own connection."""
        for _ in range(PROBES):
            if replica.scrape().error:
                return
            time.sleep(PROBE_PAUSE)

    @staticmethod
    def _check(replica: Replica) -> None:
        place = f"scrape {strip_url(replica.url)}"
        scrapes = replica.scrapes()
        if not scrapes:
            raise SourceError(f"{place}: no response; check that the service is not overloaded")
        failed = next((scrape for scrape in scrapes if scrape.error), None)
        if failed:
            raise SourceError(f"{place}: {failed.error}")
        starts = [scrape.start_time for scrape in scrapes if scrape.start_time is not None]
        why = several_processes(scrapes)
        if not why and starts and max(starts) - min(starts) >= SAME_START:
            why = f"{PROCESS_START} changed within a second"
        if why:
            raise SourceError(f"{place}: {why}: it is served by several processes; {ONE_PROCESS}")

    def _same_process(self) -> list[RunWarning]:
        """Warn of URLs that seem to lead to one process, whose requests would count twice."""
        seen: dict[float, Replica] = {}
        warnings = []
        for replica in self._replicas:
            start = replica.scrapes()[-1].start_time
            if start is not None and start in seen:
                other = seen[start]
                text = (
                    f"{strip_url(other.url)} and {strip_url(replica.url)} have the same {PROCESS_START}: "
                    "if they are one process, name it once, or its requests count twice"
                )
                warnings.append(RunWarning("same-process", text))
            elif start is not None:
                seen[start] = replica
        return warnings

    def _slow_pages(self) -> list[RunWarning]:
        warnings = []
        for replica in self._replicas:
            took = max(scrape.received - scrape.sent for scrape in replica.scrapes())
            if took > self._source.interval / 2:
                text = (
                    f"a scrape of {strip_url(replica.url)} takes {took:.1f} s, at an interval of "
                    f"{self._source.interval:g} s: raise scrape's interval, or scraping slows the service"
                )
                warnings.append(RunWarning("slow-page", text))
        return warnings

    def _boundaries(self) -> tuple[Fraction, ...]:
        """Return the bucket boundaries, in seconds, that all histograms of all replicas share."""
        metric = f"{self._mapping.histogram}_bucket"
        counts = Counter(le for replica in self._replicas for le in replica.label_values(metric, "le"))
        return common_boundaries(counts, self._mapping.unit_seconds)

    def _missing(self) -> tuple[str, ...]:
        there = frozenset[str]().union(*(replica.metrics() for replica in self._replicas))
        wanted = dict.fromkeys(query.metric for query in self._queries if query.metric != PROCESS_START)
        return tuple(metric for metric in wanted if metric not in there)

    def _missing_warnings(self, missing: Sequence[str]) -> list[RunWarning]:
        """Warn of a metric that the page does not even declare: it may be misnamed."""
        known = frozenset[str]().union(*(replica.declared.keys() for replica in self._replicas))
        return [
            RunWarning(
                "missing-metric",
                f"{metric} is not on any page: it is counted from 0 if the first request creates it; "
                f"if the service exports it under another name, correct the preset ({self._mapping.name})",
            )
            for metric in missing
            if not known & {metric, *(metric.removesuffix(end) for end in ("_bucket", "_count", "_total"))}
        ]

    def _gaps(self) -> list[RunWarning]:
        warnings = []
        for replica in self._replicas:
            scrapes = replica.scrapes()
            failed = [scrape for scrape in scrapes if scrape.error]
            if failed:
                text = (
                    f"{len(failed)} of {len(scrapes)} scrapes of {strip_url(replica.url)} failed "
                    f"(the first: {failed[0].error})"
                )
                warnings.append(RunWarning("failed-scrapes", text))
        return warnings

    def _incomplete(self, after: float) -> list[str]:
        reasons = []
        for replica in self._replicas:
            place, scrapes = strip_url(replica.url), replica.scrapes()
            if not _responded(replica, after):
                why = scrapes[-1].error if scrapes else "it does not respond"
                reasons.append(f"no page of {place} after the load: {why or 'it does not respond'}")
            if several := several_processes(scrapes):
                reasons.append(f"{place}: {several}: it is served by several processes; {ONE_PROCESS}")
        return reasons


def _responded(replica: Replica, moment: float) -> bool:
    """Tell whether a page was fetched after a moment."""
    return any(scrape.sent >= moment and not scrape.error for scrape in replica.scrapes())


def instances(urls: Sequence[str]) -> tuple[str, ...]:
    """Return the label ``instance`` of each URL: host and port, with the path where several share them."""
    hosts = [authority(*host_and_port(url)) for url in urls]
    shared = {host for host, times in Counter(hosts).items() if times > 1}
    return tuple(
        host + urlsplit(url).path if host in shared else host for host, url in zip(hosts, urls, strict=True)
    )


def _without_pages(mapping: Preset, urls: Sequence[str]) -> Preset:
    """Return a mapping that leaves out the pages' own routes: slocheck's scrapes are not others' traffic."""
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
    """Wait for all threads, `seconds` in all; one that hangs is left behind."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
