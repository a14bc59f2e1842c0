"""Is the target late, or the load generator? The generator's own lag is part of every latency."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from slocheck.evidence.model import LAG_QUANTILE, Evidence
from slocheck.grading import tiers
from slocheck.grading.assessment import Finding, LevelResult, ObjectiveResult, Side, SideResult, Verdict
from slocheck.spec.formatting import format_seconds
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Spec


def unexplained_by_target(
    results: Sequence[ObjectiveResult], spec: Spec, runs: Sequence[Evidence]
) -> tuple[Finding, ...]:
    """Return a finding if the generator's own lag could explain a breached latency limit.

    A breach stands if the lag is small compared with the limit, if the latency is over the limit by
    more than the lag, or if the server side is breached as well. What is met is never in question: lag
    only makes latencies longer.
    """
    explained = {
        result.objective.name: lag_s
        for result in results
        if traits_of(result.objective.indicator.kind).is_percentile
        for lag_s in [_lag_s(runs, result.objective.indicator.quantile)]
        if (level := tiers.strictest_needed(result)) is not None
        and _explains(lag_s, level, spec.validity.max_lag_share)
    }
    if not explained:
        return ()
    allowed = f"allowed {spec.validity.max_lag_share:.0%} of the limit"
    named = ", ".join(f"{name} (lag {format_seconds(lag_s)}, {allowed})" for name, lag_s in explained.items())
    message = (
        f"limits exceeded by less than the load generator's own lag: {named}; the target may have met "
        "them; use --processes, send less, or run on an idle machine"
    )
    return (Finding("generator-lag", valid=False, message=message, affects=frozenset(explained)),)


def with_generator_lag(
    results: Sequence[ObjectiveResult], spec: Spec, runs: Sequence[Evidence]
) -> tuple[ObjectiveResult, ...]:
    """If a latency is undecided, say first that this machine was late or that the server was fast."""
    return tuple(
        replace(
            result, levels=tuple(_with_generator_lag(result, level, spec, runs) for level in result.levels)
        )
        if traits_of(result.objective.indicator.kind).is_percentile
        else result
        for result in results
    )


def _with_generator_lag(
    result: ObjectiveResult, level: LevelResult, spec: Spec, runs: Sequence[Evidence]
) -> LevelResult:
    sides = {side.side: side for side in level.sides}
    client, server = sides.get(Side.CLIENT), sides.get(Side.SERVER)
    if level.verdict is not Verdict.UNDECIDED or client is None or client.verdict is Verdict.MET:
        return level
    limit_s = float(level.limit.value)
    lag_s = _lag_s(runs, None, longest=True)
    said = []
    if lag_s > spec.validity.max_lag_share * limit_s:
        said.append(f"the load generator was late by up to {format_seconds(lag_s)}")
    most = server.display.high if server is not None and server.display is not None else None
    if most is not None and most < min(limit_s, _observed_s(client)):
        named = f"p{float(result.objective.indicator.quantile or 1) * 100:g}"
        said.append(f"the server's {named} is at most {format_seconds(most)}")
    return replace(level, reason=f"{'; '.join(said)}: {level.reason}") if said else level


def _lag_s(runs: Sequence[Evidence], quantile: Fraction | None, *, longest: bool = False) -> float:
    """Return the lag of event loops and schedule, seconds: p99, or the maximum for percentiles above it.

    `longest` asks for the maximum whatever the percentile.
    """
    beyond = longest or (quantile is not None and quantile > LAG_QUANTILE)
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
    """Tell whether the lag alone could be what breaks a latency limit."""
    sides = {side.side: side for side in level.sides}
    client, server = sides.get(Side.CLIENT), sides.get(Side.SERVER)
    if client is None or client.verdict is not Verdict.BREACHED:
        return False
    if server is not None and server.verdict is Verdict.BREACHED:
        return False
    limit_s = float(level.limit.value)
    return lag_s > allowed_share * limit_s and _observed_s(client) - lag_s <= limit_s


def _observed_s(side: SideResult) -> float:
    """Return the lowest value that the percentile can have, seconds; 0 if nothing is known."""
    return (side.display.low or 0.0) if side.display is not None else 0.0
