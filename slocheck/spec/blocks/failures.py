"""The ``failures`` block of slo.yaml."""

from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import Key, Section, Value, ValueType, object_schema
from slocheck.spec.model import FailureRule

_PATTERN = "[1-5][0-9][0-9]|[1-5]xx"
_STATUS = types.text(pattern=_PATTERN, what="status code or class", example="5xx or 429")
_PATH = types.text(pattern=r"/[^\s?#]*", what="path", example="/home")
_NORMAL = FailureRule()


def _statuses(*, at_least: int) -> ValueType[tuple[str, ...]]:
    """Return the type of a list of codes, which YAML reads as numbers, and classes."""
    item = {
        "oneOf": [
            {"type": "string", "pattern": types.anchored(_PATTERN)},
            {"type": "integer", "minimum": 100, "maximum": 599},
        ]
    }
    schema: dict[str, Any] = {"type": "array", "uniqueItems": True, "items": item}
    if at_least:
        schema["minItems"] = at_least
    return ValueType(types.list_of(_STATUS, at_least=at_least).read, schema)


STATUSES: Key[tuple[str, ...]] = Key(
    "statuses",
    _statuses(at_least=1),
    _NORMAL.statuses,
    "status codes (429) and classes (5xx) that are failures",
)
EXPECTED: Key[tuple[str, ...]] = Key(
    "expected",
    _statuses(at_least=0),
    _NORMAL.expected,
    "status codes (404) and classes (3xx) that are fine, in addition to 2xx and 304",
)
REDIRECTS: Key[tuple[str, ...]] = Key(
    "redirects",
    types.list_of(_PATH),
    _NORMAL.redirects,
    "paths on the target that a redirect may lead to, followed or not",
)
FAILURES_KEYS: tuple[Key[Any], ...] = (STATUSES, EXPECTED, REDIRECTS)


def _read_failures(value: Value) -> FailureRule:
    section = Section(value, FAILURES_KEYS)
    statuses, expected = section.get(STATUSES), section.get(EXPECTED)
    both = [(status, other) for status in expected for other in statuses if _overlap(status, other)]
    if both and (place := section.value_of(EXPECTED)) is not None:
        status, other = both[0]
        written = "" if section.has(STATUSES) else f", whose default is {', '.join(statuses)}"
        place.refuse(
            f"{status} cannot be expected: {other} is a failure by failures.statuses{written}; "
            "leave it out of one of them"
        )
    return FailureRule(statuses, expected, section.get(REDIRECTS))


def _overlap(one: str, other: str) -> bool:
    """Tell whether a status belongs to both of two codes or classes."""
    return one == other or (one[0] == other[0] and "xx" in (one[1:], other[1:]))


FAILURES = Key(
    "failures",
    ValueType(_read_failures, object_schema(FAILURES_KEYS)),
    _NORMAL,
    "which responses are failures, and which are fine",
)
