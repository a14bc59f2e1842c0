"""The names by which metrics are queried: before the load, after the first requests, and later."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from slocheck.errors import UsageError
from slocheck.evidence.series import RawSeries, ServerSeries, SourcePreflight
from slocheck.pipeline import metric_mapping
from slocheck.pipeline.metric_mapping import as_collected, look_again, settle
from slocheck.plan.families import Family, families_of
from slocheck.plan.metric_plan import MetricPlan
from slocheck.spec.model import SourceChoice, Spec
from tests.builders.specs import make_spec

OBJECTIVES = '  error_rate: {silver: "< 1%"}\n'
LABELS = {"method": "GET", "handler": "/a", "status": "2xx"}
OTHER = {"method": "GET", "path": "/a", "status_code": "200"}
NAMES = ("http_request_duration_seconds_bucket", "http_requests_total")
Page = Sequence[tuple[str, dict[str, str]]]


def page(labels: dict[str, str], names: tuple[str, str] = NAMES) -> Page:
    """Return a histogram and a counter with these labels."""
    return [(names[0], {**labels, "le": "+Inf"}), (names[1], labels)]


FITS, ALIEN, ANOTHER = (
    page(LABELS),
    page({"tenant": "x"}),
    page(OTHER, ("starlette_request_duration_seconds_bucket", "starlette_requests_total")),
)


@dataclass
class Pages:
    """A source with given pages: each is shown once, and the last one from then on.

    Attributes:
        pages: What is shown, one after the other.
        plans: What it was told to query.
    """

    pages: list[Page]
    plans: list[MetricPlan] = field(default_factory=list)

    def check(self) -> None:
        """Need nothing."""

    def preflight(self) -> SourcePreflight:
        """Find one target."""
        return SourcePreflight(scrape_interval=1.0, clock_skew=0.0, targets=1)

    def families(self, *, after: float | None = None) -> tuple[Family, ...]:  # noqa: ARG002 - nothing to wait for
        """Show a page."""
        return families_of(self.pages.pop(0) if len(self.pages) > 1 else self.pages[0], {})

    def use(self, plan: MetricPlan) -> None:
        """Keep the plan."""
        self.plans.append(plan)

    def start(self) -> None:
        """Do nothing."""

    def collect(self, *, load_start: float, window_start: float, end: float, sent: int) -> ServerSeries:
        """Deliver nothing: this is about names."""
        raise NotImplementedError((load_start, window_start, end, sent))

    def close(self) -> None:
        """Do nothing."""


class Clock:
    """A clock that advances only during sleeps, so that a busy machine makes no difference."""

    def __init__(self) -> None:
        self.now = 1_767_323_000.0

    def time(self) -> float:
        """Return the moment."""
        return self.now

    monotonic = time

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.now += seconds


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for pages that do not change any more."""
    monkeypatch.setattr(metric_mapping, "time", Clock())


def spec_with(preset: str) -> Spec:
    """Return a spec that grades errors on pages of a preset."""
    source = f'scrape: {{urls: ["http://127.0.0.1:1/metrics"], preset: {preset}}}\n'
    return make_spec(OBJECTIVES, more=source)


PRESETS = [pytest.param("auto", id="auto"), pytest.param("fastapi-instrumentator", id="named")]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    ("pages", "sent"),
    [
        pytest.param([FITS], 0, id="there"),
        pytest.param([[], FITS], 1, id="after the first requests"),
        pytest.param([page({}), [], page({}), FITS], 1, id="some time after them"),
    ],
)
def test_requests_are_sent_only_where_no_series_is_there(preset: str, pages: list[Page], sent: int) -> None:
    """Once; what the source saw until then is dropped, so that they are not mistaken for other traffic."""
    source, calls = Pages(list(pages)), list[int]()
    settled = settle(spec_with(preset), source, first_requests=lambda: calls.append(1))
    assert len(calls) == sent
    assert settled.mapping.name == "fastapi-instrumentator"
    assert settled.said.startswith("preset fastapi-instrumentator: histogram http_request_duration_seconds")
    assert not settled.is_open
    assert len(source.plans) == (1 if sent or preset == "auto" else 0)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("pages", [[ALIEN], [[], ALIEN]], ids=["at once", "after the first requests"])
def test_alien_labels_are_refused(preset: str, pages: list[Page]) -> None:
    """The message has the place in the spec, what is there, and the mapping to paste."""
    with pytest.raises(UsageError) as refused:
        settle(spec_with(preset), Pages(list(pages)), first_requests=lambda: None)
    assert "scrape.preset: " in str(refused.value)
    assert "http_request_duration_seconds {tenant}" in str(refused.value)
    assert "preset:\n  histogram: http_request_duration_seconds" in str(refused.value)


def test_alien_labels_do_not_matter_to_a_spec_that_grades_the_client_alone() -> None:
    """A named preset then only counts instances, which needs no labels of requests."""
    spec = spec_with("fastapi-instrumentator")
    client = [replace(one, source=SourceChoice.CLIENT) for one in spec.objectives]
    spec = replace(spec, target=replace(spec.target, instances=None), objectives=tuple(client))
    assert settle(spec, Pages([ALIEN])).mapping.name == "fastapi-instrumentator"


