"""The last part of a window, sampled as if it were the whole window."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from slocheck.indicators.measured_run import MeasuredRun
from slocheck.indicators.samples import NoData, Rate, Sample, Share, Slices
from slocheck.spec.model import Limit, Objective, Spec

NO_LATER_PART = NoData("it is not known for a part of the window")


@dataclass(frozen=True, slots=True)
class LaterPart:
    """What a run gives for its window from one second on.

    Attributes:
        run: The whole run.
        begin_s: Second of the window with which the part begins.
    """

    run: MeasuredRun
    begin_s: int

    def client_sample(self, objective: Objective, limit: Limit, spec: Spec) -> Sample:
        """Return what the client saw of an objective in the part."""
        return sample_from(self.run.client_sample(objective, limit, spec), self.begin_s)

    def server_sample(self, objective: Objective, limit: Limit, spec: Spec) -> Sample:
        """Return what the server's series say of an objective in the part."""
        return sample_from(self.run.server_sample(objective, limit, spec), self.begin_s)


def sample_from(sample: Sample, begin_s: int) -> Sample:
    """Return the slices of a sample that lie wholly after a second; `NoData` if it has none.

    What is uncertain about the window and belongs to no slice is counted as bad, and as in this part.
    """
    if isinstance(sample, NoData):
        return sample
    if not isinstance(sample, Share | Rate) or sample.slices is None:
        return NO_LATER_PART
    whole = sample.slices
    part = _slices_from(whole, ceil(begin_s / whole.slice_s))
    if not sum(part.n):
        return NO_LATER_PART
    return _share(sample, whole, part) if isinstance(sample, Share) else _rate(sample, whole, part)


def _slices_from(whole: Slices, first: int) -> Slices:
    return replace(
        whole,
        n=whole.n[first:],
        bad=whole.bad[first:],
        bad_upper=None if whole.bad_upper is None else whole.bad_upper[first:],
        references=tuple(counts[first:] for counts in whole.references),
        runs=None,
    )


def _share(sample: Share, whole: Slices, part: Slices) -> Share:
    total = sum(part.n)
    unplaced = max(Fraction(0), sample.high * sample.total - _possibly_bad(whole))
    return replace(
        sample,
        total=total,
        low=Fraction(sum(part.bad), total),
        high=min(Fraction(1), (_possibly_bad(part) + unplaced) / total),
        slices=part,
        outage=0,
        counted=None,
    )


def _possibly_bad(slices: Slices) -> int:
    return sum(slices.bad if slices.bad_upper is None else slices.bad_upper)


def _rate(sample: Rate, whole: Slices, part: Slices) -> Rate:
    could = Fraction(sum(part.n) * len(whole.n), sum(whole.n) * len(part.n))
    served = Fraction((sum(part.n) - sum(part.bad)) * len(whole.n), max(1, sum(whole.n) - sum(whole.bad)))
    return replace(
        sample,
        low=sample.low * served / len(part.n),
        high=sample.high * served / len(part.n),
        offered=sample.offered * could,
        ceiling=sample.ceiling * could,
        slices=part,
    )
