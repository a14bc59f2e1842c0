"""Texts with ``{placeholders}`` and ``${VARIABLES}``, and JSON values made of them."""

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slocheck.documents import yaml_tree
from slocheck.documents.reader import InvalidValue, ProblemLog, Value, ValueType
from slocheck.documents.units import shown
from slocheck.documents.yaml_tree import ScalarNode, SequenceNode
from slocheck.scenario.model import (
    DEFAULT_TIMEOUT_S,
    CsvTable,
    JsonArray,
    JsonObject,
    JsonScalar,
    JsonTemplate,
    Literal,
    Placeholder,
    Template,
)

NAME_PATTERN = "[A-Za-z_][A-Za-z0-9_]{0,63}"
SCALAR_TYPES = ["string", "number", "boolean"]  # as other readers read unquoted text
MAX_TEXT = 8000
MAX_SECRET = 65_536

_TOKEN = re.compile(r"\{\{|\}\}|\$\{(?!\{)[^}]*\}?|\{[^{}]*\}?|\}")
_PLACEHOLDER = re.compile(rf"\{{({NAME_PATTERN})(?:\.([^{{}}]{{1,64}}))?\}}")
_VARIABLE = re.compile(r"\$\{(?:file:([^}]+)|([A-Za-z_][A-Za-z0-9_]*))\}")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
_NULLS = frozenset({"~", "null", "Null", "NULL"})
_TRUTH = {"true": True, "false": False}
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(slots=True)
class ScenarioProblemLog(ProblemLog):
    """The problems of a scenario and what it may read; `secrets` holds values from files, too.

    Attributes:
        read: Returns the first bytes of a file that the scenario names, at most one more than the given
            number; raises OSError, or ValueError for a name that no file can have.
        digest: Hash of the scenario and the data read so far.
        think: Shortest and longest wait after a step without its own, seconds.
        timeout_s: Timeout of a step without its own.
        tables: The CSV files that were read, by name.
        csv_bytes: Their total size.
        ranks: Values of the Zipf feeders so far.
    """

    read: Callable[[str, int], bytes] = field(default=lambda name, _: name.encode())
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    think: tuple[float, float] | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S
    tables: dict[str, CsvTable] = field(default_factory=dict)
    csv_bytes: int = 0
    ranks: int = 0


def log_of(value: Value) -> ScenarioProblemLog:
    """Return the log of a value in a scenario, as a `ScenarioProblemLog`."""
    assert isinstance(value.log, ScenarioProblemLog)
    return value.log


def explain(error: OSError | ValueError) -> str:
    """Say briefly why a file cannot be read."""
    return getattr(error, "strerror", None) or "not a valid file name"


def read_template(value: Value, *, lines: bool = False) -> Template:
    """Read a text with placeholders; raises InvalidValue. With `lines` it may have several lines."""
    written = value.scalar()
    if len(written.text) > MAX_TEXT:
        raise InvalidValue(f"has {len(written.text)} characters; write at most {MAX_TEXT}")
    if not lines and _CONTROL.search(written.text):
        raise InvalidValue(f"{shown(written.text)} has several lines; write one line")
    return Template(_parts(value, written.text), written.text, value.position, value.where)


def _parts(value: Value, text: str) -> tuple[Literal | Placeholder, ...]:
    """Split a text at its placeholders; adjacent literals become one."""
    parts: list[Literal | Placeholder] = []
    fixed: list[str] = []
    at = 0
    for match in _TOKEN.finditer(text):
        fixed.append(text[at : match.start()])
        at = match.end()
        token = _token(value, match[0])
        if isinstance(token, str):
            fixed.append(token)
            continue
        parts += [Literal(joined), token] if (joined := "".join(fixed)) else [token]
        fixed = []
    fixed.append(text[at:])
    if joined := "".join(fixed):
        parts.append(Literal(joined))
    return tuple(parts)


def _token(value: Value, token: str) -> str | Placeholder:
    """Read one token as the text that it means, or as a placeholder."""
    if token in ("{{", "}}"):
        return token[0]
    if token.startswith("$"):
        return _variable(value, token)
    match = _PLACEHOLDER.fullmatch(token)
    if match is None:
        raise InvalidValue(
            f"{shown(token)} is not a placeholder; write {{name}}, or {{{{ and }}}} for braces"
        )
    return Placeholder(match[1], match[2])


