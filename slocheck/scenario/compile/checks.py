"""Expectations and captures as functions of a response; the same cause always gives the same text."""

import json
import operator
import re
from collections.abc import Callable, Sequence
from typing import NoReturn

from slocheck.documents.units import ComparisonOperator, shown
from slocheck.scenario.compile.rendering import constant, segments_of, text_renderer
from slocheck.scenario.compile.value_slots import Encoding, ValueSlots
from slocheck.scenario.jsonpath import NotFoundError, getter
from slocheck.scenario.model import (
    Capture,
    Expectation,
    JsonArray,
    JsonObject,
    JsonPath,
    JsonTemplate,
    SizeLimit,
    Template,
)

Values = list[object]
Check = Callable[[int, bytes, bytes, Values], str | None]
PlainTest = Callable[[bytes, bytes, Values], str | None]
JsonTest = Callable[[object, Values], str | None]

_COMPARE: dict[ComparisonOperator, Callable[[int, int], bool]] = {
    ComparisonOperator.LT: operator.lt,
    ComparisonOperator.LE: operator.le,
    ComparisonOperator.GT: operator.gt,
    ComparisonOperator.GE: operator.ge,
}
NOT_JSON = "body is not JSON"


def status_failure(status: int, statuses: frozenset[int]) -> str:
    """Return the text of a failed status expectation; a class of codes is named as such."""
    classes = [hundred for hundred in range(1, 6) if statuses >= _codes_of(hundred)]
    single = sorted(code for code in statuses if code // 100 not in classes)
    expected = " or ".join([*map(str, single), *(f"{hundred}xx" for hundred in classes)])
    return f"status is {status}, not {expected}"


def _codes_of(hundred: int) -> frozenset[int]:
    return frozenset(range(hundred * 100, hundred * 100 + 100))


def compile_tests(expect: Expectation, slots: ValueSlots) -> tuple[list[PlainTest], list[JsonTest]]:
    """Return the tests of headers and body, and separately those of the body's JSON."""
    plain = [_header_test(name, template, slots) for name, template in expect.headers]
    if expect.size is not None:
        plain.append(_size_test(expect.size))
    if expect.body is not None:
        plain.append(_body_test(expect.body, slots))
    return plain, [_json_test(path, value, slots) for path, value in expect.json]


def compile_captures(
    captures: Sequence[Capture], slots: ValueSlots
) -> tuple[list[PlainTest], list[JsonTest]]:
    """Return a function that stores captured values; call it after all steps of the flow have their slots."""
    plain, places = [], []
    for capture in captures:
        if isinstance(capture.source, JsonPath):
            places.append(_json_capture(capture.name, capture.source, slots))
        else:
            plain.append(_header_capture(capture.name, capture.source, slots))
    return plain, places


def compose(
    statuses: frozenset[int] | None, plain: Sequence[PlainTest], places: Sequence[JsonTest]
) -> Check | None:
    """Return one function for all tests of a step; None if only the status is tested."""
    if not plain and not places:
        return None
    head_tests, json_tests = tuple(plain), tuple(places)

    def check(status: int, head: bytes, body: bytes, values: Values) -> str | None:
        if statuses is not None and status not in statuses:
            return status_failure(status, statuses)
        for test in head_tests:
            if (text := test(head, body, values)) is not None:
                return text
        if json_tests:
            try:
                document = read_json(body)
            except ValueError:
                return NOT_JSON
            for place in json_tests:
                if (text := place(document, values)) is not None:
                    return text
        return None

    return check


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


_read = json.JSONDecoder(parse_constant=_refuse).raw_decode
_BLANKS = " \t\r\n"


def read_json(body: bytes) -> object:
    """Read a JSON document by RFC 8259: without NaN or byte order mark; raises ValueError."""
    text = body.decode()
    if text[:1] in _BLANKS:
        text = text.lstrip(_BLANKS)
    try:
        # without the two searches for whitespace that json.loads does
        document, end = _read(text)
    except RecursionError:
        raise ValueError(NOT_JSON) from None
    if end != len(text) and text[end:].strip(_BLANKS):
        raise ValueError(NOT_JSON)
    return document


def same(found: object, expected: object) -> bool:
    """Tell whether two JSON values are equal; 1 is 1.0, and true is not 1."""
    if isinstance(expected, dict):
        return (
            isinstance(found, dict)
            and found.keys() == expected.keys()
            and all(same(found[name], child) for name, child in expected.items())
        )
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(same, found, expected))
    return found == expected and (type(found) is bool) == (type(expected) is bool)


