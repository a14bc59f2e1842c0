"""Responses of the query API: values as given, other forms refused, native histograms as classic ones."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slocheck.errors import SourceError
from slocheck.evidence.series import RawSeries
from slocheck.sources.prometheus.errors import Messages
from slocheck.sources.prometheus.fetch import merged
from slocheck.sources.prometheus.http import QueryResponse
from slocheck.sources.prometheus.native_histograms import NativeSample, classic_series
from slocheck.sources.prometheus.query_responses import points, series

MESSAGES = Messages("http://127.0.0.1:9090")


def response(kind: str, result: Any) -> QueryResponse:
    """Return a response of that type."""
    return QueryResponse(kind, result, (), partial=False, midpoint=0.0, round_trip=0.0)


def test_values_are_read_as_given() -> None:
    """NaN and infinities come as such; a time keeps its milliseconds."""
    values = [[1700000000.123, "NaN"], [1700000001, "+Inf"], [1700000002, "0.1"]]
    (one,) = series(response("matrix", [{"metric": {"__name__": "a", "x": "1"}, "values": values}]), MESSAGES)
    assert (one.metric, one.labels) == ("a", {"x": "1"})
    assert one.times == (1700000000.123, 1700000001.0, 1700000002.0)
    assert math.isnan(one.values[0])
    assert one.values[1:] == (math.inf, 0.1)


def test_vectors_and_scalars() -> None:
    """A scalar is one element without labels; histograms are not numbers."""
    assert points(response("scalar", [1, "2"]), MESSAGES)[0].value == 2.0
    histogram = {"metric": {}, "histogram": [1, {}]}
    found = points(response("vector", [{"metric": {"a": "b"}, "value": [1, "2"]}, histogram]), MESSAGES)
    assert [(point.labels, point.time, point.value) for point in found] == [({"a": "b"}, 1.0, 2.0)]


@pytest.mark.parametrize(
    ("kind", "result"),
    [
        pytest.param("scalar", [1, "2"], id="a scalar"),
        pytest.param("matrix", {"a": 1}, id="no list"),
        pytest.param("matrix", ["a"], id="no object"),
        pytest.param("matrix", [{"values": []}], id="no labels"),
        pytest.param("matrix", [{"metric": {"a": 1}, "values": []}], id="a label that is not text"),
        pytest.param("matrix", [{"metric": {}, "values": [[1]]}], id="half a sample"),
        pytest.param("matrix", [{"metric": {}, "values": [[1, "x"]]}], id="no number"),
        pytest.param("matrix", [{"metric": {}, "values": [[None, "1"]]}], id="no time"),
        pytest.param(
            "matrix", [{"metric": {}, "values": [[math.nan, "1"]]}], id="a time that is not a number"
        ),
        pytest.param("matrix", [{"metric": {}, "values": [[10**400, "1"]]}], id="a time beyond all"),
        pytest.param("matrix", [{"metric": {}, "values": [[1, 10**400]]}], id="a value beyond all"),
        pytest.param(
            "matrix", [{"metric": {}, "histograms": [[10**400, {"count": "1"}]]}], id="the same, native"
        ),
        pytest.param("matrix", [{"metric": {}, "histograms": [[1, "x"]]}], id="a histogram that is a text"),
        pytest.param(
            "matrix", [{"metric": {}, "histograms": [[1, {"count": "1", "buckets": [[0, 1]]}]]}], id="edges"
        ),
    ],
)
def test_other_forms_are_refused(kind: str, result: Any) -> None:
    """Anything but the API's format is an error, never a guess."""
    with pytest.raises(SourceError, match="not the query API's"):
        series(response(kind, result), MESSAGES)
    with pytest.raises(SourceError, match="not the query API's"):
        points(response("matrix", result), MESSAGES)


def test_a_native_histogram_becomes_cumulative_buckets() -> None:
    """Edges of all samples, cumulative counts at each, the count as ``+Inf``, and the sum."""
    first = [1, {"count": "3", "sum": "1", "buckets": [[3, "-0.001", "0.001", "1"], [0, "0.1", "0.2", "2"]]}]
    second = [2, {"count": "9", "sum": "2.5", "buckets": [[0, "0.1", "0.2", "4"], [0, "0.4", "0.8", "5"]]}]
    found = series(
        response("matrix", [{"metric": {"__name__": "h"}, "histograms": [first, second]}]), MESSAGES
    )
    assert {(one.metric, one.labels.get("le")): one.values for one in found} == {
        ("h_bucket", "0.001"): (1.0, 0.0),
        ("h_bucket", "0.2"): (3.0, 4.0),
        ("h_bucket", "0.8"): (3.0, 9.0),
        ("h_bucket", "+Inf"): (3.0, 9.0),
        ("h_count", None): (3.0, 9.0),
        ("h_sum", None): (1.0, 2.5),
    }


def test_native_histograms_of_one_metric_share_their_edges() -> None:
    """Only populated buckets are sent: a histogram is exact at other boundaries, except within a bucket."""
    items = [
        {"metric": {"__name__": "h", "code": code}, "histograms": [[1, {"count": "2", "buckets": buckets}]]}
        for code, buckets in (("200", [[0, "0.1", "0.2", "2"]]), ("201", [[0, "0.04", "0.05", "2"]]))
    ]
    items.append({"metric": {"__name__": "h", "code": "202"}, "histograms": [[1, {"count": "0"}]]})
    found = {
        (one.labels["code"], one.labels["le"]): one.values
        for one in series(response("matrix", items), MESSAGES)
        if "le" in one.labels
    }
    assert {key: values[0] for key, values in found.items()} == {
        ("200", "0.05"): 0,
        ("200", "0.2"): 2,
        ("200", "+Inf"): 2,
        ("201", "0.05"): 2,
        ("201", "0.2"): 2,
        ("201", "+Inf"): 2,
        ("202", "0.05"): 0,
        ("202", "0.2"): 0,
        ("202", "+Inf"): 0,
    }


def test_an_edge_inside_a_coarser_bucket_is_left_out() -> None:
    """After a change of schema only the edges that both have are exact."""
    fine = NativeSample(1, 2, ((1, 2, "2", 1), (2, 4, "4", 1)))
    coarse = NativeSample(2, 5, ((1, 4, "4", 5),))
    series_of = classic_series("h", {}, [fine, coarse])
    found = {one.labels["le"]: one.values for one in series_of if "le" in one.labels}
    assert found == {"4": (2, 5), "+Inf": (2, 5)}


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=30), st.integers(0, 30))
def test_pieces_of_a_series_fit_together(samples: list[tuple[int, int]], cut: int) -> None:
    """Cut anywhere, with the sample at the cut in both parts: each time is there once, in order."""
    whole = dict(sorted(samples))
    times, values = tuple(map(float, whole)), tuple(map(float, whole.values()))
    early = RawSeries("a", {"x": "1"}, times[: cut + 1], values[: cut + 1])
    late = RawSeries("a", {"x": "1"}, times[cut:], values[cut:])
    assert merged([late, early]) == (RawSeries("a", {"x": "1"}, times, values),)
