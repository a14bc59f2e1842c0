"""The scale on which the values of an objective are compared, and the way back from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import asin, exp, log, log1p, sqrt

from slocheck.comparison.model import Form, ObjectiveRecord, Observed
from slocheck.spec.formatting import format_value
from slocheck.spec.indicators import traits_of
from slocheck.statistics.shift import Estimate, Shift, angle, share_of

RESOLUTION = 1 / 256
"""Relative resolution of a latency histogram: no spread between runs is known better."""
WIDEST = 0.02
"""Bounds of a value that are further apart, relative to it, do not say whether it changed."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How the values of one objective are compared: shares as angles, everything else as logarithms.

    Attributes:
        is_share: It is a share of all requests: error rate, availability, cache hit rate.
        good_share: It is the share of good ones.
        lower_is_better: Its limits are upper ones.
    """

    is_share: bool
    good_share: bool
    lower_is_better: bool

    @property
    def form(self) -> Form:
        """What a change is written as."""
        return Form.DIFFERENCE if self.is_share else Form.RATIO

    @property
    def resolution(self) -> float:
        """The smallest spread on the scale."""
        return 0.0 if self.is_share else RESOLUTION

    def estimate(self, observed: Observed) -> Estimate:
        """Return a value on the scale, where more is worse; `unusable` has to be empty."""
        value = observed.value or 0.0
        if not self.is_share:
            sign = 1 if self.lower_is_better else -1
            return Estimate(sign * log(value), observed.standard_error or 0.0)
        size = observed.effective_sample_size or 0.0
        return angle((1 - value if self.good_share else value) * size, size)

    def value(self, at: float) -> float:
        """Return the value in base units that stands at a place on the scale."""
        if not self.is_share:
            return exp(at if self.lower_is_better else -at)
        return 1 - share_of(at) if self.good_share else share_of(at)

    def margin(self, old: float, margin: float) -> float:
        """Return how far above `old`, on the scale, a value is that is worse by `margin`, 0.1 for 10 %."""
        if not self.is_share:
            return log1p(margin)
        share = share_of(old)
        return 2 * (asin(sqrt(min(1.0, share * (1 + margin)))) - asin(sqrt(share)))

    def middle(self, values: Sequence[float]) -> float:
        """Return the mean of values in base units: of shares the arithmetic one, else the geometric one."""
        if self.is_share:
            return sum(values) / len(values)
        return exp(sum(map(log, values)) / len(values))

    def amount(self, old: float, new: float) -> float:
        """Return the change from `old` to `new`, base units: as a difference, or as a ratio."""
        return new - old if self.is_share else new / old

    def interval(self, shift: Shift, old: float, confidence: float, *, value: float) -> tuple[float, float]:
        """Return the interval of the change: of a difference or a ratio.

        Args:
            shift: On the scale.
            old: Where it starts, on the scale.
            confidence: 0..1.
            value: The value before in base units: a share cannot fall below 0 from there, or rise above 1.
        """
        low, high = shift.interval(confidence)
        if self.is_share:
            ends = [share_of(old + end) - share_of(old) for end in (low, high)]
            first, second = (-ends[1], -ends[0]) if self.good_share else (ends[0], ends[1])
            return max(first, 0.0 - value), min(second, 1.0 - value)
        return (exp(low), exp(high)) if self.lower_is_better else (exp(-high), exp(-low))


def scale_of(objective: ObjectiveRecord) -> Scale:
    """Return the scale of an objective."""
    traits = traits_of(objective.kind)
    share = traits.is_share and not traits.is_percentile
    return Scale(share, traits.good_share, objective.lower_is_better)


def unusable(objective: ObjectiveRecord, when: str) -> str:
    """Say why a run's value cannot be compared; empty if it can. `when`: of which run, in words."""
    observed = objective.observed
    if observed is None:
        return f"{when} has no value"
    if observed.value is None:
        return f"the value of {when} is unbounded: too many requests failed"
    scale = scale_of(objective)
    if scale.is_share:
        if observed.low != observed.high:
            return f"it is not known exactly in {when}"
        return "" if observed.effective_sample_size else f"{when} was graded without a confidence"
    if observed.low <= 0:
        return f"{when} has a value of 0 or less, which has no ratio"
    if observed.high is not None and observed.high - observed.low > WIDEST * observed.low:
        low, high = (format_value(objective.kind, end) for end in (observed.low, observed.high))
        return f"in {when} it lies somewhere between {low} and {high}: the histogram's buckets are too wide"
    return ""
