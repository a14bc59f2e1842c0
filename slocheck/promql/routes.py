"""Selects an objective's requests by labels, in queries and among raw series."""

import re

from slocheck.spec.model import Endpoint, Objective, Preset

ANY_PART = "*"
"""Stands for any one part of a path, in the value that a mapping gives for an endpoint's route."""


def route_labels(objective: Objective, mapping: Preset) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the labels that pin an objective's requests, and the routes to leave out.

    An objective on one endpoint is pinned by the endpoint's method and route, if the metrics carry these
    labels; its own labels take precedence. Routes are left out only of objectives on all requests.
    """
    wanted = dict(objective.labels)
    endpoint = objective.endpoint
    if endpoint is not None:
        for label, value in endpoint_labels(endpoint, mapping).items():
            wanted.setdefault(label, value)
    everywhere = endpoint is None and not objective.labels
    return wanted, mapping.ignore_routes if everywhere and mapping.route_label else ()


def endpoint_labels(endpoint: Endpoint, mapping: Preset) -> dict[str, str]:
    """Return the labels that an endpoint's requests have; empty if the metrics carry none."""
    found = {}
    if mapping.method_label:
        found[mapping.method_label] = mapping.methods.get(endpoint.method, endpoint.method)
    if mapping.route_label:
        found[mapping.route_label] = mapping.routes.get(endpoint.name, endpoint.name)
    return found


def route_matches(pattern: str, route: str) -> bool:
    """Tell whether a route is the one that a mapping names, or matches its ``*``."""
    if pattern == route or ANY_PART not in pattern.split("/"):
        return pattern == route
    wanted, parts = pattern.split("/"), route.split("/")
    return len(wanted) == len(parts) and all(
        part == sign or (sign == ANY_PART and part != "") for sign, part in zip(wanted, parts, strict=True)
    )


def route_regex(pattern: str) -> str:
    """Return the pattern as a regular expression of PromQL; empty if it is a single route."""
    parts = pattern.split("/")
    if ANY_PART not in parts:
        return ""
    return "/".join("[^/]+" if part == ANY_PART else re.escape(part) for part in parts)
