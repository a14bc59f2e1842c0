"""The server's bad requests by instance: shown if an objective is not met, never graded."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf

from slocheck.indicators.server.growth.buckets import Boundary, boundary_of
from slocheck.indicators.server.growth.counters import Growth
from slocheck.indicators.server.growth.selections import Labels, WithStatus, requests_of
from slocheck.indicators.server.server_side import ServerSide
from slocheck.spec.indicators import UNSERVED_STATUSES, traits_of
from slocheck.spec.model import IndicatorKind, Limit, Objective, Spec

Parts = Sequence[tuple[Labels, Growth]]


@dataclass(frozen=True, slots=True)
class InstanceCount:
    """What one instance counted in the window.

    Attributes:
        name: Value of the ``instance`` label.
        total: Requests of the objective.
        bad: Those that broke its limit: failed, not served, or over `boundary`.
        boundary: The histogram's boundary at the limit, or the next one above it, or else its largest,
            seconds, finite; None: not latency.
    """

    name: str
    total: int
    bad: int
    boundary: float | None = None


def bad_by_instance(
    objective: Objective, limit: Limit, spec: Spec, server: ServerSide
) -> tuple[InstanceCount, ...]:
    """Return each instance's requests and bad requests, most bad ones first; empty if the series do not say.

    A failed request that was fast is in a low bucket of the histogram: for latency only slow ones count.
    """
    preset = server.preset
    wanted = requests_of(objective, preset)
    if traits_of(objective.indicator.kind).is_percentile and preset.histogram:
        found = _grouped(server.window_count(f"{preset.histogram}_bucket", wanted).parts)
        slow = (_slow(name, parts, limit, preset.unit_seconds) for name, parts in found.items())
        counts = [one for one in slow if one is not None]
    elif (statuses := _bad_statuses(objective, spec)) and preset.counter and preset.status_label:
        bad = WithStatus(preset.status_label, statuses, surely=True)
        found = _grouped(server.window_count(preset.counter, wanted).parts)
        counts = [
            InstanceCount(name, _total(parts), _total([part for part in parts if bad(part[0])]))
            for name, parts in found.items()
        ]
    else:
        return ()
    return tuple(sorted((one for one in counts if one.total), key=lambda one: (-one.bad, one.name)))


def _bad_statuses(objective: Objective, spec: Spec) -> tuple[str, ...]:
    match objective.indicator.kind:
        case IndicatorKind.ERROR_RATE:
            return spec.failures.statuses
        case IndicatorKind.AVAILABILITY:
            return tuple(map(str, sorted(UNSERVED_STATUSES)))
        case _:
            return ()


def _grouped(parts: Parts) -> dict[str, list[tuple[Labels, Growth]]]:
    groups: defaultdict[str, list[tuple[Labels, Growth]]] = defaultdict(list)
    for labels, grown in parts:
        groups[labels.get("instance", "")].append((labels, grown))
    return groups


def _total(parts: Parts) -> int:
    return round(sum((grown.total for _, grown in parts), Fraction(0)))


def _slow(name: str, parts: Parts, limit: Limit, unit: Fraction) -> InstanceCount | None:
    """Count one instance's requests over the boundary at the limit; None if no boundary is finite."""
    up_to: defaultdict[Boundary, int] = defaultdict(int)
    for labels, grown in parts:
        if (boundary := boundary_of(labels, unit)) is not None:
            up_to[boundary] += round(grown.total)
    total = up_to.get(inf, 0)
    finite = [boundary for boundary in up_to if boundary < inf]
    if not finite:
        return None
    at = min((boundary for boundary in finite if boundary >= limit.value), default=max(finite))
    return InstanceCount(name, total, max(0, total - up_to[at]), float(at))
