"""How labels select an objective's requests, in queries and among raw series."""

from slocheck.spec.model import Objective, Preset


def route_labels(objective: Objective, mapping: Preset) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the labels that pin an objective's requests, and the routes to leave out.

    An objective on one endpoint is pinned by that endpoint's method and route, as far as the metrics carry
    these labels; its own labels win. Routes are left out of objectives on all requests only.
    """
    wanted = dict(objective.labels)
    endpoint = objective.endpoint
    if endpoint is not None:
        if mapping.method_label:
            wanted.setdefault(mapping.method_label, mapping.methods.get(endpoint.method, endpoint.method))
        if mapping.route_label:
            wanted.setdefault(mapping.route_label, mapping.routes.get(endpoint.name, endpoint.name))
    everywhere = endpoint is None and not objective.labels
    return wanted, mapping.ignore_routes if everywhere and mapping.route_label else ()
