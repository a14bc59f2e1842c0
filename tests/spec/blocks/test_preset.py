"""Presets: the shipped files, their names, and problems in a file."""

from fractions import Fraction
from importlib.resources import files

import pytest

from slocheck.errors import SpecError
from slocheck.promql.routes import route_labels
from slocheck.spec.blocks.metric_source.preset import parse_preset, shipped_preset
from slocheck.spec.metric_units import unit_in_name
from slocheck.spec.presets import PRESET_NAMES, preset_file
from tests.builders.specs import make_spec
from tests.spec import preset_table


def test_the_names_are_the_files() -> None:
    """A new file is known by name, and a name has its file."""
    folder = files("slocheck.spec.presets")
    found = {f"{kind}/{file.name}" for kind in ("libraries", "proxies") for file in (folder / kind).iterdir()}
    assert found == {preset_file(name) for name in PRESET_NAMES}


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_every_shipped_preset_is_complete(name: str) -> None:
    """It names a counter, a route and a status, a histogram if there is one, and has notes."""
    preset = shipped_preset(name)
    assert preset.name == name
    assert bool(preset.histogram) == (name != "haproxy")
    assert preset.counter
    assert preset.route_label
    assert preset.status_label
    assert preset.notes


@pytest.mark.parametrize(
    ("name", "histogram", "counter", "route", "status"),
    [
        ("prom-client", "http_request_duration_seconds", "http_requests_total", "route", "status_code"),
        (
            "fastapi-instrumentator",
            "http_request_duration_seconds",
            "http_requests_total",
            "handler",
            "status",
        ),
        (
            "otel",
            "http_server_request_duration_seconds",
            "http_server_request_duration_seconds_count",
            "http_route",
            "http_response_status_code",
        ),
        ("spring", "http_server_requests_seconds", "http_server_requests_seconds_count", "uri", "status"),
        (
            "istio",
            "istio_request_duration_milliseconds",
            "istio_requests_total",
            "destination_workload",
            "response_code",
        ),
        (
            "envoy",
            "envoy_cluster_upstream_rq_time",
            "envoy_cluster_upstream_rq",
            "envoy_cluster_name",
            "envoy_response_code",
        ),
        (
            "ingress-nginx",
            "nginx_ingress_controller_request_duration_seconds",
            "nginx_ingress_controller_requests",
            "ingress",
            "status",
        ),
        (
            "traefik",
            "traefik_service_request_duration_seconds",
            "traefik_service_requests_total",
            "service",
            "code",
        ),
    ],
)
def test_presets_have_their_names(name: str, histogram: str, counter: str, route: str, status: str) -> None:
    """The facts of each framework, so that an edit is deliberate."""
    preset = shipped_preset(name)
    assert (preset.histogram, preset.counter) == (histogram, counter)
    assert (preset.route_label, preset.status_label) == (route, status)


def test_peculiarities() -> None:
    """Milliseconds, pinned reporters, histograms without a status, cache counters."""
    assert shipped_preset("istio").unit_seconds == Fraction(1, 1000)
    assert shipped_preset("envoy").unit_seconds == Fraction(1, 1000)
    assert shipped_preset("istio").selector == {"reporter": "destination"}
    assert shipped_preset("fastapi-instrumentator").histogram_status_label is None
    assert shipped_preset("envoy").histogram_status_label is None
    assert shipped_preset("prom-client").cache_hits == "cache_hits_total"
    assert shipped_preset("prom-client").cache_misses == "cache_misses_total"
    assert "/metrics" in shipped_preset("prom-client").ignore_routes


def test_faults_in_a_file_are_told_as_in_a_spec() -> None:
    """The same reader, the same messages."""
    with pytest.raises(SpecError) as caught:
        parse_preset(b"counter: c_total\nroute_lable: x\n", "own.yaml", "own")
    assert str(caught.value) == "own.yaml:2:1 unknown key 'route_lable'; did you mean 'route_label'?"


def test_the_page_of_presets_is_what_the_files_say() -> None:
    """docs/presets.md has every preset, its notes and every key of a mapping; `make docs` writes them."""
    page = preset_table.PAGE.read_text()
    assert page == preset_table.written(page)


