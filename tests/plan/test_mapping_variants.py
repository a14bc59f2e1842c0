"""``preset: auto`` on names, labels and values that no preset has, as libraries and people write them."""

import pytest

from slocheck.plan.mapping_match import match_mapping
from slocheck.spec.blocks.metric_source.preset import shipped_presets
from tests.plan.test_mapping_match import families, found

DOTTED = (
    'http.server.request.duration_bucket{http.request.method="GET",http.route="/a",'
    'http.response.status_code="200"}'
)


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        pytest.param(
            ('myapp_http_request_duration_seconds_bucket{method="GET",path="/a",code="200"}',),
            ("myapp_http_request_duration_seconds", "method", "path", "code", "code", 1),
            id="a namespace",
        ),
        pytest.param(
            ('http_server_duration_milliseconds_bucket{http_method="GET",http_target="/a",http_status="200"}',),
            ("http_server_duration_milliseconds", "http_method", "http_target", *["http_status"] * 2, 1000),
            id="milliseconds by name",
        ),
        pytest.param(
            ('request_latency_ms_bucket{verb="get",endpoint="/a",http_status="2xx"}',),
            ("request_latency_ms", "verb", "endpoint", "http_status", "http_status", 1000),
            id="ms, verb, endpoint, grouped statuses",
        ),
        pytest.param(
            ('api_response_time_seconds_bucket{url_rule="/a/<id>",status="200"}',),
            ("api_response_time_seconds", None, "url_rule", "status", "status", 1),
            id="no method",
        ),
        pytest.param(
            (DOTTED,),
            ("http.server.request.duration", "http.request.method", "http.route",
             *["http.response.status_code"] * 2, 1),
            id="dotted names",
        ),
        pytest.param(
            ('shop_request_seconds_bucket{route="/a",method="GET"}',
             'shop_requests_total{route="/a",method="GET",status="200"}'),
            ("shop_request_seconds", "method", "route", "status", None, 1),
            id="the counter has the status",
        ),
        pytest.param(
            ('shop_http_request_seconds_bucket{endpoint="web",exported_endpoint="/a",status="200"}',),
            ("shop_http_request_seconds", None, "exported_endpoint", "status", "status", 1),
            id="a label of the scrape in the way",
        ),
        pytest.param(
            ('pyramid_request_bucket{method="GET",path_info_pattern="/a",status="200"}',),
            ("pyramid_request", "method", "path_info_pattern", *["status"] * 2, 1),
            id="no word for time, and another for the path",
        ),
        pytest.param(
            ('request_latency_seconds_bucket{method="GET",path="/a",status="200 OK"}',),
            ("request_latency_seconds", "method", "path", *["status"] * 2, 1),
            id="the status in words",
        ),
        pytest.param(
            ('a_request_seconds_bucket{path="/a",status="success",code="200"}',),
            ("a_request_seconds", None, "path", *["code"] * 2, 1),
            id="the exact status before an outcome",
        ),
        pytest.param(
            ('a_request_seconds_bucket{method="GET",handler="Orders"}',
             'a_requests_total{method="GET",handler="Orders",status="200"}'),
            ("a_request_seconds", "method", "handler", "status", None, 1),
            id="the name of what serves the route",
        ),
        pytest.param(
            ('request_latency_seconds_bucket{method="GET"}',
             'request_count_total{method="GET",endpoint="/a",http_status="200"}'),
            ("request_latency_seconds", "method", "endpoint", "http_status", None, 1),
            id="only the counter has the route",
        ),
        pytest.param(
            ("request_latency_seconds_bucket",
             'request_count_total{method="GET",endpoint="/a",http_status="200"}'),
            ("request_latency_seconds", "method", "endpoint", "http_status", None, 1),
            id="only the counter has labels",
        ),
        pytest.param(
            (
                'request_latency_seconds_bucket{route="None"}',
                'requests_total{method="GET",route="None",status="200"}',
            ),
            ("request_latency_seconds", "method", None, "status", None, 1),
            id="routes without names",
        ),
        pytest.param(
            (
                'a_request_seconds_bucket{method="GET",path="/a"}',
                'a_requests_by_class_total{method="GET",path="/a",status_class="2xx"}',
                'a_requests_total{method="GET",path="/a",status_code="200"}',
            ),
            ("a_request_seconds", "method", "path", "status_code", None, 1),
            id="a counter by code and one by group",
        ),
    ],
)  # fmt: skip
def test_variants_are_found(series: tuple[str, ...], expected: tuple[object, ...]) -> None:
    """Family by name, labels by name and values, the unit by name."""
    one = found(*series)
    assert (
        one.histogram,
        one.method_label,
        one.route_label,
        one.status_label,
        one.histogram_status_label,
        1 / one.unit_seconds,
    ) == expected


