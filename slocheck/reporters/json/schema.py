"""The JSON result as JSON Schema, made from the table of its keys: strict, each key of it is required."""

from collections.abc import Iterator, Mapping
from typing import Any

from slocheck.reporters.json.keys import KEYS, NAMES, NULLABLE

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ENTRIES = "[]"
_ANY_NAME = "*"


def result_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the result, for programs that read it."""
    return {
        "$schema": DIALECT,
        "title": "slocheck result (result.json)",
        "description": "One graded run. A result with a key that is not listed is of another version.",
        **_object("", _tree()),
    }


def _tree() -> dict[str, Any]:
    """Return the keys as nested dicts; a leaf is its schema, and ``[]`` ends the name of a list."""
    root: dict[str, Any] = {}
    for path, kind, meaning in KEYS:
        *parents, name = path.split(".")
        inside = root
        for parent in parents:
            inside = inside.setdefault(parent, {})
        inside[name] = {**kind, **({"description": meaning} if meaning else {})}
    return root


def _object(path: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object; `path` is its own."""
    kind = {"type": ["object", "null"] if path in NULLABLE else "object"}
    if _ANY_NAME in keys:
        names = {"propertyNames": NAMES[path]} if path in NAMES else {}
        return {**kind, "additionalProperties": keys[_ANY_NAME], **names}
    properties = dict(_properties(path, keys))
    return {**kind, "properties": properties, "required": [*properties], "additionalProperties": False}


def _properties(path: str, keys: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, inner in keys.items():
        inner_path = f"{path}.{name}".lstrip(".")
        if name.endswith(_ENTRIES):
            yield name.removesuffix(_ENTRIES), {"type": "array", "items": _object(inner_path, inner)}
        else:
            yield name, inner if _is_leaf(inner) else _object(inner_path, inner)


def _is_leaf(inner: Mapping[str, Any]) -> bool:
    """Tell a key's schema from a table of keys, which has tables or schemas for values."""
    return not all(isinstance(value, Mapping) for value in inner.values())
