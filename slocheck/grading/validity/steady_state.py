"""Was the window one steady state? On an unsteady one no limit counts as met."""

from collections.abc import Sequence
from fractions import Fraction

from slocheck.documents.units import NS_PER_SECOND
from slocheck.evidence.model import Evidence
from slocheck.evidence.warnings import RunWarning
from slocheck.grading.assessment import ObjectiveResult, SteadyState
from slocheck.grading.validity.withhold import withhold_met
from slocheck.indicators.client import mean_latencies
from slocheck.spec.formatting import format_value
from slocheck.spec.model import IndicatorKind, Spec
from slocheck.statistics.trend import Drift, detect_drift


def steady_states(spec: Spec, runs: Sequence[Evidence]) -> tuple[SteadyState, ...]:
    """Return one entry for each run whose window is long enough to test; none where the spec asks for none.

    The per-second mean latencies of the successful requests are tested.
    """
    if not spec.validity.steady:
        return ()
    found = []
    for number, run in enumerate(runs, start=1):
        drift = detect_drift(mean_latencies(run.recording))
        if drift is not None:
            name = f"run {number}: " if len(runs) > 1 else ""
            warmup = run.recording.warmup_s + drift.cut if drift.cut else None
            found.append(SteadyState(drift.steady, name + _message(drift), None if drift.steady else warmup))
    return tuple(found)


def _message(drift: Drift) -> str:
    """Say what was seen."""
    early, late = (
        format_value(IndicatorKind.LATENCY, Fraction(round(mean), NS_PER_SECOND))
        for mean in (drift.first, drift.rest)
    )
    compared = f"mean latency {early} in the window's first {drift.seconds} s, {late} after"
    if drift.steady:
        return compared
    if not drift.differs:
        direction = "rose" if drift.trend > 0 else "fell"
        return f"unsteady: mean latency {direction} through the whole window"
    return f"unsteady: {compared}"


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
