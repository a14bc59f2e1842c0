"""Metrics pages: only the requested series, exactly, in both formats, and nothing from a broken page."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from slocheck.promql.selectors import Matcher, SeriesQuery
from slocheck.sources.scrape.exposition import PageError, PageReader, declared

WANTED = [SeriesQuery("a_total"), SeriesQuery("b_bucket", (Matcher("le", "!=", "9"),))]
LABEL_VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def read(text: str, *, openmetrics: bool = False) -> list[tuple[str, dict[str, str], float]]:
    """Return metric, labels and value of what is wanted."""
    samples = PageReader(WANTED).read(text, openmetrics=openmetrics)
    return [(one.series.metric, dict(one.series.labels), one.value) for one in samples]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param("a_total 7", [("a_total", {}, 7.0)], id="no labels"),
        pytest.param(
            'a_total{x="1"} 7 1700000000000', [("a_total", {"x": "1"}, 7.0)], id="with its own time"
        ),
        pytest.param('a_total{x="1",} 1e3', [("a_total", {"x": "1"}, 1000.0)], id="a trailing comma"),
        pytest.param('a_total {x="1"} 7', [("a_total", {"x": "1"}, 7.0)], id="a blank before the labels"),
        pytest.param('a_total\t { x = "1" , } 7', [("a_total", {"x": "1"}, 7.0)], id="blanks everywhere"),
        pytest.param('  a_total{x="1"} 7', [("a_total", {"x": "1"}, 7.0)], id="leading blanks"),
        pytest.param("\ta_total 7", [("a_total", {}, 7.0)], id="a leading tab"),
        pytest.param('a_total{x="1",e=""} 7', [("a_total", {"x": "1"}, 7.0)], id="an empty label is absent"),
        pytest.param(
            'other 1\n  a_total{x="\\n y"} 7', [("a_total", {"x": "\n y"}, 7.0)], id="a second line"
        ),
        pytest.param("a_total\t7", [("a_total", {}, 7.0)], id="a tab"),
        pytest.param('a_total{x="} 5 #"} 7', [("a_total", {"x": "} 5 #"}, 7.0)], id="a brace in a value"),
        pytest.param(r'a_total{x="a\"b\\"} 7', [("a_total", {"x": 'a"b\\'}, 7.0)], id="escapes"),
        pytest.param(
            'b_bucket{le="1"} 7 # {id="}"} 0.5 1.5', [("b_bucket", {"le": "1"}, 7.0)], id="an exemplar"
        ),
        pytest.param("a_total +Inf", [("a_total", {}, math.inf)], id="infinity"),
        pytest.param('b_bucket{le="9"} 7', [], id="a condition that fails"),
        pytest.param("a_total_more 7", [], id="a longer name"),
        pytest.param('other{x="a_total"} 7', [], id="another metric"),
        pytest.param("# TYPE a_total counter", [], id="a comment"),
    ],
)
def test_lines(line: str, found: list[object]) -> None:
    """Each line gives its sample, or nothing if it is not wanted."""
    assert read(f"{line}\n") == found


def test_nan_is_a_value() -> None:
    """What the service says is passed on."""
    assert math.isnan(read("a_total NaN")[0][2])


@pytest.mark.parametrize(
    ("text", "openmetrics", "message"),
    [
        pytest.param("<html>", False, "is HTML", id="a login page"),
        pytest.param("ok\n", False, "is not metrics; it has the line 'ok'", id="a word"),
        pytest.param("Welcome to nginx\n", False, "is not metrics", id="a sentence"),
        pytest.param('{"status": "ok"}', False, "the page is JSON, not metrics; check the path", id="JSON"),
        pytest.param('[{"up": 1}]', False, "the page is JSON", id="a JSON list"),
        pytest.param("# Down for maintenance\n", False, "has no metrics", id="a heading"),
        pytest.param("a_total 7\n", True, "cut off: it lacks the # EOF", id="OpenMetrics without its end"),
        pytest.param("a_total seven", False, "a value that is not a number: 'seven'", id="no number"),
        pytest.param("a_total", False, "a line that is not a sample", id="cut after the name"),
        pytest.param('a_total{x="1} 7', False, "a value that is not a number", id="an open quote"),
        pytest.param("a_total{x=1} 7", False, "labels that cannot be parsed", id="no quotes"),
        pytest.param('{,\r=""}1', False, "labels that cannot be parsed: string index", id="no name"),
        pytest.param(
            "a_total 7\na_total 8",
            False,
            "series twice, a_total: .* register each metric once",
            id="a series twice",
        ),
        pytest.param('a_total{x="1",y="2"} 7\na_total{y="2",x="1"} 8', False, "twice", id="in another order"),
        pytest.param(
            'a_total 7\na_total{e=""} 8', False, "has a series twice", id="once with an empty label"
        ),
        pytest.param("  a_total seven", False, "a value that is not a number", id="an indented line"),
    ],
)
def test_broken_pages(text: str, openmetrics: bool, message: str) -> None:
    """A page that cannot be read is refused whole: half of it would look like resets."""
    with pytest.raises(PageError, match=message):
        read(text, openmetrics=openmetrics)


def test_a_page_without_a_wanted_series_is_one_of_metrics() -> None:
    """Callers say that something is missing."""
    assert read("# TYPE b_total counter\n") == []
    assert read("b_total 1\n") == []
    assert read("# EOF\n", openmetrics=True) == []


def test_a_series_is_the_same_object_on_every_page() -> None:
    """A series is recognised even if its labels come in another order."""
    reader = PageReader(WANTED)
    first = reader.read('a_total{x="1",y="2"} 7', openmetrics=False)[0][0]
    second = reader.read('a_total{y="2",x="1"} 8', openmetrics=False)[0][0]
    assert first is second


def test_a_series_that_gains_an_empty_label_stays_the_same() -> None:
    """OpenTelemetry's exporter adds `error_type=""` to every series at the first error."""
    reader = PageReader(WANTED)
    first = reader.read('a_total{x="1"} 7', openmetrics=False)[0][0]
    later = reader.read('a_total{e="",x="1"} 8\na_total{e="500",x="1"} 1', openmetrics=False)
    assert later[0][0] is first
    assert later[1][0] is not first


