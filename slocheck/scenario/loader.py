"""Loads a scenario file as a `Scenario`; reports all problems at once, with lines and what to write.

The only module of the package that reads files: the scenario, and the CSV and secret files named in it.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from slocheck.documents import types
from slocheck.documents.nearby import missing
from slocheck.documents.reader import Key, Section, Value, ValueType
from slocheck.documents.yaml_tree import (
    MAX_BYTES,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    parse_document,
)
from slocheck.errors import UsageError, reason_of
from slocheck.scenario.model import Scenario
from slocheck.scenario.parse.feeders import FEEDERS
from slocheck.scenario.parse.placeholders import check_cookies, check_endpoints, check_placeholders
from slocheck.scenario.parse.steps import FLOWS, HEADERS, THINK, TIMEOUT
from slocheck.scenario.parse.templates import ScenarioProblemLog, log_of
from slocheck.spec.model.workload import BLOCK

COOKIES: Key[bool] = Key("cookies", types.BOOLEAN, False, "whether each virtual user keeps cookies")  # noqa: FBT003 - the default
ROOT_KEYS: tuple[Key[Any], ...] = (FEEDERS, HEADERS, COOKIES, THINK, TIMEOUT, FLOWS)
SUFFIXES = (".yaml", ".yml")
"""How the name of a declarative scenario ends."""


def load_scenario(path: Path, environment: Mapping[str, str]) -> Scenario:
    """Read and check a scenario file.

    Args:
        path: The file; CSV and secret files are relative to its folder.
        environment: What ``${NAME}`` expands from.

    Raises:
        UsageError: The file is missing, a directory or unreadable.
        SpecError: The file is not a valid scenario; holds every problem.
    """
    return parse_scenario(
        scenario_bytes(path),
        str(path),
        environment=environment,
        read=lambda name, most: read_scenario_file(path, name, most),
    )


def scenario_bytes(path: Path) -> bytes:
    """Return the content of a scenario file, at most one byte more than it may have; raises UsageError."""
    try:
        return _read(path, MAX_BYTES)
    except FileNotFoundError as error:
        raise UsageError(missing(path, "name a scenario under workload.scenario")) from error
    except (OSError, ValueError) as error:
        # ValueError: a path with a NUL byte
        raise UsageError(f"{path}: cannot be read: {reason_of(error)}; name a file that can") from error


def read_scenario_file(path: Path, name: str, most: int) -> bytes:
    """Return the first `most` + 1 bytes of a file that the scenario names, or all of them; raises OSError."""
    return _read(path.parent / name, most)


def _read(path: Path, most: int) -> bytes:
    """Return the first `most` + 1 bytes of a file, or all of them."""
    if not path.is_file() and path.exists():
        raise IsADirectoryError(21, "it is not a file")
    with path.open("rb") as file:
        return file.read(most + 1)


def parse_scenario(
    data: bytes, path: str, *, environment: Mapping[str, str], read: Callable[[str, int], bytes]
) -> Scenario:
    """Check the bytes of a scenario; pure except for `read`.

    Args:
        data: The file's bytes.
        path: The file's name, for messages.
        environment: What ``${NAME}`` expands from.
        read: Returns the first bytes of a file that the scenario names, at most one more than the given
            number.

    Raises:
        SpecError: With every problem found.
    """
    text, node = parse_document(data, path, empty="write a scenario: flows with steps")
    log = ScenarioProblemLog(path, environment, read=read)
    value = _block(Value(node, "", log))
    log.digest.update(data if value.node is node else "\n".join(_texts(value.node)).encode())
    scenario = value.take(ValueType(lambda value: _read_scenario(value, text), {}), None)
    log.close()
    assert scenario is not None  # otherwise there was a problem, and close() has raised
    return scenario


def _block(value: Value) -> Value:
    """Return the scenario in a document: the block of a spec, or all of it."""
    if not isinstance(value.node, MappingNode):
        return value
    return next((child for key, child in value.entries() if key.text == BLOCK), value)


def _texts(node: Node) -> Iterator[str]:
    """Yield what is written in a block: the rest of a spec does not make another scenario of it."""
    match node:
        case ScalarNode():
            yield repr(node.text)
        case SequenceNode():
            yield f"list of {len(node.items)}"
            for item in node.items:
                yield from _texts(item)
        case MappingNode():
            yield f"mapping of {len(node.entries)}"
            for key, child in node.entries:
                yield repr(key.text)
                yield from _texts(child)


def _read_scenario(value: Value, text: str) -> Scenario | None:
    """Read all keys, then check them against each other."""
    root = Section(value, ROOT_KEYS)
    log = log_of(value)
    log.think, log.timeout_s = root.get(THINK), root.get(TIMEOUT)
    feeders, headers, cookies = root.get(FEEDERS), root.get(HEADERS), root.get(COOKIES)
    flows = root.get(FLOWS)
    check_placeholders(log, feeders, headers, flows)
    check_endpoints(log, flows)
    if cookies:
        check_cookies(log, headers, flows)
    return Scenario(
        path=log.path,
        text=text,
        feeders={name: feeder for name, feeder in feeders.items() if feeder is not None},
        headers=headers,
        cookies=cookies,
        flows=flows,
        sha256=log.digest.hexdigest(),
        secrets=tuple(dict.fromkeys(log.secrets)),
    )
