"""The ``failures`` block of slo.yaml."""

from typing import Any

from slocheck.documents import types
from slocheck.documents.reader import Key, Section, Value, ValueType, object_schema
from slocheck.spec.model import FailureRule

_STATUS = types.text(pattern="[1-5][0-9][0-9]|[1-5]xx", what="status code or class", example="5xx or 429")
_STATUSES = types.list_of(_STATUS, at_least=1)
STATUSES: Key[tuple[str, ...]] = Key(
    "statuses",
    ValueType(
        _STATUSES.read,
        {
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "oneOf": [
                    {"type": "string", "pattern": types.anchored("[1-5][0-9][0-9]|[1-5]xx")},
                    {"type": "integer", "minimum": 100, "maximum": 599},
                ]
            },
        },
    ),
    FailureRule().statuses,
    "status codes (429) and classes (5xx) that are failures",
)
FAILURES_KEYS: tuple[Key[Any], ...] = (STATUSES,)


def _read_failures(value: Value) -> FailureRule:
    return FailureRule(Section(value, FAILURES_KEYS).get(STATUSES))


FAILURES = Key(
    "failures",
    ValueType(_read_failures, object_schema(FAILURES_KEYS)),
    FailureRule(),
    "which responses are failures",
)
