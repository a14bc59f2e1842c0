"""What a scraper and a client see of a server whose truth is known, graded as the product does.

The server's histogram has no status, as is common; failed requests are fast. Its counter has the status.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, inf, log

import numpy as np
from numpy.typing import NDArray

from slocheck.documents.position import Position
from slocheck.documents.units import ComparisonOperator
from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.grading.assessment import ObjectiveResult, Verdict
from slocheck.grading.outcome import significant_breaches
from slocheck.grading.sides import grade_objective
from slocheck.indicators.lag import server_side
from slocheck.indicators.samples import Display, Sample, Share, Slices
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.sample import server_sample
from slocheck.indicators.server.server_side import ServerSide
from slocheck.plan.load_plan import NEAR
from slocheck.plan.series_queries import UP
from slocheck.spec.model import Limit, Objective, Spec
from slocheck.statistics.confidence import criterion_for
from tests.builders.server.histories import PRESET
from tests.builders.server.series import SOURCE
from tests.builders.specs import make_spec
from tests.simulation.models import Floats, Model, drawn, independent, one_server, stalling
from tests.simulation.rates import CONFIDENCE, Rates

SHARE = 0.05
"""Bad requests at the limit: of a p95."""
FAILED_S = 0.001
"""How long a failed request takes."""
HISTOGRAM = replace(PRESET, histogram_status_label=None)
SPEC = make_spec(
    '  latency_p95: {bronze: "< 200ms", source: both}\n', gate="bronze", more=f"confidence: 95%\n{SOURCE}"
)
BEFORE = 5
"""Scrapes before the load."""
PARTS = (10, 5, 2, 1, 0.5)
"""The histogram's boundaries, as parts of the limit."""
SECONDS, WARMUP = 300, 10
CRITERION = criterion_for(CONFIDENCE, (float(SECONDS),))
_LABELS = {"job": "api", "instance": "a", "method": "GET", "route": "/items"}

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Service:
    """A server with a histogram, whose bad requests are slow, failed, or both.

    Attributes:
        name: As in the table.
        model: Its latencies.
        failing: Share of requests that fail, 0..1.
        lasts_s: Length of the outages in which they fail, seconds; 0: one by one.
    """

    name: str
    model: Model
    failing: float = 0.0
    lasts_s: float = 0.0

    def at(self, truth: float) -> "Service":
        """Return the service at which `truth` of the requests are bad, failed and slow ones in proportion."""
        return replace(self, failing=self.failing * truth / SHARE)

    def limit(self, bad: float) -> float:
        """Return the limit at which a share of the requests is bad: failed, or at or over it."""
        slow = (bad - self.failing) / (1 - self.failing)
        return self.model.limit(slow) if slow > 0 else 1.0

    def failed(self, rng: np.random.Generator, arrivals: Floats) -> Flags:
        """Draw which requests fail."""
        if not self.lasts_s:
            return np.asarray(rng.random(arrivals.shape) < self.failing)
        found = np.zeros(arrivals.shape, dtype=bool)
        for row, arrived in enumerate(arrivals):
            length = arrived[-1] + self.lasts_s
            count = rng.poisson(-log(1 - self.failing) / self.lasts_s * length)
            begins = np.sort(rng.random(count) * length - self.lasts_s)
            last = np.searchsorted(begins, arrived, side="right") - 1
            found[row] = (
                (last >= 0) & (arrived < begins[np.maximum(last, 0)] + self.lasts_s) if count else False
            )
        return found


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests of one run, by intended start in seconds of the load; and its phases.

    Attributes:
        arrived: Ascending, shape (requests,).
        took: Latency of each, seconds.
        failed: Which failed.
        warmup: Seconds before the window.
        seconds: Of the window.
        limit: Seconds.
    """

    arrived: Floats
    took: Floats
    failed: Flags
    warmup: int
    seconds: int
    limit: float

    def per_second(self, wanted: Flags) -> tuple[int, ...]:
        """Count the wanted requests in each second of the window."""
        second = np.floor(self.arrived[wanted] - self.warmup).astype(np.int64)
        inside = second[(second >= 0) & (second < self.seconds)]
        return tuple(np.bincount(inside, minlength=self.seconds).tolist())

    def client_counts(self) -> ClientCounts:
        """Return what the client counted."""
        bad = self.per_second(self.failed)
        sent, inside = len(self.arrived), int((self.arrived >= self.warmup).sum())
        return ClientCounts(
            sent, 0, inside, float(self.seconds), failed_responses=int(self.failed.sum()), failed=bad
        )

    def client_sample(self) -> Share:
        """Return the client's share of requests that failed or took as long as the limit."""
        edges = [self.limit / part for part in PARTS if part > 1]
        n, bad, *references = (
            self.per_second(self.failed | (self.took >= edge)) for edge in (0.0, self.limit, *edges)
        )
        near = bool(self.failed.any() or self.took.max() * NEAR >= self.limit)
        share = Fraction(sum(bad), sum(n))
        slices = Slices(n, bad, references=tuple(references), near=near)
        return Share(sum(n), share, share, Display(None, None), slices)

    def series(self, interval: float, phase: float) -> ServerSeries:
        """Return what a scraper has of them; `phase`: when it scrapes first, seconds of the load."""
        end = float((self.arrived + self.took).max())
        count = BEFORE + 1 + max(0, ceil((end - phase) / interval))
        times = phase + interval * (np.arange(count) - BEFORE)
        shown = np.searchsorted(times, self.arrived + self.took, side="left")

        def counter(metric: str, wanted: Flags, **labels: str) -> RawSeries:
            values = np.cumsum(np.bincount(shown[wanted], minlength=count)).astype(np.float64)
            return RawSeries(metric, {**_LABELS, **labels}, tuple(times.tolist()), tuple(values.tolist()))

        found = [RawSeries(UP, _LABELS, tuple(times.tolist()), (1.0,) * count)]
        for status, of_it in (("200", ~self.failed), ("500", self.failed)):
            found.append(counter("http_requests_total", of_it, status_code=status))
        for edge in (*(self.limit / part for part in PARTS), inf):
            le = "+Inf" if edge == inf else repr(edge)
            found.append(counter(f"{PRESET.histogram}_bucket", self.took < edge, le=le))
        return ServerSeries("prometheus", HISTOGRAM, 0.0, float(self.warmup), end, tuple(found), interval)


