"""YAML as untrusted text: bytes in, a tree of positioned texts out, or every problem found.

Only structure is taken from YAML. A scalar stays text as written: whether it is a number, a
duration or a name is up to the reader of the value, so that ``no`` is never False and ``1:30``
never 90. Anchors, aliases, tags, merge keys, directives and further documents are refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

import yaml

from slocheck.documents.position import Position
from slocheck.documents.units import shown
from slocheck.errors import Problem, SpecError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_NODES = 10_000
"""Scalars, lists and mappings; keeps the pure-Python parser under half a second."""

MAX_PROBLEMS = 100

WRITE_A_SPEC = "write a spec (`slocheck init` writes one to begin with)"

UNSAFE = re.compile(
    # control characters, marks that change the reading direction, line breaks that editors do not count
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
    r"|\r(?!\n)"
)


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A text; `plain` means that it was written without quotes."""

    text: str
    plain: bool
    position: Position


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """A list of nodes."""

    items: tuple["Node", ...]
    position: Position


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys and their nodes, in the order written, without duplicates."""

    entries: tuple[tuple[ScalarNode, "Node"], ...]
    position: Position


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode


def parse_document(data: bytes, path: str, *, empty: str = WRITE_A_SPEC) -> tuple[str, Node]:
    """Turn the bytes of one YAML document into its text and its tree.

    Args:
        data: As read, at most `MAX_BYTES`; a UTF-8 byte order mark is dropped.
        path: For messages.
        empty: What to do about a document without content.

    Raises:
        SpecError: With all problems that were found; nothing else is ever raised.
    """
    text = _decode(data, path)
    builder = _Builder(text, path, empty)
    node = builder.build()
    if builder.problems or node is None:
        raise SpecError(cut(builder.problems, path))
    return text, node


def cut(problems: list[Problem], path: str) -> list[Problem]:
    """Keep the first `MAX_PROBLEMS` in the order of lines, and say how many more there are."""
    if len(problems) <= MAX_PROBLEMS:
        return problems
    ordered = sorted(problems, key=lambda problem: (problem.line, problem.column))
    more = len(problems) - MAX_PROBLEMS
    last = ordered[MAX_PROBLEMS - 1]
    note = Problem(path, last.line, last.column, "", f"and {more} more problems; fix those above first")
    return [*ordered[:MAX_PROBLEMS], note]


def _decode(data: bytes, path: str) -> str:
    """Check size, encoding and characters."""
    if len(data) > MAX_BYTES:
        what = f"has {len(data):,} bytes; at most {MAX_BYTES:,} are read: write a shorter file"
        raise SpecError([Problem(path, 1, 1, "", what)])
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", errors="replace")
        what = f"is not UTF-8 (byte {data[error.start]:#04x}); save the file as UTF-8"
        raise SpecError([_problem_at(before, len(before), path, what)]) from error
    found = [
        _problem_at(text, match.start(), path, _unsafe(match[0]))
        for match, _ in zip(UNSAFE.finditer(text), range(MAX_PROBLEMS), strict=False)
    ]
    if found:
        raise SpecError(found)
    return text


def _unsafe(character: str) -> str:
    return f"has the control character U+{ord(character):04X}; remove it"


def _problem_at(text: str, offset: int, path: str, what: str) -> Problem:
    """Locate an offset of `text`."""
    line_start = text.rfind("\n", 0, offset) + 1
    return Problem(path, text.count("\n", 0, offset) + 1, offset - line_start + 1, "", what)


class _Stop(Exception):  # noqa: N818 - not an error: the problem is recorded, the rest cannot be read
    """The document cannot be read any further."""


class _Builder:
    """Builds the tree from the event stream, so that limits hold before anything is composed."""

    def __init__(self, text: str, path: str, empty: str) -> None:
        self.text = text
        self.empty = empty
        self.path = path
        self.problems: list[Problem] = []
        self._nodes = 0
        self._position = Position(1, 1)

    def build(self) -> Node | None:
        """Return the tree, or None if it could not be read to the end."""
        events = yaml.parse(self.text, Loader=yaml.SafeLoader)
        try:
            return self._document(events)
        except _Stop:
            return None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            if mark is not None:
                self._position = Position(mark.line + 1, mark.column + 1)
            self._note(_explain(error, self.text, mark))
        except (yaml.YAMLError, ValueError, OverflowError):
            # the scanner turns \UFFFFFFFF and the like into chr() and int() without looking
            self._note("has an escape or number after this place that YAML cannot hold; remove it")
        return None

    def _document(self, events: Iterator[yaml.Event]) -> Node:
        self._skip(events, yaml.StreamStartEvent)
        start = next(events)
        if not isinstance(start, yaml.DocumentStartEvent):
            self._stop(f"is empty; {self.empty}")
        if start.version or start.tags:
            self._note("has a directive (%YAML or %TAG); remove it")
        node = self._node(next(events), events, 0)
        self._skip(events, yaml.DocumentEndEvent)
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            self._at(after)
            self._stop("begins a second document; keep one document a file")
        return node

    def _skip(self, events: Iterator[yaml.Event], kind: type[yaml.Event]) -> None:
        event = next(events)
        assert isinstance(event, kind)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        position = self._at(event)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(f"is past the limit of {MAX_NODES:,} values; write a shorter file")
        if isinstance(event, yaml.AliasEvent):
            self._note(f"uses the alias {shown(str(event.anchor))}; write the value out")
            return ScalarNode("", plain=True, position=position)
        self._refuse_properties(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, position)
        if depth == MAX_DEPTH:
            self._stop(f"is nested deeper than {MAX_DEPTH} levels; write it flatter")
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                items.append(self._node(item, events, depth + 1))
            return SequenceNode(tuple(items), position)
        return self._mapping(events, position, depth)

    def _refuse_properties(self, event: yaml.Event) -> None:
        if anchor := getattr(event, "anchor", None):
            self._note(f"has the anchor {shown(str(anchor))}; remove it and write each value out")
        if tag := getattr(event, "tag", None):
            self._note(f"has the tag {shown(str(tag))}; remove it, values need none")

    def _scalar(self, event: yaml.ScalarEvent, position: Position) -> ScalarNode:
        if unsafe := UNSAFE.search(event.value):
            self._note(_unsafe(unsafe[0]))
        return ScalarNode(event.value, plain=event.style is None, position=position)

    def _mapping(self, events: Iterator[yaml.Event], position: Position, depth: int) -> MappingNode:
        entries: dict[str, tuple[ScalarNode, Node]] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, depth + 1)
            self._position = key.position
            if not isinstance(key, ScalarNode):
                self._note("uses a list or mapping as a key; write a name")
            elif key.text == "<<":
                self._note("uses the merge key <<; write the keys out")
            elif key.text in entries:
                first = entries[key.text][0].position
                self._note(f"repeats the key {shown(key.text)} of line {first.line}; keep one of them")
            value = self._node(next(events), events, depth + 1)
            if isinstance(key, ScalarNode):
                entries.setdefault(key.text, (key, value))
        return MappingNode(tuple(entries.values()), position)

    def _at(self, event: yaml.Event) -> Position:
        mark = event.start_mark
        assert mark is not None  # the parser sets it on every event
        self._position = Position(mark.line + 1, mark.column + 1)
        return self._position

    def _note(self, what: str) -> None:
        self.problems.append(Problem(self.path, self._position.line, self._position.column, "", what))

    def _stop(self, what: str) -> NoReturn:
        self._note(what)
        raise _Stop


def _explain(error: yaml.MarkedYAMLError, text: str, mark: yaml.Mark | None) -> str:
    """Explain a syntax error and what to write instead."""
    problem = error.problem or "cannot be read"
    found = text[mark.index : mark.index + 1] if mark is not None else ""
    if found == "\t":
        return "has a tab where YAML wants spaces; indent with spaces"
    if found == "{" and "flow" in (error.context or ""):
        return "has a { inside brackets or braces; put a text with {placeholders} in quotes"
    if found == ">" or error.context == "while scanning a block scalar":
        return 'begins a block of text with > or |; put a limit in quotes, such as ">= 99.9%"'
    if problem.startswith("mapping values are not allowed"):
        return "has a second ': ' in one value, or a wrong indent; put the value in quotes or fix the indent"
    if "cannot start any token" in problem:
        return f"begins with {shown(found)}, which needs quotes; put the value in quotes"
    context = f" {error.context}" if error.context else ""
    return f"is not YAML{context}: {problem}; check brackets and indents here, or put the value in quotes"
