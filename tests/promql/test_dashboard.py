"""The text of a dashboard's queries: about the objective's own requests."""

from dataclasses import replace

import pytest

from slocheck.promql.dashboard import dashboard_queries
from slocheck.spec.model import Endpoint, FailureRule, Objective, Preset, SourceChoice
from tests.builders.reports import objectives, spec
from tests.builders.server.prom_client import PRESET, prometheus_source

LATENCY, ERRORS, AVAILABLE, *_ = (
    replace(item, source=SourceChoice.BOTH, endpoint=None) for item in objectives()
)
HISTOGRAM = "http_request_duration_seconds_bucket"
CHECKOUT = Endpoint("POST", "/checkout")
IGNORING = replace(PRESET, ignore_routes=("/metrics", "/health"))


@pytest.mark.parametrize(
    ("objective", "preset", "text"),
    [
        pytest.param(
            LATENCY,
            PRESET,
            f'histogram_quantile(0.95, sum by (le) (rate({HISTOGRAM}{{job="shop"}}[$window])))',
            id="a percentile",
        ),
        pytest.param(
            ERRORS,
            PRESET,
            'sum(rate(http_requests_total{job="shop",status_code=~"5..|429"}[$window]))'
            ' / sum(rate(http_requests_total{job="shop"}[$window]))',
            id="a ratio",
        ),
        pytest.param(
            replace(LATENCY, endpoint=CHECKOUT),
            IGNORING,
            f'histogram_quantile(0.95, sum by (le) (rate({HISTOGRAM}{{job="shop",method="POST",'
            'route="/checkout"}[$window])))',
            id="an endpoint",
        ),
        pytest.param(
            LATENCY,
            IGNORING,
            f'histogram_quantile(0.95, sum by (le) (rate({HISTOGRAM}{{job="shop",route!="/metrics",'
            'route!="/health"}[$window])))',
            id="ignored routes",
        ),
        pytest.param(replace(LATENCY, source=SourceChoice.CLIENT), PRESET, None, id="client only"),
        pytest.param(AVAILABLE, PRESET, None, id="another indicator"),
        pytest.param(LATENCY, replace(PRESET, histogram=None), None, id="no histogram"),
        pytest.param(ERRORS, replace(PRESET, status_label=None), None, id="no status"),
    ],
)
def test_the_usual_query_is_about_the_objectives_requests(
    objective: Objective, preset: Preset, text: str | None
) -> None:
    """Same job, same endpoint, same failures, same routes left out; no query if nothing fits."""
    whole = replace(
        spec((objective,)),
        metric_source=prometheus_source("http://127.0.0.1:1"),
        failures=FailureRule(("5xx", "429")),
    )
    assert dashboard_queries(whole, preset) == ({objective.name: text} if text else {})
