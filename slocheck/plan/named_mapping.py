"""Checks a mapping that the spec names against the families of the service."""

from collections.abc import Collection, Mapping, Sequence

from slocheck.plan.families import Family, FamilyKind
from slocheck.plan.mapping_match import Match, Unclear, mapping_of, match_mapping, seen_labels
from slocheck.plan.mapping_text import described, mapping_yaml
from slocheck.spec.model import Preset


def check_mapping(
    mapping: Preset, families: Sequence[Family], presets: Sequence[Preset]
) -> Match | Unclear | None:
    """Return a named mapping if the families have labels that it names, None if it has no series yet.

    Series without labels do not count: many libraries export such a histogram before the first request.

    Args:
        mapping: As the spec names it.
        families: The service's families, as they are now.
        presets: The shipped presets, to name the one that fits.

    Returns:
        `Unclear` if there are labelled series without any of the mapping's labels.
    """
    by_name = {family.name: family for family in families if family.series}
    own = mapping.histogram is not None and mapping.counter == f"{mapping.histogram}_count"
    names = dict.fromkeys((mapping.histogram, None if own else mapping.counter))
    there = [by_name[name] for name in names if name and name in by_name]
    if not there and any(names):
        return None
    labels = _telling_labels(mapping)
    if not labels or any(family.values(label) for family in there for label in labels):
        return Match(mapping, described(mapping))
    labelled = [family for family in there if family.own_labels]
    if not labelled:
        return None
    shipped = {preset.name for preset in presets}
    seen = f"{seen_labels(labelled)} has none of the labels that {mapping.title} names ({', '.join(labels)})"
    return _alien(seen, match_mapping(families, presets) or _blank(labelled, by_name), shipped)


def _telling_labels(mapping: Preset) -> tuple[str, ...]:
    """Return the labels that a mapping names for route and status, or else for the method."""
    named = (mapping.route_label, mapping.status_label, mapping.histogram_status_label)
    found = [label for label in named if label] or [label for label in (mapping.method_label,) if label]
    return tuple(dict.fromkeys(found))


def _alien(seen: str, cure: Match | Unclear, shipped: Collection[str]) -> Unclear:
    """Describe what is there, with the mapping that fits or one to complete."""
    if isinstance(cure, Unclear):
        return Unclear(f"{seen}; {cure.why}", cure.to_paste)
    name = cure.mapping.name
    fits = f"preset {name} fits: write its name, or this mapping" if name in shipped else "write this mapping"
    return Unclear(f"{seen}; {fits}", mapping_yaml(cure.mapping))


def _blank(labelled: Sequence[Family], by_name: Mapping[str, Family]) -> Unclear:
    """Return what is known of families whose names slocheck does not look for."""
    histogram = next((one for one in labelled if one.kind is FamilyKind.HISTOGRAM), None)
    like = mapping_of(histogram, None if histogram else labelled[0], by_name)
    return Unclear("complete this mapping and write it", mapping_yaml(like, blanks=True))
