"""What an objective measures."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class IndicatorKind(StrEnum):
    """What an objective measures."""

    LATENCY = "latency"
    ERROR_RATE = "error_rate"
    AVAILABILITY = "availability"
    CACHE_HIT_RATE = "cache_hit_rate"
    RPS_PER_INSTANCE = "rps_per_instance"
    PROMQL = "promql"


class Reduce(StrEnum):
    """How to reduce the points of a PromQL range over the window to one value."""

    MAX = "max"
    MIN = "min"
    MEAN = "mean"


@dataclass(frozen=True, slots=True)
class Indicator:
    """A service level indicator.

    Attributes:
        kind: What is measured.
        quantile: For latency: 0 < q < 1, exact (p99.9 is 999/1000). Else None.
        promql: For PROMQL: the query text. ``$window`` stands for the window's length. Else None.
        over: For PROMQL: how the range over the window is reduced; None asks for the instant value
            at the window's end.
    """

    kind: IndicatorKind
    quantile: Fraction | None = None
    promql: str | None = None
    over: Reduce | None = None
