"""What an OpenAPI document says about one operation: its parameters, their values, its success."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from slocheck.importers.secrecy import is_secret

Parameters = Mapping[tuple[str, str], Mapping[str, Any]]
"""By where they are sent, and their name."""

_SUCCESS = re.compile("2[0-9][0-9]")
_PARAMETER = re.compile(r"\{([^{}]+)\}")
_EXAMPLE = "example"
_SAMPLES = {"integer": "1", "number": "1", "boolean": "true"}
_FORMATS = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
}
_MOST_REFERENCES = 8


def mapping(value: Any) -> dict[Any, Any]:
    """Return a value that should be a mapping; an empty one if it is not."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return a value that should be a list; an empty one if it is not."""
    return value if isinstance(value, list) else []


def resolved(document: Any, value: Any) -> Any:
    """Follow a reference within the document; what cannot be followed is ignored."""
    for _ in range(_MOST_REFERENCES):
        if not isinstance(value, dict) or "$ref" not in value:
            return value
        reference, value = str(value["$ref"]), document
        for part in reference.removeprefix("#/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            value = value.get(key) if isinstance(value, dict) else None
    return None


def parameters_of(document: Any, item: Any, operation: Any) -> Parameters:
    """Return the parameters of an operation: its own come before those of its path."""
    found = {}
    for written in (*sequence(item.get("parameters")), *sequence(operation.get("parameters"))):
        parameter = mapping(resolved(document, written))
        if "name" in parameter:
            found[str(parameter.get("in")), str(parameter["name"])] = parameter
    return found


def success(operation: Any) -> int:
    """Return the lowest status that a success of an operation has."""
    codes = map(str, mapping(operation.get("responses")))
    return int(min(filter(_SUCCESS.fullmatch, codes), default="200"))


def filled_path(document: Any, path: str, parameters: Parameters) -> tuple[str, bool]:
    """Return a path with its parameters and required query, and whether a secret was left out of it.

    Raises:
        ValueError: It has characters that cannot be encoded.
    """
    secrets = False

    def fill(match: re.Match[str]) -> str:
        nonlocal secrets
        value = _value(document, parameters.get(("path", match[1]), {}))
        if is_secret(match[1], value):
            secrets, value = True, _EXAMPLE
        return quote(value, safe="")

    filled = _PARAMETER.sub(fill, path)
    query = {}
    for (where, name), parameter in parameters.items():
        if where == "query" and parameter.get("required"):
            value = _value(document, parameter)
            if is_secret(name, value):
                secrets = True
            else:
                query[name] = value
    return filled + (f"?{urlencode(query)}" if query else ""), secrets


def _value(document: Any, parameter: Mapping[str, Any]) -> str:
    """Return a value for a parameter: its example, its default, its first choice, or one of its type."""
    schema = mapping(resolved(document, parameter.get("schema"))) or parameter
    first = next(iter(mapping(parameter.get("examples")).values()), None)
    candidates = (
        parameter.get("example"),
        mapping(resolved(document, first)).get("value"),
        schema.get("example"),
        *sequence(schema.get("examples"))[:1],
        schema.get("default"),
        *sequence(schema.get("enum"))[:1],
    )
    found = next((value for value in candidates if isinstance(value, (str, int, float))), None)
    if found is not None:
        return str(found).lower() if isinstance(found, bool) else str(found)
    kind = schema.get("type")
    named = next(iter(sequence(kind)), "") if isinstance(kind, list) else kind
    return _FORMATS.get(str(schema.get("format") or ""), _SAMPLES.get(str(named), _EXAMPLE))
