"""A limit on an indicator's value."""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from slocheck.documents.position import Position
from slocheck.documents.units import NS_PER_SECOND, ComparisonOperator


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of an objective.

    Attributes:
        comparison: What the indicator's value must be relative to `value`.
        value: Exact, in the indicator's base unit: seconds, a 0..1 ratio, 1/s, or a plain number.
        text: As written, such as ``< 200ms``.
        position: Its position in slo.yaml.
    """

    comparison: ComparisonOperator
    value: Fraction
    text: str
    position: Position

    @property
    def first_bad_ns(self) -> int:
        """The smallest whole number of nanoseconds that breaks an upper limit in seconds."""
        nanoseconds = self.value * NS_PER_SECOND
        return ceil(nanoseconds) if self.comparison.strict else floor(nanoseconds) + 1

    def holds(self, observed: Fraction) -> bool:
        """Tell whether `observed` (same unit) satisfies the limit, unrounded."""
        match self.comparison:
            case ComparisonOperator.LT:
                return observed < self.value
            case ComparisonOperator.LE:
                return observed <= self.value
            case ComparisonOperator.GT:
                return observed > self.value
            case ComparisonOperator.GE:
                return observed >= self.value
