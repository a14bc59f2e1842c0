"""An OpenAPI document (3.x, or Swagger 2.0) as a flow of its operations."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from slocheck.documents.words import quantity
from slocheck.errors import UsageError
from slocheck.importers.model import METHODS, SAFE_METHODS, Imported, ImportedStep, as_written, usable_base
from slocheck.importers.openapi_values import filled_path, mapping, parameters_of, resolved, sequence, success
from slocheck.importers.secrecy import path_has_secret
from slocheck.importers.text import can_be_written

MAX_STEPS = 50
DEFAULT_BASE = "http://127.0.0.1:8000"
_NOT_IN_PATHS = frozenset({"header", "cookie"})
_IN_BODY = frozenset({"body", "formData"})
_LONGEST_NAME = 100


class _OpenApiSteps:
    """The steps found so far, and how many operations were left out, wholly or in part."""

    def __init__(self, document: Any, prefix: str, *, all_methods: bool) -> None:
        self.document, self.prefix = document, prefix
        self.methods = METHODS if all_methods else SAFE_METHODS
        self.steps: list[ImportedStep] = []
        self.left = Counter[str]()
        self.credentials = bool(
            document.get("security")
            or document.get("securityDefinitions")
            or mapping(document.get("components")).get("securitySchemes")
        )

    def take_path(self, path: str, written: Any) -> None:
        """Take the operations of one path."""
        item = resolved(self.document, written)
        if not isinstance(item, dict):
            self.left["that cannot be read, or behind a reference to another document"] += 1
            return
        for method, operation in item.items():
            name = str(method).upper()
            if name not in METHODS or not isinstance(operation, dict):
                continue
            if name not in self.methods:
                self.left[f"with {name}"] += 1
            else:
                self._take(name, path, item, operation)

    def _take(self, method: str, path: str, item: Any, operation: Any) -> None:
        parameters = parameters_of(self.document, item, operation)
        try:
            filled, secrets = filled_path(self.document, path, parameters)
            written = as_written(self.prefix + filled)
            name = f"{method} {self.prefix}{path}" if written != self.prefix + path else ""
            step = ImportedStep(method, written, name, success(operation))
            usable = not path_has_secret(filled.partition("?")[0]) and can_be_written(step)
        except ValueError:  # characters that no address can hold
            usable = False
        if not usable:
            self.left["that a scenario cannot hold, or with a credential in the path"] += 1
            return
        self.steps.append(step)
        self.credentials = self.credentials or secrets or bool(operation.get("security"))
        if operation.get("requestBody") or any(where in _IN_BODY for where, _ in parameters):
            self.left["whose body was not copied; add body to the step"] += 1
        if any(where in _NOT_IN_PATHS and one.get("required") for (where, _), one in parameters.items()):
            self.left["whose required headers or cookies were not copied; add headers to the step"] += 1

    def left_out(self) -> Iterator[str]:
        """Yield sentences about what was left out."""
        for why, count in self.left.most_common():
            yield f"{quantity(count, 'operation')} {why}"
        if self.credentials:
            yield 'credentials; add headers such as {Authorization: "Bearer ${TOKEN}"}'


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
    base, prefix = (target, "") if target is not None else _server(document, what)
    flow = _OpenApiSteps(document, prefix, all_methods=all_methods)
    for path, item in paths.items():
        if not str(path).startswith("x-"):
            flow.take_path(str(path), item)
    if not flow.steps:
        told = "; ".join(flow.left_out())
        wanted = "operation" if all_methods else "operation with GET or HEAD"
        hint = "" if all_methods else "; see --all-methods"
        raise UsageError(f"{what}: has no {wanted}{hint}" + (f" (left out: {told})" if told else ""))
    if len(flow.steps) > MAX_STEPS:
        flow.left[f"beyond the first {MAX_STEPS}"] += len(flow.steps) - MAX_STEPS
    service, left_out = _service(document), list(flow.left_out())
    if "${" in service:
        service = ""
        left_out.append("the title, which cannot be the name of a service; add --service NAME")
    return Imported(base, tuple(flow.steps[:MAX_STEPS]), service=service, left_out=tuple(left_out))


def _service(document: Any) -> str:
    title = mapping(document.get("info")).get("title")
    return "".join(filter(str.isprintable, title if isinstance(title, str) else "")).strip()[:_LONGEST_NAME]


def _server(document: Any, what: str) -> tuple[str, str]:
    """Return the base address and the prefix of all paths."""
    first = next(iter(sequence(document.get("servers"))), None)
    url = str(mapping(first).get("url") or "")
    if document.get("host"):
        scheme = next(iter(sequence(document.get("schemes"))), "https")
        url = f"{scheme}://{document['host']}{document.get('basePath') or ''}"
    elif document.get("basePath"):
        url = str(document["basePath"])
    try:
        parts = urlsplit(url if "{" not in url else "")
    except ValueError:
        parts = urlsplit("none:")
    whole = bool(parts.scheme or parts.netloc)
    base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if whole else DEFAULT_BASE
    if not usable_base(base) or not (parts.path or "/").startswith("/"):
        raise UsageError(f"{what}: the address of its first server cannot be used; add --target URL")
    return base, parts.path.rstrip("/")
