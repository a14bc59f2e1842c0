"""One sample against one limit: met, breached, or undecided and why."""

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from slocheck.documents.units import NS_PER_SECOND, format_duration
from slocheck.grading.assessment import TOO_MANY_BAD, Bounds, Cause, Side, SideResult, Tolerance, Verdict
from slocheck.indicators.samples import Display, NoData, Rate, Sample, Scalar, Share, Slices
from slocheck.spec.formatting import format_longer
from slocheck.spec.indicators import error_budget, traits_of
from slocheck.spec.model import Indicator, Limit
from slocheck.statistics.blocking import MIN_SLICES
from slocheck.statistics.confidence import Criterion
from slocheck.statistics.proportion import SMALLEST_P, ProportionComparison, compare_proportion
from slocheck.statistics.sample_size import requests_needed
from slocheck.statistics.shortfall import block_size, usual_shortfall

_ROUNDING = 1e-9
_NO_MORE_OFFERED = "the load offered only the limit itself, so no request may fail; offer more"
_DOWN = "the target was down: for several seconds in a row not one request was served, which breaks the limit"
NO_DATA = "no data: "
"""How the reason of a side without a sample begins."""

_NO_SLICES = (
    "it is unknown how the counts vary within the window, or the runs counted differently; pool only runs "
    "with the same limits and the same histogram buckets"
)
_TOO_FEW_SLICES = (
    f"fewer than {MIN_SLICES} slices in the window: too few for a verdict at the stated confidence; "
    "run longer or scrape faster"
)


def grade_sample(
    side: Side, sample: Sample, indicator: Indicator, limit: Limit, criterion: Criterion | None
) -> SideResult:
    """Grade one side's sample; without a criterion the observed values alone."""
    match sample:
        case NoData():
            return SideResult(
                side,
                Verdict.UNDECIDED,
                None,
                0,
                reason=f"{NO_DATA}{sample.reason}",
                source_failed=sample.source_failed,
                left_to_client=sample.left_to_client,
            )
        case Share():
            observed = _observed_share(side, sample, indicator, limit)
            counted = sample.counted
            observed = replace(
                observed,
                observed=observed.verdict,
                bucket_limited=sample.bucket_limited,
                own_only=sample.own_only,
                counted=grade_sample(side, counted, indicator, limit, criterion).verdict if counted else None,
            )
            if criterion is None:
                return observed
            return _confident_share(observed, sample, indicator, limit, criterion)
        case Rate():
            observed = _observed_rate(side, sample, limit)
            observed = replace(observed, observed=observed.verdict)
            return observed if criterion is None else _confident_rate(observed, sample, limit, criterion)
        case Scalar():
            met = limit.holds(sample.value)
            value = float(sample.value)
            return SideResult(
                side,
                Verdict.MET if met else Verdict.BREACHED,
                Display(value, value),
                max(1, len(sample.points)),
                reason="" if met else "the value breaks the limit",
                notes=("one value of a query; confidence does not apply",) if criterion else (),
            )


def _observed_share(side: Side, sample: Share, indicator: Indicator, limit: Limit) -> SideResult:
    """Grade the bounds of a share as they were observed, in exact arithmetic."""
    worst, best = (_share_holds(share, indicator, limit) for share in (sample.high, sample.low))
    verdict = Verdict.MET if worst else Verdict.BREACHED if not best else Verdict.UNDECIDED
    reason = {
        Verdict.MET: "",
        Verdict.BREACHED: TOO_MANY_BAD,
        Verdict.UNDECIDED: sample.notes[0] if sample.notes else "the limit lies within what the counts allow",
    }[verdict]
    bad, bad_upper = sample.low * sample.total, sample.high * sample.total
    return SideResult(
        side,
        verdict,
        sample.display,
        sample.total,
        int(bad),
        ceil(bad_upper),
        reason=reason,
        notes=sample.notes,
    )


def _share_holds(share: Fraction, indicator: Indicator, limit: Limit) -> bool:
    """Tell whether a share of bad requests keeps the limit.

    A percentile is the k-th smallest of N latencies with k = ceil(qN): it keeps the limit iff at least k
    requests are good, that is a share of q. N need not be known. The other indicators compare the share
    itself, strictly if the limit does.
    """
    traits = traits_of(indicator.kind)
    if traits.is_percentile:
        return 1 - share >= (indicator.quantile or Fraction(0))
    return limit.holds(1 - share if traits.good_share else share)