def test_a_mapping_takes_dotted_names_other_values_and_a_lag() -> None:
    """Names of OpenTelemetry's exporters, and label values that are not the method or the path itself."""
    written = (
        b"histogram: http.server.request.duration\nroute_label: http.route\n"
        b"method_label: http.request.method\n"
        b"methods: {GET: get}\nroutes: {/orders: orders-list}\nlag: 5s\n"
    )
    preset = parse_preset(written, "mine.yaml", "mine")
    assert preset.counter == "http.server.request.duration_count"
    assert (preset.methods, preset.routes, preset.lag) == ({"GET": "get"}, {"/orders": "orders-list"}, 5.0)
    objective = make_spec('  e: {indicator: error_rate, endpoint: GET /orders, silver: "< 1%"}\n').objectives[
        0
    ]
    wanted, _ = route_labels(objective, preset)
    assert wanted == {"http.request.method": "get", "http.route": "orders-list"}


@pytest.mark.parametrize(
    ("histogram", "unit"),
    [
        ("http_request_duration_seconds", "seconds"),
        ("http_server_requests_seconds", "seconds"),
        ("http_server_duration_milliseconds", "milliseconds"),
        ("http_request_duration_ms", "milliseconds"),
        ("http_request_duration_ms_histogram", "milliseconds"),
        ("request_millis", "milliseconds"),
        ("request_latency_msec", "milliseconds"),
        ("request_latency_millisecs", "milliseconds"),
        ("request_time_nanosec", "nanoseconds"),
        ("http_request_duration_minutes", "minutes"),
        ("requestLatencyMilliseconds", "milliseconds"),
        ("istio_request_duration_milliseconds", "milliseconds"),
        ("request_latency_microseconds", "microseconds"),
        ("rpc_latency_us", "microseconds"),
        ("rpc.server.duration.nanoseconds", "nanoseconds"),
        ("http_request_duration_seconds_highr", "seconds"),
        ("seconds_to_milliseconds", "milliseconds"),
        ("http.server.request.duration", None),
        ("envoy_cluster_upstream_rq_time", None),
        ("ms_gateway_latency", None),
        ("requests_us_east_latency", None),
        ("seconds", None),
        ("atoms_latency", None),
        ("bucket", None),
        ("", None),
    ],
)
def test_a_histograms_name_says_its_unit(histogram: str, unit: str | None) -> None:
    """The last word decides; an ambiguous word only at the end."""
    assert unit_in_name(histogram) == unit


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("histogram: http_duration_milliseconds", Fraction(1, 1000)),
        ("histogram: http_duration_ms, unit: milliseconds", Fraction(1, 1000)),
        ("histogram: http_duration, unit: milliseconds", Fraction(1, 1000)),
        ("histogram: http_duration, unit: microseconds", Fraction(1, 1_000_000)),
        ("histogram: http_duration", Fraction(1)),
        ("histogram: http_duration_seconds, unit: seconds", Fraction(1)),
        ("counter: milliseconds_total", Fraction(1)),
    ],
)
def test_the_name_decides_unless_it_says_nothing(written: str, seconds: Fraction) -> None:
    """`_milliseconds` needs no unit, and a name without one may have it written."""
    preset = parse_preset(f"{{{written}}}".encode(), "preset.yaml", "custom")
    assert preset.unit_seconds == seconds


@pytest.mark.parametrize(
    ("histogram", "unit", "named"),
    [
        ("http_request_duration_seconds", "milliseconds", "seconds"),
        ("http_request_duration_milliseconds", "seconds", "milliseconds"),
        ("http_request_duration_ms", "microseconds", "milliseconds"),
    ],
)
def test_a_unit_that_contradicts_the_name_is_refused(histogram: str, unit: str, named: str) -> None:
    """With the other unit every latency would be wrong by a factor of 1,000."""
    text = f"histogram: {histogram}\nunit: {unit}\n"
    with pytest.raises(
        SpecError,
        match=rf"preset.yaml:2:7 unit: contradicts the histogram's name, {histogram}: write {named}, or",
    ):
        parse_preset(text.encode(), "preset.yaml", "custom")
