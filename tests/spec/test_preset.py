"""Presets: the shipped files, their names, and problems in a file."""

from fractions import Fraction
from importlib.resources import files

import pytest

from slocheck.errors import SpecError
from slocheck.spec.blocks.preset import parse_preset, shipped_preset
from slocheck.spec.presets import PRESET_NAMES


def test_the_names_are_the_files() -> None:
    """A new file is known by name, and a name has its file."""
    found = {file.name for file in files("slocheck.spec.presets").iterdir()}
    assert {name for name in found if name.endswith(".yaml")} == {f"{name}.yaml" for name in PRESET_NAMES}


@pytest.mark.parametrize("name", PRESET_NAMES)
def test_every_shipped_preset_is_complete(name: str) -> None:
    """It names a histogram, a counter, a route and a status, and says what a user should know."""
    preset = shipped_preset(name)
    assert preset.name == name
    assert preset.histogram
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
    """The facts of each framework, so that an edit is a decision."""
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
