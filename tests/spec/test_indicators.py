"""The table of traits: a row for each kind of indicator, free of contradictions."""

from fractions import Fraction

import pytest

from slocheck.documents.position import Position
from slocheck.documents.units import ComparisonOperator
from slocheck.indicators.client import CLIENT_SAMPLES
from slocheck.indicators.server.sample import SERVER_SAMPLES
from slocheck.spec.blocks.limits import indicator_named
from slocheck.spec.indicators import TRAITS, Unit, error_budget, traits_of
from slocheck.spec.model import Indicator, IndicatorKind, Limit, Preset

NAMES = {
    IndicatorKind.LATENCY: "latency_p95",
    IndicatorKind.ERROR_RATE: "error_rate",
    IndicatorKind.AVAILABILITY: "availability",
    IndicatorKind.CACHE_HIT_RATE: "cache_hit_rate",
    IndicatorKind.RPS_PER_INSTANCE: "rps_per_instance",
}
PRESET = Preset(
    name="full",
    histogram="seconds",
    counter="requests_total",
    method_label=None,
    route_label=None,
    status_label=None,
    histogram_status_label=None,
    cache_hits="hits_total",
    cache_misses="misses_total",
)


@pytest.mark.parametrize("kind", list(IndicatorKind))
def test_every_kind_has_a_row_and_is_measured(kind: IndicatorKind) -> None:
    """A kind has traits, a function for each side that it has, and a name if it is not a query."""
    traits = traits_of(kind)
    assert traits.title
    assert (kind in CLIENT_SAMPLES) is not traits.is_query
    assert kind in SERVER_SAMPLES
    assert (kind in NAMES) is not traits.is_query
    if kind in NAMES:
        found = indicator_named(NAMES[kind])
        assert found is not None
        assert found.kind is kind


@pytest.mark.parametrize("kind", list(IndicatorKind))
def test_traits_do_not_contradict_each_other(kind: IndicatorKind) -> None:
    """Only shares have good shares, a ratio lies within 0..1, and an example can be read."""
    traits = TRAITS[kind]
    assert traits.is_share or not traits.good_share
    assert not traits.is_ratio or traits.limit.most == 1
    assert traits.is_percentile is (traits.unit is Unit.SECONDS)
    comparison, _, value = traits.limit.example.partition(" ")
    assert ComparisonOperator(comparison) in traits.limit.comparisons
    assert traits.limit.parse(value) > 0


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (IndicatorKind.LATENCY, ("seconds_bucket", "requests_total")),
        (IndicatorKind.ERROR_RATE, ("requests_total",)),
        (IndicatorKind.AVAILABILITY, ("requests_total",)),
        (IndicatorKind.CACHE_HIT_RATE, ("hits_total", "misses_total")),
        (IndicatorKind.RPS_PER_INSTANCE, ("requests_total",)),
        (IndicatorKind.PROMQL, ()),
    ],
)
def test_metrics_of_a_kind(kind: IndicatorKind, expected: tuple[str, ...]) -> None:
    """Each kind names the metrics of a preset that it is read from."""
    traits = TRAITS[kind]
    assert (*traits.metrics(PRESET), *traits.failure_metrics(PRESET)) == expected


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (IndicatorKind.LATENCY, Fraction(1, 5), Fraction(1, 20)),
        (IndicatorKind.ERROR_RATE, Fraction(1, 100), Fraction(1, 100)),
        (IndicatorKind.AVAILABILITY, Fraction(99, 100), Fraction(1, 100)),
        (IndicatorKind.CACHE_HIT_RATE, Fraction(9, 10), Fraction(1, 10)),
        (IndicatorKind.RPS_PER_INSTANCE, Fraction(100), None),
        (IndicatorKind.PROMQL, Fraction(100), None),
    ],
)
def test_error_budget(kind: IndicatorKind, value: Fraction, expected: Fraction | None) -> None:
    """A limit's error budget is the largest share of bad requests that it allows."""
    limit = Limit(TRAITS[kind].limit.comparisons[0], value, "", Position(1, 1))
    indicator = Indicator(kind, quantile=Fraction(19, 20) if kind is IndicatorKind.LATENCY else None)
    assert error_budget(indicator, limit) == expected
