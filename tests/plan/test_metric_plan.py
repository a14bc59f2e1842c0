"""What a run asks its metric source for."""

from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.plan.metric_plan import MetricPlan, metric_plan
from slocheck.plan.usage import usage_queries
from slocheck.spec.blocks.metric_source.preset import shipped_preset
from slocheck.spec.blocks.metric_source.prometheus import PrometheusSource
from slocheck.spec.model import Indicator, IndicatorKind
from tests.builders.specs import make_spec

PROMETHEUS = 'prometheus: {url: "http://127.0.0.1:9090", preset: prom-client, selector: {job: api}'
SCRAPE = 'scrape: {urls: ["http://127.0.0.1:8000/metrics"], preset: prom-client}\n'
LATENCY = '  latency_p95: {bronze: "< 500ms", silver: "< 200ms"}\n'


def planned(objectives: str, more: str = f"{PROMETHEUS}}}\n") -> MetricPlan:
    """Return the plan of a spec with these objectives and this source."""
    plan = metric_plan(make_spec(objectives, more=more))
    assert plan is not None
    return plan


def test_without_a_source_there_is_no_plan() -> None:
    """Only the client side is graded, and nothing is queried."""
    assert metric_plan(make_spec()) is None


@pytest.mark.parametrize(
    ("objectives", "metrics"),
    [
        pytest.param(
            LATENCY, ("http_request_duration_seconds_bucket", "http_requests_total"), id="a latency"
        ),
        pytest.param('  error_rate: {silver: "< 1%"}\n', ("http_requests_total",), id="a ratio"),
        pytest.param(
            '  cache_hit_rate: {silver: "> 50%"}\n', ("cache_hits_total", "cache_misses_total"), id="a cache"
        ),
        pytest.param('  error_rate: {silver: "< 1%", source: client}\n', (), id="the client side only"),
    ],
)
@pytest.mark.parametrize(
    ("source", "job"), [pytest.param(f"{PROMETHEUS}}}\n", '{job="api"}', id="prometheus"), (SCRAPE, "")]
)
def test_each_objective_names_its_series(
    objectives: str, metrics: tuple[str, ...], source: str, job: str
) -> None:
    """The metrics that it is counted from, then those that show restarts; pinned to a job if possible."""
    texts = planned(objectives, source).series_texts
    assert texts == tuple(f"{name}{job}" for name in (*metrics, "up", "process_start_time_seconds"))


def test_the_mapping_of_names_is_an_argument() -> None:
    """Names that are found later replace the spec's preset everywhere."""
    spec = make_spec(LATENCY, more=f"{PROMETHEUS}}}\n")
    istio = shipped_preset("istio")
    plan = metric_plan(spec, istio)
    assert plan is not None
    assert plan.mapping == istio
    assert plan.series_texts[1] == 'istio_requests_total{job="api",reporter="destination"}'
    assert "istio_request_duration_milliseconds_bucket" in plan.dashboards["latency_p95"]


def test_limits_and_queries_are_those_graded_on_the_server() -> None:
    """A limit graded only on the client's side needs no bucket boundary."""
    queue = '  queue: {indicator: {promql: "max(queue_depth)"}, silver: "< 100"}\n'
    plan = planned(f'{LATENCY}  latency_p50: {{silver: "< 50ms", source: client}}\n{queue}')
    assert plan.latency_limits == (Fraction(1, 2), Fraction(1, 5))
    assert plan.promql == {"queue": Indicator(IndicatorKind.PROMQL, promql="max(queue_depth)")}
    assert list(plan.dashboards) == ["latency_p95"]


def test_scraped_pages_are_asked_no_query() -> None:
    """Only a Prometheus server can answer a dashboard's queries."""
    assert planned(LATENCY, SCRAPE).dashboards == {}


def test_a_plan_holds_no_source() -> None:
    """The same spec with another address asks for the same."""
    spec = make_spec(LATENCY, more=f"{PROMETHEUS}}}\n")
    assert isinstance(spec.metric_source, PrometheusSource)
    other = replace(spec, metric_source=replace(spec.metric_source, url="http://other:9090"))
    assert metric_plan(other) == metric_plan(spec)


def test_containers_are_asked_for_where_they_are_named() -> None:
    """The job's processes always; containers by their own labels."""
    plain = make_spec(more=f"{PROMETHEUS}}}\n")
    assert {(query.metric, query.matchers[0].value) for query in usage_queries(plain)} == {
        ("process_cpu_seconds_total", "api"),
        ("process_resident_memory_bytes", "api"),
    }
    named = make_spec(more=f"{PROMETHEUS}, containers: {{namespace: shop}}}}\n")
    asked = [query for query in usage_queries(named) if query.metric.startswith("container_")]
    assert len(asked) == 4
    assert {(matcher.label, matcher.value) for query in asked for matcher in query.matchers} == {
        ("namespace", "shop")
    }
