"""Presets: the names under which a framework exports its HTTP metrics, as a mapping in YAML.

The same form serves the shipped files and custom ones under ``preset:`` in slo.yaml.
"""

from fractions import Fraction
from functools import cache
from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import (
    InvalidValue,
    Key,
    ProblemLog,
    Section,
    Value,
    ValueType,
    object_schema,
    unknown,
)
from slocheck.documents.yaml_tree import ScalarNode, parse_document
from slocheck.spec.metric_units import UNITS, unit_in_name
from slocheck.spec.model import AUTO, CUSTOM, Preset
from slocheck.spec.presets import PRESET_NAMES, preset_bytes, preset_file

LABEL_PATTERN = "[a-zA-Z_][a-zA-Z0-9_.]*"
METRIC_PATTERN = "[a-zA-Z_:][a-zA-Z0-9_:.]*"
"""Both allow dots, as Prometheus 3 and OpenTelemetry's exporters do."""

_METRIC: ValueType[str | None] = types.text(
    pattern=METRIC_PATTERN, what="metric name", example="http_requests_total"
)
_BASE_METRIC: ValueType[str | None] = types.text(
    # the negative look-behinds demand the family's name, not that of one of its series
    pattern=METRIC_PATTERN + r"(?<!_bucket)(?<!_count)(?<!_sum)",
    what="histogram name without _bucket",
    example="http_request_duration_seconds",
)
_LABEL: ValueType[str | None] = types.text(pattern=LABEL_PATTERN, what="label name", example="route")

HISTOGRAM = Key("histogram", _BASE_METRIC, None, "latency histogram, its name without _bucket")
COUNTER = Key("counter", _METRIC, None, "request counter; without it the histogram's _count")
METHOD_LABEL = Key("method_label", _LABEL, None, "label with the HTTP method")
ROUTE_LABEL = Key("route_label", _LABEL, None, "label with the route")
STATUS_LABEL = Key("status_label", _LABEL, None, "label with the status code, exact or grouped as 5xx")
HISTOGRAM_STATUS = Key("histogram_status_label", _LABEL, None, "the status label on the histogram")
UNIT: Key[Fraction | None] = Key(
    "unit",
    types.choice("unit", dict[str, Fraction | None](UNITS)),
    None,
    "unit of the histogram; absent: what its name says, else seconds",
)
CACHE_HITS = Key("cache_hits", _METRIC, None, "counter of cache hits")
CACHE_MISSES = Key("cache_misses", _METRIC, None, "counter of cache misses")
IGNORE_ROUTES: Key[tuple[str, ...]] = Key(
    "ignore_routes", types.list_of(types.text()), (), "routes left out, such as /metrics"
)
METHODS: Key[dict[str, str]] = Key(
    "methods",
    types.map_of("[A-Z]+", "HTTP method"),
    {},
    "label value of a method, if it differs: {GET: get}",
)
ROUTES: Key[dict[str, str]] = Key(
    "routes",
    types.map_of(r"\S+", "endpoint name"),
    {},
    "label value of an endpoint's route, if it differs: {/orders: orders-list}; a * is one path segment",
)
LAG = Key("lag", types.duration("0s", "10m"), 0.0, "longest time that the page lags behind, such as 5s")
SELECTOR: Key[dict[str, str]] = Key(
    "selector", types.map_of(LABEL_PATTERN, "label name"), {}, "label values to add to every query"
)
NOTES = Key("notes", types.NOTE, "", "what a user should know")
PRESET_KEYS: tuple[Key[Any], ...] = (
    HISTOGRAM,
    COUNTER,
    METHOD_LABEL,
    ROUTE_LABEL,
    STATUS_LABEL,
    HISTOGRAM_STATUS,
    UNIT,
    CACHE_HITS,
    CACHE_MISSES,
    IGNORE_ROUTES,
    METHODS,
    ROUTES,
    LAG,
    SELECTOR,
    NOTES,
)


