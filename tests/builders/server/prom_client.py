"""The prom-client names and queries that the tests of the sources share."""

from collections.abc import Iterable
from fractions import Fraction

from slocheck.documents.position import Position
from slocheck.evidence.series import RawSeries
from slocheck.plan.metric_plan import MetricPlan
from slocheck.promql.selectors import Matcher, SeriesQuery
from slocheck.spec.blocks.metric_source.prometheus import PrometheusSource
from slocheck.spec.blocks.metric_source.scrape import ScrapeSource
from slocheck.spec.model import Preset, Tls

HERE = Position(1, 1)
JOB = "shop"
PRESET = Preset(
    name="prom-client",
    histogram="http_request_duration_seconds",
    counter="http_requests_total",
    method_label="method",
    route_label="route",
    status_label="status_code",
    histogram_status_label="status_code",
)
METRICS = ("http_requests_total", "http_request_duration_seconds_bucket", "process_start_time_seconds", "up")
OK = 'http_requests_total{method="GET",route="/items",status_code="200"}'
FAILED = 'http_requests_total{method="GET",route="/items",status_code="500"}'
NO_TLS = Tls()
LIMITS = (Fraction(1, 5), Fraction(1, 4))


def queries(*, job: str | None = JOB) -> tuple[SeriesQuery, ...]:
    """Return the queries of the preset, pinned to `job`."""
    pinned = (Matcher("job", "=", job),) if job else ()
    return tuple(SeriesQuery(metric, pinned) for metric in METRICS)


def plan(series: tuple[SeriesQuery, ...] | None = None, **more: object) -> MetricPlan:
    """Return a plan that asks for the preset's series, or for these."""
    return MetricPlan(PRESET, queries() if series is None else series, **more)  # type: ignore[arg-type]  # fields by name


def bucket(le: str) -> str:
    """Return the series of one bucket, as on the page."""
    return f'http_request_duration_seconds_bucket{{method="GET",route="/items",status_code="200",le="{le}"}}'


def prometheus_source(url: str, **more: object) -> PrometheusSource:
    """Return a source that pins the job."""
    return PrometheusSource(
        url=url,
        preset=PRESET,
        selector={"job": JOB},
        position=HERE,
        **more,  # type: ignore[arg-type]  # fields by name
    )


def scrape_source(*urls: str, interval: float = 1.0, tls: Tls = NO_TLS) -> ScrapeSource:
    """Return a source of these pages."""
    return ScrapeSource(urls=urls, preset=PRESET, position=HERE, interval=interval, tls=tls)


def pick(found: Iterable[RawSeries], metric: str, **labels: str) -> RawSeries:
    """Return the one series of that metric and these labels."""
    chosen = [one for one in found if one.metric == metric and labels.items() <= one.labels.items()]
    assert len(chosen) == 1, chosen
    return chosen[0]