def _confident_share(
    observed: SideResult, sample: Share, indicator: Indicator, limit: Limit, criterion: Criterion
) -> SideResult:
    """Keep a verdict only if the statistics reach it too, or if outages alone break the limit."""
    down = _broken_by_outages(sample, indicator, limit)
    if down and observed.verdict is Verdict.BREACHED:
        return replace(observed, bounds=_certain(down), reason=_DOWN)
    allowed = error_budget(indicator, limit)
    if sample.slices is None:
        return _undecided(observed, Cause.TOO_FEW_SLICES, _NO_SLICES)
    if len(sample.slices.n) < MIN_SLICES or allowed is None:
        return _undecided(observed, Cause.TOO_FEW_SLICES, _TOO_FEW_SLICES)
    compared = compare_proportion(
        sample.slices.n,
        sample.slices.bad,
        float(allowed),
        criterion,
        bad_upper=sample.slices.bad_upper,
        references=sample.slices.borrowed,
        runs=sample.slices.runs,
        slice_s=sample.slices.slice_s,
    )
    bounds = Bounds(
        compared.low,
        compared.high,
        compared.effective_sample_size,
        compared.needed_duration_factor,
        p_breach=compared.p_breach,
    )
    if _verdict_of(compared) is observed.verdict:
        tolerance = _tolerance(compared, sample.total, float(allowed))
        return replace(observed, bounds=replace(bounds, tolerance=tolerance))
    if observed.verdict is Verdict.UNDECIDED:
        return replace(observed, bounds=bounds)
    cause, reason = _why_undecided(observed, compared, allowed, criterion)
    return _undecided(replace(observed, bounds=bounds), cause, reason)


def _tolerance(compared: ProportionComparison, total: int, allowed: float) -> Tolerance | None:
    """Return the bursts that a met limit tolerates; None if it is not met."""
    effect, seconds = compared.tolerated_design_effect, compared.active_s
    return None if effect is None else Tolerance(effect, effect * seconds / total, allowed * seconds)


def _broken_by_outages(sample: Share, indicator: Indicator, limit: Limit) -> Fraction | None:
    """Return the share of requests that fell into outages, if that alone breaks the limit.

    That the target was down is an observation, not an estimate of a rate: however few and
    correlated the slices are, chance does not explain it.
    """
    share = Fraction(sample.outage, sample.total) if sample.outage else None
    return share if share and not _share_holds(share, indicator, limit) else None


def _certain(share: Fraction) -> Bounds:
    """Return the bounds of a share of bad requests that is known to be at least so large."""
    return Bounds(float(share), 1.0, p_breach=SMALLEST_P)


def _undecided(observed: SideResult, cause: Cause | None, reason: str) -> SideResult:
    """Take back a verdict that was only observed."""
    return replace(observed, verdict=Verdict.UNDECIDED, cause=cause, reason=reason)


def _verdict_of(compared: ProportionComparison) -> Verdict:
    """Return the verdict that the statistics alone reach."""
    return Verdict.MET if compared.keeps else Verdict.BREACHED if compared.breaks else Verdict.UNDECIDED


def _why_undecided(
    observed: SideResult, compared: ProportionComparison, allowed: Fraction, criterion: Criterion
) -> tuple[Cause | None, str]:
    """Say why the statistics leave a share open, and what would decide it."""
    if allowed == 0:
        return (
            None,
            "no number of requests proves that none is ever bad: allow a share, or write confidence: none",
        )
    longer = _longer(compared.needed_duration_factor) or "no run of a practical length would decide"
    if observed.bad_upper == 0 and 0 < allowed < 1:
        needed = requests_needed(float(allowed), compared.error_rate)
        if needed > observed.total:
            return (
                Cause.TOO_FEW_REQUESTS,
                f"needs about {needed:,} requests without a bad one, had {observed.total:,}",
            )
        found = floor(compared.effective_sample_size)
        return Cause.CORRELATED, (
            f"{_why_few(compared, criterion)} {found:,} of "
            f"{observed.total:,}, and {needed:,} are needed; {longer}"
        )
    return Cause.TOO_CLOSE, f"too close to the limit for a verdict; {longer}"


def _why_few(compared: ProportionComparison, criterion: Criterion) -> str:
    """Say why requests count for less than their number: a stated condition, or what the window shows."""
    if criterion.bursts_s and compared.effective_sample_size * criterion.bursts_s >= compared.active_s * (
        1 - _ROUNDING
    ):
        bursts = format_duration(Fraction(criterion.bursts_s).limit_denominator(NS_PER_SECOND))
        return f"a burst of up to {bursts} counts once: the effective sample size is"
    return "requests are correlated: the effective sample size is"


def _longer(factor: float | None) -> str:
    """Say how much longer a run would decide; empty if none would."""
    return f"{format_longer(factor)} would decide" if factor else ""


def _observed_rate(side: Side, sample: Rate, limit: Limit) -> SideResult:
    """Grade a rate as observed; if less than the limit was offered, a lower rate is not a breach."""
    display = Display(float(sample.low), float(sample.high))
    total = len(sample.slices.n) if sample.slices else 0
    if limit.holds(sample.low):
        return SideResult(side, Verdict.MET, display, total, notes=sample.notes)
    if not limit.holds(sample.offered):
        reason = f"load-limited: {float(sample.offered):,.1f}/s per instance were offered; offer more"
        factor = float(limit.value / sample.offered) if sample.offered else None
        return SideResult(
            side, Verdict.UNDECIDED, display, total, reason=reason, notes=sample.notes, load_factor=factor
        )
    if limit.holds(sample.high):
        reason = sample.notes[0] if sample.notes else "the limit lies within what the counts allow"
        return SideResult(side, Verdict.UNDECIDED, display, total, reason=reason, notes=sample.notes)
    reason = f"{float(sample.offered):,.1f}/s per instance were offered and fewer served"
    return SideResult(side, Verdict.BREACHED, display, total, reason=reason, notes=sample.notes)


