"""The prometheus and scrape blocks: addresses, credentials by place, TLS, presets."""

import pytest

from slocheck.plan.metric_plan import metric_plan
from slocheck.spec.blocks.metric_source.prometheus import PrometheusSource
from slocheck.spec.blocks.metric_source.scrape import ScrapeSource
from slocheck.spec.loader import parse_spec
from slocheck.spec.model import Auth, Preset, Tls
from tests.builders.good_spec import GOOD, Broken, problems_of
from tests.builders.specs import make_spec
from tests.spec.broken.sources import SOURCES, TOP


@pytest.mark.parametrize("broken", [pytest.param(broken, id=name) for name, broken in SOURCES.items()])
def test_a_faulty_source_is_told_with_its_place(broken: Broken) -> None:
    """The message says what to write, and shows no secret from the spec."""
    found = problems_of(broken.text)
    assert found == [broken.message]
    assert "hunter2" not in found[0]


def prometheus_of(text: str, environment: dict[str, str] | None = None) -> PrometheusSource:
    """Return the source of the good spec with another prometheus block, given in braces."""
    source = parse_spec(GOOD.replace(TOP, text).encode(), "slo.yaml", environment=environment).metric_source
    assert isinstance(source, PrometheusSource)
    return source


def test_credentials_are_kept_by_place() -> None:
    """The model knows files and variables, never values."""
    source = prometheus_of(
        "prometheus: {url: http://h, selector: {job: a}, auth: {username: me, password_env: PW, "
        "headers_env: {X-Key: KEY}}, headers: {X-Scope-OrgID: team}, params: {dedup: true}, timeout: 5s, "
        "tls: {ca: ca.pem, cert: c.pem, key: k.pem}}"
    )
    assert source.auth == Auth(username="me", password_env="PW", headers_env={"X-Key": "KEY"})
    assert source.headers == {"X-Scope-OrgID": "team"}
    assert source.params == {"dedup": "true"}
    assert source.tls == Tls("ca.pem", "c.pem", "k.pem")
    assert source.timeout == 5.0


def test_labels_may_have_dots_in_their_names() -> None:
    """Like OpenTelemetry's resource attributes, wherever a label is named."""
    spec = make_spec(
        '  errors: {indicator: error_rate, endpoint: GET /x, labels: {http.route: /x}, silver: "< 5%"}\n',
        more="prometheus: {url: http://h, selector: {k8s.pod.name: a}, preset: {counter: http.requests, "
        "method_label: http.request.method, selector: {url.scheme: http}}}\n",
    )
    plan = metric_plan(spec)
    assert plan is not None
    assert plan.labels == ("k8s.pod.name", "url.scheme", "http.route", "http.request.method")
    assert '{__name__="http.requests","k8s.pod.name"="a","url.scheme"="http"}' in plan.series_texts


def test_a_preset_of_ones_own() -> None:
    """A mapping names the metrics; the counter is the histogram's count unless it is named."""
    source = prometheus_of(
        "prometheus: {url: http://h, selector: {job: a}, preset: {histogram: rpc_ms, unit: milliseconds, "
        "route_label: op, ignore_routes: [/ping], cache_hits: h_total, cache_misses: m_total}}"
    )
    assert isinstance(source.preset, Preset)
    assert (source.preset.name, source.preset.counter) == ("custom", "rpc_ms_count")
    assert source.preset.unit_seconds * 1000 == 1
    assert source.preset.ignore_routes == ("/ping",)


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/", "/stats/prometheus?usedonly=a/"])
def test_the_address_of_a_page_is_kept_as_written(path: str) -> None:
    """Django and Starlette redirect or refuse /metrics where the route is /metrics/."""
    source = make_spec(more=f'scrape: ["http://h:1{path}"]\n').metric_source
    assert isinstance(source, ScrapeSource)
    assert source.urls == (f"http://h:1{path}",)


def test_variables_expand_in_urls_only() -> None:
    """The spec's text keeps the variable; a missing one is a problem, except in an archived spec."""
    block = "prometheus: {url: '${PROM}/x', selector: {job: a}}"
    assert prometheus_of(block, {"PROM": "http://prom:9090"}).url == "http://prom:9090/x"
    assert prometheus_of(block).url == "${PROM}/x"
    assert problems_of(GOOD.replace(TOP, block)) == [
        "5:19 prometheus.url: the environment variable PROM is not set; set it, or write the address"
    ]


def test_a_secret_in_a_variable_does_not_show() -> None:
    """What a variable holds may not be an address at all."""
    block = "prometheus: {url: '${PROM}', selector: {job: a}}"
    for value in ("hunter2", "http://me:hunter2@h", "http://h/?key=hunter2"):
        (found,) = problems_of(GOOD.replace(TOP, block), {"PROM": value})
        assert "hunter2" not in found
        assert "'${PROM}' does not expand to a usable address" in found
