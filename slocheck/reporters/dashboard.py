"""What a dashboard would show for an objective; it is shown for comparison and not graded."""

from dataclasses import dataclass

from slocheck.evidence.series import ServerSeries
from slocheck.spec.formatting import format_value
from slocheck.spec.indicators import Unit, traits_of
from slocheck.spec.model import Objective


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What a dashboard would show.

    Attributes:
        query: As it was sent.
        value: In the objective's unit; None if a dashboard would show no value.
        error: Why the value is missing; empty if there is one.
    """

    query: str
    value: float | None
    error: str


def dashboard_of(objective: Objective, server: ServerSeries | None) -> Dashboard | None:
    """Return what a dashboard would show for an objective; None if Prometheus was not asked."""
    result = server.dashboard.get(objective.name) if server else None
    if server is None or result is None:
        return None
    if not result.values:
        return Dashboard(result.query, None, result.error)
    in_seconds = traits_of(objective.indicator.kind).unit is Unit.SECONDS
    unit = float(server.preset.unit_seconds) if in_seconds else 1.0
    return Dashboard(result.query, result.values[-1] * unit, "")


def dashboard_text(objective: Objective, found: Dashboard) -> str:
    """Say in a sentence what a dashboard would show."""
    if found.value is None:
        return f"A dashboard would show no value here: {found.error}."
    value = format_value(objective.indicator.kind, found.value)
    return f"A dashboard would show {value}. It is an estimate by rate(), so it is not graded."
