"""Typed reading of a document: one table of keys gives the reader, its messages and the JSON Schema.

A `ValueType` turns a node into a value or says what is wrong with it, a `Key` names a value in a mapping, a
`Section` reads a mapping by its keys. Every problem goes into the `ProblemLog` and reading goes on with a
default, so that all problems are reported at once; the values of an invalid document are never used.
"""

import difflib
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, TypeVar

from slocheck.documents import yaml_tree
from slocheck.documents.position import Position
from slocheck.documents.units import UnitError, shown
from slocheck.documents.yaml_tree import MAX_PROBLEMS, Node, ScalarNode, SequenceNode
from slocheck.errors import Problem, SpecError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_MOST_COMPARED, _MOST_LISTED = 1000, 100
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_$][A-Za-z0-9_.$-]{0,63}")


class InvalidValue(ValueError):  # noqa: N818 - names what it says of the value
    """A value that its key cannot take; the message says what was found and what to write."""


@dataclass(slots=True)
class ProblemLog:
    """The problems of one document, collected while it is read.

    Attributes:
        path: The document, as the user named it.
        environment: What ``${NAME}`` expands from; None keeps it as written.
        problems: Found so far.
        secrets: Values read from the environment so far that must not show.
    """

    path: str
    environment: Mapping[str, str] | None = None
    problems: list[Problem] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    @property
    def full(self) -> bool:
        """Whether further problems would not be shown, so that suggestions need not be searched."""
        return len(self.problems) >= MAX_PROBLEMS

    def add(self, position: Position, where: str, what: str) -> None:
        """Record a problem."""
        self.problems.append(Problem(self.path, position.line, position.column, where, what))

    def close(self) -> None:
        """Raise SpecError if there is any problem."""
        if self.problems:
            raise SpecError(yaml_tree.cut(self.problems, self.path))


@dataclass(frozen=True, slots=True)
class Value:
    """A node, its dotted name, and the log for its problems."""

    node: Node
    where: str
    log: ProblemLog

    @property
    def position(self) -> Position:
        """The node's position."""
        return self.node.position

    def refuse(self, what: str) -> None:
        """Record a problem of this value."""
        self.log.add(self.position, self.where, what)

    def take(self, value_type: "ValueType[T]", fallback: T) -> T:
        """Read the value; on a problem, record it and return `fallback`."""
        try:
            return value_type.read(self)
        except (InvalidValue, UnitError) as error:
            self.refuse(str(error))
            return fallback

    def scalar(self) -> ScalarNode:
        """Return the node as non-empty text; raises InvalidValue."""
        if not isinstance(self.node, ScalarNode):
            found = "a list" if isinstance(self.node, SequenceNode) else "a mapping"
            raise InvalidValue(f"{found} is written where one value belongs; write one value")
        if self.node.plain and self.node.text in _NULLS:
            raise InvalidValue("has no value; write one, or remove the key")
        return self.node

    def items(self) -> list["Value"]:
        """Return a list's items; raises InvalidValue."""
        if not isinstance(self.node, SequenceNode):
            raise InvalidValue("is not a list; write [a, b] or one '- ' line for each")
        return [Value(item, f"{self.where}[{i}]", self.log) for i, item in enumerate(self.node.items)]

    def entries(self) -> list[tuple[ScalarNode, "Value"]]:
        """Return a mapping's keys and values; raises InvalidValue."""
        if not isinstance(self.node, yaml_tree.MappingNode):
            raise InvalidValue("is not a mapping; write its keys below it, each as 'key: value'")
        return [(key, Value(node, self._path_of(key.text), self.log)) for key, node in self.node.entries]

    def _path_of(self, key: str) -> str:
        name = key if _PLAIN_NAME.fullmatch(key) else shown(key)
        return f"{self.where}.{name}" if self.where else name


@dataclass(frozen=True)
class ValueType(Generic[T_co]):
    """How a node becomes a value: `read` raises InvalidValue; `schema` is the same rule as JSON Schema."""

    read: Callable[[Value], T_co]
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Key(Generic[T_co]):
    """A key of a mapping.

    Attributes:
        name: As written in the document.
        value_type: How its value is read.
        default: Used if the key is absent or its value is wrong.
        doc: Description for the JSON Schema.
        required: Whether its absence is a problem.
    """

    name: str
    value_type: ValueType[T_co]
    default: T_co
    doc: str
    required: bool = False


class Section:
    """A mapping read by a table of keys."""

    def __init__(
        self, value: Value, keys: Sequence[Key[Any]], refused: Mapping[str, str] | None = None
    ) -> None:
        """Check the keys of `value`; raises InvalidValue if it is not a mapping.

        Args:
            value: The mapping.
            keys: All keys that it may have.
            refused: Keys with a special message, such as inline secrets; their values are never shown.
        """
        self.value = value
        self._values: dict[str, Value] = {}
        self._keys: dict[str, ScalarNode] = {}
        known = [key.name for key in keys]
        for name, child in value.entries():
            if refused and name.text in refused:
                value.log.add(name.position, child.where, refused[name.text])
            elif name.text in known:
                self._values[name.text], self._keys[name.text] = child, name
            elif value.log.full:
                value.log.add(name.position, child.where, "unknown key")
            else:
                value.log.add(name.position, value.where, unknown("key", name.text, known))
        for key in keys:
            if key.required and key.name not in self._keys:
                value.refuse(f"has no key '{key.name}'; write {key.name}: ... ({key.doc})")

    def has(self, key: Key[Any]) -> bool:
        """Tell whether the key was written."""
        return key.name in self._values

    def value_of(self, key: Key[Any]) -> Value | None:
        """Return the value of a key as written, None if it is absent."""
        return self._values.get(key.name)

    def position(self, key: Key[Any]) -> Position:
        """Return the key's position, or the mapping's if it is absent."""
        name = self._keys.get(key.name)
        return name.position if name else self.value.position

    def get(self, key: Key[T]) -> T:
        """Read the key's value; its default if it is absent or wrong."""
        child = self._values.get(key.name)
        return key.default if child is None else child.take(key.value_type, key.default)


def unknown(what: str, found: str, known: Collection[str]) -> str:
    """Say that a name is unknown, and which was probably meant; of very many the first ones are told."""
    names = list(islice(known, _MOST_COMPARED))
    folded = {name.lower(): name for name in names}
    close = difflib.get_close_matches(found[:64].lower(), folded, n=1, cutoff=0.6)
    if close:
        return f"unknown {what} {shown(found)}; did you mean '{folded[close[0]]}'?"
    listed = ", ".join(names if len(known) <= _MOST_LISTED else names[: _MOST_LISTED - 1])
    more = f", or one of {len(known) - _MOST_LISTED + 1:,} more" if len(known) > _MOST_LISTED else ""
    return f"unknown {what} {shown(found)}; write one of {listed}{more}"


def object_schema(keys: Sequence[Key[Any]]) -> dict[str, Any]:
    """Return the JSON Schema of a mapping with these keys and no others."""
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: {**key.value_type.schema, "description": key.doc} for key in keys},
    }
    if required := [key.name for key in keys if key.required]:
        schema["required"] = required
    return schema