@dataclass(frozen=True, slots=True)
class _Service:
    """What was served of what could have been.

    Attributes:
        ceiling: The rate at which every slice would have served its `n`, 1/s.
        slices: What could have been served, and as bad what was not.
        criterion: How strictly the share of the latter is compared.
    """

    ceiling: float
    slices: Slices
    criterion: Criterion

    def compare(self, allowed: float) -> ProportionComparison:
        """Compare the share that was not served with the one that a limit allows."""
        slices = self.slices
        return compare_proportion(
            slices.n, slices.bad, allowed, self.criterion, runs=slices.runs, slice_s=slices.slice_s
        )

    def allowed(self, least: float) -> float:
        """Return the share that may be missed where a rate has to be reached."""
        return max(0.0, 1 - least / self.ceiling) if self.ceiling else 0.0


def _usual(best: _Service) -> _Service:
    """Return the service as it usually was, from that of its best slice; of pooled runs the latter."""
    slices, criterion = best.slices, best.criterion
    if slices.runs is not None:
        return best
    served = [could - missed for could, missed in zip(slices.n, slices.bad, strict=True)]
    size = block_size(len(served), slices.slice_s, criterion.bursts_s)
    could, missed = usual_shortfall(served, size)
    length = slices.slice_s * len(served) / len(could)
    ceiling = best.ceiling * sum(could) / sum(slices.n)
    return _Service(ceiling, Slices(could, missed, slice_s=length), criterion)


def _confident_rate(observed: SideResult, sample: Rate, limit: Limit, criterion: Criterion) -> SideResult:
    """Keep a rate's verdict only if the statistics reach it too, widened by what is uncertain.

    What was served, of what could have been, is a share like any other: the limit allows part of it to miss.
    """
    slices, least = sample.slices, float(limit.value)
    if slices is None or len(slices.n) < MIN_SLICES:
        return _undecided(observed, Cause.TOO_FEW_SLICES, _TOO_FEW_SLICES)
    if not sample.ceiling:  # not one request was surely served: there is no rate that could vary
        return observed
    best = usual = _Service(float(sample.ceiling), slices, criterion)
    if not sample.offer_is_known:
        usual = _usual(replace(best, criterion=criterion.assuming_bursts()))
        best = replace(best, criterion=criterion.assuming_bursts(breached=True))
    most = best.compare(best.allowed(least))
    fewest = most if usual is best else usual.compare(usual.allowed(least))
    served = best.ceiling * (1 - most.share)
    unknown = _beyond(float(sample.high), served)
    lowest = usual.ceiling * (1 - fewest.high) - _beyond(served, float(sample.low))
    deciding = most if observed.verdict is Verdict.BREACHED else fewest
    bounds = Bounds(
        max(0.0, lowest),  # no rate is lower, whatever is uncertain about it
        best.ceiling * (1 - most.low) + unknown,
        deciding.effective_sample_size,
        deciding.needed_duration_factor,
        p_breach=_on_scale(
            # everything that is unknown may have been served
            best.compare(min(1.0, best.allowed(least) + unknown / best.ceiling)).p_breach,
            criterion.breached / best.criterion.breached,
        ),
    )
    if observed.verdict is Verdict.MET and lowest >= least:
        tolerance = _tolerance(fewest, sum(usual.slices.n), usual.allowed(least))
        return replace(observed, bounds=replace(bounds, tolerance=tolerance))
    if observed.verdict is Verdict.UNDECIDED or (
        observed.verdict is Verdict.BREACHED and bounds.high < least
    ):
        return replace(observed, bounds=bounds)
    if observed.verdict is Verdict.MET and best.allowed(least) <= _ROUNDING:
        return _undecided(replace(observed, bounds=bounds, load_factor=1.0), None, _NO_MORE_OFFERED)
    reason = _why_rate_varies(deciding, sample)
    return _undecided(replace(observed, bounds=bounds), Cause.VARYING, reason)


def _on_scale(p_value: float, factor: float) -> float:
    """Return a p-value as it compares with the error rate that all tests share."""
    return min(1.0, p_value * factor)


def _why_rate_varies(compared: ProportionComparison, sample: Rate) -> str:
    """Say why the statistics leave a rate open, and what would decide it."""
    longer = _longer(compared.needed_duration_factor)
    reason = "the rate varies too much for a verdict" + (f"; {longer}" if longer else "")
    if sample.closed:
        return f"{reason}; a load with workload.rate would decide sooner"
    return f"{reason}; source: client would decide sooner" if sample.server_alone else reason


def _beyond(larger: float, smaller: float) -> float:
    """Return by how much one number is larger; empty if the difference is only rounding."""
    return max(0.0, larger - smaller) if larger - smaller > _ROUNDING * abs(larger) else 0.0