def _json_test(path: JsonPath, expected: JsonTemplate, slots: ValueSlots) -> JsonTest:
    get = getter(path)
    missing = f"body has no {path.written}"
    differs = f"{path.written} is not {_written(expected)}"
    deep = f"{path.written} is nested too deep to be compared"
    varies = isinstance(expected, Template | JsonObject | JsonArray)
    build = _builder(expected, slots) if varies else None

    def test(document: object, values: Values) -> str | None:
        try:
            equal = same(get(document), build(values) if build else expected)
        except NotFoundError:
            return missing
        except RecursionError:
            return deep
        return None if equal else differs

    return test


def _written(expected: JsonTemplate) -> str:
    """Return an expected value as written in the scenario, shortened."""
    match expected:
        case Template():
            return shown(expected.written)
        case JsonObject() | JsonArray():
            return "the value expected"
    return json.dumps(expected)


def _builder(expected: JsonTemplate, slots: ValueSlots) -> Callable[[Values], object]:
    """Return a function from an iteration's values to the expected JSON value."""
    match expected:
        case Template():
            whole = expected.whole
            if whole is not None:
                return operator.itemgetter(slots.slot(whole, Encoding.RAW))
            return text_renderer(segments_of(expected, slots, Encoding.PLAIN))
        case JsonObject(members):
            child = [(name, _builder(value, slots)) for name, value in members]
            return lambda values: {name: build(values) for name, build in child}
        case JsonArray(items):
            inner = [_builder(value, slots) for value in items]
            return lambda values: [build(values) for build in inner]
    return lambda _: expected


def _finder(name: str) -> Callable[[bytes], list[bytes]]:
    """Return a function from a header block to all values of a header."""
    pattern = rb"\n(?i:%s):[ \t]*([^\r\n]*?)[ \t]*(?=\r?\n)" % re.escape(name.encode())
    return re.compile(pattern).findall


def _first_finder(name: str) -> Callable[[bytes], bytes | None]:
    """Return a function from a header block to a header's value, None if it is missing.

    The name as the scenario writes it and the name in lower case are searched directly, which takes a tenth
    of the time.
    """
    find = _finder(name)
    encodings = tuple(dict.fromkeys((f"\r\n{name}:".encode(), f"\r\n{name.lower()}:".encode())))

    def first(head: bytes) -> bytes | None:
        for encoding in encodings:
            at = head.find(encoding)
            if at >= 0:
                start = at + len(encoding)
                return head[start : head.index(b"\n", start)].strip()
        found = find(head)
        return found[0] if found else None

    return first


def _header_test(name: str, template: Template, slots: ValueSlots) -> PlainTest:
    find = _finder(name)
    build = text_renderer(segments_of(template, slots, Encoding.PLAIN))
    missing = f"header {name} is missing"
    differs = f"header {name} is not {shown(template.written)}"
    bare = ";" not in template.written
    fixed = constant(segments_of(template, slots, Encoding.PLAIN))
    line = f"\r\n{name}: {fixed.strip()}\r\n".encode() if fixed else b""
    small = line.replace(name.encode(), name.lower().encode(), 1)

    def test(head: bytes, _: bytes, values: Values) -> str | None:
        if line and (line in head or small in head):
            return None
        found = find(head)
        if not found:
            return missing
        wanted = build(values).strip().encode("utf-8", "surrogatepass")
        for value in found:
            if value == wanted or (bare and value.partition(b";")[0].rstrip() == wanted):
                return None
        return differs

    return test


def _header_capture(name: str, header: str, slots: ValueSlots) -> PlainTest:
    find = _first_finder(header)
    write = slots.writer(name)
    missing = f"nothing to capture as {name}: header {header} is missing"

    def capture(head: bytes, _: bytes, values: Values) -> str | None:
        found = find(head)
        if found is None:
            return missing
        try:
            text = found.decode()
        except UnicodeDecodeError:
            text = found.decode("latin-1")
        write(values, text)
        return None

    return capture


def _json_capture(name: str, path: JsonPath, slots: ValueSlots) -> JsonTest:
    get = getter(path)
    write = slots.writer(name)
    missing = f"nothing to capture as {name}: body has no {path.written}"
    deep = f"nothing to capture as {name}: {path.written} is nested too deep"

    def capture(document: object, values: Values) -> str | None:
        try:
            write(values, get(document))
        except NotFoundError:
            return missing
        except RecursionError:
            return deep
        return None

    return capture


def _size_test(limit: SizeLimit) -> PlainTest:
    compare = _COMPARE[limit.comparison]
    size = limit.size
    text = f"size is not {limit.written}"
    return lambda _, body, __: None if compare(len(body), size) else text


def _body_test(template: Template, slots: ValueSlots) -> PlainTest:
    segments = segments_of(template, slots, Encoding.PLAIN)
    text = f"body does not contain {shown(template.written)}"
    fixed = constant(segments)
    if fixed is not None:
        needle = fixed.encode()
        return lambda _, body, __: None if needle in body else text
    build = text_renderer(segments)
    return lambda _, body, values: None if build(values).encode("utf-8", "surrogatepass") in body else text