@pytest.mark.parametrize("preset", PRESETS)
def test_what_appears_with_the_load_is_taken_after_it(preset: str) -> None:
    """A Locust file has no step to send first; the run goes on, and the mapping is archived."""
    spec, source = spec_with(preset), Pages([[], FITS])
    settled = settle(spec, source)
    assert settled.is_open
    later = look_again(spec, source, settled)
    assert later.later == ()
    series = tuple(RawSeries(metric, labels, (1.0,), (1.0,)) for metric, labels in FITS)
    collected = ServerSeries("scrape", later.mapping, 1, 1, 2, series)
    found = as_collected(spec, collected, later)
    assert found.mapping.startswith("preset fastapi-instrumentator: ")
    assert found.warnings == ()


SUMMARY = [("shop_request_seconds", {**OTHER, "quantile": "0.9"}), ("shop_request_seconds_count", OTHER)]


@pytest.mark.parametrize("early", [True, False], ids=["before the load", "after it"])
def test_of_a_summary_only_the_count_is_taken(early: bool) -> None:
    """The mapping then has no histogram, so latency comes from the client, with a warning."""
    spec, source = spec_with("auto"), Pages([SUMMARY] if early else [[], SUMMARY])
    settled = look_again(spec, source, settle(spec, source))
    assert (settled.mapping.histogram, settled.mapping.counter) == (None, "shop_request_seconds_count")
    assert source.plans[-1].mapping == settled.mapping
    assert settled.not_a_histogram.startswith("shop_request_seconds is a summary (it has quantile labels)")


def test_what_a_library_needs_to_export_buckets_is_said() -> None:
    """Spring Boot exports a count and a sum by default: the property that adds the buckets is named."""
    labels = {"method": "GET", "uri": "/orders", "status": "200"}
    name = "http_server_requests_seconds"
    settled = settle(spec_with("auto"), Pages([[(f"{name}_count", labels), (f"{name}_sum", labels)]]))
    assert (settled.mapping.histogram, settled.mapping.counter) == (None, f"{name}_count")
    assert "percentiles-histogram.http.server.requests to true" in settled.not_a_histogram
    assert settled.not_a_histogram in [warning.text for warning in settled.found.warnings]


def test_a_histogram_without_labels_is_taken_after_the_load() -> None:
    """Before the first request it may get some yet, which is said; afterwards it times all requests."""
    spec, source = spec_with("auto"), Pages([page({})])
    settled = settle(spec, source, first_requests=lambda: None)
    assert settled.is_open
    assert settled.said.startswith("http_request_duration_seconds has no labels yet: ")
    (warning,) = settled.found.warnings
    assert settled.said in warning.text
    later = look_again(spec, source, settled)
    assert later.mapping.histogram == "http_request_duration_seconds"
    assert (later.mapping.route_label, later.mapping.status_label) == (None, None)
    assert source.plans[-1].mapping == later.mapping
    with_labels = look_again(spec, Pages([FITS]), settled)
    assert with_labels.mapping.name == "fastapi-instrumentator"


def test_series_of_recording_rules_alone_are_said_to_be_all_there_is() -> None:
    """A Prometheus that reads another one's sums has no counts by route or status."""
    sums = [("shop:http_request_duration_seconds_bucket", {"le": "1"}), ("job:http_requests:rate5m", {})]
    settled = settle(spec_with("auto"), Pages([sums]))
    assert settled.is_open
    assert "only series that recording rules computed, such as job:http_requests:rate5m" in settled.said
    assert "query the Prometheus that scrapes the service" in settled.said


def test_boundaries_that_do_not_suit_the_unit_are_warned_of_once() -> None:
    """Before the load, and not again with the collected series."""
    spec = spec_with("{histogram: rq_time, route_label: route}")
    series = [("rq_time_bucket", {"route": "/orders", "le": le}) for le in ("5", "1000", "+Inf")]
    settled = settle(spec, Pages([series]))
    assert [warning.code for warning in settled.found.warnings].count("histogram-unit") == 1
    raw = tuple(RawSeries(metric, labels, (1.0,), (1.0,)) for metric, labels in series)
    collected = ServerSeries("scrape", settled.mapping, 1, 1, 2, raw, warnings=tuple(settled.found.warnings))
    again = as_collected(spec, collected, settled)
    assert [warning.code for warning in again.warnings].count("histogram-unit") == 1


def test_a_named_preset_that_never_appears_names_what_does() -> None:
    """Before the load and after it: the existing metrics fit another preset, or have other labels."""
    spec = spec_with("fastapi-instrumentator")
    source = Pages([ANOTHER])
    settled = settle(spec, source, first_requests=lambda: None)
    (before,) = settled.found.warnings
    assert "preset fastapi-instrumentator has no series; other metrics match: " in before.text
    assert "preset starlette_exporter: histogram starlette_request_duration_seconds" in before.text
    assert look_again(spec, source, settled).later == (before,)
    (after,) = look_again(spec, Pages([ALIEN]), settled).later
    assert after.code == "missing-label"
    assert "none of the labels that preset fastapi-instrumentator names" in after.text


def test_a_counter_without_labels_is_named_with_what_it_decides() -> None:
    """As nginx's exporter has one: before the load, and after it, where more requests would not help."""
    bare: Page = [("nginx_http_requests_total", {})]
    spec = spec_with("auto")
    source = Pages([bare])
    settled = settle(spec, source)
    later = look_again(spec, source, settled)
    for said in (settled.said, later.said):
        assert "nginx_http_requests_total counts requests without them" in said
        assert "preset: {counter: nginx_http_requests_total} decides a rate" in said
        assert "send the service" not in said
    assert any(settled.said in warning.text for warning in settled.found.warnings)
    assert "send the service some requests" in settle(spec, Pages([[]])).said
