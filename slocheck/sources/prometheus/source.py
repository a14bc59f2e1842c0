"""The metric source that asks a Prometheus server, or another server with its query API.

It fetches raw samples. Differences, bounds and verdicts are computed elsewhere, never by PromQL.
"""

from dataclasses import replace

from slocheck.evidence.series import PromqlResult, RawSeries, ServerSeries, SourcePreflight, SourceState
from slocheck.evidence.warnings import RunWarning
from slocheck.indicators.lag import longest_wait
from slocheck.plan.families import Family
from slocheck.plan.metric_plan import MetricPlan
from slocheck.plan.series_queries import UP
from slocheck.promql.selectors import SeriesQuery, equalities, selector_text
from slocheck.sources.prometheus.families import find_families, wait_for_scrape
from slocheck.sources.prometheus.fetch import Fetcher, fetch_usage, merged
from slocheck.sources.prometheus.http import PrometheusHttp
from slocheck.sources.prometheus.preflight import (
    Inspection,
    clock_skew,
    native_query,
    scrape_interval,
    up_query,
)
from slocheck.sources.prometheus.queries.dashboard import ask_dashboard
from slocheck.sources.prometheus.queries.label_names import check_label_names
from slocheck.sources.prometheus.queries.objectives import QueryWindow, ask, check_queries, query_text
from slocheck.sources.prometheus.settling import Settling
from slocheck.sources.prometheus.wait import LastScrape
from slocheck.spec.blocks.metric_source.prometheus import PrometheusSource

RETRY_FOR = 30.0
"""Seconds in which a failing query is retried after the load, as a restart may take that long."""
INTERVALS_BEFORE = 5
LAST_SAMPLE_MARGIN = 0.25
"""Seconds that a scrape has to be after the last response, which a server counts slightly later."""
MAX_CLOCK_MOVE = 1.0