def _variable(value: Value, token: str) -> str:
    """Return the value of ``${NAME}`` or ``${file:PATH}``, and keep it as a secret."""
    match = _VARIABLE.fullmatch(token)
    if match is None:
        raise InvalidValue(f"{shown(token)} is not a variable; write ${{NAME}}, or ${{file:/path}}")
    found = _file(value, match[1]) if match[1] else _environment(value, match[2])
    log_of(value).secrets.append(found)
    return found


def _environment(value: Value, name: str) -> str:
    environment: Mapping[str, str] = value.log.environment or {}
    found = environment.get(name, "")
    if not found:
        raise InvalidValue(f"the environment variable {name} is not set; set it, or write ${{file:/path}}")
    return _sendable(found, f"the environment variable {name}")


def _file(value: Value, name: str) -> str:
    try:
        data = log_of(value).read(name, MAX_SECRET)
    except (OSError, ValueError) as error:
        raise InvalidValue(
            f"the file {shown(name)} cannot be read: {explain(error)}; name one that can"
        ) from error
    try:
        text = data.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise InvalidValue(f"the file {shown(name)} is not UTF-8; save it as UTF-8") from None
    if not text or len(data) > MAX_SECRET:
        raise InvalidValue(
            f"the file {shown(name)} is empty or over {MAX_SECRET} bytes; write the value into it"
        )
    return _sendable(text, f"the file {shown(name)}")


def _sendable(text: str, what: str) -> str:
    """Refuse a value that a header cannot hold; its text is not shown."""
    if _CONTROL.search(text) or any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidValue(f"{what} holds a line break or control character; write one line of text")
    return text


_SCHEMA: dict[str, Any] = {"type": SCALAR_TYPES, "maxLength": MAX_TEXT}
TEMPLATE: ValueType[Template | None] = ValueType(read_template, _SCHEMA)
"""A text on one line with placeholders."""

LINES: ValueType[Template | None] = ValueType(lambda value: read_template(value, lines=True), _SCHEMA)
"""A text with placeholders that may have several lines."""


def read_scalar(value: Value) -> JsonScalar:
    """Read a JSON scalar by its YAML form: quoted is text, unquoted may be a number, boolean or null."""
    node = value.node
    if not isinstance(node, ScalarNode):
        found = "a list" if isinstance(node, SequenceNode) else "a mapping"
        raise InvalidValue(f"{found} is written where one value belongs; write one value")
    if not node.plain:
        return node.text
    if not node.text:
        raise InvalidValue('has no value; write null, or "" for an empty text')
    if node.text in _NULLS:
        return None
    if node.text in _TRUTH:
        return _TRUTH[node.text]
    number = _NUMBER.fullmatch(node.text)
    if number is None:
        return node.text
    if number[2] is None and number[3] is None:
        return int(node.text)
    if not math.isfinite(float(node.text)):
        raise InvalidValue(f"{shown(node.text)} is too large for a number; put it in quotes")
    return float(node.text)


def read_json(value: Value) -> JsonTemplate:
    """Read a JSON value whose texts may have placeholders; raises InvalidValue, or logs problems below it."""
    node = value.node
    if isinstance(node, yaml_tree.MappingNode):
        entries = value.entries()
        return JsonObject(tuple((key.text, child.take(JSON, None)) for key, child in entries))
    if isinstance(node, SequenceNode):
        return JsonArray(tuple(child.take(JSON, None) for child in value.items()))
    if node.plain and not node.text:
        raise InvalidValue('has no value; write null, or a placeholder in quotes: "{name}"')
    found = read_scalar(value)
    if not isinstance(found, str):
        return found
    # not with read_template: in JSON a text may be empty or "null"
    if len(found) > MAX_TEXT:
        raise InvalidValue(f"has {len(found)} characters; write at most {MAX_TEXT}")
    return Template(_parts(value, found), found, value.position, value.where)


JSON: ValueType[JsonTemplate] = ValueType(read_json, {})
"""Any JSON value; texts may have placeholders."""
