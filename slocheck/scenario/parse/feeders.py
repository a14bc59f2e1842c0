"""Feeders: where the values of placeholders come from."""

from collections.abc import Callable
from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import InvalidValue, Key, Section, Value, ValueType, object_schema
from slocheck.documents.units import shown
from slocheck.scenario.model import (
    CsvFeeder,
    Feeder,
    JsonScalar,
    ListFeeder,
    RangeFeeder,
    UuidFeeder,
    ZipfFeeder,
)
from slocheck.scenario.parse.csv_tables import read_table
from slocheck.scenario.parse.templates import NAME_PATTERN, SCALAR_TYPES, log_of, read_scalar

Feeders = dict[str, Feeder | None]
"""By name; None if the feeder is wrong, so that its placeholders are not reported as unknown."""

LARGEST = 10**15 - 1
MOST_RANKS = 10_000_000
"""Values of all Zipf feeders of a scenario; each takes eight bytes."""

MOST_EXPONENT = 10

ORDERS = {"sequential": False, "random": True}
ORDER: Key[bool] = Key("order", types.choice("order", ORDERS), False, "sequential (default) or random")  # noqa: FBT003 - the default
FROM = Key("from", types.whole(0, LARGEST), 0, "the first number", required=True)
TO = Key("to", types.whole(0, LARGEST), 0, "the last number, included", required=True)


def _read_exponent(value: Value) -> float:
    exponent = types.number(0, MOST_EXPONENT).read(value)
    if exponent == 0:
        raise InvalidValue(
            "is 0, which makes all numbers equally frequent; write a number above 0, or use random"
        )
    return exponent


EXPONENT = Key(
    "exponent",
    ValueType(_read_exponent, {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_EXPONENT}),
    1.0,
    "how uneven: rank r has weight r ** -exponent",
)
BOUNDS: tuple[Key[Any], ...] = (FROM, TO)
ZIPF_KEYS: tuple[Key[Any], ...] = (FROM, TO, EXPONENT)


def _bounds(section: Section) -> tuple[int, int]:
    """Read from and to; raises InvalidValue if they are in the wrong order."""
    first, last = section.get(FROM), section.get(TO)
    if last < first and section.has(FROM) and section.has(TO):
        raise InvalidValue(f"goes from {first} to {last}; write the smaller number as from")
    return first, last


def _read_range(value: Value, name: str, *, random: bool) -> Feeder:
    first, last = _bounds(Section(value, BOUNDS))
    return RangeFeeder(name, first, last, random, value.position)


def _read_random(value: Value, name: str, **_: bool) -> Feeder:
    return _read_range(value, name, random=True)


def _read_zipf(value: Value, name: str, **_: bool) -> Feeder:
    section = Section(value, ZIPF_KEYS)
    exponent = section.get(EXPONENT)
    first, last = _bounds(section)
    log, ranks = log_of(value), last - first + 1
    if log.ranks + ranks > MOST_RANKS:
        others = " in all zipf feeders together" if log.ranks else ""
        raise InvalidValue(f"has {ranks:,} values; write at most {MOST_RANKS:,}{others}")
    log.ranks += ranks
    return ZipfFeeder(name, first, last, exponent, value.position)


def _read_list(value: Value, name: str, *, random: bool) -> Feeder:
    items: list[JsonScalar] = [item.take(ValueType(read_scalar, {}), None) for item in value.items()]
    if not items:
        raise InvalidValue("is an empty list; write at least one item")
    return ListFeeder(name, tuple(items), random, value.position)


def _read_uuid(value: Value, name: str, **_: bool) -> Feeder:
    written = value.scalar().text
    if written != "4":
        raise InvalidValue(f"{shown(written)} is not a supported UUID version; write 4 (random)")
    return UuidFeeder(name, value.position)


def _read_csv(value: Value, name: str, *, random: bool) -> Feeder:
    table = read_table(log_of(value), types.text().read(value))
    return CsvFeeder(name, table, random, value.position)


_SCALAR_SCHEMA = {"type": [*SCALAR_TYPES, "null"]}
_READERS: dict[str, Callable[..., Feeder]] = {
    "zipf": _read_zipf,
    "range": _read_range,
    "list": _read_list,
    "csv": _read_csv,
    "uuid": _read_uuid,
    "random": _read_random,
}
_SCHEMAS: dict[str, tuple[dict[str, Any], str]] = {
    "zipf": (
        object_schema(ZIPF_KEYS),
        "popularity as caches see it: a few numbers often, most of them rarely",
    ),
    "range": (object_schema(BOUNDS), "whole numbers, both ends included"),
    "list": ({"type": "array", "items": _SCALAR_SCHEMA, "minItems": 1}, "values written here"),
    "csv": ({"type": "string", "minLength": 1}, "a file with a header line, relative to the scenario"),
    "uuid": ({"enum": [4, "4"]}, "random UUIDs"),
    "random": (object_schema(BOUNDS), "whole numbers, uniform, both ends included"),
}
_ORDERED = ("range", "list", "csv")
FEEDER_KEYS: tuple[Key[Any], ...] = (
    *(
        Key(kind, ValueType(lambda value: value, _SCHEMAS[kind][0]), None, _SCHEMAS[kind][1])
        for kind in _READERS
    ),
    ORDER,
)


def read_feeder(value: Value, name: str) -> Feeder | None:
    """Read one feeder; None if its values are wrong. Raises InvalidValue."""
    section = Section(value, FEEDER_KEYS)
    found = [key for key in FEEDER_KEYS if key is not ORDER and section.has(key)]
    if len(found) != 1:
        count = "no source" if not found else "more than one source"
        raise InvalidValue(f"has {count}; write exactly one of {', '.join(_READERS)}")
    kind = found[0].name
    if section.has(ORDER) and kind not in _ORDERED:
        section.value.log.add(
            section.position(ORDER), value.where, f"order does not go with {kind}; remove it"
        )
    child = section.value_of(found[0])
    assert child is not None
    random = section.get(ORDER)
    reader: ValueType[Feeder | None] = ValueType(lambda inner: _READERS[kind](inner, name, random=random), {})
    return child.take(reader, None)


def _take(value: Value, name: str) -> Feeder | None:
    return value.take(ValueType(lambda inner: read_feeder(inner, name), {}), None)


def read_feeders(value: Value) -> Feeders:
    """Read the mapping of feeders; raises InvalidValue if it is not one."""
    kind = types.text(pattern=NAME_PATTERN, what="feeder name", example="product")
    feeders: Feeders = {}
    for key, child in value.entries():
        Value(key, value.where, value.log).take(kind, "")
        feeders[key.text] = _take(child, key.text)
    return feeders


def feeders_schema() -> dict[str, Any]:
    """Return the JSON Schema of the mapping of feeders."""
    plain = object_schema([key for key in FEEDER_KEYS if key is not ORDER])
    sources = [{"required": [kind]} for kind in _READERS]
    properties = {**plain["properties"], ORDER.name: {**ORDER.value_type.schema, "description": ORDER.doc}}
    ordered = {"anyOf": [{"required": [kind]} for kind in _ORDERED]}
    feeder = {**plain, "properties": properties, "oneOf": sources, "dependentSchemas": {ORDER.name: ordered}}
    return {
        "type": "object",
        "propertyNames": {"pattern": types.anchored(NAME_PATTERN)},
        "additionalProperties": feeder,
    }


FEEDERS: Key[Feeders] = Key(
    "feeders", ValueType(read_feeders, feeders_schema()), {}, "where the values of placeholders come from"
)