def read_preset(value: Value, name: str) -> Preset:
    """Read a preset's mapping; raises InvalidValue if it is not one, and records other problems."""
    section = Section(value, PRESET_KEYS)
    histogram, counter = section.get(HISTOGRAM), section.get(COUNTER)
    hits, misses = section.get(CACHE_HITS), section.get(CACHE_MISSES)
    if not section.has(HISTOGRAM) and not section.has(COUNTER) and not section.has(CACHE_HITS):
        value.refuse("names no metric; write histogram: NAME, counter: NAME or both")
    if section.has(CACHE_HITS) != section.has(CACHE_MISSES):
        value.refuse("has one of cache_hits and cache_misses; a hit rate needs both: write the other one")
    ignored = section.value_of(IGNORE_ROUTES)
    if ignored is not None and not section.has(ROUTE_LABEL):
        ignored.refuse("leaves out routes without a route_label; write route_label: NAME")
    if section.has(HISTOGRAM_STATUS) and not section.has(HISTOGRAM):
        value.refuse("has histogram_status_label without histogram; write histogram: NAME")
    return Preset(
        name=name,
        histogram=histogram,
        counter=counter or (f"{histogram}_count" if histogram else None),
        method_label=section.get(METHOD_LABEL),
        route_label=section.get(ROUTE_LABEL),
        status_label=section.get(STATUS_LABEL),
        histogram_status_label=section.get(HISTOGRAM_STATUS),
        unit_seconds=_unit(section, histogram),
        cache_hits=hits,
        cache_misses=misses,
        ignore_routes=section.get(IGNORE_ROUTES),
        methods=section.get(METHODS),
        routes=section.get(ROUTES),
        lag=section.get(LAG),
        selector=section.get(SELECTOR),
        notes=section.get(NOTES),
    )


def _unit(section: Section, histogram: str | None) -> Fraction:
    """Return the seconds in one unit of the histogram: by its name, or as written if the name has no unit.

    A written unit that contradicts the name is a problem: every latency would be wrong by a factor of 1,000.
    """
    written, named = section.get(UNIT), unit_in_name(histogram or "")
    if named is None:
        return written or Fraction(1)
    value = section.value_of(UNIT)
    if value is not None and written is not None and written != UNITS[named]:
        value.refuse(f"contradicts the histogram's name, {histogram}: write {named}, or leave the unit out")
    return UNITS[named]


def parse_preset(data: bytes, path: str, name: str) -> Preset:
    """Parse a preset file; raises SpecError with every problem."""
    _, node = parse_document(data, path)
    log = ProblemLog(path)
    preset = Value(node, "", log).take(ValueType(lambda value: read_preset(value, name), {}), None)
    log.close()
    assert preset is not None  # a problem would have been in the log
    return preset


@cache
def shipped_preset(name: str) -> Preset:
    """Return the shipped preset of that name, one of `PRESET_NAMES`."""
    return parse_preset(preset_bytes(name), preset_file(name), name)


def shipped_presets() -> tuple[Preset, ...]:
    """Return all shipped presets."""
    return tuple(shipped_preset(name) for name in PRESET_NAMES)


def _read_choice(value: Value) -> Preset | None:
    if not isinstance(value.node, ScalarNode):
        return read_preset(value, CUSTOM)
    name = value.scalar().text
    if name == AUTO.name:
        return AUTO
    if name not in PRESET_NAMES:
        raise InvalidValue(unknown("preset", name, (AUTO.name, *PRESET_NAMES)))
    return shipped_preset(name)


PRESET: ValueType[Preset | None] = ValueType(
    _read_choice,
    {"oneOf": [{"type": "string", "enum": [AUTO.name, *PRESET_NAMES]}, object_schema(PRESET_KEYS)]},
)
PRESET_KEY: Key[Preset | None] = Key(
    "preset", PRESET, None, f"{AUTO.name} (the default), name of a shipped preset, or your own metric names"
)


def preset_of(section: Section) -> Preset:
    """Return the preset of a source's block; without one, `AUTO`."""
    return section.get(PRESET_KEY) or AUTO
