"""The traits of each kind of indicator, one row for each, which everything else reads.

A new indicator needs a row here, and a function for each side in ``indicators/client.py`` and
``indicators/server/sample.py``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from slocheck.documents.units import (
    DURATION_PATTERN,
    RATE_PATTERN,
    RATIO_PATTERN,
    SIGNED_PATTERN,
    ComparisonOperator,
    parse_duration,
    parse_number,
    parse_rate,
    parse_ratio,
)
from slocheck.spec.model import Indicator, IndicatorKind, Limit, Preset

UNSERVED_STATUSES = frozenset({502, 503, 504})
"""Status codes by which a gateway says that nothing served the request; availability counts them."""


class Unit(StrEnum):
    """An indicator's base unit, as machine-readable reports name it."""

    SECONDS = "seconds"
    RATIO = "ratio"
    PER_SECOND = "1/s"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class LimitForm:
    """How to write the limits of one kind of indicator.

    Attributes:
        parse: Converts text to base units; raises UnitError.
        pattern: Regular expression of the texts that `parse` accepts.
        example: An example to copy.
        comparisons: Comparisons that make sense; the first is suggested.
        least: Smallest value that the indicator can take; None: unbounded.
        most: Largest value that it can take; None: unbounded.
    """

    parse: Callable[[str], Fraction]
    pattern: str
    example: str
    comparisons: tuple[ComparisonOperator, ...]
    least: Fraction | None = Fraction(0)
    most: Fraction | None = None


@dataclass(frozen=True, slots=True)
class IndicatorTraits:
    """Everything that distinguishes one kind of indicator from the others.

    Attributes:
        title: For people; a percentile's name goes before it.
        unit: Base unit of its values and limits.
        limit: How its limits are written.
        metrics: Returns the metrics of a preset from which its server side is read, None for each that the
            preset lacks. Empty if it uses no such metrics.
        failure_metrics: Further metrics that it needs to know which requests failed.
        budget: Returns the largest share of bad requests that a limit allows, 0..1. None if it is not graded
            as a share of bad requests.
        good_share: The value is the share of *good* requests, 1 - the bad share.
        is_percentile: It is a percentile of latencies: it has a quantile, and its limits are
            thresholds that each request is compared with.
        is_query: It is the user's own PromQL query, without a client side and without metrics of a preset.
        counts_requests: Client and server count the same requests. Cache lookups need not be requests.
        counts_failures: Its bad requests are exactly those with a status that `failures` names.
        limited_by_load: It cannot be higher than the load that was offered.
        slow_generator_distorts: A slow load generator makes it look worse.
        bad_word: Word for its bad requests in counts.
        sides_differ: Why client and server differ, for people; empty if their counts say why.
    """

    title: str
    unit: Unit
    limit: LimitForm
    metrics: Callable[[Preset], tuple[str | None, ...]]
    failure_metrics: Callable[[Preset], tuple[str | None, ...]] = lambda _: ()
    budget: Callable[[Indicator, Limit], Fraction] | None = None
    good_share: bool = False
    is_percentile: bool = False
    is_query: bool = False
    counts_requests: bool = True
    counts_failures: bool = False
    limited_by_load: bool = False
    slow_generator_distorts: bool = False
    bad_word: str = "bad"
    sides_differ: str = ""

    @property
    def is_ratio(self) -> bool:
        """Whether the value is a 0..1 ratio, written in percent."""
        return self.unit is Unit.RATIO

    @property
    def is_share(self) -> bool:
        """Whether it is graded as a share of bad requests: it has an error budget."""
        return self.budget is not None


def _counter(preset: Preset) -> tuple[str | None, ...]:
    return (preset.counter,)


def _bucket(preset: Preset) -> tuple[str | None, ...]:
    return (f"{preset.histogram}_bucket" if preset.histogram else None,)


UPPER = (ComparisonOperator.LT, ComparisonOperator.LE)
LOWER = (ComparisonOperator.GE, ComparisonOperator.GT)
_ONE = Fraction(1)

TRAITS: Mapping[IndicatorKind, IndicatorTraits] = {
    IndicatorKind.LATENCY: IndicatorTraits(
        title="latency",
        unit=Unit.SECONDS,
        limit=LimitForm(parse_duration, DURATION_PATTERN, "< 200ms", UPPER),
        metrics=_bucket,
        failure_metrics=_counter,  # failed requests are bad, however fast
        budget=lambda indicator, _: 1 - (indicator.quantile or Fraction(0)),
        is_percentile=True,
        slow_generator_distorts=True,
        sides_differ=(
            "The client's latency includes connecting, the network and queueing before the server starts its "
            "timer; the server's value comes from histogram buckets, so it is a range."
        ),
    ),
    IndicatorKind.ERROR_RATE: IndicatorTraits(
        title="error rate",
        unit=Unit.RATIO,
        limit=LimitForm(parse_ratio, RATIO_PATTERN, "< 0.1%", UPPER, most=_ONE),
        metrics=_counter,
        budget=lambda _, limit: limit.value,
        counts_failures=True,
    ),
    IndicatorKind.AVAILABILITY: IndicatorTraits(
        title="availability",
        unit=Unit.RATIO,
        limit=LimitForm(parse_ratio, RATIO_PATTERN, ">= 99.9%", LOWER, most=_ONE),
        metrics=_counter,
        budget=lambda _, limit: 1 - limit.value,
        good_share=True,
    ),
    IndicatorKind.CACHE_HIT_RATE: IndicatorTraits(
        title="cache hit rate",
        unit=Unit.RATIO,
        limit=LimitForm(parse_ratio, RATIO_PATTERN, "> 90%", LOWER, most=_ONE),
        metrics=lambda preset: (preset.cache_hits, preset.cache_misses),
        budget=lambda _, limit: 1 - limit.value,
        good_share=True,
        counts_requests=False,
        bad_word="missed",
        sides_differ="The client counts responses by their cache header, the server its cache lookups.",
    ),
    IndicatorKind.RPS_PER_INSTANCE: IndicatorTraits(
        title="successful requests per second and instance",
        unit=Unit.PER_SECOND,
        limit=LimitForm(parse_rate, RATE_PATTERN, ">= 500/s", LOWER),
        metrics=_counter,
        limited_by_load=True,
        slow_generator_distorts=True,
    ),
    IndicatorKind.PROMQL: IndicatorTraits(
        title="PromQL query",
        unit=Unit.NUMBER,
        limit=LimitForm(parse_number, SIGNED_PATTERN, "< 100", UPPER + LOWER, least=None),
        metrics=lambda _: (),
        is_query=True,
        counts_requests=False,
    ),
}


def traits_of(kind: IndicatorKind) -> IndicatorTraits:
    """Return the traits of a kind of indicator."""
    return TRAITS[kind]


def error_budget(indicator: Indicator, limit: Limit) -> Fraction | None:
    """Return the largest share of bad requests that a limit allows, 0..1; None if it is not a share."""
    budget = TRAITS[indicator.kind].budget
    return budget(indicator, limit) if budget else None
