"""What a query reads, and how far back."""

import pytest

from slocheck.promql.lookback import Lookback, lookbacks


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("vector(1) + 2", (), id="nothing"),
        pytest.param("max(a)", (Lookback("a", 0, 0),), id="the latest sample"),
        pytest.param('rate(a{x=~"b|c"}[5m])', (Lookback('a{x=~"b|c"}', 300, 0),), id="a range"),
        pytest.param("a offset 1m", (Lookback("a", 60, 60),), id="an offset"),
        pytest.param("rate(a[5m] offset 1m)", (Lookback("a", 360, 60),), id="a range with an offset"),
        pytest.param(
            "max_over_time(sum(rate(a[1m]))[10m:30s] offset 2m)", (Lookback("a", 780, 120),), id="a subquery"
        ),
        pytest.param(
            "-sum by (x) (a) / on (x) group_left () (b[1m] > bool 3) or topk(3, c)",
            None,
            id="not PromQL: a range cannot be compared",
        ),
        pytest.param(
            "-sum by (x) (a) / on (x) group_left () (b > bool 3) or topk(3, c)",
            (Lookback("a", 0, 0), Lookback("b", 0, 0), Lookback("c", 0, 0)),
            id="every part",
        ),
        pytest.param(
            'histogram_quantile(0.9, {__name__="a.b_bucket"})',
            (Lookback('{__name__="a.b_bucket"}', 0, 0),),
            id="a dotted name",
        ),
        pytest.param("b - a @ 1600000000", (Lookback("b", 0, 0),), id="a moment of its own"),
        pytest.param("b - rate(a[5m] @ 1600000000)", (Lookback("b", 0, 0),), id="a range of its own"),
        pytest.param("max_over_time(a[5m:] @ 1600000000)", (), id="a subquery of its own"),
        pytest.param("rate(a[5m] @ end())", (Lookback("a", 300, 0),), id="the end of the query"),
        pytest.param(
            'a{x=" @ y offset z"} @ start() offset 1m',
            (Lookback('a{x=" @ y offset z"}', 60, 60),),
            id="its begin, with an offset",
        ),
        pytest.param("a offset 1m @ end()", (Lookback("a", 60, 60),), id="in the other order"),
        pytest.param("max_over_time(a[5m:] @ start())", (Lookback("a", 300, 0),), id="a pinned subquery"),
        pytest.param("keep_last_value(a)", None, id="a dialect"),
    ],
)
def test_lookbacks(query: str, expected: tuple[Lookback, ...] | None) -> None:
    """Each selector with the oldest and the newest sample that it reads."""
    assert lookbacks(query) == expected
