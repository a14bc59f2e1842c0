"""Which mapping is found among the families of a service, and what is said if it is not clear."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.plan.families import Family, FamilyKind, families_of, not_a_histogram
from slocheck.plan.mapping_match import Match, Unclear, match_mapping
from slocheck.plan.mapping_text import mapping_yaml
from slocheck.sources.scrape.exposition import PageReader, declared
from slocheck.spec.blocks.metric_source.preset import parse_preset, shipped_preset, shipped_presets
from slocheck.spec.model import Preset
from slocheck.spec.presets import PRESET_NAMES

PAGES = Path(__file__).parents[1] / "sources" / "pages"
CAPTURED = {
    "caddy": "caddy",
    "envoy": "envoy",
    "haproxy": "haproxy",
    "traefik": "traefik",
    "opentelemetry-fastapi": "otel",
    "django-prometheus": "django-prometheus",
    "express-prom-bundle": "express-prom-bundle",
    "fastify-metrics": "fastify-metrics",
    "prometheus-fastapi-instrumentator": "fastapi-instrumentator",
    "prometheus-flask-exporter": "flask",
    "starlette-exporter": "starlette_exporter",
}
SECONDS = ("0.1", "1", "+Inf")


def page_families(text: str) -> tuple[Family, ...]:
    """Return the families of a page, read by what reads a scraped one."""
    samples = PageReader(None).read(text, openmetrics=False)
    return families_of(((one.series.metric, one.series.labels) for one in samples), declared(text))


def families(
    *written: str, les: tuple[str, ...] = SECONDS, types: dict[str, str] | None = None
) -> tuple[Family, ...]:
    """Return families from series such as ``x_bucket{route="/a"}``; buckets get their boundaries."""
    series = []
    for one in written:
        name, _, rest = one.partition("{")
        labels = dict(re.findall(r'([\w.]+)="([^"]*)"', rest))
        bucket = name.endswith("_bucket")
        series += [(name, {**labels, "le": le}) for le in les] if bucket else [(name, labels)]
    return families_of(series, types or {})


def found(*written: str, les: tuple[str, ...] = SECONDS) -> Preset:
    """Return the mapping that is found."""
    match = match_mapping(families(*written, les=les), shipped_presets())
    assert isinstance(match, Match), match
    return match.mapping


@pytest.mark.parametrize(
    "page",
    [page for page in sorted(PAGES.glob("*.txt")) if "-old-" not in page.stem],
    ids=lambda page: page.stem,
)
def test_the_real_pages_of_libraries_are_known(page: Path) -> None:
    """Captured from the library itself: its own preset is taken, whole."""
    name = CAPTURED[re.sub(r"-[\d.b]+$", "", page.stem)]
    match = match_mapping(page_families(page.read_text()), shipped_presets())
    assert isinstance(match, Match)
    assert match.mapping == shipped_preset(name)
    assert match.said.startswith(f"preset {name}: ")
    assert "\n" not in match.said


def test_the_old_conventions_of_python_have_the_route_in_the_target() -> None:
    """Other languages have it in http_route, which is the preset's; it is still found."""
    (page,) = PAGES.glob("opentelemetry-fastapi-old-*")
    match = match_mapping(page_families(page.read_text()), shipped_presets())
    assert isinstance(match, Match)
    old = shipped_preset("otel-old")
    assert match.mapping == replace(old, name="auto", route_label="http_target", notes="")


def test_the_counts_of_a_summary_are_as_good_as_a_counter() -> None:
    """Its percentiles are not; the check of its name as a histogram's says so."""
    labels = 'method="GET",path="/a",code="200"'
    one = found(f'shop_request_seconds{{{labels},quantile="0.9"}}', f"shop_request_seconds_count{{{labels}}}")
    assert (one.histogram, one.counter) == ("shop_request_seconds", "shop_request_seconds_count")
    assert (one.route_label, one.status_label) == ("path", "code")


