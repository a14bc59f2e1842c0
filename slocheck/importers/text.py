"""An imported scenario as YAML: on its own, or as the block of a spec."""

import json
from collections.abc import Iterator, Mapping

from slocheck.errors import SpecError
from slocheck.importers.model import Imported, ImportedStep
from slocheck.scenario.loader import parse_scenario


def scenario_text(found: Imported) -> str:
    """Return the text of a scenario file."""
    return "\n".join(scenario_lines(found)) + "\n"


def scenario_lines(found: Imported, indent: str = "") -> Iterator[str]:
    """Yield the lines of a scenario."""
    if found.feeders:
        yield f"{indent}feeders:"
        yield from (f"{indent}  {name}: {text}" for name, text in found.feeders.items())
    yield f"{indent}flows:"
    yield f"{indent}  - steps:"
    for step in found.steps:
        yield from (f"{indent}      {line}" for line in _step_lines(step))


def _step_lines(step: ImportedStep) -> Iterator[str]:
    yield f"- {step.method.lower()}: {quoted(step.path)}"
    if step.name:
        yield f"  name: {quoted(step.name)}"
    if step.headers:
        pairs = ", ".join(f"{quoted(name)}: {quoted(value)}" for name, value in step.headers.items())
        yield f"  headers: {{{pairs}}}"
    if step.body:
        yield f"  body: {quoted(step.body)}"
    yield f"  expect: {{status: {step.status}}}"


def can_be_written(step: ImportedStep) -> bool:
    """Tell whether a scenario can hold a step: its path is not too long, its body is plain text."""
    text = scenario_text(Imported("", (step,)))
    try:
        parse_scenario(text.encode(), "scenario", environment={}, read=lambda _name, _most: b"")
    except (SpecError, ValueError):
        return False
    return True


def spec_text(
    found: Imported, *, workload: Mapping[str, str], objectives: Mapping[str, str], tier: str, comment: str
) -> str:
    """Return the text of a spec that holds its scenario.

    Args:
        found: What to send.
        workload: Keys of the workload block, as YAML.
        objectives: Limit of each objective, by its name.
        tier: The only one.
        comment: The first line.
    """
    load = ", ".join(f"{key}: {value}" for key, value in workload.items())
    lines = [
        f"# {comment}",
        f"service: {quoted(found.service)}",
        f"target: {{url: {quoted(found.target)}}}",
        f"workload: {{{load}}}",
        "scenario:",
        *scenario_lines(found, "  "),
        f"tiers: [{tier}]",
        "objectives:",
        *(f"  {name}: {{{tier}: {quoted(limit)}}}" for name, limit in objectives.items()),
        f"gate: {tier}",
        "confidence: 95%",
    ]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return a text as a YAML scalar: in double quotes as JSON has them."""
    return "".join(map(_escaped, json.dumps(text, ensure_ascii=False)))


def _escaped(character: str) -> str:
    return character if character.isprintable() else f"\\U{ord(character):08x}"
