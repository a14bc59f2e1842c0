"""Loads slo.yaml as a `Spec`; reports all problems at once, with line, what was found and what to write."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from slocheck.documents import types
from slocheck.documents.nearby import missing
from slocheck.documents.reader import InvalidValue, Key, ProblemLog, Section, Value, ValueType
from slocheck.documents.units import shown
from slocheck.documents.yaml_tree import MAX_BYTES, MappingNode, parse_document
from slocheck.errors import UsageError, reason_of
from slocheck.spec.blocks.cache import CACHE
from slocheck.spec.blocks.confidence import CONFIDENCE
from slocheck.spec.blocks.failures import FAILURES
from slocheck.spec.blocks.metric_source.auth import VARIABLE_PATTERN
from slocheck.spec.blocks.metric_source.sources import SOURCE_BLOCKS, block_names, written_blocks
from slocheck.spec.blocks.objectives import RESERVED, SpecContext, objectives_schema, read_objectives
from slocheck.spec.blocks.target import INSTANCES, TARGET
from slocheck.spec.blocks.validity import VALIDITY
from slocheck.spec.blocks.workload import SCENARIO, WORKLOAD
from slocheck.spec.model import Objective, SourceBlock, Spec, Workload
from slocheck.spec.model.workload import BLOCK
from slocheck.spec.overrides import check_gate, with_overrides

__all__ = ["load_spec", "parse_spec", "root_keys", "with_overrides"]

TIER_PATTERN = "[A-Za-z][A-Za-z0-9_-]{0,39}"


def _read_tier(value: Value) -> str:
    name = _TIER_NAME.read(value)
    if name in RESERVED:
        raise InvalidValue(f"{shown(name)} means something else under objectives; write another name")
    return name


SERVICE = Key(
    "service",
    types.text(
        pattern=r"[^\s](.{0,98}[^\s])?", what="service name (1 to 100 characters)", example="shop-api"
    ),
    "",
    "the service's name",
    required=True,
)
_TIER_NAME = types.text(pattern=TIER_PATTERN, what="tier name", example="silver")
_TIER = ValueType(_read_tier, {**_TIER_NAME.schema, "not": {"enum": list(RESERVED)}})
TIERS: Key[tuple[str, ...]] = Key(
    "tiers", types.list_of(_TIER, at_least=1), (), "names of the tiers, loosest first", required=True
)
OBJECTIVES: Key[Value | None] = Key(
    # read separately, because the tiers and sources have to be known first
    "objectives",
    ValueType(lambda value: value, objectives_schema()),
    None,
    "what is measured, and its limit per tier",
    required=True,
)
SCENARIO_BLOCK: Key[Value | None] = Key(
    # read by what reads scenarios: see slocheck.scenario.loader
    BLOCK,
    ValueType(lambda value: value, {"type": "object"}),
    None,
    "what virtual users do, in the form of a scenario file, in place of workload.scenario",
)
GATE = Key("gate", _TIER_NAME, "", "the tier that the exit code asks for", required=True)
_VARIABLE = types.text(pattern=VARIABLE_PATTERN, what="environment variable", example="SHOP_LICENCE")
SECRETS: Key[tuple[str, ...]] = Key(
    "secrets",
    types.list_of(_VARIABLE, at_least=1),
    (),
    "environment variables whose values are masked in all output, in addition to those named like a secret",
)


def root_keys() -> tuple[Key[Any], ...]:
    """Return the keys at the top of slo.yaml."""
    return (
        *(SERVICE, TARGET),
        *SOURCE_BLOCKS.values(),
        *(WORKLOAD, SCENARIO_BLOCK, TIERS, OBJECTIVES, GATE, CONFIDENCE, FAILURES, CACHE, VALIDITY, SECRETS),
    )


def load_spec(path: str | Path) -> Spec:
    """Read and parse a spec file, expanding ``${NAME}`` in its URLs from the process's environment.

    Raises:
        UsageError: The file is missing, a directory, unreadable or too large.
        SpecError: The file is not a valid spec; holds every problem.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise UsageError(missing(path, "run `slocheck init` to write one")) from error
    except IsADirectoryError as error:
        raise UsageError(f"{path}: is a directory; name the file in it, such as {path}/slo.yaml") from error
    except (OSError, ValueError) as error:
        # ValueError: a path with a NUL byte
        raise UsageError(f"{path}: cannot be read: {reason_of(error)}; name a file that can") from error
    return parse_spec(data, str(path), environment=os.environ)


