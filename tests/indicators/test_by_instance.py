"""The server's bad requests by instance."""

from dataclasses import replace
from fractions import Fraction
from math import inf

import pytest

from slocheck.evidence.series import RawSeries, parse_boundary
from slocheck.indicators.by_instance import InstanceCount, bad_by_instance
from slocheck.indicators.server.server_side import ServerSide
from tests.builders.reports import parsed, report


def two_instances() -> tuple[RawSeries, ...]:
    """Return the sample run's series, and a second instance that served the same twice."""
    server = report().evidence.server
    assert server is not None
    other = tuple(
        replace(
            one,
            labels={**one.labels, "instance": "b:80"},
            values=tuple(2 * value for value in one.values) if one.metric.startswith("http_") else one.values,
        )
        for one in server.series
    )
    return (*server.series, *other)


@pytest.mark.parametrize(
    ("name", "boundary"),
    [("latency_p95", 0.25), ("error_rate", None), ("availability", None)],
)
def test_each_instance_counts_its_own(name: str, boundary: float | None) -> None:
    """Twice the requests are twice the bad ones, and the worst instance comes first."""
    server = report().evidence.server
    assert server is not None
    spec = parsed()
    objective = next(item for item in spec.objectives if item.name == name)
    limit = objective.limits["silver"]
    worst, other = bad_by_instance(
        objective, limit, spec, ServerSide(replace(server, series=two_instances()))
    )
    assert (worst.name, other.name) == ("b:80", "127.0.0.1:8000")
    assert (worst.total, worst.bad) == (2 * other.total, 2 * other.bad)
    assert other.bad > 0
    assert other.boundary == worst.boundary == boundary
    (alone,) = bad_by_instance(objective, limit, spec, ServerSide(server))
    assert alone == InstanceCount(other.name, other.total, other.bad, boundary)


def test_a_limit_above_all_boundaries_is_counted_at_the_largest() -> None:
    """The count's title names an existing boundary; without a finite one nothing is counted."""
    server, spec = report().evidence.server, parsed()
    assert server is not None
    objective = next(item for item in spec.objectives if item.name == "latency_p95")
    limit = replace(objective.limits["silver"], value=Fraction(1000))
    boundaries = {parse_boundary(one.labels["le"]) for one in server.series if "le" in one.labels}
    finite = max(float(boundary) for boundary in boundaries if boundary is not None and boundary < inf)
    (alone,) = bad_by_instance(objective, limit, spec, ServerSide(server))
    assert alone.boundary == finite
    last = tuple(one for one in server.series if one.labels.get("le", "+Inf") == "+Inf")
    assert bad_by_instance(objective, limit, spec, ServerSide(replace(server, series=last))) == ()


def test_what_is_not_counted_by_instance_is_left_out() -> None:
    """A cache hit rate has no such series."""
    server, spec = report().evidence.server, parsed()
    assert server is not None
    cache = next(item for item in spec.objectives if item.name == "cache_hit_rate")
    assert bad_by_instance(cache, cache.limits["silver"], spec, ServerSide(server)) == ()
