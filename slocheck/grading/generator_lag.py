"""Is it the target that is late, or the generator? Whatever the generator lost is in each latency."""

from collections.abc import Sequence
from fractions import Fraction

from slocheck.evidence.model import Evidence
from slocheck.grading import tiers
from slocheck.grading.assessment import Finding, LevelResult, ObjectiveResult, Side, SideResult, Verdict
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Spec

P99 = Fraction(99, 100)
"""The percentile of lateness that validity looks at; a percentile of latency above it needs more."""


def own_lateness(
    results: Sequence[ObjectiveResult], spec: Spec, runs: Sequence[Evidence]
) -> tuple[Finding, ...]:
    """Return a finding where the generator's own lateness could explain a breached latency limit.

    A breach is believed where the lateness is small beside the limit, where the latency is over the limit by
    more than the lateness, or where the server saw the breach as well. What is met needs no such care:
    lateness only makes latencies longer.
    """
    explained = {
        result.objective.name: lag_s
        for result in results
        if traits_of(result.objective.indicator.kind).is_percentile
        for lag_s in [_lag_s(runs, result.objective.indicator.quantile)]
        for level in tiers.hardest_level(result, spec.gate, spec.tiers)
        if _explains(lag_s, level, spec.validity.max_lag_share)
    }
    if not explained:
        return ()
    named = ", ".join(f"{name} by less than {lag_s * 1000:.1f} ms" for name, lag_s in explained.items())
    message = (
        f"over the limit: {named}, which is how late the generator itself was, allowed "
        f"{spec.validity.max_lag_share:.0%} of the limit; the target may have kept it: use --processes, send "
        "less, or run on an idle machine"
    )
    return (Finding("generator-lag", valid=False, message=message, affects=frozenset(explained)),)


def _lag_s(runs: Sequence[Evidence], quantile: Fraction | None) -> float:
    """Return how late event loops and schedule were, seconds: p99, and at most for percentiles above it."""
    beyond = quantile is not None and quantile > P99
    lags = [
        worker.loop_lag_max if beyond else worker.loop_lag_p99
        for run in runs
        for worker in run.health.workers
    ]
    lags += [
        run.health.arrivals.lag_max if beyond else run.health.arrivals.lag_p99
        for run in runs
        if run.health.arrivals is not None
    ]
    return max(lags, default=0.0)


def _explains(lag_s: float, level: LevelResult, allowed_share: float) -> bool:
    """Tell whether a lateness could be all that breaks a latency limit."""
    sides = {side.side: side for side in level.sides}
    client, server = sides.get(Side.CLIENT), sides.get(Side.SERVER)
    if client is None or client.verdict is not Verdict.BREACHED:
        return False
    if server is not None and server.verdict is Verdict.BREACHED:
        return False
    limit_s = float(level.limit.value)
    return lag_s > allowed_share * limit_s and _observed_s(client) - lag_s <= limit_s


def _observed_s(side: SideResult) -> float:
    """Return the least that the percentile can be, seconds; 0 where nothing is known."""
    return (side.display.low or 0.0) if side.display is not None else 0.0