def parse_spec(data: bytes, path: str, *, environment: Mapping[str, str] | None = None) -> Spec:
    """Parse the bytes of a spec; pure.

    Args:
        data: The file's bytes.
        path: The file's name, for messages.
        environment: What ``${NAME}`` in URLs expands from; a missing name is a problem. None keeps the
            URLs as written, for an archived spec that is only graded.

    Raises:
        SpecError: With every problem found.
    """
    text, node = parse_document(data, path)
    log = ProblemLog(path, environment)
    spec = Value(node, "", log).take(ValueType(lambda value: _read_spec(value, text), {}), None)
    log.close()
    assert spec is not None  # otherwise there was a problem, and close() has raised
    return spec


def _read_spec(value: Value, text: str) -> Spec | None:
    """Read all blocks; None without a usable workload, which is a problem in the log."""
    root = Section(value, root_keys())
    workload, source = root.get(WORKLOAD), _source(root)
    tiers, target = root.get(TIERS), root.get(TARGET)
    service, gate = root.get(SERVICE), root.get(GATE)
    confidence, failures = root.get(CONFIDENCE), root.get(FAILURES)
    cache, validity = root.get(CACHE), root.get(VALIDITY)
    _check_instances(root)
    objectives = _objectives(root, tiers)
    if workload is None:
        return None
    workload = _with_scenario(root, workload)
    spec = Spec(
        path=value.log.path,
        text=text,
        service=service,
        target=target,
        workload=replace(workload, position=root.position(WORKLOAD)),
        tiers=tiers,
        objectives=objectives,
        gate=gate,
        confidence=confidence,
        metric_source=source,
        failures=failures,
        cache=cache,
        validity=validity,
        secrets=tuple(dict.fromkeys(value.log.secrets)),
        secret_variables=root.get(SECRETS),
    )
    _check_gate(root, spec)
    return spec


def _with_scenario(root: Section, workload: Workload) -> Workload:
    """Return the workload, with the spec's own file for its scenario if that is a block of the spec."""
    block, written = root.value_of(SCENARIO_BLOCK), root.value_of(WORKLOAD)
    assert written is not None  # there is a workload
    named = any(key.text == SCENARIO.name for key, _ in written.entries())
    path = root.value.log.path
    if block is None:
        if not named:
            written.refuse(
                "has no key 'scenario'; write scenario: FILE, or a scenario block at the top of this file"
            )
        return workload
    if named:
        block.refuse("cannot be combined with workload.scenario; keep one of the two")
    elif not isinstance(block.node, MappingNode):
        block.refuse("is not a mapping; write flows with steps below it, or name a file in workload.scenario")
    elif not path.endswith((".yaml", ".yml")):
        block.refuse("needs a file whose name ends in .yaml; rename this one")
    return workload if named else replace(workload, scenario=Path(path).name)


def _source(root: Section) -> SourceBlock | None:
    """Read the metric source's block; a second one is a problem."""
    found = [(key, root.get(key)) for key in SOURCE_BLOCKS.values() if root.has(key)]
    for key, _ in found[1:]:
        first = found[0][0]
        root.value.log.add(
            root.position(key),
            key.name,
            f"cannot be combined with {first.name} on line {root.position(first).line}; keep one of the two",
        )
    if not found:
        return None
    key, source = found[0]
    return source and replace(source, position=root.position(key))


def _check_instances(root: Section) -> None:
    """Record it if instances are to be counted without a metric source."""
    target = root.value_of(TARGET)
    if written_blocks(root) or target is None or not isinstance(target.node, MappingNode):
        return
    for key, child in target.entries():
        if key.text == INSTANCES.name and child.take(INSTANCES.value_type, 1) is None:
            child.refuse(f"needs a metric source to count in; write a {block_names()} block, or a number")


def _objectives(root: Section, tiers: tuple[str, ...]) -> tuple[Objective, ...]:
    """Read the objectives; without tiers, their levels could not be distinguished from misspelt keys."""
    child = root.value_of(OBJECTIVES)
    if child is None or not tiers:
        return ()
    blocks = written_blocks(root)
    around = SpecContext(tiers, server=bool(blocks), promql=any(block.takes_promql for block in blocks))
    return child.take(ValueType(lambda value: read_objectives(value, around), {}), ())


def _check_gate(root: Section, spec: Spec) -> None:
    """Record a gate that is not a tier, or for which no objective has a limit."""
    child = root.value_of(GATE)
    if child is None or not spec.gate or not spec.tiers or not spec.objectives:
        return
    child.take(ValueType(lambda _: check_gate(spec.gate, spec), {}), "")
