"""Was the window one steady state? On an unsteady one no limit counts as met."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.warnings import RunWarning
from slocheck.grading import tiers
from slocheck.grading.assessment import ObjectiveResult, SteadyState
from slocheck.grading.validity.withhold import withhold_met
from slocheck.indicators.client import mean_latencies
from slocheck.indicators.measured_run import MeasuredRun
from slocheck.indicators.samples import Share
from slocheck.spec.formatting import format_value
from slocheck.spec.indicators import error_budget, traits_of
from slocheck.spec.model import IndicatorKind, Limit, Objective, Spec
from slocheck.statistics.blocking import MIN_SLICES
from slocheck.statistics.trend import Drift, SeriesPart, detect_drift

MATERIAL_SHARE = 0.1
"""A change of the bad share counts if it is at least this part of what the limit allows."""


@dataclass(frozen=True, slots=True)
class _Series:
    """One value per second of the window, to be tested.

    Attributes:
        name: What the values are.
        values: None stands for a second that has none.
        material: A smaller change does not count; None: relative to the mean.
        text: Writes a value.
    """

    name: str
    values: Sequence[float | None]
    material: float | None
    text: Callable[[float], str]


def steady_states(
    spec: Spec, results: Sequence[ObjectiveResult], runs: Sequence[MeasuredRun]
) -> tuple[SteadyState, ...]:
    """Return one entry for each run whose window is long enough to test; none if the spec asks for none.

    The mean latency of the successful requests is tested and, for each objective that the gate needs, the
    share of bad requests at its limit: failures and the tail may drift while the mean does not.
    """
    if not spec.validity.steady:
        return ()
    tested = [list(_all_series(spec, results, run)) for run in runs]
    count = sum(map(len, tested))
    found = []
    for number, (run, every) in enumerate(zip(runs, tested, strict=True), start=1):
        drifts = [(one, detect_drift(one.values, series=count, material=one.material)) for one in every]
        known = [(one, drift) for one, drift in drifts if drift is not None]
        if known:
            name = f"run {number}: " if len(runs) > 1 else ""
            found.append(_state(name, known, run.evidence.recording.warmup_s))
    return tuple(found)


def _all_series(spec: Spec, results: Sequence[ObjectiveResult], run: MeasuredRun) -> Iterator[_Series]:
    yield _Series("mean latency", mean_latencies(run.evidence.recording), None, _latency_text)
    for result in results:
        level = tiers.strictest_needed(result)
        if level is not None and traits_of(result.objective.indicator.kind).is_share:
            yield from _bad_share(result.objective, level.limit, spec, run)


def _bad_share(objective: Objective, limit: Limit, spec: Spec, run: MeasuredRun) -> Iterator[_Series]:
    """Yield the share of bad requests in each second, by the client's count."""
    sample, allowed = run.client_sample(objective, limit, spec), error_budget(objective.indicator, limit)
    if not isinstance(sample, Share) or sample.slices is None or not allowed:
        return
    if sum(map(bool, sample.slices.bad)) >= MIN_SLICES:  # fewer say nothing of when they come
        counts = zip(sample.slices.bad, sample.slices.n, strict=True)
        yield _Series(
            f"share of bad requests for {objective.name} {limit.text}",
            [bad / n if n else None for bad, n in counts],
            MATERIAL_SHARE * float(allowed),
            _share_text,
        )


def _state(name: str, drifts: Sequence[tuple[_Series, Drift]], warmup_s: int) -> SteadyState:
    """Say what was seen of a run: what drifted, or else its mean latency."""
    moved = [(one, drift) for one, drift in drifts if not drift.steady]
    if not moved:
        one, drift = drifts[0]
        return SteadyState(steady=True, message=name + _begin_text(one, drift.begin))
    cuts = [drift.cut for _, drift in moved]
    longest = max((cut for cut in cuts if cut), default=None) if None not in cuts else None
    text = "; ".join(_drift_text(one, drift) for one, drift in moved)
    warmup = None if longest is None else warmup_s + longest
    return SteadyState(steady=False, message=f"{name}unsteady: {text}", suggested_warmup_s=warmup)


def _drift_text(series: _Series, drift: Drift) -> str:
    if drift.begin.differs:
        return _begin_text(series, drift.begin)
    if drift.trend:
        return f"{series.name} {'rose' if drift.trend > 0 else 'fell'} through the whole window"
    last, before = series.text(drift.end.mean), series.text(drift.end.rest)
    return f"{series.name} {last} in the window's last {drift.end.seconds} s, {before} before"


def _begin_text(series: _Series, begin: SeriesPart) -> str:
    first, rest = series.text(begin.mean), series.text(begin.rest)
    return f"{series.name} {first} in the window's first {begin.seconds} s, {rest} after"


def _latency_text(nanoseconds: float) -> str:
    return format_value(IndicatorKind.LATENCY, Fraction(round(nanoseconds), NS_PER_SECOND))


def _share_text(share: float) -> str:
    return format_value(IndicatorKind.ERROR_RATE, Fraction(share).limit_denominator(10**6))


def steady_warnings(states: Sequence[SteadyState], spec: Spec) -> tuple[RunWarning, ...]:
    """Warn of each unsteady window: what it means for the verdicts, and what to do."""
    effect = (
        "the observed values were graded all the same (confidence: none)"
        if spec.confidence is None
        else "no limit counts as met on it"
    )
    return tuple(
        RunWarning("unsteady", f"{state.message}; {effect}; {_remedy(state)}")
        for state in states
        if not state.steady
    )


def _remedy(state: SteadyState) -> str:
    if state.suggested_warmup_s is None:
        return "no warm-up within this window is long enough: run longer, or find out what drifts"
    return f"try workload.warmup: {state.suggested_warmup_s}s"


def withhold_unsteady(
    results: Sequence[ObjectiveResult], states: Sequence[SteadyState]
) -> tuple[ObjectiveResult, ...]:
    """Return the results with every MET withheld if a window was unsteady; what is breached stays so."""
    if all(state.steady for state in states):
        return tuple(results)
    return withhold_met(results, "the window is unsteady")
