"""What single requests before the load add to the counts, beside what was sent."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest

from slocheck.evidence.series import RawSeries, ServerSeries
from slocheck.indicators.server.first_counts import FirstCounts, born_with_requests
from slocheck.spec.model import Endpoint
from tests.builders.server.histories import PRESET
from tests.builders.server.series import SOURCE, raw_series, up
from tests.builders.specs import make_spec

LATENCY, ERRORS, ITEMS, OURS, CACHE = make_spec(
    '  latency_p95: {silver: "< 1s"}\n'
    '  error_rate: {silver: "< 1%"}\n'
    '  items: {indicator: error_rate, endpoint: GET /items, silver: "< 1%"}\n'
    '  ours: {indicator: latency_p50, source: client, silver: "< 1s"}\n'
    '  cache_hit_rate: {silver: "> 1%"}\n',
    more=SOURCE,
).objectives
SENT = {Endpoint("GET", "/items"): 2, Endpoint("GET", "/orders"): 1}
BEFORE, AFTER = 95.0, 102.0


def counted(
    each: dict[str, float], *, before: float = 0.0, layers: tuple[str, ...] = (), mean: float = 0.01
) -> ServerSeries:
    """Return a counter and a histogram to which each route's requests were added at 101 s.

    Args:
        each: How many, by route.
        before: What was added to the counter before them.
        layers: Values of a label, for each of which all requests are counted.
        mean: Of the histogram, in its own unit.
    """

    def series() -> Iterator[RawSeries]:
        for route, number in each.items():
            for layer in layers or ("",):
                labels = {"route": route, "status_code": "200", **({"layer": layer} if layer else {})}
                added = {BEFORE: 5.0, BEFORE + 2: 5.0 + before, AFTER: 5.0 + before + number}
                yield raw_series("http_requests_total", added, **labels)
                counts = {BEFORE: 5.0, AFTER: 5.0 + number}
                yield raw_series(f"{PRESET.histogram}_bucket", counts, **labels, le="+Inf")
                sums = {BEFORE: 1.0, AFTER: 1.0 + number * mean}
                yield raw_series(f"{PRESET.histogram}_sum", sums, **labels)

    preset = replace(PRESET, name="custom")
    scrapes = up(BEFORE, BEFORE + 2, AFTER)
    return ServerSeries("scrape", preset, 100.0, 100.0, 101.0, (*series(), scrapes), 1.0)


def test_what_is_counted_once_is_not_remarked_on() -> None:
    """Neither of all requests, nor of one endpoint, nor of what is not counted as requests."""
    counts = FirstCounts(counted({"/items": 2, "/orders": 1}), SENT)
    for objective in (LATENCY, ERRORS, ITEMS, OURS, CACHE):
        assert counts.several(objective) == ""
        assert counts.lacking(objective) == ""
    assert [counts.is_by_histogram(one) for one in (LATENCY, ERRORS, OURS)] == [True, False, False]


def test_a_label_that_counts_each_request_several_times_is_named() -> None:
    """Its values have an equal part each; to pin one of them counts each request once."""
    counts = FirstCounts(counted({"/items": 2, "/orders": 1}, layers=("cors", "gzip", "route")), SENT)
    for objective in (LATENCY, ERRORS, ITEMS):
        said = counts.several(objective)
        assert said.startswith("the server counted 3 times what was sent: once for each layer (cors, gzip, ")
        assert said.endswith("selector: {layer: cors}")


@pytest.mark.parametrize(
    ("found", "text"),
    [
        pytest.param(counted({"/items": 4, "/orders": 2}), "", id="twice, by no label: others'"),
        pytest.param(counted({"/items": 1}), "counted 1 of the 3 requests that the probe sent", id="few"),
        pytest.param(
            counted({"/x": 0}), "http_requests_total counted 0 of the 3 requests that the probe", id="none"
        ),
        pytest.param(counted({"/items": 0}, before=1.0), "", id="others use it"),
        pytest.param(replace(counted({"/items": 0}), load_start=90.0), "", id="not seen before"),
        pytest.param(counted({}), "", id="no series"),
    ],
)
def test_what_is_not_counted_is_told_where_nobody_else_uses_the_service(
    found: ServerSeries, text: str
) -> None:
    """With other traffic, or without a look before, nothing can be said."""
    counts = FirstCounts(found, SENT)
    assert counts.several(ERRORS) == ""
    assert text in counts.lacking(ERRORS)
    assert bool(counts.lacking(ERRORS)) == bool(text)
    assert counts.counted_none(ERRORS) == text.startswith("http_requests_total counted 0")


def test_series_that_the_requests_created_count_from_0() -> None:
    """There was no page with them before."""
    whole = counted({"/items": -3})
    series = tuple(replace(one, times=one.times[-1:], values=one.values[-1:]) for one in whole.series)
    born = replace(whole, series=series)
    assert FirstCounts(born, SENT).lacking(ITEMS) == ""
    assert "did not count the request" not in FirstCounts(born_with_requests(born), SENT).lacking(ITEMS)
    assert FirstCounts(born_with_requests(born), {Endpoint("GET", "/items"): 2}).lacking(ERRORS) == ""
    assert FirstCounts(born_with_requests(born), {Endpoint("GET", "/items"): 3}).lacking(ERRORS) != ""


@pytest.mark.parametrize(
    ("mean", "milliseconds", "differ", "unit", "text"),
    [
        pytest.param(0.01, False, False, None, "", id="fits"),
        pytest.param(0.05, False, False, "", "work after the response", id="slower than its client"),
        pytest.param(12.5, False, False, "milliseconds", "its mean is 12,500 ms", id="milliseconds"),
        pytest.param(0.013, True, False, "", "may be in seconds, not in milliseconds", id="seconds, maybe"),
        pytest.param(0.013, True, True, "seconds", "its mean is 0.013 ms", id="seconds, by the boundaries"),
        pytest.param(0.0013, True, True, "", "may be in seconds", id="far below: the network, maybe"),
        pytest.param(0.5, True, True, None, "", id="only milliseconds fit"),
    ],
)
def test_the_mean_tells_a_wrong_unit(
    mean: float, milliseconds: bool, differ: bool, unit: str | None, text: str
) -> None:
    """The client's mean is 14 ms; a unit is named only where nothing else explains the figures."""
    found = counted({"/items": 2, "/orders": 1}, mean=mean)
    if milliseconds:
        found = replace(found, preset=replace(found.preset, unit_seconds=Fraction(1, 1000)))
    doubt = FirstCounts(found, SENT).unit_doubt(Fraction(14, 1000), boundaries_differ=differ)
    assert (doubt.unit if doubt else None) == unit
    assert doubt is None or text in doubt.text


