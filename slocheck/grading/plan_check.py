"""What a plan can prove, before any load is sent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import ceil

from slocheck.documents.units import format_duration
from slocheck.plan.arrival_notices import load_notices
from slocheck.plan.forecast import Forecast, ProofNeed, forecast, obstacles, proof_needs
from slocheck.scenario.model import Scenario
from slocheck.scenario.request_mix import requests_per_arrival
from slocheck.spec.model import EXTRA_LEVELS, Spec
from slocheck.statistics.blocking import MIN_SLICES
from slocheck.statistics.confidence import criterion_for
from slocheck.statistics.sample_size import requests_needed
from slocheck.statistics.sequential import analysis_plan


@dataclass(frozen=True, slots=True)
class Unproven:
    """A limit that a plan cannot prove.

    Attributes:
        level: Tier, ``target`` or ``critical``.
        counts: Whether the level decides the gate, or warns.
        reason: One sentence without a full stop that names level and objective.
    """

    level: str
    counts: bool
    reason: str


@dataclass(frozen=True, slots=True)
class PlanCheck:
    """What a plan sends, and what that can prove.

    Attributes:
        forecast: The requests expected in the window.
        needs: What each limit needs, in the spec's order.
        windows_s: The window that each of `needs` takes, whole seconds; None if it is not known.
        unproven: The limits that the plan cannot prove, those that count first.
        min_window_s: The shortest window that can decide anything, seconds.
        notices: What a user should know of the load, each a sentence without a full stop.
    """

    forecast: Forecast
    needs: tuple[ProofNeed, ...]
    windows_s: tuple[int | None, ...]
    unproven: tuple[Unproven, ...]
    min_window_s: int
    notices: tuple[str, ...] = ()


def check_plan(spec: Spec, scenario: Scenario | None, *, until_decided: bool = False) -> PlanCheck:
    """Say what a run of `spec` will send and what that can prove.

    Args:
        spec: The spec, overrides applied.
        scenario: The declarative scenario; None for a Locust file.
        until_decided: The run may end at an interim analysis.
    """
    planned = forecast(spec, requests_per_arrival(scenario) if scenario is not None else None)
    needs = _needs(spec, planned, until_decided=until_decided)
    unproven = sorted(_unproven(spec, planned, needs), key=lambda item: not item.counts)
    return PlanCheck(
        forecast=planned,
        needs=needs,
        windows_s=tuple(_window_s(need, spec) for need in needs),
        unproven=tuple(unproven),
        notices=tuple(load_notices(spec.workload)),
        min_window_s=max(spec.validity.min_slices, MIN_SLICES if spec.confidence is not None else 0),
    )


def _needs(spec: Spec, planned: Forecast, *, until_decided: bool) -> tuple[ProofNeed, ...]:
    """Return what each limit needs; the last of several analyses has only a part of alpha left."""
    if spec.confidence is None:
        return proof_needs(spec, lambda _: 1, planned)
    analyses = analysis_plan(spec.workload.duration)
    window_s = float(spec.workload.duration)
    asked = criterion_for(spec.confidence.level, (window_s,), float(spec.confidence.bursts or 0))
    spent = asked.spending(analyses.alpha_share(analyses.final) if until_decided else 1)
    return proof_needs(
        spec,
        partial(requests_needed, alpha=spent.met),
        planned,
        asked.bursts_s,
        partial(requests_needed, alpha=spent.nominal),
    )


def _unproven(spec: Spec, planned: Forecast, needs: Sequence[ProofNeed]) -> Iterator[Unproven]:
    """Yield the limits with too few requests, most needed first, then those that no number proves."""
    count = {*spec.tiers[: spec.tiers.index(spec.gate) + 1], *EXTRA_LEVELS}
    for need in sorted(needs, key=lambda need: -(need.requests or 0)):
        if not need.provable:
            yield Unproven(need.level, need.level in count, shortfall(need, spec))
    for level, reason in obstacles(spec, planned):
        yield Unproven(level, level in count, reason)


def shortfall(need: ProofNeed, spec: Spec) -> str:
    """Say how many requests a limit needs beyond those that the plan sends, or how long a window."""
    bursts = spec.confidence.bursts if spec.confidence else None
    if bursts and need.bursts_window_s > spec.workload.duration:
        window = format_duration(Fraction(ceil(need.bursts_window_s)))
        return (
            f"{need.level} {need.objective} needs a window of {window} if failures come in bursts of up to "
            f"{format_duration(bursts)}, each of which counts once; this plan has "
            f"{format_duration(Fraction(spec.workload.duration))}"
        )
    text = (
        f"{need.level} {need.objective} needs about {need.requests:,} requests even if none is bad; "
        f"this plan sends about {round(need.expected or 0):,}"
    )
    seconds = _window_s(need, spec)
    if seconds is None or not need.expected:
        return text
    rate = need.expected / spec.workload.duration
    return f"{text}; a window of {format_duration(Fraction(seconds))} at {rate:,.4g}/s would be enough"


def _window_s(need: ProofNeed, spec: Spec) -> int | None:
    """Return the window that a limit needs; with a confidence at least `MIN_SLICES` seconds."""
    if need.window_s is None:
        return None
    return max(ceil(need.window_s), MIN_SLICES if spec.confidence is not None else 1)