SPRING = """\
# TYPE http_server_requests_seconds summary
http_server_requests_seconds_count{method="GET",outcome="SUCCESS",status="200",uri="/items"} 12
http_server_requests_seconds_sum{method="GET",outcome="SUCCESS",status="200",uri="/items"} 0.1
# TYPE http_server_requests_seconds_max gauge
http_server_requests_seconds_max{method="GET",outcome="SUCCESS",status="200",uri="/items"} 0.1
# TYPE http_server_requests_active_seconds summary
http_server_requests_active_seconds_count{method="GET",outcome="UNKNOWN",status="200",uri="/items"} 1
http_server_requests_active_seconds_sum{method="GET",outcome="UNKNOWN",status="200",uri="/items"} 0.1
"""
"""As Micrometer exports it if percentiles-histogram is off, which is the default."""


def test_a_summary_without_quantiles_is_found() -> None:
    """Its count has all the labels, and its name says that there are no buckets."""
    seen = page_families(SPRING)
    match = match_mapping(seen, shipped_presets())
    assert isinstance(match, Match)
    assert match.mapping.counter == "http_server_requests_seconds_count"
    assert (match.mapping.route_label, match.mapping.status_label) == ("uri", "status")
    assert "without buckets" in not_a_histogram(match.mapping.histogram or "", seen)


@pytest.mark.parametrize(
    "part", ["slow_request", "http_request_errors", "requests_in_flight", "failed_requests"]
)
def test_a_counter_of_some_requests_is_not_taken_for_all(part: str) -> None:
    """Beside a histogram without a status: only a counter of all requests says how many failed."""
    labels = 'method="GET",route="/a"'
    histogram = f"http_request_duration_seconds_bucket{{{labels}}}"
    some = f'{part}_total{{{labels},code="200"}}'
    assert found(histogram, some).counter == "http_request_duration_seconds_count"
    every = f'http_requests_total{{{labels},code="200"}}'
    assert found(histogram, some, every).counter == "http_requests_total"


def test_the_counter_with_the_status_is_taken_of_several() -> None:
    """As aioprometheus writes them: requests, responses, and status codes."""
    labels = 'method="GET",path="/orders/{i}"'
    plain = (f"requests_total_counter{{{labels}}}", f"responses_total_counter{{{labels}}}")
    counters = families(
        *plain,
        f'status_codes_counter{{{labels},status_code="200"}}',
        types=dict.fromkeys(
            ("requests_total_counter", "responses_total_counter", "status_codes_counter"), "counter"
        ),
    )
    match = match_mapping(counters, shipped_presets())
    assert isinstance(match, Match)
    assert (match.mapping.counter, match.mapping.status_label) == ("status_codes_counter", "status_code")


def test_boundaries_tell_a_unit_that_the_name_does_not() -> None:
    """OpenTelemetry's old http.server.duration is in milliseconds."""
    series = 'http.server.duration_bucket{http.method="GET",http.route="/a",http.status_code="200"}'
    assert found(series, les=("5", "2500", "+Inf")).unit_seconds == Fraction(1, 1000)
    assert found(series, les=("0.005", "2.5", "+Inf")).unit_seconds == 1


@pytest.mark.parametrize("name", [name for name in PRESET_NAMES if name not in ("aspnet", "fastify-metrics")])
def test_every_shipped_preset_is_found_by_its_own_families(name: str) -> None:
    """What its file names is enough; presets of the same names differ by what else is there."""
    preset = shipped_preset(name)
    own = preset.counter == f"{preset.histogram}_count"
    labels = {
        **dict(preset.selector),
        **{label: "GET" for label in (preset.method_label,) if label},
        **{label: "/a" for label in (preset.route_label,) if label},
    }
    on_histogram = labels | ({preset.histogram_status_label: "200"} if preset.histogram_status_label else {})
    series: list[tuple[str, dict[str, str]]] = []
    if preset.histogram:
        series.append((f"{preset.histogram}_bucket", {**on_histogram, "le": "+Inf"}))
    if not own and preset.counter:
        series.append((preset.counter, {**labels, str(preset.status_label): "200"}))
    match = match_mapping(families_of(series, {}), shipped_presets())
    assert isinstance(match, Match)
    assert match.mapping == preset


