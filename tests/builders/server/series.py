"""Server series of one instance, scraped every 15 s, and what they say about an objective."""

from math import inf

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.grading.assessment import Side, Verdict
from slocheck.grading.verdict import grade_sample
from slocheck.indicators.lag import server_side
from slocheck.indicators.server.client_counts import ClientCounts
from slocheck.indicators.server.sample import server_sample
from slocheck.indicators.server.server_side import ServerSide
from slocheck.plan.series_queries import UP
from slocheck.spec.model import Spec
from tests.builders.server.histories import BUCKETS, PRESET
from tests.builders.specs import make_spec

MET, BREACHED, UNDECIDED = Verdict.MET, Verdict.BREACHED, Verdict.UNDECIDED
BASE = {"job": "api", "instance": "a", "method": "GET", "route": "/items"}
SOURCE = 'scrape: ["http://127.0.0.1:8000/metrics"]\n'


def raw_series(metric: str, points: dict[float, float], **labels: str) -> RawSeries:
    """Return a series of the one instance; `points` is time to value."""
    return RawSeries(metric, {**BASE, **labels}, tuple(points), tuple(points.values()))


def up(*times: float, instance: str = "a") -> RawSeries:
    """Return the series `up` of an instance that responded to every scrape."""
    return RawSeries(UP, {"job": "api", "instance": instance}, times, (1.0,) * len(times))


def server_series(
    *series: RawSeries, start: float = 100.0, end: float = 130.0, interval: float = 15.0
) -> ServerSeries:
    """Return what a source delivered of these series, by default for a window of 30 s."""
    return ServerSeries("prometheus", PRESET, start, start, end, series, interval)


def counts(sent: int, no_response: int = 0) -> ClientCounts:
    """Return a client that sent that many requests in a window of 30 s; the last of them found no server."""
    failed = (0,) * 29 + (no_response,)
    return ClientCounts(
        *(sent, no_response, sent, 30.0, no_response),
        window_never_arrived=failed,
        failed=failed,
        unserved=failed,
    )


def sample_of(spec: Spec, server: ServerSeries, client: ClientCounts, level: str = "bronze") -> object:
    """Return the server's sample of the spec's first objective."""
    objective = spec.objectives[0]
    return server_sample(
        objective, objective.limits[level], spec=spec, server=server_side(server, client), client=client
    )


def verdicts_of(spec: Spec, server: ServerSeries, client: ClientCounts) -> tuple[Verdict, ...]:
    """Return the server's verdict on each limit of the spec's first objective."""
    objective = spec.objectives[0]
    return tuple(
        grade_sample(
            Side.SERVER,
            server_sample(objective, limit, spec=spec, server=ServerSide(server), client=client),
            objective.indicator,
            limit,
            None,
        ).verdict
        for limit in objective.limits.values()
    )


ERRORS = make_spec('  error_rate: {bronze: "< 1%", silver: "< 0.1%", gold: "< 0.01%"}\n', more=SOURCE)
P95 = make_spec('  latency_p95: {bronze: "< 500ms", silver: "< 200ms", gold: "< 100ms"}\n', more=SOURCE)
TIMES = (95.0, 110.0, 125.0, 140.0)


def status_counters(ok: tuple[float, ...], bad: dict[float, float]) -> tuple[RawSeries, ...]:
    """Return counters of served and failed requests, and `up`."""
    return (
        raw_series("http_requests_total", dict(zip(TIMES, ok, strict=True)), status_code="200"),
        raw_series("http_requests_total", bad, status_code="500"),
        up(*TIMES),
    )


def histogram(latencies: dict[float, int]) -> tuple[RawSeries, ...]:
    """Return a histogram that grew by these latencies between the second and the last scrape."""
    buckets = []
    for edge in (*BUCKETS, inf):
        count = sum(number for seconds, number in latencies.items() if seconds <= edge)
        le = "+Inf" if edge == inf else str(edge)
        points = {95.0: 0.0, 110.0: 0.0, 125.0: float(count), 140.0: float(count)}
        buckets.append(raw_series(f"{PRESET.histogram}_bucket", points, le=le, status_code="200"))
    total = float(sum(latencies.values()))
    counter = raw_series("http_requests_total", {95.0: 0.0, 125.0: total, 140.0: total}, status_code="200")
    return (*buckets, counter, up(*TIMES))