def test_nothing_is_said_of_a_unit_where_the_counts_differ() -> None:
    """The mean would be of other requests."""
    found = counted({"/items": 1}, mean=30.0)
    assert FirstCounts(found, SENT).unit_doubt(Fraction(1, 100), boundaries_differ=True) is None


@pytest.mark.parametrize(
    ("histogram", "doubted"),
    [
        pytest.param("http_request_duration", True, id="no unit"),
        pytest.param("http_request_duration_ms", False, id="named"),
    ],
)
def test_without_a_sum_a_wide_bucket_leaves_the_unit_open(histogram: str, doubted: bool) -> None:
    """All requests are below 5 in either unit: the probe says so, as the run will, unless the name tells."""
    found = counted({"/items": 2, "/orders": 1})
    metric = f"{PRESET.histogram}_bucket"
    last = [replace(one, metric=f"{histogram}_bucket") for one in found.series if one.metric == metric]
    wide = [replace(one, labels={**one.labels, "le": "5"}) for one in last]
    rest = [one for one in found.series if not one.metric.startswith(PRESET.histogram or "")]
    preset = replace(found.preset, histogram=histogram, unit_seconds=Fraction(1, 1000))
    found = replace(found, preset=preset, series=(*rest, *last, *wide))
    doubt = FirstCounts(found, SENT).unit_doubt(Fraction(14, 1000), boundaries_differ=False)
    assert bool(doubt) == doubted
    if doubt:
        assert doubt.unit == ""
        assert "its slowest is at most 5 ms, the client's for the same requests 14 ms" in doubt.text
