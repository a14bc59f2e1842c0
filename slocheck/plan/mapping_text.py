"""Describes a mapping in words and writes it as YAML."""

import json
from collections.abc import Iterator

from slocheck.spec.metric_units import unit_named
from slocheck.spec.model import AUTO, Preset

_KEYS = ("histogram", "counter", "method_label", "route_label", "status_label", "histogram_status_label")


def described(mapping: Preset) -> str:
    """Say in one line which metrics and labels a mapping uses."""
    if mapping.is_unknown:
        return "no metrics of the service"
    begin = "found " if mapping.name == AUTO.name else f"{mapping.title}: "
    unit = "" if mapping.histogram is None else f" in {_unit_name(mapping)}"
    families = [
        *([f"histogram {mapping.histogram}{unit}"] if mapping.histogram else []),
        *([f"counter {mapping.counter}"] if mapping.counter else []),
    ]
    labels = {
        "method": mapping.method_label,
        "route": mapping.route_label,
        "status": mapping.status_label or mapping.histogram_status_label,
    }
    said = ", ".join(f"{role} {label or 'none'}" for role, label in labels.items())
    routes = "".join(f"; {name} is {route}" for name, route in mapping.routes.items() if name != route)
    return f"{begin}{', '.join(families)}; labels: {said}{routes}"


def _unit_name(mapping: Preset) -> str:
    """Return the unit of a mapping's histogram, as slo.yaml writes it."""
    name = unit_named(mapping.unit_seconds)
    assert name is not None  # each mapping's unit was read by its name
    return name


def mapping_yaml(mapping: Preset, *, blanks: bool = False) -> str:
    """Return a mapping to paste into slo.yaml.

    Args:
        mapping: What to write.
        blanks: Write LABEL for each missing label.
    """
    return "preset:\n" + "\n".join(f"  {line}" for line in _lines(mapping, blanks=blanks))


def _lines(mapping: Preset, *, blanks: bool) -> Iterator[str]:
    for key in _KEYS:
        value = getattr(mapping, key)
        if value is not None and not (key == "counter" and value == f"{mapping.histogram}_count"):
            yield f"{key}: {value}"
        elif blanks and key in ("route_label", "status_label"):
            yield f"{key}: LABEL"
    if mapping.histogram:
        yield f"unit: {_unit_name(mapping)}"
    if mapping.ignore_routes:
        yield f"ignore_routes: [{', '.join(mapping.ignore_routes)}]"
    for key in ("methods", "routes", "selector"):
        if pairs := getattr(mapping, key):
            yield f"{key}: {json.dumps(dict(pairs))}"
