"""What a correct response looks like, and what is captured from it."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import InvalidValue, Key, Section, Value, ValueType, object_schema
from slocheck.documents.units import NUMBER_PATTERN, SIZE_UNITS, shown, split_comparison
from slocheck.documents.yaml_tree import ScalarNode, SequenceNode
from slocheck.scenario.jsonpath import PATH_PATTERN, parse_path
from slocheck.scenario.model import Capture, Expectation, JsonPath, JsonTemplate, SizeLimit, Template
from slocheck.scenario.parse.templates import JSON, LINES, NAME_PATTERN, TEMPLATE

HEADER_NAME_PATTERN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"
STATUS_PATTERN = "[1-5]xx|[1-5][0-9]{2}"

_SIZE = re.compile(rf"({NUMBER_PATTERN}) ?([A-Za-z]+)")
_STATUS = re.compile(STATUS_PATTERN)


def _codes(value: Value) -> frozenset[int]:
    """Read ``200`` or ``2xx`` as status codes; raises InvalidValue."""
    text = value.scalar().text
    if not _STATUS.fullmatch(text):
        raise InvalidValue(f"{shown(text)} is not a status; write one such as 200, 2xx or [200, 404]")
    if text.endswith("xx"):
        return frozenset(range(int(text[0]) * 100, int(text[0]) * 100 + 100))
    return frozenset({int(text)})


def _read_status(value: Value) -> frozenset[int] | None:
    if not isinstance(value.node, SequenceNode):
        return _codes(value)
    items = value.items()
    if not items:
        raise InvalidValue("is an empty list; write at least one status, or remove the key")
    return frozenset().union(*(item.take(ValueType(_codes, {}), frozenset()) for item in items))


_ONE_STATUS = {
    "oneOf": [
        {"type": "string", "pattern": types.anchored(STATUS_PATTERN)},
        {"type": "integer", "minimum": 100, "maximum": 599},
    ]
}
STATUS: Key[frozenset[int] | None] = Key(
    "status",
    ValueType(_read_status, {"anyOf": [_ONE_STATUS, {"type": "array", "minItems": 1, "items": _ONE_STATUS}]}),
    None,
    "200, 2xx, or a list of them",
)


def _read_header_name(value: Value) -> str:
    text = value.scalar().text
    if not re.fullmatch(HEADER_NAME_PATTERN, text):
        raise InvalidValue(f"{shown(text)} is not a header name; write letters, digits and hyphens")
    return text


HEADER_NAME = ValueType(_read_header_name, {"type": "string", "pattern": types.anchored(HEADER_NAME_PATTERN)})


def _read_header(value: Value) -> tuple[tuple[str, Template], ...]:
    found = []
    for key, child in value.entries():
        name = Value(key, value.where, value.log).take(HEADER_NAME, "")
        template = child.take(TEMPLATE, None)
        if name and template is not None:
            found.append((name, template))
    return tuple(found)


HEADER: Key[tuple[tuple[str, Template], ...]] = Key(
    "header",
    ValueType(
        _read_header,
        {
            "type": "object",
            "propertyNames": {"pattern": types.anchored(HEADER_NAME_PATTERN)},
            "additionalProperties": TEMPLATE.schema,
        },
    ),
    (),
    "response header to its value; parameters after ; count only where the value has some",
)


def _read_path(value: Value) -> JsonPath | None:
    return parse_path(value.scalar().text)


def _read_places(value: Value) -> tuple[tuple[JsonPath, JsonTemplate], ...]:
    found = []
    for key, child in value.entries():
        path = Value(key, value.where, value.log).take(ValueType(_read_path, {}), None)
        expected = child.take(JSON, None)
        if path is not None:
            found.append((path, expected))
    return tuple(found)


JSON_VALUES: Key[tuple[tuple[JsonPath, JsonTemplate], ...]] = Key(
    "json",
    ValueType(_read_places, {"type": "object", "propertyNames": {"pattern": types.anchored(PATH_PATTERN)}}),
    (),
    "place in the response's JSON, such as $.items[0].id, to the value there",
)
CONTAINS: Key[Template | None] = Key("body", LINES, None, "a text that the response's body contains")


def _read_size(value: Value) -> SizeLimit | None:
    written = value.scalar().text
    comparison, rest = split_comparison(written)
    match = _SIZE.fullmatch(rest)
    if comparison is None or match is None or match[3] not in SIZE_UNITS:
        raise InvalidValue(f'{shown(written)} is not a size limit; write one such as "< 10 kB" or ">= 1 B"')
    size = Fraction(match[1]) * SIZE_UNITS[match[3]]
    if size.denominator != 1:
        raise InvalidValue(f"{shown(written)} is not a whole number of bytes; write one such as < 10 kB")
    return SizeLimit(comparison, int(size), written)


SIZE: Key[SizeLimit | None] = Key(
    "size",
    ValueType(
        _read_size,
        {
            "type": "string",
            "pattern": rf"^\s*(<=|>=|<|>)\s*{NUMBER_PATTERN} ?({'|'.join(SIZE_UNITS)})\s*$",
        },
    ),
    None,
    'limit on the decoded body\'s size, such as "< 10 kB"',
)
EXPECT_KEYS: tuple[Key[Any], ...] = (STATUS, HEADER, JSON_VALUES, CONTAINS, SIZE)


def _read_expect(value: Value) -> Expectation:
    section = Section(value, EXPECT_KEYS)
    return Expectation(
        statuses=section.get(STATUS),
        headers=section.get(HEADER),
        json=section.get(JSON_VALUES),
        body=section.get(CONTAINS),
        size=section.get(SIZE),
    )


def reads_body(expect: Expectation, captures: Sequence[Capture]) -> bool:
    """Tell whether checking a response needs its body."""
    parts = (expect.json, expect.body is not None, expect.size)
    return any(parts) or any(isinstance(capture.source, JsonPath) for capture in captures)


EXPECT: Key[Expectation] = Key(
    "expect", ValueType(_read_expect, object_schema(EXPECT_KEYS)), Expectation(), "what a correct response is"
)

CAPTURED_JSON: Key[JsonPath | None] = Key(
    "json",
    ValueType(_read_path, {"type": "string", "pattern": types.anchored(PATH_PATTERN)}),
    None,
    "place in the response's JSON",
)
CAPTURED_HEADER = Key("header", HEADER_NAME, "", "name of a response header")
CAPTURE_KEYS: tuple[Key[Any], ...] = (CAPTURED_JSON, CAPTURED_HEADER)
_NAME = types.text(pattern=NAME_PATTERN, what="capture name", example="sku")


def _read_captures(value: Value) -> tuple[Capture, ...]:
    found = []
    for key, child in value.entries():
        Value(key, value.where, value.log).take(_NAME, "")
        # stands in for an invalid source, so that uses of it are not reported as unknown
        source = child.take(ValueType(_read_source, {}), "")
        found.append(Capture(key.text, source, key.position, value.where))
    return tuple(found)


def _read_source(value: Value) -> JsonPath | str:
    if isinstance(value.node, ScalarNode):
        raise InvalidValue(
            f"{shown(value.node.text)} does not name its source; write {{json: $.id}} or {{header: ETag}}"
        )
    section = Section(value, CAPTURE_KEYS)
    if section.has(CAPTURED_JSON) == section.has(CAPTURED_HEADER):
        raise InvalidValue("does not have exactly one source; write {json: $.id} or {header: ETag}")
    return section.get(CAPTURED_JSON) or section.get(CAPTURED_HEADER)


_SOURCE_SCHEMA = {**object_schema(CAPTURE_KEYS), "minProperties": 1, "maxProperties": 1}
CAPTURE: Key[tuple[Capture, ...]] = Key(
    "capture",
    ValueType(
        _read_captures,
        {
            "type": "object",
            "propertyNames": {"pattern": types.anchored(NAME_PATTERN)},
            "additionalProperties": _SOURCE_SCHEMA,
        },
    ),
    (),
    "values that later steps of the flow use as {name}",
)