class PrometheusApi:
    """Raw series and custom queries from a Prometheus server.

    Args:
        source: Its address and credentials.
        plan: What to ask for.
    """

    def __init__(self, source: PrometheusSource, plan: MetricPlan) -> None:
        self._source = source
        self._plan = plan
        self._http = PrometheusHttp(source)
        self._up = up_query(plan.series, source.selector)
        self._known: tuple[float, float] | None = None  # skew and interval, after they were measured
        self._shown = 0.0  # from when on samples are used, on the server's clock
        self._started = False

    def check(self) -> None:
        """Read the credentials and the files of certificates; raises UsageError."""
        self._http.check()

    def families(self, *, after: float | None = None) -> tuple[Family, ...]:
        """Return the families of the targets.

        Raises:
            SourceError: Prometheus does not respond.
        """
        if after is not None:
            scraped = wait_for_scrape(self._http, self._up, after=after)
            if not self._started:
                self._shown = scraped
        return find_families(self._http, self._up, self._plan.mapping)

    def use(self, plan: MetricPlan) -> None:
        """Use this plan from now on."""
        self._plan = plan

    def preflight(self) -> SourcePreflight:
        """Check before any load that everything can be measured.

        Raises:
            SourceError: Why the measurement is impossible.
            UsageError: A credential cannot be read, or a query or a label name of the spec is wrong.
        """
        check_label_names(self._http, self._plan.labels)
        inspection = Inspection(self._http, self._plan.mapping, self._plan.series, self._up)
        inspection.warnings += check_queries(self._http, self._plan.promql)
        found = inspection.inspect(self._plan.latency_limits)
        self._known = (found.clock_skew, found.scrape_interval)
        return found

    def state(self) -> SourceState | None:
        """Return what the preflight found, for `resume`; None before the preflight."""
        return None if self._known is None else SourceState(*self._known, self._shown)

    def resume(self, state: SourceState) -> None:
        """Ask about a past run, whose preflight found this; call `collect` next."""
        self._known, self._shown = (state.clock_skew, state.scrape_interval), state.shown_from

    def start(self) -> None:
        """Use all samples from now on; Prometheus scrapes by itself."""
        self._started = True

    def collect(self, *, load_start: float, window_start: float, end: float, sent: int) -> ServerSeries:
        """Wait until the whole load is counted, and fetch all samples of it.

        Args:
            load_start: Time of the first request, like all times here in epoch seconds on our clock.
            window_start: The measured window's start.
            end: Time of the last response.
            sent: Requests of the whole load.

        Returns:
            The raw series; `incomplete` says why they may not be complete.

        Raises:
            SourceError: Prometheus does not respond, after retries.
        """
        self._http.patience = RETRY_FOR
        fetcher = Fetcher(self._http)
        skew, interval, drift = self._clock(fetcher)
        begin, window = load_start + skew, QueryWindow(window_start + skew, end + skew, interval)
        until = self._wait(fetcher, window, skew)
        first = max(begin - INTERVALS_BEFORE * interval, self._shown)
        settling = Settling(
            fetch=lambda start, end: self._series(fetcher, start, end),
            raw=self._nothing_yet(begin, window, skew),
            metrics=frozenset(query.metric for query in self._plan.series),
            sent=sent,
            limit=self._limit(interval),
        )
        until = settling.wait(fetcher, first, until)
        found = settling.raw.series
        self._check_begin(fetcher, found, begin)
        results, warnings = self._results(fetcher, window, until, drift=drift)
        usage = fetch_usage(self._http, self._plan.usage, start=first, end=until)
        return replace(
            settling.raw,
            series=(*found, *usage),
            queries=(*fetcher.queries, *(result.query for result in results.values())),
            warnings=warnings,
            incomplete=tuple(fetcher.incomplete),
            promql=results,
            dashboard=ask_dashboard(self._http, self._plan.dashboards, window),
            types=self._plan.types_of((one.metric for one in found), self._http.metric_types()),
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _nothing_yet(self, begin: float, window: QueryWindow, skew: float) -> ServerSeries:
        return ServerSeries(
            self._source.kind,
            self._plan.mapping,
            begin,
            window.start,
            window.end,
            scrape_interval=window.interval,
            clock_skew=skew,
        )

    def _clock(self, fetcher: Fetcher) -> tuple[float, float, str]:
        """Return skew and interval of the preflight, and what is said if the clocks have drifted since."""
        skew = clock_skew(self._http)
        if self._known is None:
            return skew, scrape_interval(self._http, self._up), ""
        moved = abs(skew - self._known[0])
        if moved <= MAX_CLOCK_MOVE:
            return *self._known, ""
        drift = (
            f"Prometheus's clock drifted by {moved:.1f} s against this machine's during the run: "
            "its samples cannot be matched to the load"
        )
        fetcher.note(drift)
        return *self._known, drift

    def _wait(self, fetcher: Fetcher, window: QueryWindow, skew: float) -> float:
        """Wait for the last scrape of every target; returns the time up to which to query."""
        last = LastScrape(
            up=selector_text(self._up),
            after=window.end + LAST_SAMPLE_MARGIN,
            until=window.end + self._limit(window.interval),
            interval=window.interval,
            skew=skew,
        )
        others = (replace(last, up=selector_text(up)) for up in _other_jobs(self._source))
        return max(scrape.wait(fetcher) for scrape in (last, *others))

    def _limit(self, interval: float) -> float:
        """Return the longest wait for the last samples, seconds."""
        return longest_wait(interval, self._plan.mapping)

    def _series(self, fetcher: Fetcher, start: float, end: float) -> tuple[RawSeries, ...]:
        """Fetch the distinct raw series of all queries."""
        found: dict[tuple[str, frozenset[tuple[str, str]]], RawSeries] = {}
        for query in dict.fromkeys((*self._plan.series, self._up)):
            for one in fetcher.fetch(selector_text(query), start=start, end=end):
                found.setdefault((one.metric, frozenset(one.labels.items())), one)
        native = native_query(self._plan.mapping, self._plan.series)
        if native and not any(metric == f"{native.metric}_bucket" for metric, _ in found):
            wanted = {query.metric for query in (*self._plan.series, *self._plan.usage)}
            for one in fetcher.fetch(selector_text(native), start=start, end=end):
                if one.metric in wanted:
                    found.setdefault((one.metric, frozenset(one.labels.items())), one)
        return merged(found.values())

    def _check_begin(self, fetcher: Fetcher, found: tuple[RawSeries, ...], load_start: float) -> None:
        """Note it if there are no samples from before the load."""
        first = min((one.times[0] for one in found if one.metric == UP and one.times), default=None)
        if first is None:
            fetcher.note("Prometheus holds no `up` sample of the run")
        elif first > load_start:
            fetcher.note(
                f"Prometheus holds nothing from before the load: its first sample is "
                f"{first - load_start:.1f} s later (was it down, or is its retention shorter than the run?)"
            )

    def _results(
        self, fetcher: Fetcher, window: QueryWindow, until: float, *, drift: str
    ) -> tuple[dict[str, PromqlResult], tuple[RunWarning, ...]]:
        """Ask the custom objectives' queries; none of another time than the window's."""
        results, warnings = {}, []
        for name, indicator in self._plan.promql.items():
            if drift:
                results[name] = PromqlResult(query_text(indicator, window.end - window.start), error=drift)
                continue
            results[name], note = ask(fetcher, indicator, window, until)
            if note:
                warnings.append(RunWarning("missing-points", f"objectives.{name}: {note}"))
        return results, tuple(warnings)


def _other_jobs(source: PrometheusSource) -> tuple[SeriesQuery, ...]:
    """Return ``up`` of other jobs whose last scrape to wait for: the cache's, if it is known."""
    cache = source.related_jobs.cache
    if cache is None:
        return ()
    pinned = {label: value for label, value in cache.selector.items() if label in ("job", "instance")}
    return (SeriesQuery(UP, equalities(pinned)),) if pinned else ()
