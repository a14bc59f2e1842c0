"""An OpenAPI document (3.x, or Swagger 2.0) as a flow of its operations."""

import re
from collections import Counter
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from slocheck.documents.words import quantity
from slocheck.errors import UsageError
from slocheck.importers.model import METHODS, SAFE_METHODS, Imported, Step, as_written
from slocheck.importers.secrecy import is_secret

MAX_STEPS = 50
_SUCCESS = re.compile("2[0-9][0-9]")
_PARAMETER = re.compile(r"\{([^{}]+)\}")
_SAMPLES = {"integer": "1", "number": "1", "boolean": "true"}
_FORMATS = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
}


def from_openapi(document: Any, *, what: str, target: str | None, all_methods: bool) -> Imported:
    """Return a step for each operation, parameters filled in by their examples, or by their types.

    Args:
        document: As read.
        what: For messages.
        target: Base address; None: the document's first server.
        all_methods: Also operations other than GET and HEAD, which send no body.

    Raises:
        UsageError: It is not such a document, or nothing in it can be sent.
    """
    paths = document.get("paths") if isinstance(document, dict) else None
    if not isinstance(paths, dict) or not paths:
        raise UsageError(f"{what}: is not an OpenAPI document with paths")
    steps, left = [], Counter[str]()
    for path, item in paths.items():
        for method, operation in (item if isinstance(item, dict) else {}).items():
            name = str(method).upper()
            if name not in METHODS or not isinstance(operation, dict):
                continue
            if name not in SAFE_METHODS and not all_methods:
                left[f"with {name}"] += 1
                continue
            steps.append(_step(document, name, str(path), item, operation))
    if not steps:
        raise UsageError(f"{what}: has no operation with GET or HEAD; see --all-methods")
    if len(steps) > MAX_STEPS:
        left[f"beyond the first {MAX_STEPS}"] += len(steps) - MAX_STEPS
    left_out = [f"{quantity(count, 'operation')} {why}" for why, count in left.most_common()]
    if document.get("security") or document.get("components", {}).get("securitySchemes"):
        left_out.append('credentials; add headers such as {Authorization: "Bearer ${TOKEN}"}')
    base, prefix = _server(document, target)
    steps = [_below(prefix, step) for step in steps[:MAX_STEPS]]
    return Imported(base, tuple(steps), service=_service(document), left_out=tuple(left_out))


def _service(document: Any) -> str:
    title = str((document.get("info") or {}).get("title") or "")
    return "".join(character for character in title if character.isprintable()).strip()[:100]


def _server(document: Any, target: str | None) -> tuple[str, str]:
    """Return the base address and the prefix of all paths."""
    servers = document.get("servers") or [{}]
    url = str(servers[0].get("url") or "") if isinstance(servers[0], dict) else ""
    if document.get("host"):
        scheme = (document.get("schemes") or ["https"])[0]
        url = f"{scheme}://{document['host']}{document.get('basePath') or ''}"
    elif document.get("basePath"):
        url = str(document["basePath"])
    parts = urlsplit(url if "{" not in url else "")
    own = f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""
    return target or own or "http://127.0.0.1:8000", "" if target else parts.path.rstrip("/")


def _below(prefix: str, step: Step) -> Step:
    path = as_written(prefix) + step.path
    method, _, name = step.name.partition(" ")
    return Step(step.method, path, f"{method} {prefix}{name}" if name else "", step.status)


def _step(document: Any, method: str, path: str, item: Any, operation: Any) -> Step:
    found = [*(item.get("parameters") or ()), *(operation.get("parameters") or ())]
    parameters = {}
    for parameter in (_resolved(document, one) for one in found):
        if isinstance(parameter, dict) and "name" in parameter:
            parameters[parameter.get("in"), str(parameter["name"])] = parameter
    filled = _PARAMETER.sub(
        lambda match: quote(_value(document, parameters.get(("path", match[1]), {})), safe=""), path
    )
    query = {
        name: _value(document, parameter)
        for (where, name), parameter in parameters.items()
        if where == "query" and parameter.get("required") and not is_secret(name, "")
    }
    written = as_written(filled + (f"?{urlencode(query)}" if query else ""))
    codes = [str(code) for code in operation.get("responses") or {} if _SUCCESS.fullmatch(str(code))]
    name = f"{method} {path}" if written != path else ""
    return Step(method, written, name, int(min(codes, default="200")))


def _resolved(document: Any, value: Any) -> Any:
    """Follow a reference within the document; what cannot be followed is as if it were not there."""
    for _ in range(8):
        if not isinstance(value, dict) or "$ref" not in value:
            return value
        reference, value = str(value["$ref"]), document
        for part in reference.removeprefix("#/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            value = value.get(key) if isinstance(value, dict) else None
    return None


def _value(document: Any, parameter: Any) -> str:
    """Return a value for a parameter: its example, its default, its first choice, or one of its type."""
    schema = _resolved(document, parameter.get("schema")) or parameter
    examples = parameter.get("examples")
    first: Any = next(iter(examples.values()), {}) if isinstance(examples, dict) else {}
    candidates = (
        parameter.get("example"),
        first.get("value") if isinstance(first, dict) else None,
        schema.get("example"),
        schema.get("default"),
        next(iter(schema.get("enum") or ()), None),
    )
    found = next((value for value in candidates if isinstance(value, (str, int, float))), None)
    if found is not None:
        return str(found).lower() if isinstance(found, bool) else str(found)
    kind = str(schema.get("type") or "")
    return _FORMATS.get(str(schema.get("format") or ""), _SAMPLES.get(kind, "example"))