def test_nothing_is_said_of_a_service_without_series() -> None:
    """Declared families, other metrics, and latencies of a client are not requests that it served."""
    other = 'http_client_request_duration_seconds_bucket{method="GET",path="/a",status="200"}'
    assert match_mapping((), shipped_presets()) is None
    assert match_mapping(families("up", other, "python_gc_collections_total"), shipped_presets()) is None


def test_two_that_fit_equally_are_both_shown() -> None:
    """The choice is the user's: both mappings are there to paste."""
    labels = '{method="GET",route="/a",status="200"}'
    unclear = match_mapping(
        families(f"a_http_request_seconds_bucket{labels}", f"b_http_request_seconds_bucket{labels}"),
        shipped_presets(),
    )
    assert isinstance(unclear, Unclear)
    assert "2 families could be the service's requests" in unclear.text
    assert unclear.text.count("preset:\n  histogram: ") == 2


def test_alien_labels_come_with_a_mapping_to_complete() -> None:
    """What the family has is named, and what to write is there."""
    unclear = match_mapping(families('shop_request_seconds_bucket{op="list",tenant="x"}'), shipped_presets())
    assert isinstance(unclear, Unclear)
    assert "shop_request_seconds {op, tenant}" in unclear.text
    assert "  route_label: LABEL" in unclear.text


def test_labels_of_the_target_are_not_those_of_requests() -> None:
    """Prometheus gives each series job and instance: a histogram without any others has nothing yet."""
    series = [("shop_request_seconds_bucket", {"le": "1", "job": "shop", "instance": "a:1"})]
    assert match_mapping(families_of(series, {}, of_targets=("job", "instance")), shipped_presets()) is None
    assert isinstance(match_mapping(families_of(series, {}), shipped_presets()), Unclear)


def test_a_summary_under_the_histograms_name_is_not_one() -> None:
    """Quantiles have no buckets; what is left are the requests by status, and its name says what it is."""
    summary = 'http_request_duration_seconds{quantile="0.5",route="/a"}'
    counter = 'http_requests_total{method="GET",route="/a",status_code="200"}'
    one = found(summary, counter)
    assert (one.counter, one.status_label) == ("http_requests_total", "status_code")
    assert "is a summary" in not_a_histogram(one.histogram or "", families(summary, counter))


WORDS = st.sampled_from(
    ["http", "request", "duration", "seconds", "total", "ms", "client", "shop", "latency"]
)
NAMES = st.lists(WORDS, min_size=1, max_size=5).map("_".join)
LABELS = st.dictionaries(
    st.sampled_from(["method", "route", "path", "status", "code", "le", "quantile", "pod"]),
    st.sampled_from(["GET", "/a", "200", "+Inf", "0.5", "", "x"]),
    max_size=5,
)


@given(st.lists(st.tuples(NAMES, LABELS), max_size=8))
def test_a_mapping_names_only_what_is_there(series: list[tuple[str, dict[str, str]]]) -> None:
    """Whatever a page shows: a mapping's metrics and labels are on it, and its YAML is a preset again."""
    seen = families_of([*series, *((f"{name}_bucket", labels) for name, labels in series)], {})
    match = match_mapping(seen, shipped_presets())
    if not isinstance(match, Match):
        return
    mapping, by_name = match.mapping, {family.name: family for family in seen}
    histogram = by_name.get(mapping.histogram or "")
    assert mapping.histogram is None or (histogram and histogram.kind is FamilyKind.HISTOGRAM)
    counter = by_name.get(mapping.counter or "")
    assert counter or mapping.counter == f"{mapping.histogram}_count"
    there = {label for family in (histogram, counter) if family for label in family.labels}
    wanted = (mapping.method_label, mapping.route_label, mapping.status_label, mapping.histogram_status_label)
    assert {label for label in wanted if label} <= there
    text = mapping_yaml(mapping).removeprefix("preset:\n").replace("\n  ", "\n").removeprefix("  ")
    again = parse_preset(text.encode(), "pasted.yaml", mapping.name)
    assert (again.histogram, again.counter, again.route_label) == (
        mapping.histogram,
        mapping.counter,
        mapping.route_label,
    )