BLANKS = st.text(" \t", max_size=3)


@given(BLANKS, BLANKS, BLANKS, BLANKS.filter(bool))
def test_blanks_do_not_change_a_sample(indent: str, gap: str, inside: str, before_value: str) -> None:
    """Blanks that the format or Prometheus allows never hide a line."""
    line = f'{indent}a_total{gap}{{{inside}x{inside}={inside}"1"{inside}}}{before_value}7'
    assert read(f"# HELP a_total x\n{line}\n") == [("a_total", {"x": "1"}, 7.0)]


@given(st.dictionaries(LABEL_VALUES, st.floats(0, 1e15), min_size=1, max_size=5))
def test_what_prometheus_client_writes_is_read_back(values: dict[str, float]) -> None:
    """Both formats of the library give the same values for any label value."""
    registry = CollectorRegistry()
    counter = Counter("a", "help", ["x"], registry=registry)
    histogram = Histogram("b", "help", buckets=(1, 9), registry=registry)
    histogram.observe(0.5, {"trace": "1"})
    for label, value in values.items():
        counter.labels(label).inc(value)
    expected = {("a_total", label): value for label, value in values.items()}
    expected |= {("b_bucket", "1.0"): 1.0, ("b_bucket", "+Inf"): 1.0, ("b_bucket", "9.0"): 1.0}
    text = generate_latest(registry)
    end = generate_openmetrics(registry)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    for page, openmetrics in ((text, False), (end, True)):
        found = read(page.decode(), openmetrics=openmetrics)
        assert {
            (name, labels.get("x", labels.get("le", ""))): value for name, labels, value in found
        } == expected


def test_declared_families() -> None:
    """A family without samples is known by its TYPE line."""
    assert declared("# TYPE a_total counter\n# HELP b x\n# TYPE b histogram\nc 1\n") == {
        "a_total": "counter",
        "b": "histogram",
    }
    assert declared("  #  TYPE\ta_total counter\n") == {"a_total": "counter"}


def test_names_in_quotes_are_read() -> None:
    """OpenTelemetry's dotted names are among the labels; the same family is found in all forms."""
    page = '{"http.server.duration_bucket",le="0.1","http.route"="/a"} 3\nup 1\n'
    wanted = PageReader([SeriesQuery("http.server.duration_bucket")]).read(page, openmetrics=False)
    assert [(one.series.metric, one.series.labels, one.value) for one in wanted] == [
        ("http.server.duration_bucket", {"le": "0.1", "http.route": "/a"}, 3.0)
    ]
    everything = PageReader(None).read(page, openmetrics=False)
    assert [one.series.metric for one in everything] == ["http.server.duration_bucket", "up"]
