"""Compares a mapping with the labels of the service's series, and adapts it where that is safe."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from slocheck.plan.families import Family
from slocheck.plan.label_roles import roles_of
from slocheck.plan.route_shapes import same_route
from slocheck.spec.model import Endpoint, Objective, Preset, SourceChoice
from slocheck.spec.status_values import statuses_of

MOST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Compared:
    """A mapping after it was compared with the series.

    Attributes:
        mapping: Adapted to the series.
        notes: What is missing and how to cure it, or what is used instead.
    """

    mapping: Preset
    notes: tuple[str, ...] = ()


def compare_labels(
    mapping: Preset, families: Iterable[Family], objectives: Iterable[Objective], *, base_path: str = ""
) -> Compared:
    """Compare a mapping with the labels and values of the families; a family without series is ignored.

    If a histogram lacks its status label, failures come from the counter instead. A method that the series
    write in other letter case, or a route in another form (`same_route`), is used as they write it.

    Args:
        mapping: As it was named or found.
        families: The service's families.
        objectives: Objectives whose endpoints are looked for.
        base_path: Path of the target's address.
    """
    by_name = {family.name: family for family in families if family.series}
    histogram = by_name.get(mapping.histogram or "")
    own = mapping.histogram is not None and mapping.counter == f"{mapping.histogram}_count"
    counter = histogram if own else by_name.get(mapping.counter or "")
    notes = [*_missing(mapping, histogram, counter)]
    if histogram and mapping.histogram_status_label and not histogram.values(mapping.histogram_status_label):
        label = mapping.histogram_status_label
        if counter and not own and mapping.status_label and counter.values(mapping.status_label):
            notes.append(
                f"{histogram.name} has no label {label}: which requests failed is read from {mapping.counter}"
            )
            mapping = replace(mapping, histogram_status_label=None)
        else:
            notes.append(_without(histogram, label, "histogram_status_label", roles_of(histogram).status))
    there = [family for family in (histogram, counter) if family]
    notes += _unreadable(mapping, histogram, counter)
    endpoints = _endpoints(objectives)
    methods = {**_methods(mapping, there, endpoints), **mapping.methods}
    routes = {**_routes(mapping, there, endpoints, base_path), **mapping.routes}
    return Compared(replace(mapping, methods=methods, routes=routes), tuple(dict.fromkeys(notes)))


def _endpoints(objectives: Iterable[Objective]) -> tuple[Endpoint, ...]:
    found = [one.endpoint for one in objectives if one.endpoint and one.source is not SourceChoice.CLIENT]
    return tuple(dict.fromkeys(found))


def _missing(mapping: Preset, histogram: Family | None, counter: Family | None) -> Iterator[str]:
    """Say which labels are missing from all series."""
    for family in dict.fromkeys(family.name for family in (histogram, counter) if family):
        seen = histogram if histogram and histogram.name == family else counter
        assert seen is not None
        roles = roles_of(seen)
        wanted = [
            ("method_label", mapping.method_label, roles.method),
            ("route_label", mapping.route_label, roles.route),
        ]
        if seen is counter:
            wanted.append(("status_label", mapping.status_label, roles.status))
        for key, label, likely in wanted:
            if label and not seen.values(label):
                yield _without(seen, label, key, likely)


def _unreadable(mapping: Preset, histogram: Family | None, counter: Family | None) -> Iterator[str]:
    """Say which label for the status has no value that is one."""
    for family, label in ((histogram, mapping.histogram_status_label), (counter, mapping.status_label)):
        values = family.values(label) if family and label else ()
        if family and values and not any(map(statuses_of, values)):
            seen = ", ".join(values[:MOST_SHOWN])
            yield (
                f"{family.name} has no HTTP status in the label {label}, but {seen}: if requests fail, the "
                "server side cannot tell how many; write the label that has the status under preset, or "
                "source: client"
            )


def _without(family: Family, label: str, key: str, likely: str | None) -> str:
    cure = (
        f"write {key}: {likely} under preset"
        if likely
        else f"add it to the metric, or correct {key} under preset"
    )
    labels = ", ".join(family.own_labels[:MOST_SHOWN]) or "no labels"
    return f"{family.name} has no label {label} (it has {labels}): {cure}"


def _methods(mapping: Preset, families: Sequence[Family], endpoints: Iterable[Endpoint]) -> Mapping[str, str]:
    """Return the methods that the series write in other letter case."""
    seen = _values(families, mapping.method_label)
    found = {}
    for method in dict.fromkeys(endpoint.method for endpoint in endpoints):
        same = [value for value in seen if value.upper() == method]
        if method not in seen and len(same) == 1:
            found[method] = same[0]
    return found


def _routes(
    mapping: Preset, families: Sequence[Family], endpoints: Iterable[Endpoint], base_path: str
) -> Mapping[str, str]:
    """Return the routes that the series write in another form."""
    seen = _values(families, mapping.route_label)
    unseen = (name for name in dict.fromkeys(endpoint.name for endpoint in endpoints) if name not in seen)
    found = ((name, same_route(name, seen, base_path=base_path)) for name in unseen)
    return {name: route for name, route in found if route is not None}


def _values(families: Sequence[Family], label: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for family in families for value in family.values(label or "")))
