"""An objective's endpoint in the series: whether it can be told from others, and why nothing counted it."""

from collections.abc import Iterable

from slocheck.evidence.warnings import NOT_A_HISTOGRAM
from slocheck.indicators.server.server_side import ServerSide
from slocheck.promql.routes import endpoint_labels
from slocheck.spec.indicators import traits_of
from slocheck.spec.model import Endpoint, Objective, Preset

MOST_SHOWN = 8


def not_told_apart(objective: Objective, mapping: Preset, endpoints: Iterable[Endpoint]) -> str:
    """Say which other endpoint of the load has the same labels; empty if none has.

    Args:
        objective: One with its own labels is never ambiguous.
        mapping: Of the service's metrics.
        endpoints: The endpoints of the load.
    """
    endpoint = objective.endpoint
    counted = traits_of(objective.indicator.kind).counts_requests
    if endpoint is None or objective.labels or mapping.is_unknown or not counted:
        return ""
    own = endpoint_labels(endpoint, mapping)
    other = next((one for one in endpoints if one != endpoint and endpoint_labels(one, mapping) == own), None)
    if other is None:
        return ""
    labels = {"method": mapping.method_label, "route": mapping.route_label}
    missing = " and ".join(word for word, label in labels.items() if label is None)
    why = f"the metrics have no label for the {missing}" if missing else "their labels are the same"
    return (
        f"{endpoint} is counted together with {other}: {why}; add one, write labels that only this endpoint "
        "has, or source: client"
    )


def nothing_counted(server: ServerSide, metric: str, objective: Objective) -> str:
    """Say that a metric counted no request of an objective in the window, and what to do."""
    histogram = f"{server.preset.histogram}_bucket"
    other = next((one.text for one in server.raw.warnings if one.code == NOT_A_HISTOGRAM), "")
    if other and metric == histogram:
        return other
    if objective.endpoint is None:
        return f"{metric} counted no request in the window"
    said = f"{metric} counted no request for {objective.endpoint} in the window"
    label = server.preset.route_label
    if label is None:
        return said
    routes = sorted({one.labels[label] for one in server.series_of(metric) if label in one.labels})
    if not routes:
        return f"{said}; its series have no label {label}: add it to the metric, or write source: client"
    seen = f"{said}; {label} seen: {', '.join(routes[:MOST_SHOWN])}"
    which = f"write which one it is in the objective, as labels: {{{label}: ...}}"
    if not any("/" in route for route in routes):
        return f"{seen}: these are not paths; if one counts this endpoint alone, {which}, else source: client"
    return f"{seen}: name the step as one of them, or {which}"
