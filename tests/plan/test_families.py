"""What has a histogram's name."""

import pytest

from slocheck.plan.families import families_of, not_a_histogram

NAME = "http_request_duration_seconds"


@pytest.mark.parametrize(
    ("series", "types", "said"),
    [
        pytest.param([(f"{NAME}_bucket", {"le": "1"})], {NAME: "histogram"}, "", id="a histogram"),
        pytest.param([(NAME, {})], {NAME: "histogram"}, "", id="a native one"),
        pytest.param([(NAME, {"quantile": "0.5"})], {NAME: "summary"}, "is a summary", id="a summary"),
        pytest.param([(NAME, {"quantile": "0.5"})], {}, "is a summary", id="quantiles without a type"),
        pytest.param(
            [(f"{NAME}_count", {"route": "/x"}), (f"{NAME}_sum", {"route": "/x"})],
            {NAME: "summary"},
            "is a summary (a count and a sum, without buckets)",
            id="a summary without quantiles",
        ),
        pytest.param(
            [(f"{NAME}_count", {"route": "/x"}), (f"{NAME}_sum", {"route": "/x"})],
            {NAME: "histogram"},
            "without buckets): percentiles of all requests cannot be computed from it; let the service "
            "export buckets and Prometheus keep them",
            id="a histogram whose buckets were dropped",
        ),
        pytest.param([(NAME, {"route": "/x"})], {NAME: "gauge"}, "is not a histogram", id="a gauge"),
        pytest.param([("another", {})], {"another": "gauge"}, "", id="nothing of that name"),
    ],
)
def test_what_is_not_a_histogram_is_said(
    series: list[tuple[str, dict[str, str]]], types: dict[str, str], said: str
) -> None:
    """The name alone does not make a histogram; the message says what it is and the remedy."""
    text = not_a_histogram(NAME, families_of(series, types))
    assert said in text
    assert bool(text) == bool(said)
    assert not text or "source: client" in text


def test_buckets_without_le_are_named() -> None:
    """The metrics library of VictoriaMetrics exports ranges, which cannot be added up to a percentile."""
    labels = {"path": "/a"}
    series = [(f"request_seconds{part}", labels) for part in ("_count", "_sum")]
    ranges = ("request_seconds_bucket", {**labels, "vmrange": "1.000e-03...1.136e-03"})
    assert "its buckets have no label le" in not_a_histogram(
        "request_seconds", families_of([*series, ranges], {})
    )
    assert "without buckets" in not_a_histogram("request_seconds", families_of(series, {}))