def test_a_histogram_of_something_else_is_not_one_of_latencies() -> None:
    """A name without time has to end with requests, and the boundaries to be as those of seconds."""
    labels = 'method="GET",path="/a",status="200"'
    series = f"shop_http_response_bucket{{{labels}}}"
    for les in (("100", "1000", "+Inf"), ("1", "5", "10", "+Inf"), ("0.01", "0.05", "+Inf"), ("+Inf",)):
        assert match_mapping(families(series, les=les), shipped_presets()) is None
    assert found(series).histogram == "shop_http_response"
    for name in ("http_response_compression_ratio", "http_request_score", "http_request_items"):
        assert match_mapping(families(f"{name}_bucket{{{labels}}}"), shipped_presets()) is None


REQUEST_LABELS = 'method="GET",path="/a",status="200"'


@pytest.mark.parametrize(
    ("series", "histogram", "counter"),
    [
        pytest.param(
            (
                'prometheus_http_request_duration_seconds_bucket{handler="/graph"}',
                'prometheus_http_requests_total{handler="/graph",code="200"}',
                'prometheus_http_response_size_bytes_bucket{handler="/graph"}',
                'promhttp_metric_handler_requests_total{code="200"}',
            ),
            "prometheus_http_request_duration_seconds",
            "prometheus_http_requests_total",
            id="Prometheus itself",
        ),
        pytest.param(
            (
                'starlette_requests_total{method="GET",path_template="/a"}',
                'starlette_responses_total{method="GET",path_template="/a",status_code="200"}',
                'starlette_requests_processing_time_seconds_bucket{method="GET",path_template="/a"}',
                'starlette_exceptions_total{method="GET",path_template="/a",exception_type="X"}',
            ),
            "starlette_requests_processing_time_seconds",
            "starlette_responses_total",
            id="starlette-prometheus: the counter with the status",
        ),
        pytest.param(
            (
                f"litestar_requests_total{{{REQUEST_LABELS}}}",
                f"litestar_request_duration_seconds_bucket{{{REQUEST_LABELS}}}",
                f"litestar_requests_error_total{{{REQUEST_LABELS}}}",
            ),
            "litestar_request_duration_seconds",
            "litestar_request_duration_seconds_count",
            id="Litestar: not the errors alone",
        ),
        pytest.param(
            (
                f"axum_http_requests_total{{{REQUEST_LABELS}}}",
                f"axum_http_requests_duration_seconds_bucket{{{REQUEST_LABELS}}}",
                'axum_http_requests_pending{method="GET",endpoint="/a"}',
            ),
            "axum_http_requests_duration_seconds",
            "axum_http_requests_duration_seconds_count",
            id="axum",
        ),
        pytest.param(
            (
                'http_server_request_duration_seconds_bucket{method="get",path="/a"}',
                'http_server_requests_total{method="get",path="/a",code="200"}',
                'http_server_exceptions_total{exception="X"}',
            ),
            "http_server_request_duration_seconds",
            "http_server_requests_total",
            id="Ruby's collector",
        ),
        pytest.param(
            (
                f"grafana_http_request_duration_seconds_bucket{{{REQUEST_LABELS}}}",
                'grafana_datasource_request_duration_seconds_bucket{datasource="x",code="200",method="GET"}',
                'grafana_api_response_status_total{code="200"}',
            ),
            "grafana_http_request_duration_seconds",
            "grafana_http_request_duration_seconds_count",
            id="Grafana: not what it asks of others",
        ),
    ],
)
def test_the_metrics_of_other_servers_are_found(
    series: tuple[str, ...], histogram: str, counter: str
) -> None:
    """Names of real servers that have no preset: the latency of all requests, and the count with a status."""
    mapping = found(*series)
    assert (mapping.histogram, mapping.counter) == (histogram, counter)
    assert mapping.status_label is not None