@dataclass(frozen=True, slots=True)
class ScrapedRun:
    """A run with both sides, ready to be graded."""

    client: Share
    counts: ClientCounts
    server: ServerSide

    def client_sample(self, _objective: Objective, _limit: Limit, _spec: Spec) -> Sample:
        """Return what the client saw."""
        return self.client

    def server_sample(self, objective: Objective, limit: Limit, spec: Spec) -> Sample:
        """Return what the server's series say."""
        return server_sample(objective, limit, spec=spec, server=self.server, client=self.counts)


def traffics(service: Service, rng: np.random.Generator, runs: int, truth: float) -> Iterator[Traffic]:
    """Draw runs of a window of `SECONDS` behind a warm-up, in which `truth` of the requests are bad."""
    service = service.at(truth)
    limit, lead = service.limit(truth), service.model.lead_s
    for _ in range(runs):
        arrivals = drawn(rng, service.model.spread, 1, lead + WARMUP + SECONDS)
        failed, took = service.failed(rng, arrivals)[0], service.model.latencies(rng, arrivals)[0]
        inside = arrivals[0] >= lead
        took = np.where(failed, FAILED_S, took)[inside]
        yield Traffic(arrivals[0][inside] - lead, took, failed[inside], WARMUP, SECONDS, limit)


def graded(traffic: Traffic, interval: float, phase: float) -> ObjectiveResult:
    """Grade one run at p95 by both sides as the product does."""
    counts = traffic.client_counts()
    server = server_side(traffic.series(interval, phase), counts)
    limit = Limit(ComparisonOperator.LT, Fraction(repr(traffic.limit)), "< limit", Position(1, 1))
    objective = replace(SPEC.objectives[0], limits={"bronze": limit})
    return grade_objective(objective, SPEC, [ScrapedRun(traffic.client_sample(), counts, server)], CRITERION)


def scraped_rates(
    service: Service, rng: np.random.Generator, *, runs: int, interval: float, truth: float = SHARE
) -> dict[str, Rates]:
    """Grade runs on scrapes at random phases.

    Returns the rates of the server's side alone, of both sides, and of both with the gate's breach.
    """
    found = dict.fromkeys(("server", "both", "gate"), Rates(0))
    for traffic in traffics(service, rng, runs, truth):
        result = graded(traffic, interval, float(rng.random() * interval))
        [level] = result.levels
        fails = bool(significant_breaches([result], CRITERION))
        for name, verdict in (("server", level.sides[1].verdict), ("both", level.verdict)):
            found[name] += Rates(1, verdict is Verdict.MET, verdict is Verdict.BREACHED)
        found["gate"] += Rates(1, level.verdict is Verdict.MET, fails)
    return found


SERVICES = (
    Service("slow: one server at 0.8", one_server(0.8)),
    Service("slow: stalls of 1 s, 30 s apart", stalling()),
    Service("failed, one by one", independent(), SHARE),
    Service("failed, in outages of 0.5 s", independent(), SHARE, 0.5),
    Service("failed, in outages of 2 s", independent(), SHARE, 2.0),
    Service("half failed in outages of 1 s, half slow", one_server(0.5), SHARE / 2, 1.0),
)
