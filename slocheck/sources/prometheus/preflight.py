"""Questions to Prometheus before any load, so that a problem is found before it costs a run."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from statistics import median

from slocheck.errors import SourceError
from slocheck.evidence.series import SourcePreflight
from slocheck.evidence.warnings import RunWarning
from slocheck.plan.series_queries import PROCESS_START, UP
from slocheck.promql.selectors import SeriesQuery, equalities, matches, selector_text
from slocheck.sources.bucket_warnings import boundary_warnings, common_boundaries
from slocheck.sources.prometheus.http import PrometheusHttp
from slocheck.sources.prometheus.query_responses import Point, points, series
from slocheck.spec.model import Preset

SKEW_PROBES = 3
GAP_SPAN = "30m"
SHOWN = 8
GO_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+")
GO_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
TARGET_SERIES = (UP, PROCESS_START)


def clock_skew(http: PrometheusHttp) -> float:
    """Return the server's clock minus ours, seconds: the quickest of a few ``time()`` queries.

    The server evaluates somewhere between sending and receiving, so the midpoint is off by half
    the round trip at most.
    """
    best, skew = float("inf"), 0.0
    for _ in range(SKEW_PROBES):
        response = http.query("time()")
        found = points(response, http.messages)
        if len(found) != 1 or not math.isfinite(found[0].value):
            raise http.messages.unexpected_form("time() is not one number")
        if response.round_trip < best:
            best, skew = response.round_trip, found[0].value - response.midpoint
    return skew


def go_duration(text: str) -> float | None:
    """Return the seconds of a duration as Prometheus writes it (``1m30s``); None for other text."""
    if not GO_DURATION.fullmatch(text):
        return None
    return sum(float(number) * SECONDS[unit] for number, unit in GO_PART.findall(text))


def scrape_interval(http: PrometheusHttp, up: SeriesQuery) -> float:
    """Return the seconds between two scrapes: the slowest target's, else the median gap of ``up``.

    A backend without a list of targets is marked as not scraping by itself.

    Raises:
        SourceError: No target has been scraped twice.
    """
    configured = _configured_intervals(http.targets(), up)
    if configured:
        return max(configured)
    http.distributed = True
    response = http.query(f"{selector_text(up)}[{GAP_SPAN}]")
    gaps = [
        later - earlier
        for one in series(response, http.messages)
        for earlier, later in pairwise(one.times)
        if later > earlier  # a page may have a metric `up` of its own, which some stores keep as well
    ]
    if not gaps:
        raise SourceError(
            http.messages.text(
                f"{selector_text(up)} has fewer than two samples, so the scrape interval is unknown; "
                "wait for the second scrape"
            )
        )
    return median(gaps)


def _configured_intervals(data: object, up: SeriesQuery) -> list[float]:
    targets = data.get("activeTargets") if isinstance(data, dict) else None
    found = []
    for target in targets if isinstance(targets, list) else []:
        labels = target.get("labels") if isinstance(target, dict) else None
        if isinstance(labels, dict) and matches(labels, up.matchers):
            seconds = go_duration(str(target.get("scrapeInterval", "")))
            found += [seconds] if seconds else []
    return found


@dataclass(slots=True)
class Inspection:
    """One preflight of a Prometheus.

    Attributes:
        http: The connection.
        preset: Metric names.
        queries: Series that the objectives need.
        up: The query that finds the targets.
        warnings: Warnings collected so far.
    """

    http: PrometheusHttp
    preset: Preset
    queries: Sequence[SeriesQuery]
    up: SeriesQuery
    warnings: list[RunWarning] = field(default_factory=list)

    def inspect(self, limits: Sequence[Fraction]) -> SourcePreflight:
        """Check reachability, targets, job, metrics and bucket boundaries.

        Args:
            limits: Latency limits of the objectives, seconds.

        Raises:
            SourceError: Why the measurement is impossible.
        """
        skew = clock_skew(self.http)
        targets = self._targets()
        interval = scrape_interval(self.http, self.up)
        boundaries = self._boundaries()
        missing = tuple(dict.fromkeys(name for name in self._metrics() if not self._present(name)))
        self._warn_of(missing)
        self.warnings += boundary_warnings(self.preset, boundaries, limits)
        return SourcePreflight(
            scrape_interval=interval,
            clock_skew=skew,
            targets=targets,
            bucket_boundaries=tuple(float(boundary) for boundary in boundaries),
            missing=missing,
            warnings=tuple(dict.fromkeys(self.warnings)),
        )

    def ask(self, text: str) -> tuple[Point, ...]:
        """Return the elements of an instant query; collects the server's warnings.

        Raises:
            SourceError: No response, or a partial one.
        """
        response = self.http.query(text)
        if response.partial:
            raise SourceError(
                self.http.messages.text(
                    "the response is partial (isPartial): some storage nodes are down; bring them back"
                )
            )
        self.warnings += [
            RunWarning("prometheus-warning", f"Prometheus warned: {warning}") for warning in response.warnings
        ]
        return points(response, self.http.messages)

    def _targets(self) -> int:
        """Count the targets that are up."""
        selector = selector_text(self.up)
        found = self.ask(selector)
        if not found:
            raise SourceError(self.http.messages.text(f"{selector} finds no target{self._jobs()}"))
        self._check_job(found)
        good = sum(point.value == 1 for point in found)
        if not good:
            raise SourceError(
                self.http.messages.text(
                    f"{selector} finds {len(found)} targets and every one is down (up = 0); "
                    "start the service, or correct the address in the scrape configuration"
                )
            )
        if good < len(found):
            self.warnings.append(
                RunWarning(
                    "targets-down",
                    f"{len(found) - good} of the {len(found)} targets of {selector} are down (up = 0): "
                    "their requests will not be counted",
                )
            )
        return good

    def _jobs(self) -> str:
        jobs = sorted({point.labels.get("job", "") for point in self.ask("count by (job) (up)")})
        if not jobs:
            return "; Prometheus has not scraped anything yet, or metrics are pushed to it: `up` is needed"
        names = ", ".join(self.http.messages.excerpt(job) for job in jobs[:SHOWN])
        return f"; correct prometheus.selector (jobs there: {names})"

    def _check_job(self, found: Sequence[Point]) -> None:
        """Refuse a selector that matches several jobs: one target scraped by two counts twice."""
        jobs = sorted({point.labels.get("job", "") for point in found})
        pinned = any(matcher.label == "job" and matcher.op == "=" for matcher in self.up.matchers)
        if len(jobs) > 1:
            raise SourceError(
                self.http.messages.text(
                    f"the selector matches {len(jobs)} jobs ({', '.join(jobs[:SHOWN])}), and a target "
                    f"that two jobs scrape would count twice; add one to prometheus.selector, "
                    f"such as job: {jobs[0]}"
                )
            )
        if not pinned:
            self.warnings.append(
                RunWarning(
                    "job-not-pinned",
                    f"the selector does not pin the job: add job: {jobs[0]} to prometheus.selector, "
                    "so that another job on the same target cannot double the counts",
                )
            )

    def _metrics(self) -> list[str]:
        return [query.metric for query in self.queries if query.metric not in TARGET_SERIES]

    def _present(self, metric: str) -> bool:
        """Tell whether any query for the metric finds a series, native histograms included."""
        selectors = [selector_text(query) for query in self.queries if query.metric == metric]
        native = native_query(self.preset, self.queries)
        if native and metric in (f"{native.metric}_bucket", f"{native.metric}_count"):
            selectors.append(selector_text(native))
        return any(self.ask(f"count({selector})") for selector in selectors)

    def _boundaries(self) -> tuple[Fraction, ...]:
        """Return the bucket boundaries that all histograms share, in seconds."""
        counts: dict[str, int] = {}
        for query in self.queries:
            if query.metric == f"{self.preset.histogram}_bucket":
                for point in self.ask(f"count by (le) ({selector_text(query)})"):
                    le = point.labels.get("le", "")
                    if not math.isfinite(point.value):
                        raise self.http.messages.unexpected_form("a count that is not a number")
                    counts[le] = max(counts.get(le, 0), int(point.value))
        return common_boundaries(counts, self.preset.unit_seconds)

    def _warn_of(self, missing: Sequence[str]) -> None:
        for name in missing:
            self.warnings.append(
                RunWarning(
                    "missing-metric",
                    f"{name} has no series yet: it is counted from 0 if the first request creates it; "
                    f"if the service exports it under another name, correct the preset ({self.preset.name})",
                )
            )


def native_query(preset: Preset, queries: Sequence[SeriesQuery]) -> SeriesQuery | None:
    """Return the query for the preset's histogram in its native form; None if none is needed."""
    for query in queries:
        if preset.histogram and query.metric == f"{preset.histogram}_bucket":
            kept = tuple(matcher for matcher in query.matchers if matcher.label != "le")
            return SeriesQuery(preset.histogram, kept)
    return None


def up_query(queries: Sequence[SeriesQuery], selector: Mapping[str, str]) -> SeriesQuery:
    """Return the query that finds the targets: the one for ``up``, else the plain selector's."""
    for query in queries:
        if query.metric == UP:
            return query
    return SeriesQuery(UP, equalities(selector))
